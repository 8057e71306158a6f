//! Area averages: each output pixel is the mean of what it covers.

use std::ops::Range;

use super::blend;
use super::output::OutputRow;
use crate::frame::Format;

/// For each output position along one axis: the first source position and the weights from there on, in 1/256.
#[derive(Debug)]
struct AreaWeights {
    spans: Vec<(usize, Range<usize>)>,
    weights: Vec<u16>,
}

impl AreaWeights {
    /// Output cell `i` of `to` covers the source from `i * from / to` to `(i + 1) * from / to`; a source position counts
    /// as much as of it is covered. The weights of a cell sum to 256 exactly, so that a 16-bit sum cannot overflow.
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
}

/// The bytes that stand for one place in a row: a pixel, or for YUYV two neighbours that share their colour.
pub(super) const fn lanes(format: Format) -> usize {
    format.row_bytes(2) / if matches!(format, Format::Yuyv) { 1 } else { 2 }
}

/// A reduction to a fixed size, with the buffers that it takes.
#[derive(Debug)]
pub(super) struct AreaResize {
    rows: AreaWeights,
    columns: AreaWeights,
    /// The weights of the columns, for values in 1/256.
    shares: Vec<f32>,
    /// One row of output before it is made narrower, in 1/256, with room behind for whole groups of four.
    means: Vec<u16>,
    output: OutputRow,
    format: Format,
}

impl AreaResize {
    /// From (places, rows) to (pixels, rows) of output, no more than there are, of a format.
    pub(super) fn new(from: (usize, usize), to: (usize, usize), format: Format) -> Self {
        let columns = AreaWeights::new(from.0, to.0);
        let bytes = lanes(format) * from.0;
        let mut output = OutputRow::default();
        output.resize(to.0);
        let shares = columns.weights.iter().map(|weight| f32::from(*weight) / 65_536.0).collect();
        Self { rows: AreaWeights::new(from.1, to.1), columns, shares, means: vec![0; bytes + 3], output, format }
    }

    /// Writes the picture whose rows are `row`, row by row, RGB. `value` reads a byte of it.
    pub(super) fn write<'a, T: Copy + 'a>(
        &mut self,
        row: impl Fn(usize) -> &'a [T],
        value: impl Fn(T) -> u8,
        out: &mut [i8],
    ) {
        let Self { rows, columns, shares, means, output, format } = self;
        let bytes = means.len() - 3;
        let out_rows = out.chunks_exact_mut(3 * columns.spans.len());
        for ((first, weights), out_row) in rows.spans.iter().zip(out_rows) {
            blend(|k| row(first + k), &rows.weights[weights.clone()], &value, &mut means[..bytes]);
            match format {
                Format::Rgb => output.fill(narrow::<3>(means, &columns.spans, shares)),
                Format::Grey => output.fill(narrow::<1>(means, &columns.spans, shares)),
                Format::Yuyv => {
                    let half = |[y0, cb, y1, cr]: [f32; 4]| [0.5 * y0, cb, 0.5 * y1, cr];
                    output.fill(narrow::<4>(means, &columns.spans, shares).map(half));
                }
            }
            output.write(*format, out_row);
        }
    }
}

/// The mean of each output pixel's places. Four values are added at once, which is what a processor does best; those beyond
/// the lanes are of no use.
fn narrow<const LANES: usize>(
    means: &[u16],
    spans: &[(usize, Range<usize>)],
    shares: &[f32],
) -> impl Iterator<Item = [f32; 4]> {
    spans.iter().map(|(first, span)| {
        let mut sum = [0.0; 4];
        let places = means[LANES * first..].windows(4).step_by(LANES);
        for (place, share) in places.zip(&shares[span.clone()]) {
            for c in 0..4 {
                sum[c] += f32::from(place[c]) * share;
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
            for (first, weights) in &area.spans {
                prop_assert!(first + weights.len() <= from);
                prop_assert_eq!(area.weights[weights.clone()].iter().sum::<u16>(), 256);
            }
        }
    }

    #[test]
    fn a_place_is_a_pixel_or_two_that_share_their_colour() {
        assert_eq!([Format::Rgb, Format::Grey, Format::Yuyv].map(lanes), [3, 1, 4]);
    }
}
