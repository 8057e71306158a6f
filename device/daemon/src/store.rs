//! What survives a restart. A write leaves the old or the new state, never a torn one; a box that cannot write runs on.

mod feedback;
mod history;
mod log;
mod overrides;

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use moodbox_core::config::Labels;
use moodbox_core::engine::Switches;
use moodbox_core::personal::Evidence;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use feedback::FeedbackLog;
pub use history::HistoryLog;

const SWITCHES: &str = "switches.json";

/// The calibration's file, and where one goes that cannot be used.
const fn calibration(labels: Labels) -> (&'static str, &'static str) {
    match labels {
        Labels::Fer2013 => ("calibration.json", "calibration.set-aside.json"),
        Labels::Ferplus => ("calibration-ferplus.json", "calibration-ferplus.set-aside.json"),
    }
}

/// Version of the calibration's file: raised when a field changes its meaning.
const CALIBRATION_VERSION: u32 = 1;

/// The calibration's file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Calibration {
    version: u32,
    /// Fingerprint of the models that read the faces: others err in other ways.
    models: String,
    shown: Evidence,
}

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
    models: String,
    labels: Labels,
}

impl Store {
    /// The state in this folder, which need not exist yet, of a box whose models have this fingerprint.
    #[must_use]
    pub fn new(folder: &Path, models: &str) -> Self {
        Self { folder: folder.to_owned(), models: models.to_owned(), labels: Labels::default() }
    }

    /// The same of a box that takes the word of these labels; what was learnt of faces by others stays where it is.
    #[must_use]
    pub fn by(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }

    /// The switches as a person left them; `None` when nobody has touched one.
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood.
    pub fn switches(&self) -> Result<Option<Switches>, StoreError> {
        self.read(SWITCHES)
    }

    /// Keeps the switches.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn keep_switches(&self, switches: &Switches) -> Result<(), StoreError> {
        self.write(SWITCHES, switches)
    }

    /// What was learnt of faces; `None` when nothing was. A file that is damaged, of another version or made with other
    /// models is set aside, so that it is told of once.
    ///
    /// # Errors
    /// When the file is there and cannot be read or used.
    pub fn evidence(&self) -> Result<Option<Evidence>, StoreError> {
        let (file, set_aside) = calibration(self.labels);
        let Some(text) = self.bytes(file)? else { return Ok(None) };
        let reason = match serde_json::from_slice::<Calibration>(&text) {
            Ok(Calibration { version: CALIBRATION_VERSION, models: theirs, shown }) if theirs == self.models => {
                return Ok(Some(shown));
            }
            Ok(Calibration { version: CALIBRATION_VERSION, .. }) => "it was made with other models".to_owned(),
            Ok(Calibration { version, .. }) => format!("version {version} is not known, only {CALIBRATION_VERSION}"),
            Err(error) => error.to_string(),
        };
        let path = self.folder.join(file);
        let reason = match fs::rename(&path, self.folder.join(set_aside)) {
            Ok(()) => format!("{reason}; set aside as {set_aside}"),
            Err(error) => format!("{reason}, and it cannot be set aside: {error}"),
        };
        Err(StoreError { path, reason })
    }

    /// Keeps what was learnt of faces. Where that is nothing, nothing is kept, by any labels.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn keep_evidence(&self, evidence: &Evidence) -> Result<(), StoreError> {
        if !evidence.is_none() {
            let models = self.models.clone();
            let learnt = Calibration { version: CALIBRATION_VERSION, models, shown: *evidence };
            return self.write(calibration(self.labels).0, &learnt);
        }
        for labels in Labels::ALL {
            let path = self.folder.join(calibration(labels).0);
            match fs::remove_file(&path).and_then(|()| flush_folder(&path)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(StoreError { path, reason: error.to_string() });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What is kept under a name; `None` where nothing is.
    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let Some(text) = self.bytes(name)? else { return Ok(None) };
        let refuse = |error: serde_json::Error| StoreError { path: self.folder.join(name), reason: error.to_string() };
        serde_json::from_slice(&text).map(Some).map_err(refuse)
    }

    fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.folder.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError { path, reason: error.to_string() }),
        }
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let path = self.folder.join(name);
        let write = || {
            fs::create_dir_all(&self.folder)?;
            let text = serde_json::to_vec(value)?;
            replace(&path, &text)
        };
        write().map_err(|error| StoreError { path: path.clone(), reason: error.to_string() })
    }
}

