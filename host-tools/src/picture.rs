//! Pictures in files.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::Context;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

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
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}
