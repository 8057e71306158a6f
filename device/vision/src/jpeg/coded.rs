//! A picture of a camera's Motion JPEG, decoded as far as it is looked at: all of it at half of its size, from the low
//! frequencies alone, and in full where a face is.
//!
//! Every bit must be read to find the next, but most of the work lies in what follows. So the place of each unit in the data
//! is kept, and a unit that is wanted in full is read again. What comes out is YUYV, as from a camera that does not
//! compress; the coefficients are scaled to its limited range.

use std::array;

use moodbox_core::face::BBox;

use super::Refused;
use super::dct::{self, Block, ZIGZAG};
use super::headers::{self, Headers};
use super::huffman::{Bits, Table};
use crate::frame::{Format, Frame};
use crate::resample::nearest_byte;

/// Samples are kept from 0 to 255 in the file, less 128; YUYV has 16 to 235 for brightness, 16 to 240 for colour.
const LUMA_GAIN: f32 = 219.0 / 255.0;
const LUMA_MIDDLE: f32 = 16.0 + 128.0 * LUMA_GAIN;
const COLOUR_GAIN: f32 = 224.0 / 255.0;
const COLOUR_MIDDLE: f32 = 128.0;

/// Most bits that may be left when all is read.
const MOST_LEFT: usize = 16;

/// Zeros behind the data, so that what comes next can be read eight bytes at once.
const MARGIN: usize = 8;

/// What coefficients are multiplied with, in the order of the file.
#[derive(Debug, Clone, Copy)]
struct Scales {
    half: [f32; 64],
    whole: [f32; 64],
}

impl Scales {
    fn new(steps: &[u8; 64], gain: f32) -> Self {
        let scales =
            |of: fn(usize, usize) -> f32| array::from_fn(|k| of(ZIGZAG[k].0, ZIGZAG[k].1) * f32::from(steps[k]) * gain);
        Self { half: scales(dct::half_scale), whole: scales(dct::whole_scale) }
    }
}

/// Where a unit begins: the bit, and the means of the blocks before it.
#[derive(Debug, Clone, Copy, Default)]
struct Unit {
    position: u32,
    means: [i32; 3],
}

/// A picture with its buffers, which are kept for the next one.
#[derive(Debug, Default)]
pub struct Coded {
    width: usize,
    height: usize,
    sampling: (usize, usize),
    /// Units across and down.
    grid: (usize, usize),
    /// The codes of brightness and of colour.
    codes: [[Table; 2]; 2],
    steps: Option<[[u8; 64]; 3]>,
    scales: Vec<Scales>,
    /// The bits of the picture.
    data: Vec<u8>,
    /// Where the runs from one restart marker to the next end, in bytes.
    ends: Vec<usize>,
    units: Vec<Unit>,
    small: Vec<u8>,
    whole: Vec<u8>,
    /// Which units `whole` holds.
    is_whole: Vec<bool>,
}

impl Coded {
    /// Takes in a picture of up to this many pixels.
    ///
    /// # Errors
    /// [`Refused::Unusual`] for one that is to be decoded otherwise.
    pub(super) fn load(&mut self, bytes: &[u8], max_pixels: usize) -> Result<(), Refused> {
        let headers = headers::read(bytes)?;
        let Headers { width, height, .. } = headers;
        // Pairs of pixels, at half of the size too.
        if width == 0 || height == 0 || width % 4 > 0 || height % 2 > 0 || width * height > max_pixels {
            return Err(Refused::Unusual);
        }
        self.prepare(&headers)?;
        self.unpack(headers.data, headers.restart > 0)?;
        self.scan(headers.restart)
    }

    fn prepare(&mut self, headers: &Headers<'_>) -> Result<(), Refused> {
        let [luma, blue, red] = &headers.codes;
        if blue != red {
            return Err(Refused::Unusual);
        }
        for (tables, codes) in self.codes.iter_mut().zip([luma, blue]) {
            let set = tables[0].set(&codes[0], false).and_then(|()| tables[1].set(&codes[1], true));
            set.ok_or(Refused::Damaged("its Huffman codes are none"))?;
        }
        let steps = headers.steps.map(|steps| *steps);
        if self.steps != Some(steps) {
            self.scales.clear();
            let gains = [LUMA_GAIN, COLOUR_GAIN, COLOUR_GAIN];
            self.scales.extend(steps.iter().zip(gains).map(|(steps, gain)| Scales::new(steps, gain)));
            self.steps = Some(steps);
        }
        let (h, v) = headers.sampling;
        self.grid = (headers.width.div_ceil(8 * h), headers.height.div_ceil(8 * v));
        (self.width, self.height, self.sampling) = (headers.width, headers.height, headers.sampling);
        let units = self.grid.0 * self.grid.1;
        // Far more than a camera's frames take, so that none of them makes it grow.
        self.data.reserve((headers.width * headers.height).saturating_sub(self.data.len()));
        self.ends.reserve(units.saturating_sub(self.ends.len()));
        self.units.resize(units, Unit::default());
        self.is_whole.clear();
        self.is_whole.resize(units, false);
        self.small.resize(2 * 16 * h * v * units, 0);
        self.whole.resize(2 * 64 * h * v * units, 0);
        Ok(())
    }

