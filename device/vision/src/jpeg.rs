//! Decoding of JPEG frames.

use std::io::Cursor;

use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::frame::{Format, Frame, MAX_SIDE};

/// A JPEG that cannot be decoded whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a complete JPEG picture: {0}")]
pub struct JpegError(String);

/// Decodes into a buffer that it keeps for the next picture.
#[derive(Debug, Default)]
pub struct Decoder {
    rgb: Vec<u8>,
}

impl Decoder {
    /// Decodes a picture to RGB. A camera's motion JPEG, which leaves the standard Huffman tables out, is understood.
    ///
    /// # Errors
    /// When the bytes are damaged, cut short, or describe a picture with more than [`MAX_SIDE`] pixels a side.
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
        let size = decoder.output_buffer_size().ok_or_else(|| JpegError("it has no size".to_owned()))?;
        let (width, height) = decoder.dimensions().ok_or_else(|| JpegError("it has no size".to_owned()))?;
        self.rgb.resize(size, 0);
        decoder.decode_into(&mut self.rgb).map_err(|e| damaged(&e))?;
        Frame::new(&self.rgb, Format::Rgb, width, height, 3 * width).map_err(|e| damaged(&e))
    }
}
