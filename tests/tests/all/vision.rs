//! What the box sees, against independent measurements.

mod allocations;
mod detection;
mod emotions;
mod following;
mod limits;
mod models;
mod personal;
mod validation;

use std::fs;
use std::path::{Path, PathBuf};

use moodbox_vision::frame::Frame;
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::pixels::Pixels;

/// Decodes a file and hands the frame on.
fn with_frame<T>(path: &Path, see: impl FnOnce(&Frame<'_>) -> T) -> T {
    let mut decoder = Decoder::new(4096 * 4096);
    see(&decoder.decode(&fs::read(path).unwrap()).unwrap())
}

/// The same as the daemon takes it from a camera: decoded only as far as it is looked at.
fn with_pixels<T>(path: &Path, see: impl FnOnce(Pixels<'_>) -> T) -> T {
    let mut decoder = Decoder::new(4096 * 4096);
    see(decoder.open(&fs::read(path).unwrap()).unwrap())
}

/// The frames of the recording that comes with the demo. It holds no thumbnails, so that each end marker ends a frame.
fn recording() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host-tools/demo/evening.mjpeg");
    let bytes = fs::read(path).unwrap();
    let ends = bytes.windows(2).enumerate().filter(|(_, pair)| *pair == [0xff, 0xd9]).map(|(i, _)| i + 2);
    let mut start = 0;
    ends.map(|end| bytes[std::mem::replace(&mut start, end)..end].to_vec()).collect()
}

fn photos(folder: &Path) -> Vec<PathBuf> {
    let mut photos: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    photos.retain(|p| p.extension().is_some_and(|e| e == "jpg"));
    photos.sort();
    photos
}
