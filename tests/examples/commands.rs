//! How fast the tool answers where it needs no box: `cargo run --release -p moodbox-tests --example commands`. Each command runs
//! some times, with files of its own and a library of so many songs.

#![expect(clippy::print_stdout, reason = "it is what it is for")]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use moodbox_tests::programs::program;

/// Runs of each command.
const RUNS: usize = 15;

/// Songs of the library.
const SONGS: usize = 2_000;

/// What was asked for.
const GOAL: Duration = Duration::from_millis(100);

/// Commands, with files in the folder where they run. Some are refused: that is an answer, too.
const COMMANDS: [&str; 26] = [
    "--help",
    "--version",
    "help fleet config push",
    "completions bash",
    "completions zsh",
    "man man",
    "config reference",
    "config reference --json",
    "config check moodbox.toml",
    "config get --file moodbox.toml",
    "config set mood.hold_s=20 --file moodbox.toml",
    "config set mood.hold=20 --file moodbox.toml",
    "config edit moodbox.toml",
    "config push wrong.toml --broker mqtt://127.0.0.1:1 --id a",
    "config get --broker mqtt://127.0.0.1:1 --id a",
    "fleet config push moodbox.toml --hosts wrong.txt --broker mqtt://127.0.0.1:1",
    "fleet status --broker mqtt://127.0.0.1:1",
    "doctor --broker mqtt://127.0.0.1:1",
    "library list",
    "library stats",
    "library import songs.csv",
    "recommend --mood happy",
    "recommend --mood sad --policy lift --explain",
    "recommend --after demo:track:1",
    "watch --broker mqtt://127.0.0.1:1 --id a",
    "aim --broker mqtt://192.0.2.1 --id a",
];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("moodbox.toml"), "[mood]\nhold_s = 10 # as long as a song\n")?;
    fs::write(folder.path().join("wrong.toml"), "[mood]\nholds = 10\n")?;
    fs::write(folder.path().join("wrong.txt"), "a\nB\n")?;
    fs::write(folder.path().join("songs.csv"), songs())?;
    fs::create_dir(folder.path().join("man"))?;
    run(folder.path(), "library import songs.csv")?;
    println!("median, max in ms | command");
    let mut good = true;
    for command in COMMANDS {
        let mut times = (0..RUNS).map(|_| run(folder.path(), command)).collect::<Result<Vec<_>, _>>()?;
        times.sort_unstable();
        let [median, max] = [times[RUNS / 2], times[RUNS - 1]].map(|time| time.as_secs_f32() * 1e3);
        println!("{median:6.1} {max:6.1} | moodbox {command}");
        good &= times[RUNS / 2] < GOAL;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the tool with these words, without a terminal; how long it took to end.
fn run(folder: &Path, words: &str) -> Result<Duration, Box<dyn Error>> {
    let mut tool = Command::new(program("moodbox"));
    tool.args(words.split(' ')).current_dir(folder).env("XDG_DATA_HOME", folder);
    tool.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    tool.status()?;
    Ok(start.elapsed())
}

fn songs() -> String {
    let mut table = "uri,title,artist,genre,valence,arousal\n".to_owned();
    for n in 0..SONGS {
        let (valence, arousal) = ((n % 21) as f32 / 10.0 - 1.0, (n % 19) as f32 / 9.0 - 1.0);
        // It is a String.
        let _ = writeln!(table, "demo:track:{n},Song {n},Artist {},pop,{valence},{arousal}", n % 300);
    }
    table
}
