//! The first part of the cascade: P-Net slides over a pyramid of the frame and proposes boxes.

use std::time::Instant;

use moodbox_core::face::{BBox, Point};

use super::{Candidate, Cost, Outputs, SUPPRESSED, SUPPRESSED_IN_LEVEL, corrected, invoke};
use crate::frame::{Format, Frame};
use crate::model::{Model, ModelError, Output};
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
/// Most pixels that a P-Net looks at in one go, for it keeps some 200 bytes for each of them. Larger levels are looked at in strips.
const MAX_STRIP: usize = 48 * 1024;
/// Most windows of a level that are taken for faces, the best. A crowd has fewer.
const MAX_WINDOWS: usize = 512;

/// Makes a P-Net for an input shape.
pub type PnetFactory = Box<dyn Fn([usize; 4]) -> Result<Box<dyn Model>, ModelError> + Send>;

struct Level {
    width: usize,
    /// Pixels of this level per pixel of the frame.
    scale: f32,
    resize: Resize,
    /// RGB.
    pixels: Vec<i8>,
    strips: Strips,
    /// Of one strip.
    macs: u64,
    pnet: Box<dyn Model>,
}

impl Level {
    /// The box of the window in this column and row, in pixels of the frame.
    fn bbox(&self, (column, row): (usize, usize), correction: &[i8], regression: Output) -> BBox {
        // A window starts a pixel after its cell and is a pixel narrower: so the reference lays them out.
        let start = |i: usize| (STRIDE * i + 1) as f32;
        let side = (CELL - 1) as f32;
        let window = BBox { x: start(column), y: start(row), w: side, h: side };
        let BBox { x, y, w, h } = corrected(&window, (side, side), correction, regression);
        BBox { x: x / self.scale, y: y / self.scale, w: w / self.scale, h: h / self.scale }
    }
}

/// A level in strips of one height, from the top down; the last one may overlap with more of the one before it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Strips {
    /// Rows of pixels.
    height: usize,
    /// Windows in a strip: columns and rows.
    cells: (usize, usize),
    /// Rows of windows in all strips.
    rows: usize,
}

impl Strips {
    /// Those of a level of this size.
    fn new(width: usize, height: usize) -> Self {
        if width * height <= MAX_STRIP {
            let rows = cells(height);
            return Self { height, cells: (cells(width), rows), rows };
        }
        // Without the row of windows of which half of the last step lies below the level.
        let rows = cells(height / STRIDE * STRIDE);
        let most = cells((MAX_STRIP / width / STRIDE * STRIDE).max(CELL));
        let each = rows.div_ceil(rows.div_ceil(most));
        Self { height: STRIDE * (each - 1) + CELL, cells: (cells(width), each), rows }
    }

    /// The first row of windows of each strip, and how many of its rows the strip before has shown already.
    fn iter(self) -> impl Iterator<Item = (usize, usize)> {
        let (each, last) = (self.cells.1, self.rows - self.cells.1);
        (0..self.rows).step_by(each).map(move |row| (row.min(last), row.saturating_sub(last)))
    }
}

