//! The frame at the sizes that P-Net looks at.
//!
//! The two finest are area averages of the frame, halved as often as their scale allows; each of the others is one of the
//! size two before it, which is about twice as large.

use super::area::AreaResize;
use super::lanes;
use crate::frame::{Format, Frame};

/// Levels that are made from the frame.
const FROM_FRAME: usize = 2;

/// The frame at half, a quarter, an eighth ... of its size, in its own format.
#[derive(Debug, Default)]
pub(crate) struct Halvings {
    levels: Vec<Halved>,
    /// Two rows, added.
    sums: Vec<u16>,
}

#[derive(Debug, Default)]
struct Halved {
    data: Vec<u8>,
    /// Bytes of a row.
    row: usize,
}

impl Halvings {
    /// Makes `depth` halvings of a frame.
    pub(crate) fn update(&mut self, frame: &Frame<'_>, depth: usize) {
        self.levels.resize_with(depth, Halved::default);
        for k in 0..depth {
            let (before, rest) = self.levels.split_at_mut(k);
            let (width, height) = places(frame.format(), (frame.width(), frame.height()), k + 1);
            let halved = &mut rest[0];
            halved.row = lanes(frame.format()) * width;
            halved.data.resize(halved.row * height, 0);
            if halved.row == 0 {
                return;
            }
            let source = |y: usize| before.last().map_or_else(|| frame.row(y), |level| level.row(y));
            for (y, out) in halved.data.chunks_exact_mut(halved.row).enumerate() {
                let (upper, lower) = (source(2 * y), source(2 * y + 1));
                match frame.format() {
                    // A place of YUYV is two pixels wide already.
                    Format::Yuyv if k == 0 => {
                        for ((a, b), mean) in upper.iter().zip(lower).zip(out) {
                            *mean = ((u16::from(*a) + u16::from(*b) + 1) >> 1) as u8;
                        }
                    }
                    Format::Yuyv => halve::<4>(upper, lower, &mut self.sums, out),
                    Format::Rgb => halve::<3>(upper, lower, &mut self.sums, out),
                    Format::Grey => halve::<1>(upper, lower, &mut self.sums, out),
                }
            }
        }
    }

    /// A row of a halving; the frame's own where there were none.
    fn row<'a>(&'a self, halvings: usize, frame: &Frame<'a>, y: usize) -> &'a [u8] {
        halvings.checked_sub(1).map_or_else(|| frame.row(y), |k| self.levels[k].row(y))
    }
}

impl Halved {
    fn row(&self, y: usize) -> &[u8] {
        &self.data[self.row * y..][..self.row]
    }
}

/// Columns of places, and rows, of a frame that was halved.
fn places(format: Format, (width, height): (usize, usize), halvings: usize) -> (usize, usize) {
    let width = if format == Format::Yuyv { (width / 2) >> halvings.saturating_sub(1) } else { width >> halvings };
    (width, height >> halvings)
}

fn halve<const LANES: usize>(upper: &[u8], lower: &[u8], sums: &mut Vec<u16>, out: &mut [u8]) {
    // Added along whole rows first, which the compiler does for many bytes at once.
    sums.clear();
    sums.extend(upper.iter().zip(lower).map(|(a, b)| u16::from(*a) + u16::from(*b)));
    for (pair, place) in sums.chunks_exact(2 * LANES).zip(out.chunks_exact_mut(LANES)) {
        for c in 0..LANES {
            place[c] = ((pair[c] + pair[c + LANES] + 2) / 4) as u8;
        }
    }
}

/// How one level of the pyramid is made.
#[derive(Debug)]
pub(crate) struct Resize {
    /// How many halvings of the frame come before; `None` where it is made from the level two before it.
    halvings: Option<usize>,
    area: AreaResize,
}

impl Resize {
    /// Level `k`, of `sizes[k]` pixels, from frames of a size and format. At least half of the reduction along each side is
    /// left to the area average, so that the halvings hardly show.
    pub(crate) fn new(k: usize, sizes: &[(usize, usize)], frame: (usize, usize), format: Format) -> Self {
        let to = sizes[k];
        if k >= FROM_FRAME {
            return Self { halvings: None, area: AreaResize::new(sizes[k - FROM_FRAME], to, Format::Rgb) };
        }
        let reduction = (frame.0 as f64 / to.0 as f64).min(frame.1 as f64 / to.1 as f64);
        let halvings = (reduction / 2.0).log2().floor().max(0.0) as usize;
        Self { halvings: Some(halvings), area: AreaResize::new(places(format, frame, halvings), to, format) }
    }

