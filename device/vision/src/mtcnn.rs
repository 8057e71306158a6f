//! The multi-task cascade that finds faces (Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask
//! Cascaded Convolutional Networks").
//!
//! P-Net slides over a pyramid of the frame and proposes boxes, R-Net rejects most of them, O-Net gives the final box
//! and five landmarks. Geometry follows the Python package `mtcnn` 1.0.0, whose weights these are; instead of its own
//! suppression, in which a box that is itself suppressed still suppresses others, the usual greedy one is used.

mod proposer;

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use moodbox_core::config;
use moodbox_core::face::{BBox, Face, Point};
use moodbox_models::Models;

use crate::model::{self, Model, ModelError, Output};
use crate::nms::{self, Overlap, Scored};
use crate::pixels::Pixels;
use crate::resample::SquareCrop;
use crate::tflite::Loaded;

pub use proposer::PnetFactory;
use proposer::{CELL, Proposer};

/// Sides of the squares that R-Net and O-Net see, in pixels.
const RNET_SIDE: usize = 24;
const ONET_SIDE: usize = 48;
/// Overlap, 0..1, from which on the worse of two boxes goes: of one pyramid level, and of all; as in the reference.
const SUPPRESSED_IN_LEVEL: f32 = 0.5;
const SUPPRESSED: f32 = 0.7;
/// Most candidates that R-Net looks at; a crowd has fewer, a wallpaper may not cost more.
const MAX_CANDIDATES: usize = 64;
/// Most faces of a frame; the best count.
pub const MAX_FACES: usize = 32;

/// A box on its way through the cascade.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    bbox: BBox,
    /// Logit of being a face.
    logit: f32,
    landmarks: [Point; 5],
}

impl From<Candidate> for Face {
    fn from(candidate: Candidate) -> Self {
        Self { bbox: candidate.bbox, score: sigmoid(candidate.logit), landmarks: candidate.landmarks }
    }
}

impl Scored for Candidate {
    fn bbox(&self) -> &BBox {
        &self.bbox
    }

    fn score(&self) -> f32 {
        self.logit
    }
}

/// Time and arithmetic that one frame took in the cascade.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Making the pyramid.
    pub pyramid: Duration,
    /// P-Net with its post-processing.
    pub pnet: Duration,
    /// R-Net with its crops.
    pub rnet: Duration,
    /// O-Net with its crops.
    pub onet: Duration,
    /// Of all that, inside the interpreters.
    pub invoke: Duration,
    /// Multiply-accumulates in the interpreters.
    pub macs: u64,
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.pyramid += other.pyramid;
        self.pnet += other.pnet;
        self.rnet += other.rnet;
        self.onet += other.onet;
        self.invoke += other.invoke;
        self.macs += other.macs;
    }
}

/// The three networks as the cascade takes them.
pub struct Networks {
    /// Makes a P-Net for each level of the pyramid.
    pub pnet: PnetFactory,
    /// R-Net.
    pub rnet: Box<dyn Model>,
    /// O-Net.
    pub onet: Box<dyn Model>,
}

#[derive(Debug, Clone, Copy)]
struct Outputs {
    face: Output,
    regression: Output,
}

/// The detector. It keeps its buffers and interpreters from frame to frame.
pub struct Mtcnn {
    proposer: Proposer,
    rnet: Box<dyn Model>,
    onet: Box<dyn Model>,
    rnet_outputs: Outputs,
    onet_outputs: Outputs,
    landmarks: Output,
    rnet_macs: u64,
    onet_macs: u64,
    thresholds: [f32; 3],
    crop: SquareCrop,
    /// The square that R-Net or O-Net looks at, RGB.
    input: Box<[i8]>,
    candidates: Vec<Candidate>,
    faces: Vec<Face>,
}

impl Mtcnn {
    /// The cascade over the given set of models, on TFLite.
    ///
    /// # Errors
    /// When a network is not what its manifest says.
    pub fn new(models: &Models, settings: &config::Vision) -> Result<Self, ModelError> {
        let threads = settings.threads.0;
        let pnet = Loaded::new(&models.pnet)?;
        let rnet = Loaded::new(&models.rnet)?.interpreter([1, RNET_SIDE, RNET_SIDE, 3], threads)?;
        let onet = Loaded::new(&models.onet)?.interpreter([1, ONET_SIDE, ONET_SIDE, 3], threads)?;
        let networks = Networks {
            pnet: Box::new(move |shape| Ok(Box::new(pnet.interpreter(shape, threads)?))),
            rnet: Box::new(rnet),
            onet: Box::new(onet),
        };
        Self::with_networks(networks, models, settings)
    }

