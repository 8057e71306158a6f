//! Area averages: each output pixel is the mean of what it covers.

use std::ops::Range;

use super::output::OutputRow;
use super::{blend, lanes};
use crate::frame::Format;

/// For each output position along one axis: the first source position and the weights from there on.
#[derive(Debug)]
struct AreaWeights<W> {
    spans: Vec<(usize, Range<usize>)>,
    weights: Vec<W>,
}

impl<W> AreaWeights<W> {
    fn iter(&self) -> impl Iterator<Item = (usize, &[W])> {
        self.spans.iter().map(|(first, span)| (*first, &self.weights[span.clone()]))
    }
}

impl AreaWeights<u16> {
    /// Output cell `i` of `to` covers the source from `i * from / to` to `(i + 1) * from / to`; a source position counts
    /// as much as of it is covered. The weights of a cell, in 1/256, sum to 256 exactly, so that a 16-bit sum cannot overflow.
    fn new(from: usize, to: usize) -> Self {
        let mut all = Self { spans: Vec::with_capacity(to), weights: Vec::new() };
        let step = from as f64 / to as f64;
        for i in 0..to {
            let (start, end) = (i as f64 * step, ((i + 1) as f64 * step).min(from as f64));
            let first = start as usize;
            let last = (end.ceil() as usize).clamp(first + 1, from);
            let begin = all.weights.len();
            let mut given = 0;
            for at in first..last {
                // Rounding the running sum instead of each weight spreads the error and ends at 256.
                let covered = (end.min((at + 1) as f64) - start) / (end - start);
                let sum = (256.0 * covered).round() as u16;
                all.weights.push(sum - given);
                given = sum;
            }
            all.spans.push((first, begin..all.weights.len()));
        }
        all
    }

    /// The weights that give whole numbers of values in 1/256.
    fn into_whole(self) -> AreaWeights<f32> {
        let weights = self.weights.into_iter().map(|weight| f32::from(weight) / 65_536.0).collect();
        AreaWeights { spans: self.spans, weights }
    }
}

/// A reduction to a fixed size, with the buffers that it takes.
#[derive(Debug)]
pub(super) struct AreaResize {
    rows: AreaWeights<u16>,
    columns: AreaWeights<f32>,
    /// One row of output before it is made narrower, in 1/256, with room behind for whole groups of four.
    means: Vec<u16>,
    output: OutputRow,
    format: Format,
}

impl AreaResize {
    /// From (places, rows) to (pixels, rows) of output, no more than there are, of a format.
    pub(super) fn new(from: (usize, usize), to: (usize, usize), format: Format) -> Self {
        let columns = AreaWeights::new(from.0, to.0).into_whole();
        let bytes = lanes(format) * from.0;
        let mut output = OutputRow::default();
        output.resize(to.0);
        Self { rows: AreaWeights::new(from.1, to.1), columns, means: vec![0; bytes + 3], output, format }
    }

    /// Writes the picture whose rows are `row`, row by row, RGB. `value` reads a byte of it.
    pub(super) fn write<'a, T: Copy + 'a>(
        &mut self,
        row: impl Fn(usize) -> &'a [T],
        value: impl Fn(T) -> u8,
        out: &mut [i8],
    ) {
        let Self { rows, columns, means, output, format } = self;
        let bytes = means.len() - 3;
        let out_rows = out.chunks_exact_mut(3 * columns.spans.len());
        for ((first, weights), out_row) in rows.iter().zip(out_rows) {
            blend(|k| row(first + k), weights, &value, &mut means[..bytes]);
            match format {
                Format::Rgb => output.fill(narrow::<3>(means, columns)),
                Format::Grey => output.fill(narrow::<1>(means, columns)),
                Format::Yuyv => {
                    let half = |[y0, cb, y1, cr]: [f32; 4]| [0.5 * y0, cb, 0.5 * y1, cr];
                    output.fill(narrow::<4>(means, columns).map(half));
                }
            }
            output.write(*format, out_row);
        }
    }
}

/// The mean of each output pixel's places. Four values are added at once, which is what a processor does best; those beyond
/// the lanes are of no use.
fn narrow<const LANES: usize>(means: &[u16], columns: &AreaWeights<f32>) -> impl Iterator<Item = [f32; 4]> {
    columns.iter().map(|(first, weights)| {
        let mut sum = [0.0; 4];
        let places = means[LANES * first..].windows(4).step_by(LANES);
        for (place, weight) in places.zip(weights) {
            for c in 0..4 {
                sum[c] += f32::from(place[c]) * weight;
            }
        }
        sum
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn weights_cover_everything_once(from in 1usize..400, to in 1usize..200) {
            prop_assume!(to <= from);
            let area = AreaWeights::new(from, to);
            for (first, weights) in area.iter() {
                prop_assert!(first + weights.len() <= from);
                prop_assert_eq!(weights.iter().sum::<u16>(), 256);
            }
        }
    }
}
