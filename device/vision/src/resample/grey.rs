//! Squares in grey, as the classifier takes them.

use moodbox_core::face::BBox;

use super::{blend_luma, centred, nearest_byte};
use crate::frame::Frame;

/// Crops squares in grey, with the buffers that it takes.
#[derive(Debug, Default)]
pub(crate) struct GreyCrop {
    columns: TentWeights,
    rows: TentWeights,
    /// The weights of the columns for brightness in whole numbers.
    shares: Vec<f32>,
    /// Room for the mean of the rows that a row of the output shows; and its brightness.
    means: Vec<u16>,
    luma: Vec<f32>,
}

impl GreyCrop {
    /// Makes room for the largest box in a frame of this size, so that no later crop allocates.
    pub(crate) fn reserve(&mut self, width: usize, height: usize, side: usize) {
        self.columns.reserve(width, side);
        self.rows.reserve(height, side);
        self.shares.reserve(self.columns.weights.capacity().saturating_sub(self.shares.len()));
        self.means.reserve((3 * width).saturating_sub(self.means.len()));
        self.luma.reserve(width.saturating_sub(self.luma.len()));
    }

    /// Writes a square of `side` x `side` grey values of what a box covers: bilinear where the box is smaller than the
    /// output, and where it is larger the tent is as much wider, so that no pixel is skipped. Beyond the frame its
    /// border goes on.
    pub(crate) fn write(&mut self, frame: &Frame<'_>, bbox: &BBox, side: usize, out: &mut [i8]) {
        self.columns.update(bbox.x, bbox.w, side, frame.width());
        self.rows.update(bbox.y, bbox.h, side, frame.height());
        self.shares.clear();
        self.shares.extend(self.columns.weights.iter().map(|weight| f32::from(*weight) / 256.0));
        let (left, right) = self.columns.source();
        let format = frame.format();
        let bytes = format.row_bytes(left)..format.row_bytes(right);
        self.luma.resize(right - left, 0.0);
        for (out_row, (top, weights)) in out.chunks_exact_mut(side).zip(self.rows.spans()) {
            let row = |k: usize| &frame.row(top + k)[bytes.clone()];
            blend_luma(format, row, weights, &mut self.means, &mut self.luma);
            let columns = self.columns.firsts.iter().zip(self.shares.chunks_exact(self.columns.taps));
            for (pixel, (first, shares)) in out_row.iter_mut().zip(columns) {
                let mean: f32 = self.luma[first - left..].iter().zip(shares).map(|(luma, share)| luma * share).sum();
                *pixel = centred(nearest_byte(mean));
            }
        }
    }
}

/// For each output position along one axis: the first source position and tent-shaped weights from there on, in 1/256,
/// which sum to 256.
#[derive(Debug, Default)]
struct TentWeights {
    firsts: Vec<usize>,
    weights: Vec<u16>,
    /// Weights of one output position; the last may be zero.
    taps: usize,
}

impl TentWeights {
    fn reserve(&mut self, length: usize, side: usize) {
        self.firsts.reserve(side.saturating_sub(self.firsts.len()));
        self.weights.reserve((2 * length + 4 * side).saturating_sub(self.weights.len()));
    }

    /// The output covers `size` source pixels from `start`; positions outside of 0..length count for the border pixel.
    fn update(&mut self, start: f32, size: f32, side: usize, length: usize) {
        let step = size / side as f32;
        let reach = step.max(1.0);
        self.taps = ((2.0 * reach).ceil() as usize + 1).min(length);
        self.firsts.clear();
        self.weights.clear();
        for i in 0..side {
            let centre = start + (i as f32 + 0.5) * step - 0.5;
            let lowest = (centre - reach).ceil() as isize;
            let first = lowest.clamp(0, (length - self.taps) as isize) as usize;
            let begin = self.weights.len();
            self.firsts.push(first);
            self.weights.resize(begin + self.taps, 0);
            let tent = |at: isize| (1.0 - (at as f32 - centre).abs() / reach).max(0.0);
            let highest = (centre + reach).floor() as isize;
            let total: f32 = (lowest..=highest).map(tent).sum();
            let (mut sum, mut given) = (0.0, 0);
            for at in lowest..=highest {
                sum += tent(at);
                let so_far = (256.0 * sum / total).round() as u16;
                let place = at.clamp(first as isize, (first + self.taps - 1) as isize) as usize - first;
                self.weights[begin + place] += so_far - given;
                given = so_far;
            }
        }
    }

    /// The source positions that are read: from, up to but without.
    fn source(&self) -> (usize, usize) {
        let first = self.firsts.iter().copied().min().unwrap_or(0);
        (first, self.firsts.iter().copied().max().unwrap_or(0) + self.taps)
    }

    fn spans(&self) -> impl Iterator<Item = (usize, &[u16])> {
        self.firsts.iter().copied().zip(self.weights.chunks_exact(self.taps))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::Format;

    proptest! {
        #[test]
        fn an_even_frame_stays_even(value: u8, w in 13usize..90, h in 13usize..90) {
            let data = vec![value; w * h];
            let frame = Frame::new(&data, Format::Grey, w, h, w).unwrap();
            let mut crop = vec![0; 64 * 64];
            GreyCrop::default().write(&frame, &BBox { x: -5.0, y: 3.0, w: 30.0, h: 170.0 }, 64, &mut crop);
            prop_assert!(crop.iter().all(|got| (i32::from(*got) + 128 - i32::from(value)).abs() <= 3));
        }
    }
}
