//! Small squares in RGB, as R-Net and O-Net take them.

use moodbox_core::face::BBox;

use std::array;

use super::output::OutputRow;
use super::{blend, lanes};
use crate::frame::{Format, Frame};

/// The largest side of a square.
const LARGEST: usize = 48;

/// Values behind a row, so that a place can be read whole and the next one with it.
const BEYOND: usize = 8;

/// What a value in 1/256 counts by itself.
const WHOLE: f32 = 1.0 / 256.0;

/// What the networks see beyond the border: mid grey.
const OUTSIDE: i8 = 0;

/// A sample between two neighbouring pixels of a row.
#[derive(Debug, Clone, Copy)]
struct Tap {
    /// Where the values of the place begin that the lower pixel lies in.
    first: usize,
    /// How much each value of that place, given in 1/256, counts, and each of the next.
    weights: [[f32; 4]; 2],
}

impl Tap {
    /// At a position in a row of a format; the whole part of it is the lower pixel.
    fn new(at: f32, format: Format) -> Self {
        let low = at as usize;
        let high = (at - low as f32) / 256.0;
        let rest = WHOLE - high;
        match format {
            Format::Rgb | Format::Grey => Self { first: lanes(format) * low, weights: [[rest; 4], [high; 4]] },
            // Both pixels in one place, which has one colour, and each in one of its own.
            Format::Yuyv if low.is_multiple_of(2) => {
                Self { first: 2 * low, weights: [[rest, WHOLE, high, WHOLE], [0.0; 4]] }
            }
            Format::Yuyv => Self { first: 2 * (low - 1), weights: [[0.0, rest, rest, rest], [high, high, 0.0, high]] },
        }
    }

    /// The values, each counted: for YUYV the first and the third are parts of one brightness.
    fn of<const LANES: usize>(&self, line: &[u16]) -> [f32; 4] {
        let places = &line[self.first..][..LANES + 4];
        let [low, high] = &self.weights;
        array::from_fn(|c| f32::from(places[c]) * low[c] + f32::from(places[LANES + c]) * high[c])
    }
}

fn sample<const LANES: usize>(taps: &[Tap], line: &[u16], pixels: &mut [[f32; 4]]) {
    for (tap, pixel) in taps.iter().zip(pixels) {
        *pixel = tap.of::<LANES>(line);
    }
}

/// Where the `side` samples of what a box covers along one axis lie among pixels, of which there are `length`: those inside of
/// the centres of the first and the last, and how many come before them.
fn places(start: f32, size: f32, side: usize, length: usize) -> (usize, impl Iterator<Item = f32>) {
    let last = (length - 1) as f32;
    let shrink = last / length as f32;
    let step = size * shrink / (side - 1) as f32;
    let place = move |k: usize| start * shrink + k as f32 * step;
    let is_inside = move |k: &usize| (0.0..=last).contains(&place(*k));
    let before = (0..side).take_while(|k| !is_inside(k)).count();
    (before, (before..side).take_while(is_inside).map(place))
}

/// Crops squares, with the buffers that it takes.
#[derive(Debug, Default)]
pub(crate) struct SquareCrop {
    /// What lies between two rows of the frame, from the first column that is read on, in 1/256.
    line: Vec<u16>,
    output: OutputRow,
}

impl SquareCrop {
    /// Makes room for the largest box in a frame of this width, so that no later crop allocates.
    pub(crate) fn reserve(&mut self, width: usize) {
        self.line.reserve((3 * width + BEYOND).saturating_sub(self.line.len()));
        self.output.resize(LARGEST);
    }

