//! The first part of the cascade: P-Net slides over a pyramid of the frame and proposes boxes.

use std::time::Instant;

use moodbox_core::face::{BBox, Point};

use super::{Candidate, Cost, Outputs, corrected, invoke};
use crate::frame::{Format, Frame};
use crate::model::{Model, ModelError};
use crate::nms::{self, Overlap};
use crate::pixels::Pixels;
use crate::resample::{Halvings, Resize};

/// Side of the window that P-Net slides, in pixels of a pyramid level.
pub(super) const CELL: usize = 12;
/// Distance between two windows.
const STRIDE: usize = 2;
/// Scale of each pyramid level over the one before: about the square root of a half.
const FACTOR: f64 = 0.709;
/// Most pixels of the finest level: those of 1920x1080 where faces of 24 px are looked for. In larger frames only larger
/// faces are.
const MAX_LEVEL: usize = 960 * 540;
/// Most windows of a level that are taken for faces, the best. A crowd has fewer.
const MAX_WINDOWS: usize = 512;

/// Makes a P-Net for an input shape.
pub type PnetFactory = Box<dyn Fn([usize; 4]) -> Result<Box<dyn Model>, ModelError> + Send>;

struct Level {
    width: usize,
    /// Pixels of this level per pixel of the frame.
    scale: f32,
    /// Windows that P-Net looks through: columns and rows.
    cells: (usize, usize),
    macs: u64,
    resize: Resize,
    pnet: Box<dyn Model>,
}

/// What levels are made for: the size of the frame, and the size and format of what shows it.
type Kind = ((usize, usize), (usize, usize), Format);

/// P-Net with its pyramid, one interpreter a level.
pub(super) struct Proposer {
    pnet: PnetFactory,
    outputs: Outputs,
    /// Logit over which a window is taken for a face.
    threshold: f32,
    min_face: usize,
    /// The frames that the levels are for.
    kind: Option<Kind>,
    levels: Vec<Level>,
    halvings: Halvings,
    of_level: Vec<Candidate>,
}

impl Proposer {
    pub(super) fn new(pnet: PnetFactory, outputs: Outputs, threshold: f32, min_face: usize) -> Self {
        Self {
            pnet,
            outputs,
            threshold,
            min_face,
            kind: None,
            levels: Vec::new(),
            halvings: Halvings::default(),
            of_level: Vec::new(),
        }
    }

    /// Makes the levels when the first frame of a kind comes. `frame` shows all of a frame of `size` pixels, itself or half
    /// as large.
    fn prepare(
        &mut self,
        frame: &Frame<'_>,
        size: (usize, usize),
        candidates: &mut Vec<Candidate>,
    ) -> Result<(), ModelError> {
        let from = (frame.width(), frame.height());
        let kind = Some((size, from, frame.format()));
        if self.kind == kind {
            return Ok(());
        }
        self.levels.clear();
        let sizes = level_sizes(size, self.min_face);
        for (k, (scale, (w, h))) in sizes.iter().copied().enumerate() {
            // Valid 3x3 convolution, 2x2 pooling that rounds up, then two more convolutions.
            let cells = |side: usize| (side - 2).div_ceil(2) - 4;
            let pixels: Vec<_> = sizes.iter().map(|(_, size)| *size).collect();
            self.levels.push(Level {
                width: w,
                scale: scale as f32,
                cells: (cells(w), cells(h)),
                macs: pnet_macs(w, h),
                resize: Resize::new(k, &pixels, from, frame.format()),
                pnet: (self.pnet)([1, h, w, 3])?,
            });
        }
        let cells = |level: &Level| level.cells.0 * level.cells.1;
        self.of_level.reserve(self.levels.iter().map(cells).max().unwrap_or(0));
        candidates.reserve(MAX_WINDOWS * self.levels.len());
        self.kind = kind;
        Ok(())
    }