    /// The cascade over networks that something else runs; the models' manifest says how to read their outputs.
    ///
    /// # Errors
    /// When the manifest does not describe the three networks of MTCNN.
    pub fn with_networks(networks: Networks, models: &Models, settings: &config::Vision) -> Result<Self, ModelError> {
        let outputs = |network| {
            Ok(Outputs { face: model::output(network, "face", 1)?, regression: model::output(network, "box", 4)? })
        };
        model::check_input(&models.pnet, &[1, CELL, CELL, 3])?;
        model::check_input(&models.rnet, &[1, RNET_SIDE, RNET_SIDE, 3])?;
        model::check_input(&models.onet, &[1, ONET_SIDE, ONET_SIDE, 3])?;
        let thresholds = settings.thresholds.map(|p| logit(p.0));
        let proposer =
            Proposer::new(networks.pnet, outputs(&models.pnet)?, thresholds[0], settings.min_face_px.0 as usize);
        Ok(Self {
            proposer,
            rnet: networks.rnet,
            onet: networks.onet,
            rnet_outputs: outputs(&models.rnet)?,
            onet_outputs: outputs(&models.onet)?,
            landmarks: model::output(&models.onet, "landmarks", 10)?,
            rnet_macs: models.rnet.entry.macs,
            onet_macs: models.onet.entry.macs,
            thresholds,
            crop: SquareCrop::default(),
            input: vec![0; 3 * ONET_SIDE * ONET_SIDE].into(),
            candidates: Vec::new(),
            faces: Vec::with_capacity(MAX_FACES),
        })
    }

    /// The faces in a frame, best first.
    ///
    /// # Errors
    /// When a network cannot be run.
    pub fn detect<'a>(&mut self, pixels: impl Into<Pixels<'a>>) -> Result<(&[Face], Cost), ModelError> {
        let mut pixels = pixels.into();
        let (_, cost) = self.find(&mut pixels)?;
        for face in &mut self.faces {
            *face = inside(pixels.size(), face);
        }
        Ok((&self.faces, cost))
    }

    /// As [`Self::detect`], with boxes that may reach over the frame's border.
    pub(crate) fn find(&mut self, pixels: &mut Pixels<'_>) -> Result<(&[Face], Cost), ModelError> {
        let mut cost = Cost::default();
        self.crop.reserve(pixels.size().0);
        self.proposer.propose(pixels, &mut self.candidates, &mut cost)?;
        self.candidates.truncate(MAX_CANDIDATES);
        self.square();
        self.refine(pixels, &mut cost)?;
        self.decide(pixels, &mut cost)?;
        self.faces.clear();
        self.faces.extend(self.candidates.iter().map(|c| Face::from(*c)));
        Ok((&self.faces, cost))
    }

    /// R-Net: fewer and better squares.
    fn refine(&mut self, pixels: &mut Pixels<'_>, cost: &mut Cost) -> Result<(), ModelError> {
        let clock = Instant::now();
        let rnet = self.rnet.as_mut();
        let Outputs { face, regression } = self.rnet_outputs;
        let mut kept = 0;
        for i in 0..self.candidates.len() {
            let mut candidate = self.candidates[i];
            let (frame, place) = pixels.crop(&candidate.bbox, RNET_SIDE);
            let input = &mut self.input[..3 * RNET_SIDE * RNET_SIDE];
            self.crop.write(&frame, &place, RNET_SIDE, input);
            invoke(rnet, input, self.rnet_macs, cost)?;
            candidate.logit = first(rnet, face);
            if candidate.logit <= self.thresholds[1] {
                continue;
            }
            let size = inclusive_size(&candidate.bbox);
            candidate.bbox = corrected(&candidate.bbox, size, rnet.output(regression.index), regression);
            self.candidates[kept] = candidate;
            kept += usize::from(candidate.bbox.is_finite());
        }
        self.candidates.truncate(kept);
        nms::suppress(&mut self.candidates, Overlap::Union, SUPPRESSED);
        self.square();
        cost.rnet = clock.elapsed();
        Ok(())
    }

    /// O-Net: the faces.
    fn decide(&mut self, pixels: &mut Pixels<'_>, cost: &mut Cost) -> Result<(), ModelError> {
        let clock = Instant::now();
        let mut kept = 0;
        for i in 0..self.candidates.len() {
            let square = self.candidates[i].bbox;
            let judged = self.judge(pixels, &square, cost)?;
            if judged.logit > self.thresholds[2] && judged.bbox.is_finite() {
                self.candidates[kept] = judged;
                kept += 1;
            }
        }
        self.candidates.truncate(kept);
        nms::suppress(&mut self.candidates, Overlap::Smaller, SUPPRESSED);
        self.candidates.truncate(MAX_FACES);
        cost.onet += clock.elapsed();
        Ok(())
    }

    /// What O-Net sees in a square.
    fn judge(&mut self, pixels: &mut Pixels<'_>, square: &BBox, cost: &mut Cost) -> Result<Candidate, ModelError> {
        let onet = self.onet.as_mut();
        let Outputs { face, regression } = self.onet_outputs;
        let (frame, place) = pixels.crop(square, ONET_SIDE);
        self.crop.write(&frame, &place, ONET_SIDE, &mut self.input);
        invoke(onet, &self.input, self.onet_macs, cost)?;
        let (w, h) = inclusive_size(square);
        let places = onet.output(self.landmarks.index);
        let place = |k: usize| places.get(k).map_or(0.0, |q| self.landmarks.quantisation.real(*q));
        Ok(Candidate {
            bbox: corrected(square, (w, h), onet.output(regression.index), regression),
            logit: first(onet, face),
            landmarks: std::array::from_fn(|k| Point {
                x: square.x + w * place(k) - 1.0,
                y: square.y + h * place(k + 5) - 1.0,
            }),
        })
    }

    /// What O-Net alone sees around a box: a face, however low its score. It may reach over the frame's border.
    ///
    /// # Errors
    /// When the network cannot be run.
    pub(crate) fn look_again(
        &mut self,
        pixels: &mut Pixels<'_>,
        near: &BBox,
        cost: &mut Cost,
    ) -> Result<Face, ModelError> {
        let clock = Instant::now();
        let judged = self.judge(pixels, &near.square(), cost)?;
        cost.onet += clock.elapsed();
        Ok(judged.into())
    }

    fn square(&mut self) {
        for candidate in &mut self.candidates {
            candidate.bbox = candidate.bbox.square();
        }
    }
}

