//! `moodbox logs`: what a box has written to its journal, over SSH, without what only its owner needs to know.

mod private;

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::process::ChildStdout;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::anyhow;
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::failure::{Failure, tell};
use crate::plain::plain;
use crate::ssh::{Destination, Session, complaints, last_line};
use private::Line;

/// Which box, and what of its journal.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox logs --ssh pi@moodbox.local --follow --level warn")]
pub(crate) struct Arguments {
    #[command(flatten)]
    destination: Destination,
    /// Go on with what is written from now on.
    #[arg(long, short)]
    follow: bool,
    /// How many of the latest lines; with --follow before --level leaves some out.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    lines: u32,
    /// Only what is at least so important: error, warn or info.
    #[arg(long, default_value = "info", value_parser = level)]
    level: usize,
}

/// The words with which the daemon begins a line, the most important first.
const LEVELS: [&str; 3] = ["error", "warn", "info"];

/// The level that every line has or is above.
const INFO: usize = LEVELS.len() - 1;

/// Lines that may wait to be shown.
const QUEUE: usize = 64;

/// How often it is looked whether somebody wants the end, while nothing is written.
const LOOK: Duration = Duration::from_millis(100);

fn level(text: &str) -> Result<usize, String> {
    LEVELS.iter().position(|level| *level == text).ok_or_else(|| "known are error, warn and info".to_owned())
}

pub(crate) fn run(arguments: &Arguments, as_json: bool) -> Result<(), Failure> {
    // The connection, and its folder here, must go also where somebody ends it.
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The second ends at once, as ever.
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&asked))?;
        signal_hook::flag::register(signal, Arc::clone(&asked))?;
    }
    match show(arguments, as_json, &asked) {
        // Ctrl-C reaches `ssh`, too, whose end then is no failure.
        Err(_) if asked.load(Ordering::Relaxed) && arguments.follow => Ok(()),
        Err(_) if asked.load(Ordering::Relaxed) => Err(Failure::Finding(broken_off())),
        shown => shown,
    }
}

fn broken_off() -> anyhow::Error {
    anyhow!("the journal was not read to its end")
}

fn show(arguments: &Arguments, as_json: bool, asked: &AtomicBool) -> Result<(), Failure> {
    let session = Session::open(&arguments.destination)?;
    // The journal of the system is root's; who may read it without is not asked for anything.
    let count = match (arguments.follow, arguments.level) {
        (true, _) => format!("-f -n {}", arguments.lines),
        (false, INFO) => format!("-n {}", arguments.lines),
        // The journal knows nothing of the daemon's levels: the latest of one may be anywhere in it.
        (false, _) => "-n all".to_owned(),
    };
    let read = format!("journalctl -q -u moodboxd -o short-iso --no-pager {count}");
    let command = format!("if [ $(id -u) != 0 ] && sudo -n true 2>/dev/null; then sudo -n {read}; else {read}; fi");
    let mut child = session.start(&command)?;
    drop(child.stdin.take());
    let lines = lines_of(child.stdout.take());
    let (mut any, mut latest) = (false, VecDeque::new());
    while let Some(line) = next(&lines, asked) {
        any = true;
        let Some(line) = Line::read(&line).filter(|line| line.level <= arguments.level) else { continue };
        if arguments.follow {
            print(&line, as_json)?;
            continue;
        }
        latest.push_back(line);
        if latest.len() > arguments.lines as usize {
            latest.pop_front();
        }
    }
    if asked.load(Ordering::Relaxed) {
        child.kill()?;
        child.wait()?;
        return Err(Failure::Finding(broken_off()));
    }
    for line in &latest {
        print(line, as_json)?;
    }
    let told = complaints(child.stderr.take());
    let status = child.wait()?;
    if status.code() == Some(255) {
        return Err(session.lost(&told));
    }
    if !status.success() || told.contains("not seeing messages") {
        let reason =
            format!("{}: {}; log in as root, or join the group systemd-journal", session.host(), last_line(&told));
        return Err(Failure::Finding(anyhow!(reason)));
    }
    if !any {
        let reason =
            format!("{} has written nothing as moodboxd; is it installed? `moodbox setup` does that", session.host());
        return Err(Failure::Finding(anyhow!(reason)));
    }
    if latest.is_empty() && !arguments.follow && arguments.lines > 0 {
        let level = LEVELS[arguments.level];
        tell(format_args!("moodbox: {}: the journal has no line of level {level} or above", session.host()));
    }
    Ok(())
}

/// What is read, line by line: the thread that waits for it can be left alone.
fn lines_of(stdout: Option<ChildStdout>) -> Receiver<String> {
    let (sender, lines) = sync_channel(QUEUE);
    thread::spawn(move || {
        for line in stdout.map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The next line; nothing at the end, or where somebody wants that.
fn next(lines: &Receiver<String>, asked: &AtomicBool) -> Option<String> {
    while !asked.load(Ordering::Relaxed) {
        match lines.recv_timeout(LOOK) {
            Ok(line) => return Some(line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    None
}

fn print(line: &Line, as_json: bool) -> io::Result<()> {
    let (mut out, level) = (io::stdout().lock(), LEVELS[line.level]);
    if as_json {
        writeln!(out, "{}", json!({ "time": line.time, "level": level, "message": line.message }))
    } else {
        writeln!(out, "{} {level:5} {}", line.time, plain(&line.message))
    }
}