    /// Fills `candidates` with the boxes that P-Net proposes, best first.
    pub(super) fn propose(
        &mut self,
        pixels: &Pixels<'_>,
        candidates: &mut Vec<Candidate>,
        cost: &mut Cost,
    ) -> Result<(), ModelError> {
        let frame = pixels.overview();
        self.prepare(&frame, pixels.size(), candidates)?;
        let clock = Instant::now();
        self.build(&frame);
        cost.pyramid = clock.elapsed();

        let clock = Instant::now();
        candidates.clear();
        for level in &mut self.levels {
            invoke(level.pnet.as_mut(), level.macs, cost)?;
            let Outputs { face, regression } = self.outputs;
            let faces = level.pnet.output(face.index);
            let corrections = level.pnet.output(regression.index);
            self.of_level.clear();
            for (cell, (quantised, correction)) in faces.iter().zip(corrections.chunks_exact(4)).enumerate() {
                let logit = face.quantisation.real(*quantised);
                if logit <= self.threshold {
                    continue;
                }
                // A window starts a pixel after its cell and is a pixel narrower: so the reference lays them out.
                let start = |i: usize| (STRIDE * i + 1) as f32;
                let side = (CELL - 1) as f32;
                let window = BBox { x: start(cell % level.cells.0), y: start(cell / level.cells.0), w: side, h: side };
                let bbox = corrected(&window, (side, side), correction, regression);
                let bbox = BBox {
                    x: bbox.x / level.scale,
                    y: bbox.y / level.scale,
                    w: bbox.w / level.scale,
                    h: bbox.h / level.scale,
                };
                if bbox.is_finite() {
                    self.of_level.push(Candidate { bbox, logit, landmarks: [Point::default(); 5] });
                }
            }
            if self.of_level.len() > MAX_WINDOWS {
                self.of_level.select_nth_unstable_by(MAX_WINDOWS, |a, b| b.logit.total_cmp(&a.logit));
                self.of_level.truncate(MAX_WINDOWS);
            }
            nms::suppress(&mut self.of_level, Overlap::Union, 0.5);
            candidates.append(&mut self.of_level);
        }
        nms::suppress(candidates, Overlap::Union, 0.7);
        cost.pnet = clock.elapsed();
        Ok(())
    }

    /// Fills the inputs of all levels.
    fn build(&mut self, frame: &Frame<'_>) {
        self.halvings.update(frame, self.levels.iter().map(|l| l.resize.depth()).max().unwrap_or(0));
        for k in 0..self.levels.len() {
            let (before, rest) = self.levels.split_at_mut(k);
            let level = &mut rest[0];
            match level.resize.source_level() {
                None => level.resize.write(&self.halvings, frame, level.pnet.input()),
                Some(back) => {
                    let source = &mut before[k - back];
                    level.resize.write_from(source.pnet.input(), source.width, level.pnet.input());
                }
            }
        }
    }
}

/// The levels of the pyramid, finest first: pixels per pixel of the frame, and (width, height).
fn level_sizes(frame: (usize, usize), min_face: usize) -> Vec<(f64, (usize, usize))> {
    let pixels = (frame.0 * frame.1) as f64;
    let mut scale = (CELL as f64 / min_face as f64).min((MAX_LEVEL as f64 / pixels).sqrt());
    let mut sizes = Vec::new();
    loop {
        let size = ((frame.0 as f64 * scale) as usize, (frame.1 as f64 * scale) as usize);
        if size.0.min(size.1) < CELL {
            return sizes;
        }
        sizes.push((scale, size));
        scale *= FACTOR;
    }
}

/// Multiply-accumulates of P-Net's convolutions over an input of this size.
fn pnet_macs(width: usize, height: usize) -> u64 {
    let side = |length: usize| {
        let first = length - 2;
        let pooled = first.div_ceil(2);
        (first, pooled - 2, pooled - 4)
    };
    let ((w1, w2, w3), (h1, h2, h3)) = (side(width), side(height));
    let heads = 32 * (1 + 4);
    (w1 * h1 * 9 * 3 * 10 + w2 * h2 * 9 * 10 * 16 + w3 * h3 * (9 * 16 * 32 + heads)) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_pyramid_of_a_usual_frame() {
        let sizes: Vec<_> = level_sizes((640, 480), 60).into_iter().map(|(_, size)| size).collect();
        assert_eq!(sizes, [(128, 96), (90, 68), (64, 48), (45, 34), (32, 24), (22, 17), (16, 12)]);
    }

    proptest! {
        #[test]
        fn the_pyramid_of_any_frame_is_bounded(w in 1usize..=16_384, h in 1usize..=16_384, min_face in 24usize..=400) {
            let sizes = level_sizes((w, h), min_face);
            // Each level has half of the pixels of the one before: together less than 1 / (1 - FACTOR * FACTOR) times the first.
            prop_assert!(sizes.iter().map(|(_, (w, h))| w * h).sum::<usize>() <= 202 * MAX_LEVEL / 100);
            prop_assert!(sizes.len() <= 32);
        }
    }
}