/// Runs a network and books what it cost.
pub(crate) fn invoke(model: &mut dyn Model, input: &[i8], macs: u64, cost: &mut Cost) -> Result<(), ModelError> {
    let clock = Instant::now();
    model.invoke(input)?;
    cost.invoke += clock.elapsed();
    cost.macs += macs;
    Ok(())
}

/// A single value of an output; one that a network does not have is no face.
fn first(model: &dyn Model, output: Output) -> f32 {
    model.output(output.index).first().map_or(f32::NEG_INFINITY, |q| output.quantisation.real(*q))
}

/// Width and height as the reference counts them for R-Net and O-Net: both border pixels included.
fn inclusive_size(bbox: &BBox) -> (f32, f32) {
    (bbox.w + 1.0, bbox.h + 1.0)
}

/// The box after regression: its corners moved by shares (left, top, right, bottom) of `size`.
fn corrected(bbox: &BBox, size: (f32, f32), shares: &[i8], output: Output) -> BBox {
    let share = |k: usize| shares.get(k).map_or(0.0, |q| output.quantisation.real(*q));
    let (left, top) = (bbox.x + share(0) * size.0, bbox.y + share(1) * size.1);
    let (right, bottom) = (bbox.x + bbox.w + share(2) * size.0, bbox.y + bbox.h + share(3) * size.1);
    BBox { x: left, y: top, w: (right - left).max(0.0), h: (bottom - top).max(0.0) }
}

