//! Pixels of a frame at other sizes, written as the `i8` values (`pixel - 128`) that the networks take.
//!
//! P-Net sees the whole frame at several scales: the frame is halved as often as each scale allows, and the rest of the
//! way is an exact area average, as in the reference implementation. R-Net and O-Net see small squares, sampled
//! bilinearly; so does the classifier, in grey.

use moodbox_core::face::BBox;

use crate::frame::{Format, Frame, rgb_in_grey, rgb_in_rgb, rgb_in_yuyv, yuv_to_rgb};

/// What the networks see beyond the border: mid grey.
const OUTSIDE: i8 = 0;

/// `pixel - 128`.
const fn centred(pixel: u8) -> i8 {
    (pixel ^ 0x80) as i8
}

/// The frame in RGB at half, a quarter, an eighth ... of its size.
#[derive(Debug, Default)]
pub(crate) struct Halvings {
    levels: Vec<Rgb>,
    /// Two rows, added.
    sums: Vec<u16>,
}

#[derive(Debug, Default)]
struct Rgb {
    data: Vec<u8>,
    width: usize,
    height: usize,
}

impl Halvings {
    /// Makes `depth` halvings of a frame. Level 0, the frame itself, is copied only where it is not RGB already and
    /// `whole` asks for it.
    pub(crate) fn update(&mut self, frame: &Frame<'_>, depth: usize, whole: bool) {
        self.levels.resize_with(depth + 1, Rgb::default);
        if whole && frame.format() != Format::Rgb {
            let level = &mut self.levels[0];
            level.resize(frame.width(), frame.height());
            for (y, row) in level.data.chunks_exact_mut(3 * level.width).enumerate() {
                for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                    pixel.copy_from_slice(&frame.rgb(x, y));
                }
            }
        }
        for k in 1..=depth {
            let (before, rest) = self.levels.split_at_mut(k);
            let halved = &mut rest[0];
            if k == 1 {
                halve_frame(frame, halved, &mut self.sums);
            } else {
                let Rgb { data, width, height } = &before[k - 1];
                halved.resize(width / 2, height / 2);
                let rows = data.chunks_exact(6 * width);
                for (pair, out) in rows.zip(halved.data.chunks_exact_mut(3 * halved.width)) {
                    let (upper, lower) = pair.split_at(3 * width);
                    halve_rgb_rows(upper, lower, &mut self.sums, out);
                }
            }
        }
    }

    /// The rows of a level, as RGB.
    fn rows<'a>(&'a self, k: usize, frame: &Frame<'a>) -> impl Fn(usize) -> &'a [u8] {
        let (Rgb { data, width, .. }, frame) = (&self.levels[k], *frame);
        let from_frame = k == 0 && frame.format() == Format::Rgb;
        move |y| if from_frame { frame.row(y) } else { &data[3 * width * y..][..3 * width] }
    }
}

impl Rgb {
    fn resize(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.data.resize(3 * width * height, 0);
    }
}

fn halve_frame(frame: &Frame<'_>, halved: &mut Rgb, sums: &mut Vec<u16>) {
    halved.resize(frame.width() / 2, frame.height() / 2);
    if halved.width == 0 {
        return;
    }
    for (y, out) in halved.data.chunks_exact_mut(3 * halved.width).enumerate() {
        let (upper, lower) = (frame.row(2 * y), frame.row(2 * y + 1));
        match frame.format() {
            Format::Rgb => halve_rgb_rows(upper, lower, sums, out),
            Format::Grey => {
                let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
                for ((a, b), pixel) in pairs.zip(out.chunks_exact_mut(3)) {
                    pixel.fill(mean4(a[0], a[1], b[0], b[1]));
                }
            }
            Format::Yuyv => {
                let pairs = upper.chunks_exact(4).zip(lower.chunks_exact(4));
                for ((a, b), pixel) in pairs.zip(out.chunks_exact_mut(3)) {
                    let chroma = |i: usize| (i32::from(a[i]) + i32::from(b[i])).midpoint(1);
                    let y = mean4(a[0], a[2], b[0], b[2]);
                    pixel.copy_from_slice(&yuv_to_rgb(y.into(), chroma(1), chroma(3)));
                }
            }
        }
    }
}