    /// Writes a square of `side` x `side` RGB samples of what a box covers, corner pixels on the box's corners. Samples
    /// beyond the frame are mid grey. `side` is at most 48.
    ///
    /// The box's coordinates are brought from 0..size to 0..size - 1 first, as the reference implementation does.
    pub(crate) fn write(&mut self, frame: &Frame<'_>, bbox: &BBox, side: usize, out: &mut [i8]) {
        let format = frame.format();
        let (left, columns) = places(bbox.x, bbox.w, side, frame.width());
        let (above, rows) = places(bbox.y, bbox.h, side, frame.height());
        let mut taps = [Tap { first: 0, weights: [[0.0; 4]; 2] }; LARGEST];
        let mut count = 0;
        for (tap, at) in taps.iter_mut().zip(columns) {
            *tap = Tap::new(at, format);
            count += 1;
        }
        let taps = &mut taps[..count];
        out.fill(OUTSIDE);
        let (Some(first), Some(last)) = (taps.first(), taps.last()) else { return };
        // Up to the place behind the last, where there is one.
        let lanes = lanes(format);
        let bytes = first.first..(last.first + 2 * lanes).min(format.row_bytes(frame.width()));
        for tap in &mut *taps {
            tap.first -= bytes.start;
        }
        self.line.clear();
        self.line.resize(bytes.len() + BEYOND, 0);
        for (y, out_row) in rows.zip(out.chunks_exact_mut(3 * side).skip(above)) {
            let low = y as usize;
            let share = (256.0 * (y - low as f32)).round() as u16;
            let row = |k: usize| &frame.row((low + k).min(frame.height() - 1))[bytes.clone()];
            blend(row, &[256 - share, share], |byte| byte, &mut self.line[..bytes.len()]);
            let line = self.line.as_slice();
            match format {
                Format::Rgb => sample::<3>(taps, line, self.output.pixels()),
                Format::Grey => sample::<1>(taps, line, self.output.pixels()),
                Format::Yuyv => sample::<4>(taps, line, self.output.pixels()),
            }
            self.output.write(format, &mut out_row[3 * left..3 * (left + count)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_beyond_the_border_is_grey_there() {
        let data = [200; 400];
        let frame = Frame::new(&data, Format::Grey, 20, 20, 20).unwrap();
        let mut crop = SquareCrop::default();
        crop.reserve(20);
        let mut out = vec![1; 3 * 24 * 24];
        crop.write(&frame, &BBox { x: -20.0, y: 0.0, w: 40.0, h: 20.0 }, 24, &mut out);
        assert_eq!(out[..3], [OUTSIDE; 3]);
        assert_eq!(out[3 * 23..3 * 24], [72; 3]);
        crop.write(&frame, &BBox { x: 30.0, y: 0.0, w: 40.0, h: 20.0 }, 24, &mut out);
        assert!(out.iter().all(|v| *v == OUTSIDE), "the box lies outside");
    }

    #[test]
    fn samples_lie_between_pixels_whatever_the_format() {
        // A ramp of brightness along x, one along y; no colour.
        let ramp = |x: f32, y: f32| 20.0 + 3.0 * x + 1.5 * y;
        let grey: Vec<u8> = (0..40 * 30).map(|i| ramp((i % 40) as f32, (i / 40) as f32) as u8).collect();
        let rgb: Vec<u8> = grey.iter().flat_map(|v| [*v; 3]).collect();
        let yuyv: Vec<u8> = grey.iter().flat_map(|v| [16 + (u32::from(*v) * 219 / 255) as u8, 128]).collect();
        for (data, format) in [(&grey, Format::Grey), (&rgb, Format::Rgb), (&yuyv, Format::Yuyv)] {
            let frame = Frame::new(data, format, 40, 30, format.row_bytes(40)).unwrap();
            let mut crop = SquareCrop::default();
            crop.reserve(40);
            let mut out = vec![0; 3 * 24 * 24];
            crop.write(&frame, &BBox { x: 5.3, y: 4.1, w: 23.0, h: 23.0 }, 24, &mut out);
            for (i, got) in out.iter().enumerate() {
                let (x, y) = (i / 3 % 24, i / 72);
                let at = |start: f32, k: usize, length: f32| (start + k as f32 * 23.0 / 23.0) * (length - 1.0) / length;
                let want = ramp(at(5.3, x, 40.0), at(4.1, y, 30.0));
                assert!((f32::from(*got) + 128.0 - want).abs() <= 2.0, "{format:?} ({x}, {y}): {got}, not {want}");
            }
        }
    }
}
