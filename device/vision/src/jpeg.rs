//! Decoding of JPEG frames.
//!
//! [`Decoder::decode`] gives any picture whole. [`Decoder::open`] decodes the frames of cameras only as far as they are
//! looked at (`coded.rs`), and other pictures whole.

mod coded;
mod dct;
mod headers;
mod huffman;
mod standard;

use std::io::Cursor;

use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::frame::{Format, Frame, MAX_SIDE};
use crate::pixels::Pixels;

pub use coded::Coded;

/// Why a picture is not decoded by [`Coded`].
#[derive(Debug, Clone, Copy)]
enum Refused {
    /// It is not made as cameras make them.
    Unusual,
    Damaged(&'static str),
}

/// A JPEG that cannot be decoded whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a JPEG picture that can be read: {0}")]
pub struct JpegError(String);

/// Decodes into buffers that it keeps for the next picture.
#[derive(Debug)]
pub struct Decoder {
    coded: Coded,
    rgb: Vec<u8>,
    max_pixels: usize,
}

impl Decoder {
    /// A decoder for pictures of up to this many pixels; some 3 bytes of memory are kept for each of the largest.
    #[must_use]
    pub fn new(max_pixels: usize) -> Self {
        Self { coded: Coded::default(), rgb: Vec::new(), max_pixels }
    }

    /// Takes in a picture, to decode of it what is looked at. As [`Self::decode`] it understands a camera's motion JPEG, but
    /// the colour of a pixel is that of two neighbours.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn open(&mut self, bytes: &[u8]) -> Result<Pixels<'_>, JpegError> {
        match self.coded.load(bytes, self.max_pixels) {
            Ok(()) => Ok(Pixels::Coded(&mut self.coded)),
            Err(Refused::Damaged(reason)) => Err(JpegError(reason.to_owned())),
            Err(Refused::Unusual) => self.decode(bytes).map(Pixels::Plain),
        }
    }

    /// Decodes a picture to RGB. A camera's motion JPEG, which leaves the standard Huffman tables out, is understood.
    ///
    /// # Errors
    /// When the bytes are damaged, cut short, or describe a picture that is too large.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Frame<'_>, JpegError> {
        let damaged = |e: &dyn std::fmt::Display| JpegError(e.to_string().replace('\n', " "));
        // Decoders fill what is missing of a picture with grey; a frame that was cut on the wire has no end marker.
        let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        if end < 4 || bytes[end - 2..end] != [0xff, 0xd9] {
            return Err(JpegError("it does not end with an end marker".to_owned()));
        }
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(MAX_SIDE)
            .set_max_height(MAX_SIDE)
            .jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = JpegDecoder::new_with_options(Cursor::new(&bytes[..end]), options);
        decoder.decode_headers().map_err(|e| damaged(&e))?;
        let (width, height) = decoder.dimensions().ok_or_else(|| JpegError("it has no size".to_owned()))?;
        if width * height > self.max_pixels {
            return Err(JpegError(format!("{width}x{height} pixels are more than {}", self.max_pixels)));
        }
        self.rgb.resize(3 * width * height, 0);
        decoder.decode_into(&mut self.rgb).map_err(|e| damaged(&e))?;
        Frame::new(&self.rgb, Format::Rgb, width, height, 3 * width).map_err(|e| damaged(&e))
    }
}
