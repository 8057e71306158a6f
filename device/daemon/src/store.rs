//! What survives a restart. A write leaves the old or the new state, never a torn one; a box that cannot write runs on.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use moodbox_core::engine::Switches;

const FILE: &str = "switches.json";

/// Why the state cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}", path = path.display())]
pub struct StoreError {
    path: PathBuf,
    reason: String,
}

/// A folder with the state.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The state in this folder, which need not exist yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The switches as a person left them; `None` when nobody has touched one.
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood.
    pub fn switches(&self) -> Result<Option<Switches>, StoreError> {
        let path = self.folder.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError { path, reason: error.to_string() }),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| StoreError { path, reason: error.to_string() })
    }

    /// Keeps the switches.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn keep_switches(&self, switches: &Switches) -> Result<(), StoreError> {
        let path = self.folder.join(FILE);
        let write = || {
            fs::create_dir_all(&self.folder)?;
            let text = serde_json::to_vec(switches)?;
            replace(&path, &text)
        };
        write().map_err(|error| StoreError { path: path.clone(), reason: error.to_string() })
    }
}

/// Puts new content in the place of a file: written beside it, flushed to the disk, renamed over it, and the folder
/// flushed, so that a power cut at any time leaves one of the two.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use moodbox_core::affect::Policy;

    use super::*;

    #[test]
    fn switches_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("not/yet/there"));
        assert_eq!(store.switches().unwrap(), None);
        let switches = Switches { camera: false, leds: true, policy: Some(Policy::Lift) };
        store.keep_switches(&switches).unwrap();
        store.keep_switches(&switches).unwrap();
        assert_eq!(store.switches().unwrap(), Some(switches));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        fs::write(folder.path().join(FILE), "{").unwrap();
        let error = store.switches().unwrap_err().to_string();
        assert!(error.contains("switches.json: EOF"), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let store = Store::new(&folder.path().join("file"));
        let switches = Switches { camera: true, leds: true, policy: None };
        assert!(store.keep_switches(&switches).is_err());
    }
}