fn halve_rgb_rows(upper: &[u8], lower: &[u8], sums: &mut Vec<u16>, out: &mut [u8]) {
    // Added along whole rows first, which the compiler does for many bytes at once.
    sums.clear();
    sums.extend(upper.iter().zip(lower).map(|(a, b)| u16::from(*a) + u16::from(*b)));
    for (pair, pixel) in sums.chunks_exact(6).zip(out.chunks_exact_mut(3)) {
        for c in 0..3 {
            pixel[c] = ((pair[c] + pair[c + 3] + 2) / 4) as u8;
        }
    }
}

const fn mean4(a: u8, b: u8, c: u8, d: u8) -> u8 {
    ((a as u16 + b as u16 + c as u16 + d as u16 + 2) / 4) as u8
}

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

/// How one level of the pyramid is made from a halving of the frame.
#[derive(Debug)]
pub(crate) struct AreaResize {
    /// How many halvings come before.
    pub(crate) halvings: usize,
    columns: AreaWeights,
    rows: AreaWeights,
    sums: Vec<u16>,
}

impl AreaResize {
    /// From a frame of `from` (width, height) to `to`. At least half of the reduction along each side is left to the
    /// area average, so that the halvings hardly show.
    pub(crate) fn new(from: (usize, usize), to: (usize, usize)) -> Self {
        let reduction = (from.0 as f64 / to.0 as f64).min(from.1 as f64 / to.1 as f64);
        let halvings = (reduction / 2.0).log2().floor().max(0.0) as usize;
        let (width, height) = (from.0 >> halvings, from.1 >> halvings);
        Self {
            halvings,
            columns: AreaWeights::new(width, to.0),
            rows: AreaWeights::new(height, to.1),
            sums: vec![0; 3 * width],
        }
    }

    /// Writes the resized picture, row by row, RGB.
    pub(crate) fn write(&mut self, halvings: &Halvings, frame: &Frame<'_>, out: &mut [i8]) {
        let row = halvings.rows(self.halvings, frame);
        let out_rows = out.chunks_exact_mut(3 * self.columns.spans.len());
        for ((first, weights), out_row) in self.rows.spans.iter().zip(out_rows) {
            self.sums.fill(0);
            for (k, weight) in self.rows.weights[weights.clone()].iter().enumerate() {
                for (sum, value) in self.sums.iter_mut().zip(row(first + k)) {
                    *sum += u16::from(*value) * weight;
                }
            }
            for ((first, weights), pixel) in self.columns.spans.iter().zip(out_row.chunks_exact_mut(3)) {
                let weights = &self.columns.weights[weights.clone()];
                let mut total = [0x8000_u32; 3];
                for (sums, weight) in self.sums[3 * first..].chunks_exact(3).zip(weights) {
                    for c in 0..3 {
                        total[c] += u32::from(sums[c]) * u32::from(*weight);
                    }
                }
                for c in 0..3 {
                    pixel[c] = centred((total[c] >> 16) as u8);
                }
            }
        }
    }
}

/// A place between two neighbouring pixels along one axis.
#[derive(Debug, Clone, Copy)]
struct Between {
    low: usize,
    high: usize,
    /// Weight of `high` in 1/256.
    share: u32,
}

impl Between {
    /// `None` outside of the centres of the first and last pixel.
    fn inside(at: f32, length: usize) -> Option<Self> {
        (0.0..=(length - 1) as f32).contains(&at).then(|| {
            let low = at as usize;
            Self { low, high: (low + 1).min(length - 1), share: ((at - low as f32) * 256.0) as u32 }
        })
    }

    fn mix(self, low: u32, high: u32) -> u32 {
        low * (256 - self.share) + high * self.share
    }
}

