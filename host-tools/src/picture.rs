//! Pictures in files.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::Context;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

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
    anyhow::ensure!(reader.format() != Some(ImageFormat::Jpeg) || is_whole(bytes), "it ends before its end marker");
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

/// Whether the data of a JPEG goes on to its end marker. What lies behind that is somebody else's.
fn is_whole(jpeg: &[u8]) -> bool {
    let mut rest = jpeg.get(2..).unwrap_or_default();
    loop {
        rest = match rest {
            [0xff, 0xda, data @ ..] => return data.windows(2).any(|marker| marker == [0xff, 0xd9]),
            // Filled up.
            [0xff, 0xff, ..] => &rest[1..],
            // Passed over whole, for a thumbnail has an end marker of its own.
            [0xff, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest.get(2 + length..).unwrap_or_default()
            }
            _ => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTRAIT: &[u8] = include_bytes!("../demo/faces/collins.jpg");

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
}
