//! The whole way of a frame for itself: detect, then read each face.

use std::time::{Duration, Instant};

use moodbox_core::config;
use moodbox_core::face::SeenFace;
use moodbox_models::Models;

use crate::fer::Fer;
use crate::model::ModelError;
use crate::mtcnn::{Cost, MAX_FACES, Mtcnn};
use crate::pixels::Pixels;

/// What one frame took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stages {
    /// The cascade, and all interpreters together.
    pub cost: Cost,
    /// The classifier with its crops.
    pub fer: Duration,
    /// Looking for what moves, where frames are followed.
    pub motion: Duration,
}

/// What was seen in one frame.
#[derive(Debug, Clone, Copy)]
pub struct Analysis<'a> {
    /// The faces, best first.
    pub faces: &'a [SeenFace],
    /// What it took.
    pub stages: Stages,
}

/// Detector and classifier with their buffers.
pub struct Vision {
    pub(crate) mtcnn: Mtcnn,
    pub(crate) fer: Fer,
    seen: Vec<SeenFace>,
}

impl Vision {
    /// Loads the networks.
    ///
    /// # Errors
    /// When one is not what its manifest says.
    pub fn new(models: &Models, settings: &config::Vision) -> Result<Self, ModelError> {
        let mtcnn = Mtcnn::new(models, settings)?;
        let fer = Fer::new(models, settings.labels, settings.threads.0)?;
        Ok(Self { mtcnn, fer, seen: Vec::with_capacity(MAX_FACES) })
    }

    /// Finds the faces of a frame and reads their expressions, with nothing known from frames before.
    ///
    /// # Errors
    /// When a network cannot be run.
    pub fn analyse<'a>(&mut self, pixels: impl Into<Pixels<'a>>) -> Result<Analysis<'_>, ModelError> {
        let mut pixels = pixels.into();
        self.fer.prepare(pixels.size());
        let (faces, mut cost) = self.mtcnn.detect(&mut pixels)?;
        let clock = Instant::now();
        self.seen.clear();
        for face in faces {
            let (emotions, sharp) = self.fer.read(&mut pixels, face, &mut cost)?;
            self.seen.push(SeenFace { face: *face, emotions, sharp, fresh: true, track: None });
        }
        Ok(Analysis { faces: &self.seen, stages: Stages { cost, fer: clock.elapsed(), motion: Duration::ZERO } })
    }
}