/// Writes a square of `side` x `side` RGB samples of what a box covers, corner pixels on the box's corners. Samples
/// beyond the frame are mid grey. `side` is at most 48.
///
/// The box's coordinates are brought from 0..size to 0..size - 1 first, as the reference implementation does.
pub(crate) fn crop_rgb(frame: &Frame<'_>, bbox: &BBox, side: usize, out: &mut [i8]) {
    const LARGEST: usize = 48;
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
    for (row, out_row) in rows.iter().zip(out.chunks_exact_mut(3 * side)) {
        let Some(y) = row else {
            out_row.fill(OUTSIDE);
            continue;
        };
        let (upper, lower) = (frame.row(y.low), frame.row(y.high));
        match frame.format() {
            Format::Rgb => crop_row(upper, lower, rgb_in_rgb, &columns, *y, out_row),
            Format::Grey => crop_row(upper, lower, rgb_in_grey, &columns, *y, out_row),
            Format::Yuyv => crop_row(upper, lower, rgb_in_yuyv, &columns, *y, out_row),
        }
    }
}

/// One row of a crop, between two rows of the frame.
#[inline]
fn crop_row(
    upper: &[u8],
    lower: &[u8],
    rgb: impl Fn(&[u8], usize) -> [u8; 3],
    columns: &[Option<Between>],
    y: Between,
    out: &mut [i8],
) {
    for (column, pixel) in columns.iter().zip(out.chunks_exact_mut(3)) {
        let Some(x) = column else {
            pixel.fill(OUTSIDE);
            continue;
        };
        let corner = |row, x| rgb(row, x).map(u32::from);
        let (a, b) = (corner(upper, x.low), corner(upper, x.high));
        let (c, d) = (corner(lower, x.low), corner(lower, x.high));
        for i in 0..3 {
            let mixed = y.mix(x.mix(a[i], b[i]), x.mix(c[i], d[i]));
            pixel[i] = centred(((mixed + 0x8000) >> 16) as u8);
        }
    }
}

/// Crops squares in grey, with the buffers that it takes.
#[derive(Debug, Default)]
pub(crate) struct GreyCrop {
    columns: TentWeights,
    rows: TentWeights,
    /// Brightness of one row of the part of the frame that is read.
    luma: Vec<u8>,
    /// Each row that is read, already at the width of the output; in 1/256.
    narrowed: Vec<u16>,
}

impl GreyCrop {
    /// Makes room for the largest box in a frame of this size, so that no later crop allocates.
    pub(crate) fn reserve(&mut self, width: usize, height: usize, side: usize) {
        self.columns.reserve(width, side);
        self.rows.reserve(height, side);
        self.luma.reserve(width.saturating_sub(self.luma.len()));
        self.narrowed.reserve((side * height).saturating_sub(self.narrowed.len()));
    }