    /// Takes out the data, up to the end marker, without the zeros that tell its bytes from markers.
    fn unpack(&mut self, data: &[u8], has_restarts: bool) -> Result<(), Refused> {
        self.data.clear();
        self.ends.clear();
        let mut rest = data;
        loop {
            let at = memchr::memchr(0xff, rest).ok_or(Refused::Damaged("it has no end marker"))?;
            self.data.extend_from_slice(&rest[..at]);
            rest = &rest[at + 1..];
            match rest.first() {
                Some(0) => {
                    self.data.push(0xff);
                    rest = &rest[1..];
                }
                Some(0xd0..=0xd7) if has_restarts => {
                    self.ends.push(self.data.len());
                    rest = &rest[1..];
                }
                // Filled up.
                Some(0xff) => {}
                Some(0xd9) => break,
                _ => return Err(Refused::Damaged("its data is interrupted")),
            }
        }
        self.ends.push(self.data.len());
        self.data.extend([0; MARGIN]);
        Ok(())
    }

    /// Reads all units and makes the small picture of them.
    fn scan(&mut self, restart: usize) -> Result<(), Refused> {
        let damaged = Refused::Damaged("its data is damaged");
        let total = self.units.len();
        let (mut unit, mut start) = (0, 0);
        for k in 0..self.ends.len() {
            let end = self.ends[k];
            let mut bits = Bits::from(&self.data, 8 * start);
            let mut means = [0; 3];
            let last = if restart > 0 { total.min(unit + restart) } else { total };
            while unit < last {
                self.units[unit] = Unit { position: bits.position() as u32, means };
                let decoder = UnitDecoder { sampling: self.sampling, codes: &self.codes, scales: &self.scales };
                let (out, stride) = place::<4>(&mut self.small, self.grid.0, self.sampling, unit);
                decoder.write::<4>(&mut bits, &mut means, out, stride).ok_or(damaged)?;
                if bits.position() > 8 * end {
                    return Err(Refused::Damaged("its data is cut short"));
                }
                unit += 1;
            }
            if bits.position() + MOST_LEFT < 8 * end {
                return Err(damaged);
            }
            start = end;
        }
        if unit < total { Err(Refused::Damaged("its data is cut short")) } else { Ok(()) }
    }

    /// Width and height in pixels.
    pub(crate) const fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The whole picture at half of its size.
    pub(crate) fn small(&self) -> Frame<'_> {
        Frame::known(&self.small, Format::Yuyv, self.width / 2, self.height / 2, 8 * self.sampling.0 * self.grid.0)
    }

    /// A frame in which a box, whose place in it comes along, shows at least `side` pixels each way, or all that there are.
    pub(crate) fn crop(&mut self, bbox: &BBox, side: usize) -> (Frame<'_>, BBox) {
        if bbox.w.min(bbox.h) < (2 * side) as f32 {
            return (self.around(bbox), *bbox);
        }
        let half = BBox { x: bbox.x / 2.0, y: bbox.y / 2.0, w: bbox.w / 2.0, h: bbox.h / 2.0 };
        (self.small(), half)
    }

    /// The picture, of which only what a box covers is to be looked at, and some pixels around.
    fn around(&mut self, bbox: &BBox) -> Frame<'_> {
        let (h, v) = self.sampling;
        // As far as the crops reach over their box.
        let units = |start: f32, size: f32, side: usize, count: usize| {
            let margin = 4.0 + size / 64.0;
            let unit = |at: f32| at.max(0.0) as usize / side;
            unit(start - margin).min(count)..(unit(start + size + margin) + 1).min(count)
        };
        for row in units(bbox.y, bbox.h, 8 * v, self.grid.1) {
            for column in units(bbox.x, bbox.w, 8 * h, self.grid.0) {
                let unit = row * self.grid.0 + column;
                if std::mem::replace(&mut self.is_whole[unit], true) {
                    continue;
                }
                let Unit { position, mut means } = self.units[unit];
                let mut bits = Bits::from(&self.data, position as usize);
                let decoder = UnitDecoder { sampling: self.sampling, codes: &self.codes, scales: &self.scales };
                let (out, stride) = place::<8>(&mut self.whole, self.grid.0, self.sampling, unit);
                // It was read before without complaint.
                let _ = decoder.write::<8>(&mut bits, &mut means, out, stride);
            }
        }
        Frame::known(&self.whole, Format::Yuyv, self.width, self.height, 16 * h * self.grid.0)
    }
}

/// Where a unit of blocks of N x N samples begins, and the bytes of a row.
fn place<const N: usize>(out: &mut [u8], across: usize, (h, v): (usize, usize), unit: usize) -> (&mut [u8], usize) {
    let stride = 2 * N * h * across;
    let (row, column) = (unit / across, unit % across);
    (&mut out[N * v * row * stride + 2 * N * h * column..], stride)
}