/// Windows along a side: valid 3x3 convolution, 2x2 pooling that rounds up, then two more convolutions.
fn cells(side: usize) -> usize {
    (side - 2).div_ceil(2) - 4
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
            let of_levels: Vec<_> = sizes.iter().map(|(_, size)| *size).collect();
            let strips = Strips::new(w, h);
            self.levels.push(Level {
                width: w,
                scale: scale as f32,
                resize: Resize::new(k, &of_levels, from, frame.format()),
                pixels: vec![0; 3 * w * h],
                strips,
                macs: pnet_macs(w, strips.height),
                pnet: (self.pnet)([1, strips.height, w, 3])?,
            });
        }
        let windows = |level: &Level| level.strips.cells.0 * level.strips.rows;
        self.of_level.reserve(self.levels.iter().map(windows).max().unwrap_or(0));
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
        let Outputs { face, regression } = self.outputs;
        for level in &mut self.levels {
            self.of_level.clear();
            let (columns, _) = level.strips.cells;
            for (first, shown) in level.strips.iter() {
                let strip = &level.pixels[3 * level.width * STRIDE * first..][..3 * level.width * level.strips.height];
                invoke(level.pnet.as_mut(), strip, level.macs, cost)?;
                let new = |output: Output, values: usize| {
                    level.pnet.output(output.index).get(values * columns * shown..).unwrap_or_default()
                };
                let (windows, corrections) = (new(face, 1), new(regression, 4).chunks_exact(4));
                for (cell, (quantised, correction)) in windows.iter().zip(corrections).enumerate() {
                    let logit = face.quantisation.real(*quantised);
                    if logit <= self.threshold {
                        continue;
                    }
                    let place = (cell % columns, first + shown + cell / columns);
                    let bbox = level.bbox(place, correction, regression);
                    if bbox.is_finite() {
                        self.of_level.push(Candidate { bbox, logit, landmarks: [Point::default(); 5] });
                    }
                }
            }
            if self.of_level.len() > MAX_WINDOWS {
                self.of_level.select_nth_unstable_by(MAX_WINDOWS, |a, b| b.logit.total_cmp(&a.logit));
                self.of_level.truncate(MAX_WINDOWS);
            }
            nms::suppress(&mut self.of_level, Overlap::Union, SUPPRESSED_IN_LEVEL);
            candidates.append(&mut self.of_level);
        }
        nms::suppress(candidates, Overlap::Union, SUPPRESSED);
        cost.pnet = clock.elapsed();
        Ok(())
    }

    /// Makes the pixels of all levels.
    fn build(&mut self, frame: &Frame<'_>) {
        self.halvings.update(frame, self.levels.iter().map(|l| l.resize.depth()).max().unwrap_or(0));
        for k in 0..self.levels.len() {
            let (before, rest) = self.levels.split_at_mut(k);
            let level = &mut rest[0];
            match level.resize.source_level() {
                None => level.resize.write(&self.halvings, frame, &mut level.pixels),
                Some(back) => {
                    let source = &before[k - back];
                    level.resize.write_from(&source.pixels, source.width, &mut level.pixels);
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
    fn strips_show_what_the_whole_level_does() {
        let models = moodbox_models::Models::built_in().unwrap();
        let pnet = crate::tflite::Loaded::new(&models.pnet).unwrap();
        let (width, height) = (400, 301);
        let strips = Strips::new(width, height);
        assert!(strips.height < height);
        let mut noise = fastrand::Rng::with_seed(1);
        let pixels: Vec<i8> = (0..3 * width * height).map(|_| noise.i8(..)).collect();
        let mut whole = pnet.interpreter([1, height, width, 3], 1).unwrap();
        whole.invoke(&pixels).unwrap();
        let mut of_strip = pnet.interpreter([1, strips.height, width, 3], 1).unwrap();
        for (output, values) in [(0, 1), (1, 4)] {
            let values = values * strips.cells.0;
            for (first, _) in strips.iter() {
                of_strip.invoke(&pixels[3 * width * STRIDE * first..][..3 * width * strips.height]).unwrap();
                let (part, all) = (of_strip.output(output), whole.output(output));
                let of_whole = &all[values * first..][..values * strips.cells.1];
                let off = part.iter().zip(of_whole).map(|(a, b)| a.abs_diff(*b)).max();
                // The scales of what lies between its layers come from all that it looks at, and so differ.
                assert!(
                    off.is_some_and(|steps| steps < 12),
                    "output {output} is off by {off:?} steps from row {first}"
                );
            }
        }
    }

    #[test]
    fn the_pyramid_of_a_usual_frame() {
        let sizes: Vec<_> = level_sizes((640, 480), 60).into_iter().map(|(_, size)| size).collect();
        assert_eq!(sizes, [(128, 96), (90, 68), (64, 48), (45, 34), (32, 24), (22, 17), (16, 12)]);
    }

    proptest! {
        #[test]
        fn strips_show_each_row_of_windows_once(width in 12usize..=8192, height in 12usize..=2000) {
            let strips = Strips::new(width, height);
            let mut next = 0;
            for (first, shown) in strips.iter() {
                prop_assert_eq!(first + shown, next);
                prop_assert!(STRIDE * first + strips.height <= height);
                next = first + strips.cells.1;
            }
            prop_assert_eq!(next, strips.rows);
            prop_assert!(STRIDE * (strips.rows - 1) + CELL + STRIDE > height, "nothing is left below");
        }

        #[test]
        fn the_pyramid_of_any_frame_is_bounded(w in 1usize..=16_384, h in 1usize..=16_384, min_face in 24usize..=400) {
            let sizes = level_sizes((w, h), min_face);
            // Each level has half of the pixels of the one before: together less than 1 / (1 - FACTOR * FACTOR) times the first.
            prop_assert!(sizes.iter().map(|(_, (w, h))| w * h).sum::<usize>() <= 202 * MAX_LEVEL / 100);
            prop_assert!(sizes.len() <= 32);
        }
    }
}