    /// Writes a square of `side` x `side` grey values of what a box covers: bilinear where the box is smaller than the
    /// output, and where it is larger the tent is as much wider, so that no pixel is skipped. Beyond the frame its
    /// border goes on.
    pub(crate) fn write(&mut self, frame: &Frame<'_>, bbox: &BBox, side: usize, out: &mut [i8]) {
        self.columns.update(bbox.x, bbox.w, side, frame.width());
        self.rows.update(bbox.y, bbox.h, side, frame.height());
        let (left, right) = self.columns.source();
        let (top, bottom) = self.rows.source();
        self.luma.resize(right - left, 0);
        self.narrowed.resize(side * (bottom - top), 0);
        for (y, narrowed) in (top..bottom).zip(self.narrowed.chunks_exact_mut(side)) {
            frame.write_luma(left, y, &mut self.luma);
            for (value, (first, weights)) in narrowed.iter_mut().zip(self.columns.spans()) {
                let sum = self.luma[first - left..].iter().zip(weights).map(|(v, w)| u32::from(*v) * u32::from(*w));
                *value = sum.sum::<u32>() as u16;
            }
        }
        for (out_row, (first, weights)) in out.chunks_exact_mut(side).zip(self.rows.spans()) {
            for (i, pixel) in out_row.iter_mut().enumerate() {
                let column = self.narrowed[(first - top) * side + i..].iter().step_by(side);
                let sum: u32 = column.zip(weights).map(|(v, w)| u32::from(*v) * u32::from(*w)).sum();
                *pixel = centred(((sum + 0x8000) >> 16) as u8);
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

    fn grey(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        (0..width * height).map(|i| value(i % width, i / width)).collect()
    }

    /// The mean over an output cell, with fractional edges, straight from the definition.
    fn area_mean(
        value: impl Fn(usize, usize) -> u8,
        from: (usize, usize),
        to: (usize, usize),
        cell: (usize, usize),
    ) -> f64 {
        let cover = |from: usize, to: usize, i: usize, at: usize| {
            let (start, end) = (i as f64 * from as f64 / to as f64, (i + 1) as f64 * from as f64 / to as f64);
            (end.min((at + 1) as f64) - start.max(at as f64)).max(0.0) / (end - start)
        };
        let mut mean = 0.0;
        for y in 0..from.1 {
            for x in 0..from.0 {
                let weight = cover(from.0, to.0, cell.0, x) * cover(from.1, to.1, cell.1, y);
                mean += weight * f64::from(value(x, y));
            }
        }
        mean
    }

    #[test]
    fn a_pyramid_level_is_the_area_mean() {
        let value = |x: usize, y: usize| (128.0 + 90.0 * (x as f64 / 9.0).sin() + 30.0 * (y as f64 / 5.0).cos()) as u8;
        let (from, to) = ((96, 64), (19, 12));
        let data = grey(from.0, from.1, value);
        let frame = Frame::new(&data, Format::Grey, from.0, from.1, from.0).unwrap();
        let mut resize = AreaResize::new(from, to);
        let mut halvings = Halvings::default();
        halvings.update(&frame, resize.halvings, true);
        let mut out = vec![0; 3 * to.0 * to.1];
        resize.write(&halvings, &frame, &mut out);
        for y in 0..to.1 {
            for x in 0..to.0 {
                let got = f64::from(out[3 * (y * to.0 + x)]) + 128.0;
                let want = area_mean(value, from, to, (x, y));
                assert!((got - want).abs() <= 4.0, "({x}, {y}): {got} is not {want}");
            }
        }
    }

    #[test]
    fn a_crop_beyond_the_border_is_grey_there() {
        let data = grey(20, 20, |_, _| 200);
        let frame = Frame::new(&data, Format::Grey, 20, 20, 20).unwrap();
        let mut out = vec![1; 3 * 24 * 24];
        crop_rgb(&frame, &BBox { x: -20.0, y: 0.0, w: 40.0, h: 20.0 }, 24, &mut out);
        assert_eq!(out[..3], [OUTSIDE; 3]);
        assert_eq!(out[3 * 23..3 * 24], [72; 3]);
    }

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

        #[test]
        fn an_even_frame_stays_even(value: u8, w in 13usize..90, h in 13usize..90, format in 0..3usize) {
            let format = [Format::Rgb, Format::Grey, Format::Yuyv][format];
            let w = w / 2 * 2;
            let luma = if format == Format::Yuyv { 16 + (u32::from(value) * 219 / 255) as u8 } else { value };
            let mut data = vec![luma; format.row_bytes(w) * h];
            if format == Format::Yuyv {
                data.iter_mut().skip(1).step_by(2).for_each(|chroma| *chroma = 128);
            }
            let frame = Frame::new(&data, format, w, h, format.row_bytes(w)).unwrap();
            let near = |got: i8| (i32::from(got) + 128 - i32::from(value)).abs() <= 3;
            let mut resize = AreaResize::new((w, h), (12, 12));
            let mut halvings = Halvings::default();
            halvings.update(&frame, resize.halvings, true);
            let mut out = vec![0; 3 * 12 * 12];
            resize.write(&halvings, &frame, &mut out);
            prop_assert!(out.iter().all(|v| near(*v)), "{:?}", out);
            let mut crop = vec![0; 64 * 64];
            GreyCrop::default().write(&frame, &BBox { x: -5.0, y: 3.0, w: 30.0, h: 170.0 }, 64, &mut crop);
            prop_assert!(crop.iter().all(|v| near(*v)));
        }
    }
}
