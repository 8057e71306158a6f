//! Area averages: each output pixel is the mean of what it covers.

use super::planes::Planes;
use crate::frame::Format;

/// For each output position along one axis: the first source position and the weights from there on, in 1/256.
#[derive(Debug)]
struct AreaWeights {
    spans: Vec<(usize, std::ops::Range<usize>)>,
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
    /// One row of output before it is made narrower; in 1/256.
    sums: Vec<u16>,
    /// The same, with room behind for whole groups of four.
    line: Vec<f32>,
    planes: Planes,
    format: Format,
}

impl AreaResize {
    /// From (places, rows) to (pixels, rows) of output, no more than there are, of a format.
    pub(super) fn new(from: (usize, usize), to: (usize, usize), format: Format) -> Self {
        let columns = AreaWeights::new(from.0, to.0);
        let bytes = lanes(format) * from.0;
        let mut planes = Planes::default();
        planes.resize(to.0);
        let (sums, line) = (vec![0; bytes], vec![0.0; bytes + 3]);
        Self { rows: AreaWeights::new(from.1, to.1), columns, sums, line, planes, format }
    }

    /// Writes the picture whose rows are `row`, row by row, RGB. `value` reads a byte of it.
    pub(super) fn write<'a, T: Copy + 'a>(
        &mut self,
        row: impl Fn(usize) -> &'a [T],
        value: impl Fn(T) -> u8,
        out: &mut [i8],
    ) {
        let Self { rows, columns, sums, line, planes, format } = self;
        let out_rows = out.chunks_exact_mut(3 * columns.spans.len());
        for ((first, weights), out_row) in rows.spans.iter().zip(out_rows) {
            sums.fill(0);
            for (k, weight) in rows.weights[weights.clone()].iter().enumerate() {
                for (sum, byte) in sums.iter_mut().zip(row(first + k)) {
                    *sum += u16::from(value(*byte)) * weight;
                }
            }
            for (wide, sum) in line.iter_mut().zip(&*sums) {
                *wide = f32::from(*sum) / 65_536.0;
            }
            match format {
                Format::Rgb => narrow::<3>(line, columns, |i, [r, g, b, _]| planes.set(i, [r, g, b])),
                Format::Grey => narrow::<1>(line, columns, |i, [y, ..]| planes.set(i, [y; 3])),
                Format::Yuyv => {
                    narrow::<4>(line, columns, |i, [y0, cb, y1, cr]| planes.set(i, [f32::midpoint(y0, y1), cb, cr]));
                }
            }
            planes.write(*format, out_row);
        }
    }
}

/// Hands on the mean of each output pixel's places. Four values are added at once, which is what a processor does best; those
/// beyond the lanes are of no use.
fn narrow<const LANES: usize>(line: &[f32], columns: &AreaWeights, mut put: impl FnMut(usize, [f32; 4])) {
    for (i, (first, weights)) in columns.spans.iter().enumerate() {
        let mut sum = [0.0; 4];
        let places = line[LANES * first..].windows(4).step_by(LANES);
        for (place, weight) in places.zip(&columns.weights[weights.clone()]) {
            let weight = f32::from(*weight);
            for c in 0..4 {
                sum[c] += place[c] * weight;
            }
        }
        put(i, sum);
    }
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
