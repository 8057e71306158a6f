//! Hours of video through the whole box while things around it fail, and whether it grows or slows down:
//! `cargo run --release -p moodbox-tests --example soak -- 3600` for an hour.
//!
//! The recording plays at 60 frames a second and 30 of them are analysed, six times of each what a box does by default.
//! Round after round something fails and comes back; then the box is asked how it is, and looked at from outside.

#![expect(clippy::print_stdout, reason = "it is what it is for")]
#![expect(clippy::expect_used, reason = "a measurement that cannot be set up ends")]

mod faults;
mod figures;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use faults::{FAULTS, Home};
use figures::{Figures, Sample};

/// How often a box analyses as many frames as one at home does by default.
const TIMES_REAL_TIME: u32 = 6;

/// Time in which what a fault has stirred up settles.
const SETTLED: Duration = Duration::from_secs(5);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let seconds = env::args().nth(1).map_or(Ok(3600), |seconds| seconds.parse())?;
    let mut home = Home::start();
    let mut figures = Figures::default();
    let start = Instant::now();
    println!("    s |   MB | descriptors | threads | answer, frame in ms | fault");
    for (name, fault) in FAULTS.iter().cycle() {
        if start.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
        figures.recovered(name, fault(&mut home));
        home.listen_to_music();
        std::thread::sleep(SETTLED);
        let sample = Sample::of(start.elapsed(), home.pid(), home.answer_time(), home.frame_ms())?;
        println!("{sample} | {name}");
        figures.push(sample);
    }
    let (frames, complaints) = home.end();
    let video = start.elapsed() * TIMES_REAL_TIME;
    println!("{:.1} hours of video, {frames} frames analysed", video.as_secs_f32() / 3600.0);
    println!("{figures}");
    for line in &complaints {
        println!("the log says: {line}");
    }
    Ok(if figures.are_good() && complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
