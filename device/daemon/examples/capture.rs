//! Prints what the camera of a configuration gives: `capture FRAMES [LINE OF CONFIGURATION...]`.
//!
//! A camera that fails is opened again after half a second, as the daemon does, until all frames were seen.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use moodbox_core::config::Config;
use moodboxd::camera::{self, CameraError};
use sha2::{Digest, Sha256};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: capture FRAMES [LINE OF CONFIGURATION...]";
    let mut left: usize = arguments.next().context(usage)?.parse().context(usage)?;
    let config = Config::parse(&arguments.collect::<Vec<_>>().join("\n"))?;
    let epoch = Instant::now();
    while left > 0 {
        match run(&config, epoch, &mut left) {
            Ok(()) => break,
            Err(error) => println!("error {error}"),
        }
        thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}

fn run(config: &Config, epoch: Instant, left: &mut usize) -> Result<(), CameraError> {
    let mut camera = camera::open(&config.camera, epoch, || {})?;
    println!("open {}", camera.describe());
    while *left > 0 {
        let Some(frame) = camera.next()? else { break };
        println!(
            "frame {} {}x{} stride={} bytes={} lost={} corrupt={} sha256={:x}",
            frame.format.name(),
            frame.width,
            frame.height,
            frame.stride,
            frame.data.len(),
            frame.lost,
            frame.corrupt,
            Sha256::digest(frame.data),
        );
        *left -= 1;
    }
    Ok(())
}
