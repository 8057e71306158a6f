//! Facial expression recognition: from a face in a frame to calibrated probabilities of seven emotions.

use moodbox_core::config::Labels;
use moodbox_core::emotion::{self, Emotion, Probabilities};
use moodbox_core::face::{BBox, Face};
use moodbox_models::{Answer, Models, Quantisation};

use crate::model::{self, Model, ModelError, Output};
use crate::mtcnn::{Cost, invoke};
use crate::pixels::Pixels;
use crate::resample::GreyCrop;
use crate::tflite::Loaded;

/// Side of the grey square that the network takes, in pixels.
const SIDE: usize = 48;

/// The least energy of detail in a sharp crop, as a share of its contrast. Of 159 faces from 40 px on in sharp photos 99 % have
/// over .078; of the same faces under 48 px, blurred by a Gaussian of 2 px, 99 % have under .027.
const LEAST_DETAIL: f32 = 0.045;

/// The classifier.
pub struct Fer {
    model: Box<dyn Model>,
    logits: Output,
    macs: u64,
    temperature: f32,
    margin: f32,
    crop: GreyCrop,
    input: Box<[i8]>,
}

impl Fer {
    /// The classifier of the given set of models, on TFLite, which answers as these labels would.
    ///
    /// # Errors
    /// When the network is not what its manifest says, or has no answer by these labels.
    pub fn new(models: &Models, labels: Labels, threads: u32) -> Result<Self, ModelError> {
        let network = &models.fer;
        let refuse = |reason: &str| ModelError::new(&network.entry.name, reason);
        model::check_input(network, &[1, SIDE, SIDE, 1])?;
        let emotions = network.entry.emotions.as_ref().ok_or_else(|| refuse("the manifest names no emotions"))?;
        let answer = answer(models, labels)
            .ok_or_else(|| refuse(&format!("it has no answer by the labels {}, only by fer2013", labels.name())))?;
        let order: Vec<_> = answer.order.iter().map(String::as_str).collect();
        let (seven, more) = order.split_at(order.len().min(emotion::COUNT));
        if seven != Emotion::ALL.map(Emotion::name) || !matches!(more, [] | ["contempt"]) {
            return Err(refuse("its outputs are not in the order angry, disgust, fear, happy, neutral, sad, surprise"));
        }
        if !(0.05..=20.0).contains(&answer.temperature) || !(0.0..=1.0).contains(&emotions.crop_margin) {
            return Err(refuse("its temperature must be from 0.05 to 20 and its crop margin from 0 to 1"));
        }
        Ok(Self {
            logits: model::output(network, labels.name(), order.len())?,
            model: Box::new(Loaded::new(network)?.interpreter([1, SIDE, SIDE, 1], threads)?),
            macs: network.entry.macs,
            temperature: answer.temperature,
            margin: emotions.crop_margin,
            crop: GreyCrop::default(),
            input: vec![0; SIDE * SIDE].into(),
        })
    }

    /// Makes room for the faces of frames of this width and height.
    pub fn prepare(&mut self, (width, height): (usize, usize)) {
        self.crop.reserve(width, height, SIDE);
    }

    /// The emotions of a face, and whether its picture is sharp enough to believe them.
    ///
    /// # Errors
    /// When the network cannot be run.
    pub fn read<'a>(
        &mut self,
        pixels: impl Into<Pixels<'a>>,
        face: &Face,
        cost: &mut Cost,
    ) -> Result<(Probabilities, bool), ModelError> {
        let square = self.square(&face.bbox);
        let mut pixels = pixels.into();
        let (frame, place) = pixels.crop(&square, SIDE);
        self.crop.write(&frame, &place, SIDE, &mut self.input);
        let sharp = detail(&self.input) >= LEAST_DETAIL;
        invoke(self.model.as_mut(), &self.input, self.macs, cost)?;
        let said = self.model.output(self.logits.index);
        Ok((probabilities(said, self.logits.quantisation, self.temperature), sharp))
    }

    /// What of the frame the network looks at: the box squared, with the margin that it was trained with.
    fn square(&self, bbox: &BBox) -> BBox {
        let square = bbox.square();
        let margin = self.margin * square.w;
        BBox { x: square.x - margin, y: square.y - margin, w: square.w + 2.0 * margin, h: square.h + 2.0 * margin }
    }

    /// The grey crop that was read last, row by row, `pixel - 128`.
    #[must_use]
    pub fn last_crop(&self) -> &[i8] {
        &self.input
    }
}

