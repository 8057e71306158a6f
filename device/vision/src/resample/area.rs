//! Area averages: each output pixel is the mean of what it covers.

use std::array;
use std::ops::Range;

use super::output::OutputRow;
use super::{blend, lanes};
use crate::frame::Format;

/// Places that are added without a look at how many there are. All levels of a usual pyramid but one need no more for a pixel.
const GROUP: usize = 3;

/// Values of a place in the widest format.
const MOST_LANES: usize = 4;

/// What each value of some neighbouring places counts.
type Group = [[f32; MOST_LANES]; GROUP];

/// For each output position along one axis: the first source position and the weights, in 1/256, from there on.
#[derive(Debug)]
struct AreaWeights {
    spans: Vec<(usize, Range<usize>)>,
    weights: Vec<u16>,
}

impl AreaWeights {
    fn iter(&self) -> impl Iterator<Item = (usize, &[u16])> {
        self.spans.iter().map(|(first, span)| (*first, &self.weights[span.clone()]))
    }

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
}

/// For each pixel of a row: the first place, and what the values from there on count.
#[derive(Debug)]
struct Columns {
    first: Vec<usize>,
    /// As many for each pixel; what fills them up counts nothing.
    groups: Vec<Group>,
    /// Groups of a pixel.
    each: usize,
}

impl Columns {
    /// From one number of places to another of a format; where that is larger, places come several times. Values in 1/256
    /// become whole ones.
    fn new(from: usize, to: usize, format: Format) -> Self {
        let shares = match format {
            Format::Rgb | Format::Grey => [1.0; MOST_LANES],
            // Of two parts of one brightness.
            Format::Yuyv => [0.5, 1.0, 0.5, 1.0],
        };
        let area = AreaWeights::new(from, to);
        let each = area.iter().map(|(_, weights)| weights.len().div_ceil(GROUP)).max().unwrap_or(1);
        let mut columns = Self { first: Vec::with_capacity(to), groups: Vec::with_capacity(each * to), each };
        for (first, weights) in area.iter() {
            columns.first.push(first);
            let weight = |k: usize| weights.get(k).map_or(0.0, |weight| f32::from(*weight) / 65_536.0);
            let group = |i: usize| array::from_fn(|k| shares.map(|share| share * weight(GROUP * i + k)));
            columns.groups.extend((0..each).map(group));
        }
        columns
    }

    /// The mean of each pixel's places. Four values are added at once, which is what a processor does best; those beyond the
    /// lanes are of no use.
    fn narrow<const LANES: usize>(&self, means: &[u16], pixels: &mut [[f32; MOST_LANES]]) {
        for ((first, groups), pixel) in self.first.iter().zip(self.groups.chunks_exact(self.each)).zip(pixels) {
            let mut sum = [0.0; MOST_LANES];
            for (i, group) in groups.iter().enumerate() {
                let values = &means[LANES * (first + GROUP * i)..][..LANES * (GROUP - 1) + MOST_LANES];
                for (k, weights) in group.iter().enumerate() {
                    for c in 0..MOST_LANES {
                        sum[c] += f32::from(values[LANES * k + c]) * weights[c];
                    }
                }
            }
            *pixel = sum;
        }
    }
}

/// A reduction to a fixed size, with the buffers that it takes.
#[derive(Debug)]
pub(super) struct AreaResize {
    rows: AreaWeights,
    columns: Columns,
    /// One row of output before it is made narrower, in 1/256, with room behind for whole groups.
    means: Vec<u16>,
    /// Values of a row.
    values: usize,
    output: OutputRow,
    format: Format,
}

impl AreaResize {
    /// From (places, rows) to (pixels, rows) of output, of a format.
    pub(super) fn new(from: (usize, usize), to: (usize, usize), format: Format) -> Self {
        let columns = Columns::new(from.0, to.0, format);
        let values = lanes(format) * from.0;
        let means = vec![0; values + columns.each * GROUP * MOST_LANES];
        let mut output = OutputRow::default();
        output.resize(to.0);
        Self { rows: AreaWeights::new(from.1, to.1), columns, means, values, output, format }
    }

    /// Writes the picture whose rows are `row`, row by row, RGB. `value` reads a byte of it.
    pub(super) fn write<'a, T: Copy + 'a>(
        &mut self,
        row: impl Fn(usize) -> &'a [T],
        value: impl Fn(T) -> u8,
        out: &mut [i8],
    ) {
        let Self { rows, columns, means, values, output, format } = self;
        let out_rows = out.chunks_exact_mut(3 * columns.first.len());
        for ((first, weights), out_row) in rows.iter().zip(out_rows) {
            blend(|k| row(first + k), weights, &value, &mut means[..*values]);
            match format {
                Format::Rgb => columns.narrow::<3>(means, output.pixels()),
                Format::Grey => columns.narrow::<1>(means, output.pixels()),
                Format::Yuyv => columns.narrow::<4>(means, output.pixels()),
            }
            output.write(*format, out_row);
        }
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
            for (first, weights) in area.iter() {
                prop_assert!(first + weights.len() <= from);
                prop_assert_eq!(weights.iter().sum::<u16>(), 256);
            }
        }
    }
}
