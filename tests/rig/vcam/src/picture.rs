//! What the camera shows.

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use sha2::{Digest, Sha256};

/// Size of the pictures.
pub const WIDTH: u16 = 640;
/// Size of the pictures.
pub const HEIGHT: u16 = 480;

/// Five JPEGs, each different.
pub fn test_pictures() -> Vec<Vec<u8>> {
    (0..5u32)
        .map(|number| {
            let image = RgbImage::from_fn(WIDTH.into(), HEIGHT.into(), |x, y| {
                let bars = (x / (40 + 10 * number)) * 60;
                image::Rgb([bars as u8, (y / 2) as u8, (40 * number + x / 8) as u8])
            });
            let mut jpeg = Vec::new();
            JpegEncoder::new_with_quality(&mut jpeg, 80).encode_image(&image).expect("a Vec takes all");
            jpeg
        })
        .collect()
}

/// A raw frame whose every byte follows from where it is and from `number`.
pub fn raw(width: u16, height: u16, number: usize) -> Vec<u8> {
    let bytes = usize::from(width) * usize::from(height) * 2;
    (0..bytes).map(|at| (at * 31 + at / 256 + number) as u8).collect()
}

/// Makes rubbish of what lies between the first and the last marker.
pub fn garble(jpeg: &mut [u8]) {
    let end = jpeg.len().saturating_sub(2);
    for byte in jpeg.iter_mut().take(end).skip(2) {
        *byte = !*byte | 0x01;
    }
}

/// As sha256sum prints it.
pub fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