    /// How many halvings of the frame it takes.
    pub(crate) fn depth(&self) -> usize {
        self.halvings.unwrap_or(0)
    }

    /// How many levels before it the one lies that it is made from; `None` where that is the frame.
    pub(crate) fn source_level(&self) -> Option<usize> {
        self.halvings.is_none().then_some(FROM_FRAME)
    }

    /// Writes the level, row by row, RGB, from the frame.
    pub(crate) fn write(&mut self, halvings: &Halvings, frame: &Frame<'_>, out: &mut [i8]) {
        let depth = self.depth();
        self.area.write(|y| halvings.row(depth, frame, y), |byte| byte, out);
    }

    /// Writes the level from another, of `width` pixels a row.
    pub(crate) fn write_from(&mut self, level: &[i8], width: usize, out: &mut [i8]) {
        self.area.write(|y| &level[3 * width * y..][..3 * width], |value| value as u8 ^ 0x80, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resized(frame: &Frame<'_>, to: (usize, usize)) -> Vec<i8> {
        let mut resize = Resize::new(0, &[to], (frame.width(), frame.height()), frame.format());
        let mut halvings = Halvings::default();
        halvings.update(frame, resize.depth());
        let mut out = vec![0; 3 * to.0 * to.1];
        resize.write(&halvings, frame, &mut out);
        out
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

    fn waves(x: usize, y: usize) -> u8 {
        (128.0 + 90.0 * (x as f64 / 9.0).sin() + 30.0 * (y as f64 / 5.0).cos()) as u8
    }

    #[test]
    fn a_level_is_the_area_mean_whatever_the_format() {
        let (from, to) = ((96, 64), (19, 12));
        let grey: Vec<u8> = (0..from.0 * from.1).map(|i| waves(i % from.0, i / from.0)).collect();
        let rgb: Vec<u8> = grey.iter().flat_map(|v| [*v; 3]).collect();
        // Limited range: 16 to 235, without colour.
        let yuyv: Vec<u8> = grey.iter().flat_map(|v| [16 + (u32::from(*v) * 219 / 255) as u8, 128]).collect();
        for (data, format) in [(&grey, Format::Grey), (&rgb, Format::Rgb), (&yuyv, Format::Yuyv)] {
            let frame = Frame::new(data, format, from.0, from.1, format.row_bytes(from.0)).unwrap();
            let out = resized(&frame, to);
            for y in 0..to.1 {
                for x in 0..to.0 {
                    let want = area_mean(waves, from, to, (x, y));
                    for got in &out[3 * (y * to.0 + x)..][..3] {
                        let got = f64::from(*got) + 128.0;
                        assert!((got - want).abs() <= 4.0, "{format:?} ({x}, {y}): {got} is not {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_level_made_from_another_is_the_area_mean_too() {
        let (frame, sizes) = ((96, 64), [(38, 25), (27, 18), (19, 12)]);
        let grey: Vec<u8> = (0..frame.0 * frame.1).map(|i| waves(i % frame.0, i / frame.0)).collect();
        let source = Frame::new(&grey, Format::Grey, frame.0, frame.1, frame.0).unwrap();
        let mut resize = Resize::new(2, &sizes, frame, Format::Grey);
        assert_eq!(resize.source_level(), Some(2));
        let mut out = vec![0; 3 * 19 * 12];
        resize.write_from(&resized(&source, sizes[0]), sizes[0].0, &mut out);
        for (i, got) in out.iter().step_by(3).enumerate() {
            let want = area_mean(waves, frame, sizes[2], (i % 19, i / 19));
            assert!((f64::from(*got) + 128.0 - want).abs() <= 6.0, "{i}: {got} is not {want}");
        }
    }

    proptest! {
        #[test]
        fn an_even_frame_stays_even(value: u8, w in 24usize..90, h in 24usize..90, format in 0..3usize) {
            let format = [Format::Rgb, Format::Grey, Format::Yuyv][format];
            let w = w / 2 * 2;
            let luma = if format == Format::Yuyv { 16 + (u32::from(value) * 219 / 255) as u8 } else { value };
            let mut data = vec![luma; format.row_bytes(w) * h];
            if format == Format::Yuyv {
                data.iter_mut().skip(1).step_by(2).for_each(|chroma| *chroma = 128);
            }
            let frame = Frame::new(&data, format, w, h, format.row_bytes(w)).unwrap();
            let out = resized(&frame, (12, 12));
            prop_assert!(out.iter().all(|got| (i32::from(*got) + 128 - i32::from(value)).abs() <= 2), "{:?}", out);
        }
    }
}
