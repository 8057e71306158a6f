//! What was set over the network, and the last that was in force before it.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use moodbox_core::config::{Config, Configuration, Overrides};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};

const FILE: &str = "settings.json";
/// What was kept before the last change: taken where that cannot be used.
const LAST_GOOD: &str = "settings.last-good.json";

/// Version of the file: raised when a field changes its meaning.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    set: Overrides,
}

impl Store {
    /// The file's configuration with what was set over the network, and why some of that was left out: what is damaged,
    /// or does not go with a file that was changed since, is not used, but what was kept before it.
    #[must_use]
    pub fn configuration(&self, file: &Config) -> (Configuration, Option<StoreError>) {
        let newest = match self.kept(FILE, file) {
            Ok(Some(configuration)) => return (configuration, None),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        let before = self.kept(LAST_GOOD, file).ok().flatten().filter(|_| newest.is_some());
        (before.unwrap_or_else(|| file.clone().into()), newest)
    }

    /// Keeps what was set; what was kept before is the last good one from then on.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn keep_overrides(&self, overrides: &Overrides, file: &Config) -> Result<(), StoreError> {
        if let Ok(Some(before)) = self.kept(FILE, file) {
            self.write(LAST_GOOD, &Kept { version: VERSION, set: before.overrides().clone() })?;
        }
        self.write(FILE, &Kept { version: VERSION, set: overrides.clone() })
    }

    fn kept(&self, name: &str, file: &Config) -> Result<Option<Configuration>, StoreError> {
        let path: PathBuf = self.folder.join(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError { path, reason: error.to_string() }),
        };
        let refuse = |reason| StoreError { path: path.clone(), reason };
        let Kept { version, set } = serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
        if version != VERSION {
            return Err(refuse(format!("version {version} is not known, only {VERSION}")));
        }
        Configuration::new(file.clone(), set).map(Some).map_err(|error| refuse(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(configuration: &Configuration, hold_s: u32) -> Configuration {
        let changes = json!({ "mood.hold_s": hold_s });
        configuration.changed(changes.as_object().unwrap()).unwrap()
    }

    #[test]
    fn what_was_set_comes_back_and_the_last_good_one_stands_in_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("not/yet/there"), "a");
        let file = Config::default();
        let (first, told) = store.configuration(&file);
        assert_eq!((first.in_force(), told.map(|e| e.to_string())), (&file, None));
        let (second, third) = (set(&first, 20), set(&first, 30));
        for configuration in [&second, &third] {
            store.keep_overrides(configuration.overrides(), &file).unwrap();
            assert_eq!(&store.configuration(&file).0, configuration);
        }
        // A file that no longer goes with what was set: the hold must be under the absence.
        let shorter = Config::parse("[mood]\nabsent_s = 25").unwrap();
        let (stands_in, told) = store.configuration(&shorter);
        assert_eq!(stands_in.overrides(), second.overrides());
        let told = told.unwrap().to_string();
        assert!(told.contains("settings.json: mood.hold_s: hold_s (30) must be less than absent_s (25)"), "{told}");
        for damage in ["", "{", "{\"version\":2,\"set\":{}}", "{\"version\":1,\"set\":{\"mqtt.broker\":\"x\"}}"] {
            fs::write(folder.path().join("not/yet/there").join(FILE), damage).unwrap();
            let (stands_in, told) = store.configuration(&file);
            assert_eq!((&stands_in, told.is_some()), (&second, true), "{damage}");
        }
    }
}
