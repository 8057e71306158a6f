//! The cascade over networks that say what they are told to.

use std::sync::OnceLock;

use moodbox_core::config;
use moodbox_models::{Models, Network};
use moodbox_vision::model::{Model, ModelError};
use moodbox_vision::mtcnn::{Mtcnn, Networks};
use moodbox_vision::pixels::Pixels;

/// A network whose outputs are the same bytes over and over.
struct Parrot {
    outputs: Vec<Vec<i8>>,
}

impl Parrot {
    fn new(network: &Network, cells: usize, said: &[i8]) -> Box<dyn Model> {
        let mut said = said.iter().copied().cycle();
        let mut output = |values| (0..values).map(|_| said.next().unwrap_or(0)).collect();
        let values = |shape: &[usize]| cells * shape.last().copied().unwrap_or(1);
        let outputs = network.entry.outputs.iter().map(|tensor| output(values(&tensor.shape))).collect();
        Box::new(Self { outputs })
    }
}

impl Model for Parrot {
    fn invoke(&mut self, _: &[i8]) -> Result<(), ModelError> {
        Ok(())
    }

    fn output(&self, index: usize) -> &[i8] {
        self.outputs.get(index).map_or(&[], Vec::as_slice)
    }
}

/// Looks for faces in a frame, with outputs that stand for real numbers by this scale. Every face that is found lies in the
/// frame.
pub fn detect<'a>(pixels: impl Into<Pixels<'a>>, outputs: &[i8], scale: Option<f32>) {
    let pixels = pixels.into();
    let (width, height) = pixels.size();
    // Their checksums take longer than all the rest.
    static MODELS: OnceLock<Models> = OnceLock::new();
    let mut models = MODELS.get_or_init(|| Models::built_in().expect("the built-in models")).clone();
    if let Some(scale) = scale {
        for network in [&mut models.pnet, &mut models.rnet, &mut models.onet] {
            network.entry.outputs.iter_mut().for_each(|tensor| tensor.scale = scale);
        }
    }
    let (pnet, said) = (models.pnet.clone(), outputs.to_vec());
    let networks = Networks {
        pnet: Box::new(move |[_, height, width, _]| {
            let cells = |side: usize| (side - 2).div_ceil(2) - 4;
            Ok(Parrot::new(&pnet, cells(width) * cells(height), &said))
        }),
        rnet: Parrot::new(&models.rnet, 1, outputs),
        onet: Parrot::new(&models.onet, 1, outputs),
    };
    let mut mtcnn = Mtcnn::with_networks(networks, &models, &config::Vision::default()).expect("the three networks");
    let (faces, _) = mtcnn.detect(pixels).expect("nothing that can fail");
    let (right, bottom) = (width as f32, height as f32);
    for face in faces {
        let b = face.bbox;
        assert!(b.x >= 0.0 && b.y >= 0.0 && b.x + b.w <= right && b.y + b.h <= bottom, "{b:?}");
        assert!((0.0..=1.0).contains(&face.score), "{}", face.score);
    }
}
