//! The quantised classifier against the same network in floating point, on the same crops.

use moodbox_core::config::{self, Labels};
use moodbox_core::emotion::Emotion;
use moodbox_models::{Models, Quantisation};
use moodbox_tests::shared_data;
use moodbox_vision::fer::Fer;
use moodbox_vision::frame::Frame;
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::mtcnn::{Cost, Mtcnn};
use moodbox_vision::pixels::Pixels;
use tflitec::interpreter::Interpreter;
use tflitec::model::Model;

use super::{photos, recording, with_frame};

/// The least share of crops on which both must name the same emotion.
const LEAST_AGREEMENT: f32 = 0.95;

/// The same network without quantisation of what flows through it.
const FLOAT: &[u8] = include_bytes!("../../../fixtures/fer-float.tflite");

struct Comparison<'a> {
    mtcnn: Mtcnn,
    fer: Fer,
    float: Interpreter<'a>,
    input: Quantisation,
    faces: usize,
    agreed: usize,
}

impl<'a> Comparison<'a> {
    fn new(float: &'a Model<'a>) -> Self {
        let models = Models::built_in().unwrap();
        let float = Interpreter::new(float, None).unwrap();
        float.allocate_tensors().unwrap();
        let mtcnn = Mtcnn::new(&models, &config::Vision::default()).unwrap();
        let input = models.fer.entry.input.quantisation();
        Self { mtcnn, fer: Fer::new(&models, Labels::Fer2013, 1).unwrap(), float, input, faces: 0, agreed: 0 }
    }

    fn compare(&mut self, frame: &Frame<'_>) {
        let faces = self.mtcnn.detect(frame).unwrap().0.to_vec();
        for face in faces {
            let (emotions, _) = self.fer.read(frame, &face, &mut Cost::default()).unwrap();
            // The float network takes what the integers stand for.
            let input: Vec<f32> = self.fer.last_crop().iter().map(|q| self.input.real(*q)).collect();
            self.float.copy(&input, 0).unwrap();
            self.float.invoke().unwrap();
            let output = self.float.output(0).unwrap();
            let logits = output.data::<f32>();
            let top = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap();
            self.faces += 1;
            self.agreed += usize::from(Emotion::ALL[top] == emotions.top().0);
        }
    }

    fn check(&self) {
        println!("{} of {} crops have the same top emotion", self.agreed, self.faces);
        assert!(self.agreed as f32 >= LEAST_AGREEMENT * self.faces as f32);
    }
}

#[test]
fn photos_read_as_in_floating_point() {
    let Some(folder) = shared_data::path("photos") else { return };
    let float = Model::from_bytes(FLOAT).unwrap();
    let mut comparison = Comparison::new(&float);
    for photo in photos(&folder) {
        with_frame(&photo, |frame| comparison.compare(frame));
    }
    assert!(comparison.faces > 100);
    comparison.check();
}

#[test]
fn a_face_reads_the_same_where_no_more_is_decoded() {
    let models = Models::built_in().unwrap();
    let mut mtcnn = Mtcnn::new(&models, &config::Vision::default()).unwrap();
    let mut fer = Fer::new(&models, Labels::Fer2013, 1).unwrap();
    let (mut whole, mut decoder) = (Decoder::new(640 * 480), Decoder::new(640 * 480));
    let (mut faces, mut agreed) = (0, 0);
    for jpeg in recording().iter().step_by(3) {
        let frame = whole.decode(jpeg).unwrap();
        for face in mtcnn.detect(frame).unwrap().0 {
            let mut top = |pixels: Pixels<'_>| fer.read(pixels, face, &mut Cost::default()).unwrap().0.top().0;
            faces += 1;
            agreed += usize::from(top(frame.into()) == top(decoder.open(jpeg).unwrap()));
        }
    }
    println!("{agreed} of {faces} faces have the same top emotion");
    assert!(faces > 60);
    assert!(agreed as f32 >= LEAST_AGREEMENT * faces as f32);
}

#[test]
fn the_recording_reads_as_in_floating_point() {
    let float = Model::from_bytes(FLOAT).unwrap();
    let mut comparison = Comparison::new(&float);
    let mut decoder = Decoder::new(640 * 480);
    for jpeg in recording() {
        comparison.compare(&decoder.decode(&jpeg).unwrap());
    }
    assert!(comparison.faces > 200);
    comparison.check();
}