/// Puts new content in the place of a file: written beside it, flushed to the disk, renamed over it, and the folder
/// flushed, so that a power cut at any time leaves one of the two.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    if let Err(error) = write() {
        // Of a disk that is full it would keep the last of the room.
        let _ = File::create(&beside);
        return Err(error);
    }
    flush_folder(path)
}

/// Flushes the folder that this file is in.
fn flush_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use moodbox_core::affect::Policy;
    use moodbox_core::emotion::{Emotion, Probabilities};

    use super::*;

    #[test]
    fn switches_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("not/yet/there"), "a");
        assert_eq!(store.switches().unwrap(), None);
        let switches = Switches { camera: false, leds: true, policy: Some(Policy::Lift) };
        store.keep_switches(&switches).unwrap();
        store.keep_switches(&switches).unwrap();
        assert_eq!(store.switches().unwrap(), Some(switches));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "a");
        fs::write(folder.path().join(SWITCHES), "{").unwrap();
        let error = store.switches().unwrap_err().to_string();
        assert!(error.contains("switches.json: EOF"), "{error}");
    }

    fn smile() -> Evidence {
        Evidence::guided([(Emotion::Happy, Probabilities::certain(Emotion::Surprise))])
    }

    #[test]
    fn a_calibration_comes_back_until_it_is_reset() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("not/yet/there"), "a");
        assert_eq!(store.evidence().unwrap(), None);
        store.keep_evidence(&Evidence::default()).unwrap();
        store.keep_evidence(&smile()).unwrap();
        let by_raters = store.clone().by(Labels::Ferplus);
        assert_eq!(by_raters.evidence().unwrap(), None);
        by_raters.keep_evidence(&smile()).unwrap();
        assert_eq!(store.evidence().unwrap(), Some(smile()));
        store.keep_evidence(&Evidence::default()).unwrap();
        assert_eq!(store.evidence().unwrap(), None);
        assert_eq!(by_raters.evidence().unwrap(), None, "what is forgotten is forgotten by all labels");
        assert_eq!(fs::read_dir(folder.path().join("not/yet/there")).unwrap().count(), 0);
    }

    #[test]
    fn a_calibration_that_cannot_be_used_is_set_aside_and_named_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "a");
        let row = "[0,0,0,0,0,0,0]";
        let rows = |first: &str| format!("[{first},{}]", [row; 6].join(","));
        for (text, reason) in [
            ("{".to_owned(), "EOF while parsing"),
            (format!("{{\"version\":2,\"models\":\"a\",\"shown\":{}}}", rows(row)), "version 2 is not known, only 1"),
            (format!("{{\"version\":1,\"models\":\"b\",\"shown\":{}}}", rows(row)), "it was made with other models"),
            (format!("{{\"version\":1,\"models\":\"a\",\"shown\":{}}}", rows("[-1,0,0,0,0,0,0]")), "counts of faces"),
        ] {
            fs::write(folder.path().join("calibration.json"), &text).unwrap();
            let error = store.evidence().unwrap_err().to_string();
            assert!(error.contains(&format!("calibration.json: {reason}")), "{error}");
            assert!(error.ends_with("; set aside as calibration.set-aside.json"), "{error}");
            assert_eq!(store.evidence().unwrap(), None);
            assert_eq!(fs::read_to_string(folder.path().join("calibration.set-aside.json")).unwrap(), text);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let store = Store::new(&folder.path().join("file"), "a");
        let switches = Switches { camera: true, leds: true, policy: None };
        assert!(store.keep_switches(&switches).is_err());
    }
}
