//! As much of the JPEG format (ITU-T T.81, annex B) as it takes to tell frames apart, without decoding them.

/// Start of image, the first marker.
pub(super) const SOI: u8 = 0xD8;
/// End of image, the last marker.
pub(super) const EOI: u8 = 0xD9;
/// Start of scan: entropy-coded data follows its segment.
pub(super) const SOS: u8 = 0xDA;

/// Whether a marker stands alone, with no segment after it.
pub(super) fn stands_alone(marker: u8) -> bool {
    is_restart(marker) || matches!(marker, SOI | EOI | 0x01)
}

/// Whether a marker may stand in the middle of entropy-coded data.
pub(super) fn is_restart(marker: u8) -> bool {
    matches!(marker, 0xD0..=0xD7)
}

/// Width and height in pixels, from the frame header.
pub(super) fn size(data: &[u8]) -> Option<(u32, u32)> {
    let mut rest = data.strip_prefix(&[0xFF, SOI])?;
    loop {
        let [0xFF, marker, after @ ..] = rest else { return None };
        rest = match *marker {
            // Fill bytes may stand before a marker.
            0xFF => &rest[1..],
            SOS => return None,
            marker if stands_alone(marker) => after,
            // The frame headers; among their numbers are three other tables.
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                let &[_, _, _, height_high, height_low, width_high, width_low, ..] = after else { return None };
                let pixels = |high, low| u32::from(u16::from_be_bytes([high, low]));
                return Some((pixels(width_high, width_low), pixels(height_high, height_low)));
            }
            _ => {
                let &[high, low, ..] = after else { return None };
                after.get(usize::from(u16::from_be_bytes([high, low])).max(2)..)?
            }
        };
    }
}

#[cfg(test)]
pub(super) mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::{GrayImage, RgbImage};
    use proptest::prelude::*;

    use super::*;

    /// A JPEG with something to see in it.
    pub(in crate::camera) fn sample(width: u32, height: u32, seed: u8) -> Vec<u8> {
        let mut jpeg = Vec::new();
        let image = RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x * 7) as u8 ^ seed, (y * 5) as u8, ((x * y) as u8).wrapping_add(seed)])
        });
        JpegEncoder::new_with_quality(&mut jpeg, 85).encode_image(&image).unwrap();
        jpeg
    }

    /// As cameras and phones write it: with a whole small JPEG in an APP1 segment.
    pub(in crate::camera) fn with_thumbnail(jpeg: &[u8]) -> Vec<u8> {
        let thumbnail = sample(16, 12, 3);
        let mut out = vec![0xFF, SOI, 0xFF, 0xE1];
        out.extend((thumbnail.len() as u16 + 2).to_be_bytes());
        out.extend(&thumbnail);
        out.extend(&jpeg[2..]);
        out
    }

    #[test]
    fn the_size_is_the_pictures_and_not_its_thumbnails() {
        assert_eq!(size(&sample(320, 200, 1)), Some((320, 200)));
        assert_eq!(size(&with_thumbnail(&sample(320, 200, 1))), Some((320, 200)));
        let mut grey = Vec::new();
        JpegEncoder::new(&mut grey).encode_image(&GrayImage::new(17, 5)).unwrap();
        assert_eq!(size(&grey), Some((17, 5)));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(mut bytes in prop::collection::vec(prop_oneof![Just(0xFF), any::<u8>()], 0..200)) {
            bytes.splice(0..0, [0xFF, SOI]);
            size(&bytes);
        }
    }
}
