//! A file to which lines are added, each on the disk before anybody goes on.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use tracing::warn;

use super::{flush_folder, replace};

/// Lines that come before another try at what the disk did not take.
const AGAIN: usize = 1000;

/// A log of which a power cut can tear no more than the last line.
#[derive(Debug)]
pub(super) struct LineLog {
    path: PathBuf,
    lines: usize,
    /// Whether the file may end in the middle of a line.
    torn: bool,
    /// Lines up to which it is not worth trying to make it shorter.
    patience: usize,
}

impl LineLog {
    /// The log, and what is in it; empty where there is none yet.
    pub(super) fn open(path: PathBuf) -> (Self, Result<Vec<u8>>) {
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            read => read,
        };
        let lines = text.as_deref().map_or(0, line_ends);
        let torn = text.as_deref().map_or(true, |text| text.last().is_some_and(|byte| *byte != b'\n'));
        (Self { path, lines, torn, patience: 0 }, text)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Lines that it has.
    pub(super) const fn lines(&self) -> usize {
        self.lines
    }

    /// Adds a line, which brings its end along.
    pub(super) fn append(&mut self, line: &str) -> Result<()> {
        let written = self.write(line);
        self.torn = written.is_err();
        written
    }

    fn write(&mut self, line: &str) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let is_new = !self.path.exists();
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        // A line that was cut off must not swallow the next one.
        let start = if self.torn { "\n" } else { "" };
        file.write_all(format!("{start}{line}").as_bytes())?;
        file.sync_data()?;
        if is_new {
            // Its lines are on the disk; so shall be its name.
            flush_folder(&self.path)?;
        }
        self.lines += 1;
        Ok(())
    }

    /// Where it has more than `most` lines, what `shorten` makes of its content takes its place; whether it has. Nothing is
    /// lost where the disk does not take that, and it is tried again after some more lines.
    pub(super) fn keep_short(&mut self, most: usize, shorten: impl FnOnce(&[u8]) -> Vec<u8>) -> bool {
        if self.lines <= most.max(self.patience) {
            return false;
        }
        let short = fs::read(&self.path).map(|text| shorten(&text));
        match short.and_then(|short| replace(&self.path, &short).map(|()| line_ends(&short))) {
            Ok(lines) => {
                (self.lines, self.patience) = (lines, 0);
                true
            }
            Err(error) => {
                warn!("{}: cannot be made shorter and goes on growing: {error}", self.path.display());
                self.patience = self.lines + AGAIN;
                false
            }
        }
    }
}

fn line_ends(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count() - 1
}
