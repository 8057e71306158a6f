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

/// Whether a JPEG goes on to its end marker. What lies behind that, such as rubbish in a camera's buffer or the trailer of a
/// telephone's picture, is somebody else's.
#[must_use]
pub fn is_whole(bytes: &[u8]) -> bool {
    end(bytes).is_some()
}

/// Where the picture ends. Entropy-coded data cannot hold the marker, for a 0xFF there is followed by a zero; a thumbnail, in
/// the segments before the data, has one of its own.
fn end(bytes: &[u8]) -> Option<usize> {
    let data = headers::scan_data(bytes)?;
    let at = memchr::memmem::find(data, &[0xff, headers::END])?;
    Some(bytes.len() - data.len() + at + 2)
}

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
        // Decoders fill with grey what is missing of a picture, and some refuse what a camera left behind it.
        let end = end(bytes).ok_or_else(|| JpegError("it ends before its end marker".to_owned()))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    // One picture with the same coefficients, written in one scan and in many; the many are nothing that a camera makes.
    const BASELINE: &[u8] = include_bytes!("../../../tests/fixtures/pictures/baseline.jpg");
    const PROGRESSIVE: &[u8] = include_bytes!("../../../tests/fixtures/pictures/progressive.jpg");

    /// As cameras and telephones write it: a segment with a whole small picture in front, a trailer behind.
    fn with_thumbnail_and_trailer(jpeg: &[u8]) -> Vec<u8> {
        let thumbnail = [0xff, 0xe1, 0, 10, 0xff, 0xd8, 0xff, 0xda, 0, 0, 0xff, 0xd9];
        [&jpeg[..2], &thumbnail, &jpeg[2..], b"a trailer \xff\xda of a telephone's"].concat()
    }

    #[test]
    fn what_others_put_before_and_behind_a_picture_is_passed_over() {
        for jpeg in [BASELINE, PROGRESSIVE] {
            let mut decoder = Decoder::new(1 << 20);
            let mut diagonal = |bytes: &[u8]| {
                let frame = decoder.decode(bytes).unwrap();
                (0..frame.width().min(frame.height())).map(|i| frame.rgb(i, i)).collect::<Vec<_>>()
            };
            assert_eq!(diagonal(&with_thumbnail_and_trailer(jpeg)), diagonal(jpeg));
            assert!(decoder.open(&with_thumbnail_and_trailer(jpeg)).is_ok());
        }
    }

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end_of_its_picture() {
        for jpeg in [BASELINE, PROGRESSIVE] {
            let whole = with_thumbnail_and_trailer(jpeg);
            let end = whole.windows(2).rposition(|pair| pair == [0xff, 0xd9]).unwrap() + 2;
            assert!(is_whole(&whole) && is_whole(&whole[..end]));
            for length in 0..end {
                assert!(!is_whole(&whole[..length]), "{length} of {end} bytes");
            }
        }
        assert!(!is_whole(&BASELINE[1..]));
    }
}