/// The face with its box cut off at the border of a frame of this width and height.
pub(crate) fn inside((width, height): (usize, usize), face: &Face) -> Face {
    let (right, bottom) = ((width - 1) as f32, (height - 1) as f32);
    let BBox { x, y, w, h } = face.bbox;
    let (x1, y1) = (x.clamp(0.0, right), y.clamp(0.0, bottom));
    let (x2, y2) = ((x + w).clamp(0.0, right), (y + h).clamp(0.0, bottom));
    Face { bbox: BBox { x: x1, y: y1, w: x2 - x1, h: y2 - y1 }, ..*face }
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The inverse of [`sigmoid`]; infinite at 0 and 1.
fn logit(probability: f32) -> f32 {
    (probability / (1.0 - probability)).ln()
}

#[cfg(test)]
mod tests {
    use moodbox_core::config::Bounded;
    use moodbox_models::Network;

    use super::*;
    use crate::frame::{Format, Frame};

    /// A network that always says the same.
    struct Recorded {
        outputs: Vec<Vec<i8>>,
    }

    impl Model for Recorded {
        fn invoke(&mut self, _: &[i8]) -> Result<(), ModelError> {
            Ok(())
        }

        fn output(&self, index: usize) -> &[i8] {
            &self.outputs[index]
        }
    }

    /// Says "face" in the given cells and nowhere else, and corrects nothing.
    fn recorded(network: &Network, cells: usize, faces: &[usize]) -> Recorded {
        let output = |tensor: &moodbox_models::Tensor| {
            let values = cells * tensor.shape.last().unwrap();
            if tensor.name == "face" {
                (0..values).map(|cell| if faces.contains(&cell) { i8::MAX } else { i8::MIN }).collect()
            } else {
                vec![tensor.quantisation().quantise(0.0); values]
            }
        };
        let outputs = network.entry.outputs.iter().map(output).collect();
        Recorded { outputs }
    }

    #[test]
    fn a_cell_of_the_pyramid_becomes_its_place_in_the_frame() {
        let models = Models::built_in().unwrap();
        let pnet = models.pnet.clone();
        let networks = Networks {
            pnet: Box::new(move |[_, height, width, _]| {
                let cells = |side: usize| (side - 2).div_ceil(2) - 4;
                // Row 3, column 5 of the finest level, which is 128 pixels wide.
                let faces = if width == 128 { vec![3 * cells(width) + 5] } else { Vec::new() };
                Ok(Box::new(recorded(&pnet, cells(width) * cells(height), &faces)))
            }),
            rnet: Box::new(recorded(&models.rnet, 1, &[0])),
            onet: Box::new(recorded(&models.onet, 1, &[0])),
        };
        let mut mtcnn = Mtcnn::with_networks(networks, &models, &config::Vision::default()).unwrap();
        let data = vec![128; 640 * 480];
        let frame = Frame::new(&data, Format::Grey, 640, 480, 640).unwrap();
        let (faces, _) = mtcnn.detect(frame).unwrap();
        assert_eq!(faces.len(), 1);
        // Cells are 2 pixels apart, begin one pixel in and are 11 wide; the level is a fifth of the frame.
        let BBox { x, y, w, h } = faces[0].bbox;
        for (got, want) in [(x, 55.0), (y, 35.0), (w, 55.0), (h, 55.0)] {
            assert!((got - want).abs() < 0.01, "{:?}", faces[0].bbox);
        }
        assert!((faces[0].landmarks[0].x - 54.0).abs() < 0.5, "at the left edge, less the pixel of the reference");
    }

    #[test]
    fn a_cell_of_a_strip_becomes_its_place_in_the_frame() {
        let models = Models::built_in().unwrap();
        let pnet = models.pnet.clone();
        let networks = Networks {
            pnet: Box::new(move |[_, height, width, _]| {
                let cells = |side: usize| (side - 2).div_ceil(2) - 4;
                // Column 5 of the last row of each strip of the finest level.
                let faces = if width == 960 { vec![(cells(height) - 1) * cells(width) + 5] } else { Vec::new() };
                Ok(Box::new(recorded(&pnet, cells(width) * cells(height), &faces)))
            }),
            rnet: Box::new(recorded(&models.rnet, 1, &[0])),
            onet: Box::new(recorded(&models.onet, 1, &[0])),
        };
        let settings = config::Vision { min_face_px: Bounded(24), ..config::Vision::default() };
        let mut mtcnn = Mtcnn::with_networks(networks, &models, &settings).unwrap();
        let data = vec![128; 1920 * 1080];
        let frame = Frame::new(&data, Format::Grey, 1920, 1080, 1920).unwrap();
        let (faces, _) = mtcnn.detect(frame).unwrap();
        // The level has 265 rows of cells. Strips of 48 thousand pixels have 20 of them at most, so there are 14, of 19 rows.
        let mut tops: Vec<_> = faces.iter().map(|face| face.bbox.y).collect();
        tops.sort_by(f32::total_cmp);
        let rows = (1..14).map(|strip| 19 * strip - 1).chain([264]);
        // Cells are 2 pixels apart and begin one pixel in; the level is half of the frame.
        assert_eq!(tops, rows.map(|row| (4 * row + 2) as f32).collect::<Vec<_>>());
        assert!(faces.iter().all(|face| (face.bbox.x - 22.0).abs() < 0.01), "{faces:?}");
    }
}
