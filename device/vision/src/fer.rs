//! Facial expression recognition: from a face in a frame to calibrated probabilities of seven emotions.

use moodbox_core::emotion::{self, Emotion, Probabilities};
use moodbox_core::face::{BBox, Face};
use moodbox_models::Models;

use crate::frame::Frame;
use crate::model::{self, Model, ModelError, Output};
use crate::mtcnn::{Cost, invoke};
use crate::resample::GreyCrop;
use crate::tflite::Loaded;

/// Side of the grey square that the network takes, in pixels.
const SIDE: usize = 64;

/// The classifier.
pub struct Fer {
    model: Box<dyn Model>,
    logits: Output,
    macs: u64,
    temperature: f32,
    margin: f32,
    crop: GreyCrop,
}

impl Fer {
    /// The classifier of the given set of models, on TFLite.
    ///
    /// # Errors
    /// When the network is not what its manifest says.
    pub fn new(models: &Models, threads: u32) -> Result<Self, ModelError> {
        let network = &models.fer;
        let refuse = |reason: &str| ModelError::new(&network.entry.name, reason);
        model::check_input(network, &[1, SIDE, SIDE, 1])?;
        let emotions = network.entry.emotions.as_ref().ok_or_else(|| refuse("the manifest names no emotions"))?;
        if !emotions.order.iter().map(String::as_str).eq(Emotion::ALL.map(Emotion::name)) {
            return Err(refuse("its outputs are not in the order angry, disgust, fear, happy, neutral, sad, surprise"));
        }
        if !(0.05..=20.0).contains(&emotions.temperature) || !(0.0..=1.0).contains(&emotions.crop_margin) {
            return Err(refuse("its temperature must be from 0.05 to 20 and its crop margin from 0 to 1"));
        }
        Ok(Self {
            logits: model::output(network, "emotions", emotion::COUNT)?,
            model: Box::new(Loaded::new(network)?.interpreter([1, SIDE, SIDE, 1], threads)?),
            macs: network.entry.macs,
            temperature: emotions.temperature,
            margin: emotions.crop_margin,
            crop: GreyCrop::default(),
        })
    }

    /// Makes room for the faces of frames of this size.
    pub fn prepare(&mut self, frame: &Frame<'_>) {
        self.crop.reserve(frame.width(), frame.height(), SIDE);
    }

    /// The emotions of a face, and whether its picture is sharp enough to believe them.
    ///
    /// # Errors
    /// When the network cannot be run.
    pub fn read(
        &mut self,
        frame: &Frame<'_>,
        face: &Face,
        cost: &mut Cost,
    ) -> Result<(Probabilities, bool), ModelError> {
        let square = self.square(&face.bbox);
        self.crop.write(frame, &square, SIDE, self.model.input());
        let sharp = is_sharp(self.model.input());
        invoke(self.model.as_mut(), self.macs, cost)?;
        let mut logits = [0.0; emotion::COUNT];
        for (logit, quantised) in logits.iter_mut().zip(self.model.output(self.logits.index)) {
            *logit = self.logits.quantisation.real(*quantised);
        }
        Ok((Probabilities::from_logits(logits, self.temperature), sharp))
    }

    /// What of the frame the network looks at: the box squared, with the margin that it was trained with.
    fn square(&self, bbox: &BBox) -> BBox {
        let square = bbox.square();
        let margin = self.margin * square.w;
        BBox { x: square.x - margin, y: square.y - margin, w: square.w + 2.0 * margin, h: square.h + 2.0 * margin }
    }

    /// The grey crop that was read last, row by row, `pixel - 128`.
    pub fn last_crop(&mut self) -> &[i8] {
        self.model.input()
    }
}

/// Least share of the crop's contrast that must lie between neighbouring pixels.
const LEAST_DETAIL: f32 = 0.0;

/// Whether a crop has fine detail: the energy of its Laplacian (Pech-Pacheco et al. 2000) over its contrast.
fn is_sharp(crop: &[i8]) -> bool {
    detail(crop) >= LEAST_DETAIL
}

fn detail(crop: &[i8]) -> f32 {
    let at = |x: usize, y: usize| f32::from(crop[y * SIDE + x]);
    let mean = crop.iter().map(|v| f32::from(*v)).sum::<f32>() / crop.len() as f32;
    let contrast: f32 = crop.iter().map(|v| (f32::from(*v) - mean).powi(2)).sum();
    let mut energy = 0.0;
    for y in 1..SIDE - 1 {
        for x in 1..SIDE - 1 {
            let laplacian = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4.0 * at(x, y);
            energy += laplacian * laplacian;
        }
    }
    if contrast > 0.0 { energy / contrast } else { 0.0 }
}
