//! Pixels of a frame at other sizes, written as the `i8` values (`pixel - 128`) that the networks take.
//!
//! P-Net sees the whole frame at several scales ([`pyramid`]), R-Net and O-Net see small squares ([`square`]), sampled
//! bilinearly, and so does the classifier, in grey ([`grey`]). All of them add up bytes as they lie in the frame
//! ([`blend`](mod@blend)) and turn the few results into red, green and blue ([`output`]), not the many pixels that they are made
//! of.

mod area;
mod blend;
mod grey;
mod output;
mod pyramid;
mod square;

use crate::frame::Format;

pub(crate) use blend::{blend, blend_luma};
pub(crate) use grey::GreyCrop;
pub(crate) use pyramid::{Halvings, Resize};
pub(crate) use square::SquareCrop;

/// The bytes that stand for one place in a row: a pixel, or for YUYV two neighbours that share their colour.
const fn lanes(format: Format) -> usize {
    format.row_bytes(2) / if matches!(format, Format::Yuyv) { 1 } else { 2 }
}

/// `pixel - 128`.
const fn centred(pixel: u8) -> i8 {
    (pixel ^ 0x80) as i8
}

/// Added to a number from 0 to 255, it leaves the nearest whole number in the lowest byte: from there on neighbouring `f32`s
/// are 1 apart.
const ROUNDS: f32 = 12_582_912.0;

/// The byte nearest to a number, which must be from 0 to 255. A cast would check for others.
pub(crate) const fn nearest_byte(value: f32) -> u8 {
    (value + ROUNDS).to_bits() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_pixel_or_two_that_share_their_colour() {
        assert_eq!([Format::Rgb, Format::Grey, Format::Yuyv].map(lanes), [3, 1, 4]);
    }
}
