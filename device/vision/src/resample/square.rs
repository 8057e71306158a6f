//! Small squares in RGB, as R-Net and O-Net take them.

use moodbox_core::face::BBox;

use super::planes::Planes;
use crate::frame::{Format, Frame};

/// The largest side of a square.
const LARGEST: usize = 48;

/// What the networks see beyond the border: mid grey.
const OUTSIDE: i8 = 0;

/// A place between two neighbouring pixels along one axis.
#[derive(Debug, Clone, Copy)]
struct Between {
    low: usize,
    high: usize,
    /// How much `high` counts, 0..1.
    share: f32,
}

impl Between {
    /// `None` outside of the centres of the first and last pixel.
    fn inside(at: f32, length: usize) -> Option<Self> {
        (0.0..=(length - 1) as f32).contains(&at).then(|| {
            let low = at as usize;
            Self { low, high: (low + 1).min(length - 1), share: at - low as f32 }
        })
    }

    fn mix(self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.share
    }
}

/// Crops squares, with the buffers that it takes.
#[derive(Debug, Default)]
pub(crate) struct SquareCrop {
    /// What lies between two rows of the frame, from the first column that is read on.
    line: Vec<f32>,
    planes: Planes,
}

impl SquareCrop {
    /// Makes room for the largest box in a frame of this width, so that no later crop allocates.
    pub(crate) fn reserve(&mut self, width: usize) {
        self.line.reserve((3 * width).saturating_sub(self.line.len()));
        self.planes.resize(LARGEST);
    }

    /// Writes a square of `side` x `side` RGB samples of what a box covers, corner pixels on the box's corners. Samples
    /// beyond the frame are mid grey. `side` is at most 48.
    ///
    /// The box's coordinates are brought from 0..size to 0..size - 1 first, as the reference implementation does.
    pub(crate) fn write(&mut self, frame: &Frame<'_>, bbox: &BBox, side: usize, out: &mut [i8]) {
        let places = |start: f32, size: f32, length: usize| {
            let shrink = (length - 1) as f32 / length as f32;
            let step = size * shrink / (side - 1) as f32;
            let mut places = [None; LARGEST];
            for (k, place) in places[..side].iter_mut().enumerate() {
                *place = Between::inside(start * shrink + k as f32 * step, length);
            }
            places
        };
        let columns = places(bbox.x, bbox.w, frame.width());
        let rows = places(bbox.y, bbox.h, frame.height());
        out.fill(OUTSIDE);
        // Those inside the frame stand together.
        let before = columns.iter().take_while(|c| c.is_none()).count();
        let mut inside = columns.iter().flatten();
        let (Some(first), count) = (inside.next(), columns.iter().flatten().count()) else { return };
        let last = inside.next_back().unwrap_or(first);
        let format = frame.format();
        // Pixels that share their colour are read together.
        let (left, right) = (first.low / 2 * 2, (last.high + 1).next_multiple_of(2));
        let bytes = format.row_bytes(left)..format.row_bytes(right.min(frame.width()));
        for (row, out_row) in rows.iter().zip(out.chunks_exact_mut(3 * side)) {
            let Some(y) = row else { continue };
            let (upper, lower) = (&frame.row(y.low)[bytes.clone()], &frame.row(y.high)[bytes.clone()]);
            self.line.clear();
            self.line.extend(upper.iter().zip(lower).map(|(a, b)| y.mix(f32::from(*a), f32::from(*b))));
            let line = self.line.as_slice();
            for (i, x) in columns.iter().flatten().enumerate() {
                let (low, high) = (x.low - left, x.high - left);
                let values = match format {
                    Format::Rgb => [0, 1, 2].map(|c| x.mix(line[3 * low + c], line[3 * high + c])),
                    Format::Grey => [x.mix(line[low], line[high]); 3],
                    Format::Yuyv => {
                        let colour = |c: usize| x.mix(line[low / 2 * 4 + c], line[high / 2 * 4 + c]);
                        [x.mix(line[2 * low], line[2 * high]), colour(1), colour(3)]
                    }
                };
                self.planes.set(i, values);
            }
            self.planes.write(format, &mut out_row[3 * before..3 * (before + count)]);
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
