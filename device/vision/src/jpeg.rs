//! Decoding of JPEG frames.

use std::io::Cursor;

use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::frame::{Format, Frame, MAX_SIDE};

/// A JPEG that cannot be decoded whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a JPEG picture that can be read: {0}")]
pub struct JpegError(String);

/// Decodes into a buffer that it keeps for the next picture.
#[derive(Debug)]
pub struct Decoder {
    rgb: Vec<u8>,
    max_pixels: usize,
}

impl Decoder {
    /// A decoder for pictures of up to this many pixels; 3 bytes of memory are kept for each of the largest picture.
    #[must_use]
    pub const fn new(max_pixels: usize) -> Self {
        Self { rgb: Vec::new(), max_pixels }
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
