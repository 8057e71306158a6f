//! Pictures as a camera would hand them over.

use anyhow::Context;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};
use moodbox_core::face::BBox;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::pixels::Pixels;

/// A frame before it is decoded.
pub(super) enum Input {
    Jpeg(Vec<u8>),
    Yuyv { data: Vec<u8>, width: usize, height: usize },
}

impl Input {
    /// Its pixels, as the daemon takes them.
    pub(super) fn open<'a>(&'a self, decoder: &'a mut Decoder) -> anyhow::Result<Pixels<'a>> {
        Ok(match self {
            Self::Jpeg(bytes) => decoder.open(bytes)?,
            Self::Yuyv { data, width, height } => Frame::new(data, Format::Yuyv, *width, *height, 2 * width)?.into(),
        })
    }

    /// What the camera has to send.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Jpeg(bytes) => bytes.len(),
            Self::Yuyv { data, .. } => data.len(),
        }
    }
}

/// A copy of a frame in red, green and blue.
pub(super) fn picture(frame: &Frame<'_>) -> RgbImage {
    RgbImage::from_fn(frame.width() as u32, frame.height() as u32, |x, y| Rgb(frame.rgb(x as usize, y as usize)))
}

/// The picture as a camera compresses it.
pub(super) fn jpeg(picture: &RgbImage, quality: u8) -> anyhow::Result<Input> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).context("a picture cannot be written")?;
    Ok(Input::Jpeg(bytes))
}

/// The picture as a camera sends it uncompressed: ITU-R BT.601, limited range. An odd last column is left out.
pub(super) fn yuyv(picture: &RgbImage) -> Input {
    let (width, height) = (picture.width() / 2 * 2, picture.height());
    let mut data = Vec::with_capacity(2 * (width * height) as usize);
    for row in picture.rows() {
        let row: Vec<[f32; 3]> = row.map(|pixel| pixel.0.map(f32::from)).collect();
        for pair in row.chunks_exact(2) {
            let luma = |[r, g, b]: [f32; 3]| 16.0 + 0.257 * r + 0.504 * g + 0.098 * b;
            let [r, g, b] = std::array::from_fn(|c| f32::midpoint(pair[0][c], pair[1][c]));
            let cb = 128.0 - 0.148 * r - 0.291 * g + 0.439 * b;
            let cr = 128.0 + 0.439 * r - 0.368 * g - 0.071 * b;
            data.extend([luma(pair[0]), cb, luma(pair[1]), cr].map(|v| v.round() as u8));
        }
    }
    Input::Yuyv { data, width: width as usize, height: height as usize }
}

/// The picture without anybody: grey where faces were.
pub(super) fn without(picture: &RgbImage, faces: &[BBox]) -> RgbImage {
    let mut empty = picture.clone();
    for face in faces {
        let from = |start: f32, side: f32| (start - side / 2.0).max(0.0) as u32;
        let (left, top) = (from(face.x, face.w), from(face.y, face.h));
        let (right, bottom) = (left + (2.0 * face.w) as u32, top + (2.0 * face.h) as u32);
        for y in top..bottom.min(empty.height()) {
            for x in left..right.min(empty.width()) {
                empty.put_pixel(x, y, Rgb([110; 3]));
            }
        }
    }
    empty
}

/// The picture in a frame of another size, as large as it fits, on grey.
pub(super) fn fitted(picture: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    let scale = (width as f32 / picture.width() as f32).min(height as f32 / picture.height() as f32);
    let size = |side: u32| ((side as f32 * scale) as u32).max(1);
    let scaled = imageops::resize(picture, size(picture.width()), size(picture.height()), imageops::Triangle);
    let mut fitted = RgbImage::from_pixel(width, height, Rgb([110; 3]));
    imageops::replace(&mut fitted, &scaled, i64::from((width - scaled.width()) / 2), 0);
    fitted
}