/// How the classifier of these models answers by some labels, if it does.
#[must_use]
pub fn answer(models: &Models, labels: Labels) -> Option<&Answer> {
    let emotions = models.fer.entry.emotions.as_ref()?;
    match labels {
        Labels::Fer2013 => Some(&emotions.fer2013),
        Labels::Ferplus => emotions.ferplus.as_ref(),
    }
}

/// What an output says of the seven emotions. An eighth value, contempt, counts as neutral.
fn probabilities(said: &[i8], quantisation: Quantisation, temperature: f32) -> Probabilities {
    let (seven, contempt) = said.split_at(said.len().min(emotion::COUNT));
    let mut logits = [0.0; emotion::COUNT];
    for (logit, quantised) in logits.iter_mut().zip(seven) {
        *logit = quantisation.real(*quantised);
    }
    if let [contempt] = contempt {
        let neutral = &mut logits[Emotion::Neutral as usize];
        *neutral = either(*neutral, quantisation.real(*contempt), temperature);
    }
    Probabilities::from_logits(logits, temperature)
}

/// The logit of one or the other, so that after the softmax its probability is the sum of theirs.
fn either(a: f32, b: f32, temperature: f32) -> f32 {
    let (less, more) = if a < b { (a, b) } else { (b, a) };
    more + temperature * ((less - more) / temperature).exp().ln_1p()
}

/// The energy of the crop's Laplacian (Pech-Pacheco et al. 2000) over that of its contrast; 0 for an even crop.
fn detail(crop: &[i8]) -> f32 {
    let values = crop.len() as f32;
    let (mut sum, mut squares) = (0, 0);
    for value in crop.iter().map(|v| i32::from(*v)) {
        sum += value;
        squares += value * value;
    }
    let contrast = squares as f32 - (sum as f32) * (sum as f32 / values);
    let row = |y: usize| &crop[y * SIDE..][..SIDE];
    let mut energy = 0.0;
    for y in 1..SIDE - 1 {
        let (above, here, below) = (row(y - 1), row(y), row(y + 1));
        let mut of_row = 0;
        for x in 1..SIDE - 1 {
            let around = [above[x], below[x], here[x - 1], here[x + 1]].map(i32::from);
            let laplacian = around.iter().sum::<i32>() - 4 * i32::from(here[x]);
            of_row += laplacian * laplacian;
        }
        energy += of_row as f32;
    }
    if contrast > 0.0 { energy / contrast } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contempt_counts_as_neutral() {
        // Logits of 2 ln 2 and 2 ln 3 at a temperature of 2, among zeros: shares of 2 and 3 among ones.
        let quantisation = Quantisation { scale: 2f32.ln() / 25.0, zero_point: 1 };
        let mut said = [1; emotion::COUNT + 1];
        said[Emotion::Neutral as usize] = 51;
        said[emotion::COUNT] = quantisation.quantise(2.0 * 3f32.ln());
        let read = probabilities(&said, quantisation, 2.0);
        for (emotion, p) in read.iter() {
            let share = if emotion == Emotion::Neutral { 5.0 } else { 1.0 };
            assert!((p - share / 11.0).abs() < 2e-3, "{emotion}: {p}");
        }
        let seven = probabilities(&said[..emotion::COUNT], quantisation, 2.0);
        assert!((seven.as_array()[Emotion::Neutral as usize] - 2.0 / 8.0).abs() < 2e-3);
    }

    /// A crop in which neighbours differ the more, the shorter the waves are.
    fn waves(length: f32) -> Vec<i8> {
        let value = |i: usize| 80.0 * ((i % SIDE) as f32 * std::f32::consts::TAU / length).sin();
        (0..SIDE * SIDE).map(|i| value(i) as i8).collect()
    }

    #[test]
    fn a_blurred_crop_is_told_from_a_sharp_one() {
        assert!(detail(&waves(8.0)) >= LEAST_DETAIL);
        assert!(detail(&waves(48.0)) < LEAST_DETAIL);
        assert!(detail(&[7; SIDE * SIDE]) < LEAST_DETAIL, "an even crop shows nothing");
        // A sine of wave length n has a Laplacian of 2 - 2 cos(2 pi / n) times itself.
        let expected = (2.0 - 2.0 * (std::f32::consts::TAU / 16.0).cos()).powi(2) * (SIDE - 2) as f32 / SIDE as f32;
        assert!((detail(&waves(16.0)) / expected - 1.0).abs() < 0.1);
    }
}
