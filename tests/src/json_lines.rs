//! `moodbox` as it prints JSON, line by line.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that is surprised fails")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::listener::PATIENCE;
use crate::programs::program;

/// `moodbox`, running; it ends with this.
#[derive(Debug)]
pub struct JsonLines {
    process: Child,
    lines: Receiver<Value>,
}

impl JsonLines {
    /// Starts it with these words and `--json`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn of<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> Self {
        let mut command = Command::new(program("moodbox"));
        let mut process = command.args(words).arg("--json").stdout(Stdio::piped()).spawn().expect("moodbox starts");
        let stdout = BufReader::new(process.stdout.take().expect("its output"));
        let (sender, lines) = mpsc::channel();
        let parse = |line: String| serde_json::from_str(&line).expect("a line of JSON");
        thread::spawn(move || stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(parse(line)))));
        Self { process, lines }
    }

    /// The next line that is wanted, and those before it.
    ///
    /// # Panics
    /// When it does not come in time.
    pub fn until(&self, wanted: impl Fn(&Value) -> bool) -> (Value, Vec<Value>) {
        let deadline = Instant::now() + PATIENCE;
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if wanted(&line) => return (line, before),
                Ok(line) => before.push(line),
                Err(error) => panic!("{error} after {before:#?}"),
            }
        }
    }

    /// Ends it as Ctrl-C does; the exit code.
    ///
    /// # Panics
    /// When it cannot be told.
    pub fn interrupt(&mut self) -> Option<i32> {
        self.signal("-INT");
        self.process.wait().expect("its end").code()
    }

    /// Holds it up for as long as that takes.
    ///
    /// # Panics
    /// When it cannot be told.
    pub fn held_up(&self, meanwhile: impl FnOnce()) {
        self.signal("-STOP");
        meanwhile();
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
    }
}

impl Drop for JsonLines {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
