//! What stands before the data of a picture (ITU-T T.81, annex B).

use super::huffman::Code;
use super::{Refused, standard};

/// The tables and the layout of a picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Headers<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Blocks of brightness in a unit, across and down: each has one block of either colour.
    pub(super) sampling: (usize, usize),
    /// Steps of the coefficients of brightness and of the two colours, in the order of the file.
    pub(super) steps: [&'a [u8; 64]; 3],
    /// For each of the three the code of the mean and that of the rest.
    pub(super) codes: [[Code<'a>; 2]; 3],
    /// Units from one restart marker to the next; 0 where there are none.
    pub(super) restart: usize,
    /// What comes after: the data, and the end marker.
    pub(super) data: &'a [u8],
}

/// The tables as they are defined one after the other.
#[derive(Default)]
struct Tables<'a> {
    steps: [Option<&'a [u8; 64]>; 4],
    /// Codes of means, and of the rest.
    codes: [[Option<Code<'a>>; 4]; 2],
}

/// Brightness, blue or red as the frame header has it.
#[derive(Debug, Clone, Copy)]
struct Component {
    id: u8,
    sampling: (usize, usize),
    steps: usize,
}

const TEMPORARY: u8 = 0x01;
const BASELINE: u8 = 0xc0;
const HUFFMAN_TABLES: u8 = 0xc4;
const RESTART_0: u8 = 0xd0;
const START: u8 = 0xd8;
pub(super) const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const QUANTISATION_TABLES: u8 = 0xdb;
const RESTART_INTERVAL: u8 = 0xdd;
const COMMENT: u8 = 0xfe;

/// Reads the headers of a picture as cameras make them: baseline, brightness and two colours that have half of its resolution
/// each way or all of it.
///
/// # Errors
/// [`Refused::Unusual`] for any other picture, [`Refused::Damaged`] for what is none.
pub(super) fn read(bytes: &[u8]) -> Result<Headers<'_>, Refused> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8]).ok_or(Refused::Damaged("it has no start marker"))?;
    let mut tables = Tables::default();
    let (mut frame, mut restart) = (None, 0);
    loop {
        let (marker, segment, after) = next_segment(rest)?;
        rest = after;
        match marker {
            QUANTISATION_TABLES => tables.add_steps(segment)?,
            HUFFMAN_TABLES => tables.add_codes(segment)?,
            RESTART_INTERVAL => {
                let [high, low] = *segment else { return Err(Refused::Damaged("its restart interval is cut short")) };
                restart = usize::from(u16::from_be_bytes([high, low]));
            }
            BASELINE => frame = Some(read_frame(segment)?),
            SCAN => {
                let (size, components) = frame.ok_or(Refused::Damaged("it has no size"))?;
                return tables.scan(segment, size, &components, restart, rest);
            }
            // Applications' own.
            0xe0..=0xef | COMMENT => {}
            _ => return Err(Refused::Unusual),
        }
    }
}

/// What follows the header of the first scan: its data, and all that comes behind. None of a file that has no scan.
pub(super) fn scan_data(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(&[0xff, START])?;
    loop {
        let (marker, _, after) = next_segment(rest).ok()?;
        match marker {
            SCAN => return Some(after),
            START | END => return None,
            _ => rest = after,
        }
    }
}

/// A marker, what belongs to it, and what comes after.
fn next_segment(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), Refused> {
    let damaged = Refused::Damaged("its headers are cut short");
    // A marker may be filled up in front.
    let start = bytes.iter().position(|byte| *byte != 0xff).ok_or(damaged)?;
    let (Some(marker), true) = (bytes.get(start), start > 0) else { return Err(damaged) };
    // These have no length.
    if matches!(*marker, TEMPORARY | RESTART_0..=END) {
        return Ok((*marker, &[], &bytes[start + 1..]));
    }
    let [high, low, rest @ ..] = &bytes[start + 1..] else { return Err(damaged) };
    let length = usize::from(u16::from_be_bytes([*high, *low])).checked_sub(2).ok_or(damaged)?;
    let (segment, after) = rest.split_at_checked(length).ok_or(damaged)?;
    Ok((*marker, segment, after))
}

/// (width, height), and the components.
fn read_frame(segment: &[u8]) -> Result<((usize, usize), [Component; 3]), Refused> {
    let [8, y1, y2, x1, x2, 3, components @ ..] = segment else { return Err(Refused::Unusual) };
    let number = |high: &u8, low: &u8| usize::from(u16::from_be_bytes([*high, *low]));
    let [a, b, c] = components.as_chunks::<3>().0 else { return Err(Refused::Damaged("its header is cut short")) };
    let component = |[id, sampling, steps]: &[u8; 3]| Component {
        id: *id,
        sampling: (usize::from(sampling >> 4), usize::from(sampling & 15)),
        steps: usize::from(*steps),
    };
    let components = [a, b, c].map(component);
    let [luma, cb, cr] = components.map(|c| c.sampling);
    let is_usual = matches!(luma, (1 | 2, 1 | 2)) && cb == (1, 1) && cr == (1, 1);
    if is_usual { Ok(((number(x1, x2), number(y1, y2)), components)) } else { Err(Refused::Unusual) }
}

impl<'a> Tables<'a> {
    fn add_steps(&mut self, mut segment: &'a [u8]) -> Result<(), Refused> {
        while let [place, rest @ ..] = segment {
            // Steps of 16 bits have no place in a baseline picture.
            let slot = self.steps.get_mut(usize::from(*place)).ok_or(Refused::Unusual)?;
            let (steps, after) = rest.split_first_chunk().ok_or(Refused::Damaged("its quantisation is cut short"))?;
            (*slot, segment) = (Some(steps), after);
        }
        Ok(())
    }

    fn add_codes(&mut self, mut segment: &'a [u8]) -> Result<(), Refused> {
        let damaged = Refused::Damaged("its Huffman codes are cut short");
        while let [place, rest @ ..] = segment {
            let of_kind = self.codes.get_mut(usize::from(place >> 4)).ok_or(Refused::Unusual)?;
            let slot = of_kind.get_mut(usize::from(place & 15)).ok_or(Refused::Unusual)?;
            let (counts, rest) = rest.split_first_chunk().ok_or(damaged)?;
            let total = counts.iter().map(|count: &u8| usize::from(*count)).sum();
            let (values, after) = rest.split_at_checked(total).ok_or(damaged)?;
            (*slot, segment) = (Some(Code { counts: *counts, values }), after);
        }
        Ok(())
    }

    fn scan(
        &self,
        segment: &[u8],
        (width, height): (usize, usize),
        components: &[Component; 3],
        restart: usize,
        data: &'a [u8],
    ) -> Result<Headers<'a>, Refused> {
        // All three together, and whole coefficients.
        let [3, a, places_a, b, places_b, c, places_c, 0, 63, 0] = segment else { return Err(Refused::Unusual) };
        if [*a, *b, *c] != components.map(|component| component.id) {
            return Err(Refused::Unusual);
        }
        let code = |kind: usize, place: usize, standard: &[Code<'static>; 2]| {
            let of_kind: &[Option<Code<'a>>; 4] = &self.codes[kind];
            let told = of_kind.get(place).copied().flatten();
            told.or_else(|| standard.get(place).copied()).ok_or(Refused::Damaged("it lacks a Huffman code"))
        };
        let codes = |places: &u8| {
            Ok([code(0, usize::from(places >> 4), &standard::DC)?, code(1, usize::from(places & 15), &standard::AC)?])
        };
        let steps = |component: &Component| {
            let told = self.steps.get(component.steps).copied().flatten();
            told.ok_or(Refused::Damaged("it lacks a quantisation"))
        };
        let [luma, cb, cr] = components;
        Ok(Headers {
            width,
            height,
            sampling: luma.sampling,
            steps: [steps(luma)?, steps(cb)?, steps(cr)?],
            codes: [codes(places_a)?, codes(places_b)?, codes(places_c)?],
            restart,
            data,
        })
    }
}
