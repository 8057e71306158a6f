//! Pictures in files.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::Context;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use moodbox_vision::jpeg;

/// Longest side of a picture, in pixels.
const MAX_SIDE: u32 = 16_384;

/// The files to read: those that were named, and the pictures in the folders that were.
pub(crate) fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).with_context(|| format!("cannot read the folder {}", path.display()))?;
        let mut pictures: Vec<_> = entries.flatten().map(|e| e.path()).filter(|p| has_picture_name(p)).collect();
        anyhow::ensure!(!pictures.is_empty(), "the folder {} holds no .jpg, .jpeg or .png file", path.display());
        pictures.sort();
        files.append(&mut pictures);
    }
    Ok(files)
}

fn has_picture_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png"))
}

/// Reads a picture the right way up, as its camera noted it.
pub(crate) fn read(path: &Path) -> anyhow::Result<image::RgbImage> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    decode(&bytes).with_context(|| format!("{} is not a JPEG or PNG picture that can be read", path.display()))
}

fn decode(bytes: &[u8]) -> anyhow::Result<image::RgbImage> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits);
    // Decoders fill with grey what is missing of a picture.
    anyhow::ensure!(
        reader.format() != Some(ImageFormat::Jpeg) || jpeg::is_whole(bytes),
        "it ends before its end marker"
    );
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTRAIT: &[u8] = include_bytes!("../demo/faces/collins.jpg");
    // One picture with the same coefficients, written in one scan and in many.
    const BASELINE: &[u8] = include_bytes!("../../tests/fixtures/pictures/baseline.jpg");
    const PROGRESSIVE: &[u8] = include_bytes!("../../tests/fixtures/pictures/progressive.jpg");
    /// Red on the left and blue on the right, as printers mix them.
    const CMYK: &[u8] = include_bytes!("../../tests/fixtures/pictures/cmyk.jpg");

    #[test]
    fn a_picture_that_is_cut_anywhere_is_refused() {
        for length in (2..PORTRAIT.len()).step_by(997).chain([PORTRAIT.len() - 1]) {
            assert!(decode(&PORTRAIT[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn what_others_put_before_and_behind_a_picture_is_passed_over() {
        let whole = decode(PORTRAIT).unwrap();
        assert_eq!(decode(&[PORTRAIT, b"a trailer \xff\xda of a telephone's"].concat()).unwrap(), whole);
        // A segment that holds a whole small picture.
        let thumbnail = [0xff, 0xe1, 0, 8, 0xff, 0xda, 0, 0xff, 0xd9, 0];
        let with_thumbnail = [&PORTRAIT[..2], &thumbnail, &PORTRAIT[2..]].concat();
        assert_eq!(decode(&with_thumbnail).unwrap(), whole);
        assert!(decode(&with_thumbnail[..with_thumbnail.len() - 2]).is_err());
    }

    /// A picture with the EXIF note of a camera that was held in some way: a TIFF header and one directory with one entry.
    fn held(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut note = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        note.extend([orientation, 0, 0, 0, 0, 0, 0]);
        let length = u8::try_from(note.len() + 2).unwrap();
        [&jpeg[..2], &[0xff, 0xe1, 0, length], &note, &jpeg[2..]].concat()
    }

    #[test]
    fn a_picture_is_turned_as_the_camera_was_held() {
        use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
        let upright = decode(BASELINE).unwrap();
        // The eight orientations of EXIF 2.3, tag 0x0112.
        let turned = [
            upright.clone(),
            flip_horizontal(&upright),
            rotate180(&upright),
            flip_vertical(&upright),
            flip_horizontal(&rotate90(&upright)),
            rotate90(&upright),
            flip_horizontal(&rotate270(&upright)),
            rotate270(&upright),
        ];
        for (orientation, wanted) in (1..).zip(turned) {
            assert!(decode(&held(BASELINE, orientation)).unwrap() == wanted, "orientation {orientation}");
        }
    }

    #[test]
    fn a_progressive_picture_is_the_same_picture_and_refused_where_it_is_cut() {
        assert!(decode(PROGRESSIVE).unwrap() == decode(BASELINE).unwrap());
        for length in (2..PROGRESSIVE.len()).step_by(37) {
            assert!(decode(&PROGRESSIVE[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_printers_colours_are_the_ones_that_one_sees() {
        let picture = decode(CMYK).unwrap();
        let near = |x, wanted: [u8; 3]| {
            picture.get_pixel(x, 8).0.iter().zip(wanted).all(|(got, wanted)| got.abs_diff(wanted) < 12)
        };
        assert!(
            near(4, [255, 0, 0]) && near(28, [0, 0, 255]),
            "{:?} {:?}",
            picture.get_pixel(4, 8),
            picture.get_pixel(28, 8)
        );
    }
}