/// What it takes to decode a unit.
struct UnitDecoder<'a> {
    sampling: (usize, usize),
    codes: &'a [[Table; 2]; 2],
    scales: &'a [Scales],
}

impl UnitDecoder<'_> {
    /// Reads a unit and writes it in YUYV, at a size of N samples a block. `None` where the bits are no unit.
    fn write<const N: usize>(
        &self,
        bits: &mut Bits<'_>,
        means: &mut [i32; 3],
        out: &mut [u8],
        stride: usize,
    ) -> Option<()>
    where
        Size<N>: Transform<N>,
    {
        let (h, v) = self.sampling;
        let mut luma = [[[0; N]; N]; 4];
        for block in luma.iter_mut().take(h * v) {
            read_block(bits, &self.codes[0], &self.scales[0], &mut means[0], LUMA_MIDDLE, block)?;
        }
        let (mut blue, mut red) = ([[0; N]; N], [[0; N]; N]);
        read_block(bits, &self.codes[1], &self.scales[1], &mut means[1], COLOUR_MIDDLE, &mut blue)?;
        read_block(bits, &self.codes[1], &self.scales[2], &mut means[2], COLOUR_MIDDLE, &mut red)?;
        if h == 1 {
            // Pairs share what each pixel has for itself.
            for row in blue.iter_mut().chain(&mut red) {
                for p in 0..N / 2 {
                    row[p] = u8::midpoint(row[2 * p], row[2 * p + 1]);
                }
            }
        }
        for y in 0..N * v {
            let row = &mut out[y * stride..][..2 * N * h];
            let colour = if v == 2 { y / 2 } else { y };
            let (blue, red) = (&blue[colour], &red[colour]);
            for b in 0..h {
                let luma = &luma[y / N * h + b][y % N];
                let (blue, red) = (&blue[b * N / 2..][..N / 2], &red[b * N / 2..][..N / 2]);
                let out = &mut row[2 * N * b..][..2 * N];
                for p in 0..N / 2 {
                    out[4 * p] = luma[2 * p];
                    out[4 * p + 1] = blue[p];
                    out[4 * p + 2] = luma[2 * p + 1];
                    out[4 * p + 3] = red[p];
                }
            }
        }
        Some(())
    }
}

/// Reads the next block and writes its samples, of which `middle` stands for 0.
fn read_block<const N: usize>(
    bits: &mut Bits<'_>,
    codes: &[Table; 2],
    scales: &Scales,
    mean: &mut i32,
    middle: f32,
    out: &mut [[u8; N]; N],
) -> Option<()>
where
    Size<N>: Transform<N>,
{
    // A copy stays in registers.
    let mut own = *bits;
    *mean = mean.saturating_add(codes[0].difference(&mut own)?);
    let scales = Size::<N>::scales(scales);
    let mut block = [[0.0; N]; N];
    let mut is_even = true;
    codes[1].coefficients(&mut own, |at, value| {
        let place = Size::<N>::PLACES[at];
        block.as_flattened_mut()[usize::from(place) % (N * N)] = value as f32 * scales[at];
        is_even &= place == NOWHERE;
    })?;
    *bits = own;
    block[0][0] = *mean as f32 * scales[0];
    let byte = |value: f32| nearest_byte((value + middle).clamp(0.0, 255.0));
    // Half of all blocks are.
    if is_even {
        *out = [[byte(block[0][0]); N]; N];
        return Some(());
    }
    for (out, samples) in out.iter_mut().zip(Size::<N>::samples(&block)) {
        for (out, sample) in out.iter_mut().zip(samples) {
            *out = byte(sample);
        }
    }
    Some(())
}

/// The place of a coefficient that is left out: that of the mean, which is set last.
const NOWHERE: u8 = 0;

/// Where the coefficients belong, in the order of the file, in a block of `side` x `side` of them.
const fn places(side: usize) -> [u8; 64] {
    let mut places = [NOWHERE; 64];
    let mut k = 0;
    while k < 64 {
        let (across, down) = ZIGZAG[k];
        if across < side && down < side {
            places[k] = (side * across + down) as u8;
        }
        k += 1;
    }
    places
}

/// Samples along the side of a block.
struct Size<const N: usize>;

/// How a block becomes as many samples.
trait Transform<const N: usize> {
    const PLACES: [u8; 64];
    fn scales(scales: &Scales) -> &[f32; 64];
    fn samples(coefficients: &Block<N>) -> Block<N>;
}

impl Transform<4> for Size<4> {
    const PLACES: [u8; 64] = places(4);

    fn scales(scales: &Scales) -> &[f32; 64] {
        &scales.half
    }

    fn samples(coefficients: &Block<4>) -> Block<4> {
        dct::half(coefficients)
    }
}

impl Transform<8> for Size<8> {
    const PLACES: [u8; 64] = places(8);

    fn scales(scales: &Scales) -> &[f32; 64] {
        &scales.whole
    }

    fn samples(coefficients: &Block<8>) -> Block<8> {
        dct::whole(coefficients)
    }
}

#[cfg(test)]
mod tests;
