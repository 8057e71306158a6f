//! The log of what listeners did: appended to, flushed line by line, and compacted when it has grown.

use moodbox_core::music::{Feedback, Memory};

use super::log::LineLog;
use super::{Store, StoreError};

const FILE: &str = "feedback.jsonl";

/// Lines beyond one a song after which the log is compacted: some months of an evening's listening each day.
const SLACK: usize = 4000;

/// The file with the log.
#[derive(Debug)]
pub struct FeedbackLog {
    log: LineLog,
    /// Lines that a compacted log would have.
    songs: usize,
}

impl Store {
    /// The log, and what it comes to. Lines that cannot be used, as a power cut leaves them, are counted and passed over.
    pub fn feedback(&self) -> (FeedbackLog, Memory, Result<usize, StoreError>) {
        let (log, text) = LineLog::open(self.folder.join(FILE));
        let (memory, damaged) = Memory::read(text.as_deref().unwrap_or_default());
        let path = log.path().to_owned();
        let damaged = text.map(|_| damaged).map_err(|error| StoreError { path, reason: error.to_string() });
        (FeedbackLog { log, songs: memory.len() }, memory, damaged)
    }
}

impl FeedbackLog {
    /// Adds what a listener did. It is on the disk when this returns.
    ///
    /// # Errors
    /// When the folder cannot be made or written to; what was there before stays.
    pub fn append(&mut self, feedback: &Feedback) -> Result<(), StoreError> {
        let written = self.log.append(&feedback.line());
        written.map_err(|error| StoreError { path: self.log.path().to_owned(), reason: error.to_string() })?;
        if self.log.keep_short(self.songs + SLACK, |text| Memory::read(text).0.compacted().into_bytes()) {
            self.songs = self.log.lines();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use moodbox_core::music::Deed;

    use super::*;

    fn liked(at: u64, uri: &str) -> Feedback {
        Feedback { at, deed: Deed::Liked { uri: uri.to_owned() } }
    }

    #[test]
    fn what_people_did_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("not/yet/there"), "models");
        let (mut log, memory, damaged) = store.feedback();
        assert!(memory.is_empty() && damaged.unwrap() == 0);
        log.append(&liked(1, "a")).unwrap();
        log.append(&liked(2, "a")).unwrap();
        let (_, memory, damaged) = store.feedback();
        assert_eq!((memory.standing("a").up, damaged.unwrap()), (2, 0));
    }

    #[test]
    fn a_cut_at_any_byte_loses_the_last_line_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "models");
        let path = folder.path().join(FILE);
        let whole = liked(1, "a").line() + &liked(2, "b").line();
        for cut in liked(1, "a").line().len()..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let (mut log, memory, damaged) = store.feedback();
            assert!(memory.standing("a").up == 1 && damaged.unwrap() <= 1, "cut at {cut}");
            log.append(&liked(3, "c")).unwrap();
            let (_, memory, _) = store.feedback();
            assert_eq!((memory.standing("a").up, memory.standing("c").up), (1, 1), "cut at {cut}");
        }
    }

    #[test]
    fn a_long_log_is_compacted_and_says_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "models");
        let path = folder.path().join(FILE);
        let text: String = (0..SLACK as u64 + 2).map(|at| liked(at, "a").line()).collect();
        fs::write(&path, text).unwrap();
        let (mut log, _, _) = store.feedback();
        log.append(&liked(9999, "b")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
        let (_, memory, _) = store.feedback();
        assert_eq!((memory.standing("a").up as usize, memory.standing("b").up), (SLACK + 2, 1));
    }

    #[test]
    fn a_log_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(FILE)).unwrap();
        let (mut log, memory, damaged) = Store::new(folder.path(), "models").feedback();
        assert!(memory.is_empty() && damaged.is_err());
        assert!(log.append(&liked(1, "a")).unwrap_err().to_string().contains(FILE));
    }
}
