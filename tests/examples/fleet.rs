//! How long `moodbox fleet` takes with many boxes on one Mosquitto on this machine: `cargo run --release -p moodbox-tests
//! --example fleet -- 200`. The boxes have the real rules and MQTT clients; their cameras and people are simulated.

#![expect(clippy::print_stdout, reason = "it is what it is for")]

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::time::{Duration, Instant};
use std::{env, fs};

use moodbox_tests::fleet::Fleet;
use moodbox_tests::programs::program;

/// What was asked for of a push to 200 boxes.
const GOAL: Duration = Duration::from_secs(15);

/// Files to push: keys that count at once, the same again, and one that is on trial, for which each box takes five seconds.
const FILES: [(&str, &str); 3] = [
    ("two keys", "[mood]\nhold_s = 20\n[music]\npolicy = \"lift\"\n"),
    ("the same", "[mood]\nhold_s = 20\n[music]\npolicy = \"lift\"\n"),
    ("one on trial", "[vision]\nmin_face_px = 48\n"),
];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let counts = env::args().skip(1).map(|count| count.parse()).collect::<Result<Vec<usize>, _>>()?;
    let folder = tempfile::tempdir()?;
    // It is built before anything is timed.
    let _ = program("moodbox");
    println!("boxes | what         | time");
    let mut good = true;
    for count in counts {
        let fleet = Fleet::of(count);
        for (what, file) in FILES {
            let path = folder.path().join("moodbox.toml");
            fs::write(&path, file)?;
            let took = timed(&fleet, &["config", "push"], Some(&path))?;
            println!("{count:5} | {what:12} | {:4.1} s", took.as_secs_f32());
            good &= took < GOAL;
        }
        println!("{count:5} | {:12} | {:4.1} s", "status", timed(&fleet, &["status"], None)?.as_secs_f32());
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Time that the tool takes with these words, all boxes of which end well.
fn timed(fleet: &Fleet, words: &[&str], file: Option<&Path>) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    let mut tool = Command::new(program("moodbox"));
    let Output { status, stderr, .. } =
        tool.arg("fleet").args(words).args(file).args(["--broker", &fleet.url()]).output()?;
    if !status.success() {
        return Err(String::from_utf8_lossy(&stderr).into());
    }
    Ok(start.elapsed())
}
