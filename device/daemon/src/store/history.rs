//! The log of the room's mood.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};

use moodbox_core::history::{MAX_LINE_BYTES, MAX_LINES, Moment, Page, Picker, Query, shortened};

use super::log::LineLog;
use super::{Store, StoreError};

const FILE: &str = "history.jsonl";

/// The file with the history, for who adds to it.
#[derive(Debug)]
pub struct HistoryLog {
    log: LineLog,
}

impl Store {
    /// The history, to be added to.
    #[must_use]
    pub fn history(&self) -> HistoryLog {
        HistoryLog { log: LineLog::open(self.folder.join(FILE)).0 }
    }

    /// The moments that somebody asks for. Lines that cannot be used are passed over.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn recall(&self, query: Query) -> Result<Page, StoreError> {
        let path = self.folder.join(FILE);
        let pick = || match File::open(&path) {
            Ok(file) => pick(query, BufReader::new(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Page::default()),
            Err(error) => Err(error),
        };
        pick().map_err(|error| StoreError { path: path.clone(), reason: error.to_string() })
    }
}

/// Line by line, for the whole may be some megabytes.
fn pick(query: Query, mut file: impl BufRead) -> io::Result<Page> {
    let mut picker = Picker::new(query);
    let mut line = Vec::with_capacity(MAX_LINE_BYTES);
    while read_line(&mut file, &mut line)? {
        picker.take(&line);
    }
    Ok(picker.page())
}

/// The next line without its end; of one that is too long, so much that it shows. False at the end of the file.
fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    loop {
        let piece = file.fill_buf()?;
        if piece.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let length = end.unwrap_or(piece.len());
        let room = (MAX_LINE_BYTES + 1).saturating_sub(line.len());
        line.extend_from_slice(&piece[..length.min(room)]);
        file.consume(length + usize::from(end.is_some()));
        if end.is_some() {
            return Ok(true);
        }
    }
}

impl HistoryLog {
    /// Adds a moment. It is on the disk when this returns.
    ///
    /// # Errors
    /// When the folder cannot be made or written to; what was there before stays.
    pub fn append(&mut self, moment: &Moment) -> Result<(), StoreError> {
        let written = self.log.append(&moment.line());
        written.map_err(|error| StoreError { path: self.log.path().to_owned(), reason: error.to_string() })?;
        self.log.keep_short(MAX_LINES, shortened);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use moodbox_core::history::KEPT_LINES;

    use super::*;

    const ALL: Query = Query { from: 0, to: u64::MAX, skip: 0 };

    fn away(at: u64) -> Moment {
        Moment { at, unset: false, sight: None }
    }

    fn ats(page: &Page) -> Vec<u64> {
        page.moments.iter().map(|moment| moment.at).collect()
    }

    /// A history that has as many lines as it may, and its file.
    fn full(folder: &Path) -> (HistoryLog, PathBuf) {
        let path = folder.join(FILE);
        fs::write(&path, (0..MAX_LINES as u64).map(|at| away(at).line()).collect::<String>()).unwrap();
        (Store::new(folder, "models").history(), path)
    }

    #[test]
    fn what_was_noted_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("not/yet/there"), "models");
        assert_eq!(store.recall(ALL).unwrap(), Page::default());
        let mut history = store.history();
        history.append(&away(1)).unwrap();
        history.append(&away(2)).unwrap();
        assert_eq!(ats(&store.recall(ALL).unwrap()), [1, 2]);
        store.history().append(&away(3)).unwrap();
        assert_eq!(ats(&store.recall(ALL).unwrap()), [1, 2, 3]);
    }

    #[test]
    fn a_cut_at_any_byte_loses_the_last_line_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "models");
        let first = away(1).line();
        let whole = first.clone() + &away(2).line();
        for cut in first.len()..=whole.len() {
            fs::write(folder.path().join(FILE), &whole[..cut]).unwrap();
            store.history().append(&away(3)).unwrap();
            let found = ats(&store.recall(ALL).unwrap());
            assert!(found == [1, 3] || found == [1, 2, 3], "cut at {cut}: {found:?}");
        }
    }

    #[test]
    fn a_long_history_forgets_its_old_end() {
        let folder = tempfile::tempdir().unwrap();
        let (mut history, path) = full(folder.path());
        history.append(&away(1_000_000)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), KEPT_LINES);
        assert!(text.ends_with(&away(1_000_000).line()));
    }

    #[test]
    fn a_disk_that_does_not_take_the_shorter_one_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (mut history, path) = full(folder.path());
        // Where the shorter one would be written.
        let in_the_way = folder.path().join("history.new");
        fs::create_dir(&in_the_way).unwrap();
        let lines = || fs::read_to_string(&path).unwrap().lines().count();
        for at in 1..=10 {
            history.append(&away(1_000_000 + at)).unwrap();
        }
        assert_eq!(lines(), MAX_LINES + 10);
        fs::remove_dir(&in_the_way).unwrap();
        for at in 11..=2_000 {
            history.append(&away(1_000_000 + at)).unwrap();
        }
        assert!(lines() < MAX_LINES, "{} lines", lines());
    }

    #[test]
    fn a_line_without_an_end_takes_no_memory_and_the_next_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "models");
        let long = "x".repeat(1 << 20) + "\n" + &away(7).line();
        fs::write(folder.path().join(FILE), long).unwrap();
        assert_eq!(ats(&store.recall(ALL).unwrap()), [7]);
    }

    #[test]
    fn a_history_that_cannot_be_read_or_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(FILE)).unwrap();
        let store = Store::new(folder.path(), "models");
        assert!(store.recall(ALL).unwrap_err().to_string().contains(FILE));
        assert!(store.history().append(&away(1)).unwrap_err().to_string().contains(FILE));
    }
}
