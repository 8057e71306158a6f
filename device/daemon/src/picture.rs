//! A small copy of a frame, for somebody who looks at what the box sees.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder as _, ImageError};
use moodbox_vision::pixels::Pixels;

/// How good the JPEG of a picture is, 1 to 100: enough to see who sits where.
const QUALITY: u8 = 60;

/// A small copy of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Red, green and blue, row by row.
    pub rgb: Vec<u8>,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width of the frame that it shows.
    pub frame_width: usize,
    /// Height of the frame that it shows.
    pub frame_height: usize,
}

impl Picture {
    /// Every n-th pixel of a frame, about `width` in a row.
    #[must_use]
    pub fn of(pixels: &Pixels<'_>, width: usize) -> Self {
        let (frame_width, frame_height) = pixels.size();
        let frame = pixels.overview();
        let step = (frame.width() / width.max(1)).max(1);
        let (width, height) = (frame.width().div_ceil(step), frame.height().div_ceil(step));
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| frame.rgb(x * step, y * step)));
        Self { rgb: rgb.collect(), width, height, frame_width, frame_height }
    }

    /// The same as a JPEG.
    ///
    /// # Errors
    /// When it has more pixels in a row or column than a JPEG can have.
    pub fn jpeg(&self) -> Result<Vec<u8>, ImageError> {
        let mut jpeg = Vec::new();
        let (width, height) = (self.width as u32, self.height as u32);
        let encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
        encoder.write_image(&self.rgb, width, height, ExtendedColorType::Rgb8)?;
        Ok(jpeg)
    }

    /// Mean brightness, 0..1, as coded for a screen: Y' of ITU-R BT.601.
    #[must_use]
    pub fn light(&self) -> f32 {
        let luma = |p: &[u8]| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2]);
        let pixels = (self.rgb.len() / 3).max(1);
        self.rgb.chunks_exact(3).map(luma).sum::<f32>() / (255.0 * pixels as f32)
    }
}

#[cfg(test)]
mod tests {
    use moodbox_vision::frame::{Format, Frame};

    use super::*;

    #[test]
    fn a_picture_shows_the_frame_and_its_light() {
        // Left half black, right half white.
        let data: Vec<u8> = (0..480).flat_map(|_| (0..640).map(|x| if x < 320 { 0 } else { 255 })).collect();
        let frame = Frame::new(&data, Format::Grey, 640, 480, 640).unwrap();
        let picture = Picture::of(&frame.into(), 320);
        assert_eq!((picture.width, picture.height, picture.frame_width), (320, 240, 640));
        assert!((picture.light() - 0.5).abs() < 1e-3, "{}", picture.light());
        let shown = image::load_from_memory(&picture.jpeg().unwrap()).unwrap().into_luma8();
        assert_eq!((shown.get_pixel(40, 120).0, shown.get_pixel(280, 120).0), ([0], [255]));
    }

    #[test]
    fn frames_of_any_size_make_one() {
        for (width, height) in [(1, 1), (2, 900), (319, 3), (1921, 1)] {
            let data = vec![100; width * height];
            let picture = Picture::of(&Frame::new(&data, Format::Grey, width, height, width).unwrap().into(), 320);
            assert_eq!(picture.rgb.len(), 3 * picture.width * picture.height, "{width}x{height}");
            assert!(picture.jpeg().unwrap().starts_with(&[0xff, 0xd8]));
        }
    }
}
