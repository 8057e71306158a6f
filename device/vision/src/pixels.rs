//! Where the pixels of a frame come from.

use moodbox_core::face::BBox;

use crate::frame::Frame;
use crate::jpeg::Coded;

/// The pixels of one frame: all there, or to be decoded where they are looked at.
#[derive(Debug)]
pub enum Pixels<'a> {
    /// All there.
    Plain(Frame<'a>),
    /// In a JPEG picture.
    Coded(&'a mut Coded),
}

impl<'a> From<Frame<'a>> for Pixels<'a> {
    fn from(frame: Frame<'a>) -> Self {
        Self::Plain(frame)
    }
}

impl<'a> From<&Frame<'a>> for Pixels<'a> {
    fn from(frame: &Frame<'a>) -> Self {
        Self::Plain(*frame)
    }
}

impl<'a> From<&'a mut Pixels<'_>> for Pixels<'a> {
    fn from(pixels: &'a mut Pixels<'_>) -> Self {
        match pixels {
            Pixels::Plain(frame) => Self::Plain(*frame),
            Pixels::Coded(coded) => Self::Coded(coded),
        }
    }
}

impl Pixels<'_> {
    /// Width and height in pixels.
    #[must_use]
    pub const fn size(&self) -> (usize, usize) {
        match self {
            Self::Plain(frame) => (frame.width(), frame.height()),
            Self::Coded(coded) => coded.size(),
        }
    }

    /// The whole frame, at its size or half of it, whichever is at hand.
    #[must_use]
    pub fn overview(&self) -> Frame<'_> {
        match self {
            Self::Plain(frame) => *frame,
            Self::Coded(coded) => coded.small(),
        }
    }

    /// A frame in which a box, whose place in it comes along, shows at least `side` pixels each way, as far as there are so
    /// many. What lies outside of the box may not be decoded.
    pub(crate) fn crop(&mut self, bbox: &BBox, side: usize) -> (Frame<'_>, BBox) {
        match self {
            Self::Plain(frame) => (*frame, *bbox),
            Self::Coded(coded) => coded.crop(bbox, side),
        }
    }
}
