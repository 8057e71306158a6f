//! Pixels of a frame at other sizes, written as the `i8` values (`pixel - 128`) that the networks take.
//!
//! P-Net sees the whole frame at several scales ([`pyramid`]), R-Net and O-Net see small squares ([`square`]), sampled
//! bilinearly, and so does the classifier, in grey ([`grey`]). All of them add up bytes as they lie in the frame and turn
//! the few results into red, green and blue ([`planes`]), not the many pixels that they are made of.

mod area;
mod grey;
mod planes;
mod pyramid;
mod square;

pub(crate) use grey::GreyCrop;
pub(crate) use pyramid::{Halvings, Resize};
pub(crate) use square::SquareCrop;

/// `pixel - 128`.
const fn centred(pixel: u8) -> i8 {
    (pixel ^ 0x80) as i8
}
