//! One frame of the demo's recording, again and again, for a program that counts instructions: `make bench-instructions`.
//!
//! `instructions decode|cold|followed|idle`: what is meant happens in the function [`counted`], [`ROUNDS`] times.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use moodbox_core::config;
use moodbox_models::Models;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::{Tracker, Vision};

const ROUNDS: u32 = 10;

#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    work()
}

fn main() -> anyhow::Result<()> {
    let what = std::env::args().nth(1).context("what: decode, cold, followed or idle")?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host-tools/demo/evening.mjpeg");
    let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
    // It holds no thumbnails, so that each end marker ends a frame.
    let ends: Vec<_> =
        bytes.windows(2).enumerate().filter(|(_, pair)| *pair == [0xff, 0xd9]).map(|(i, _)| i + 2).collect();
    let (jpeg, empty) = (&bytes[ends[119]..ends[120]], &bytes[..ends[0]]);
    let models = Models::built_in()?;
    let settings = config::Vision::default();
    let mut decoder = Decoder::new(640 * 480);
    if what == "decode" {
        for _ in 0..ROUNDS {
            counted(|| decoder.open(jpeg).map(|pixels| pixels.size()))?;
        }
        return Ok(());
    }
    let data = yuyv(&decoder.decode(if what == "idle" { empty } else { jpeg })?);
    let frame = Frame::new(&data, Format::Yuyv, 640, 480, 2 * 640)?;
    if what == "cold" {
        let mut vision = Vision::new(&models, &settings)?;
        vision.analyse(frame)?;
        for _ in 0..ROUNDS {
            counted(|| vision.analyse(frame).map(|analysis| analysis.faces.len()))?;
        }
        return Ok(());
    }
    let mut tracker = Tracker::new(&models, &settings)?;
    let mut at = Duration::ZERO;
    // The second frame confirms who was found in the first; the cascade comes again after 2 s.
    for round in 0..2 + ROUNDS {
        let time = at;
        at += Duration::from_millis(180);
        if round < 2 {
            tracker.track(frame, time)?;
        } else {
            counted(|| tracker.track(frame, time).map(|sight| sight.faces.len()))?;
        }
    }
    Ok(())
}

/// As a camera sends it, but for the colour, which is of the left one of two pixels.
fn yuyv(frame: &Frame<'_>) -> Vec<u8> {
    let mut data = Vec::with_capacity(2 * frame.width() * frame.height());
    for y in 0..frame.height() {
        for x in 0..frame.width() {
            let luma = |[r, g, b]: [f32; 3]| 16.0 + 0.257 * r + 0.504 * g + 0.098 * b;
            let [r, g, b] = frame.rgb(x / 2 * 2, y).map(f32::from);
            let (cb, cr) = (128.0 - 0.148 * r - 0.291 * g + 0.439 * b, 128.0 + 0.439 * r - 0.368 * g - 0.071 * b);
            data.push(luma(frame.rgb(x, y).map(f32::from)).round() as u8);
            data.push((if x % 2 == 0 { cb } else { cr }).round() as u8);
        }
    }
    data
}
