//! What was set over the network, and the last that was in force before it.

use moodbox_core::config::{Config, Configuration, OverrideError, Overrides};
use moodbox_core::engine::Trials;
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};

const FILE: &str = "settings.json";
/// What was kept before the last change: taken where that cannot be used.
const LAST_GOOD: &str = "settings.last-good.json";

/// Whether what was set has proved itself.
const TRIALS: &str = "trials.json";

/// Version of the files: raised when a field changes its meaning.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    set: Overrides,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptTrials {
    version: u32,
    trials: Trials,
}

impl Store {
    /// The configuration to start with, and the trials: what is on trial is taken back where the box has died with it.
    #[must_use]
    pub fn start(&self, file: &Config) -> (Configuration, Trials, Vec<StoreError>) {
        let (configuration, unused) = self.configuration(file);
        let mut troubles: Vec<_> = unused.into_iter().collect();
        let mut trials = self.trials().unwrap_or_else(|error| {
            troubles.push(error);
            Trials::default()
        });
        let was_running = trials.running.is_some();
        let Some(before) = trials.start() else {
            if was_running {
                troubles.extend(self.keep_trials(&trials).err());
            }
            return (configuration, trials, troubles);
        };
        let good = configuration.with(before).unwrap_or_else(|_| configuration.without_overrides());
        troubles.extend(self.keep_overrides(good.overrides(), file).err());
        troubles.extend(self.keep_trials(&trials).err());
        (good, trials, troubles)
    }

    /// Keeps the trials.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn keep_trials(&self, trials: &Trials) -> Result<(), StoreError> {
        self.write(TRIALS, &KeptTrials { version: VERSION, trials: trials.clone() })
    }

    fn trials(&self) -> Result<Trials, StoreError> {
        let kept = self.read::<KeptTrials>(TRIALS)?;
        kept.map_or(Ok(Trials::default()), |kept| self.of_our_version(TRIALS, kept.version).map(|()| kept.trials))
    }

    /// The file's configuration with what was set over the network, and why some of that was left out: what is damaged,
    /// or does not go with a file that was changed since, is not used, but what was kept before it.
    fn configuration(&self, file: &Config) -> (Configuration, Option<StoreError>) {
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
        let Some(Kept { version, set }) = self.read(name)? else { return Ok(None) };
        self.of_our_version(name, version)?;
        let refuse = |error: OverrideError| StoreError { path: self.folder.join(name), reason: error.to_string() };
        Configuration::new(file.clone(), set).map(Some).map_err(refuse)
    }

    fn of_our_version(&self, name: &str, version: u32) -> Result<(), StoreError> {
        if version == VERSION {
            return Ok(());
        }
        let reason = format!("version {version} is not known, only {VERSION}");
        Err(StoreError { path: self.folder.join(name), reason })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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

    #[test]
    fn what_the_box_dies_with_is_taken_back_at_the_third_start() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "a");
        let file = Config::default();
        let good = set(&file.clone().into(), 20);
        let bad = set(&good, 30);
        let running = json!({
            "before": good.overrides(), "worked": ["camera", "leds"], "awaits_restart": true, "starts": 0
        });
        let trials: Trials = serde_json::from_value(json!({ "running": running, "last": null })).unwrap();
        store.keep_overrides(good.overrides(), &file).unwrap();
        store.keep_trials(&trials).unwrap();
        store.keep_overrides(bad.overrides(), &file).unwrap();
        for expected in [&bad, &bad, &good, &good] {
            let (configuration, _, troubles) = store.start(&file);
            assert_eq!((&configuration, troubles.len()), (expected, 0));
        }
        let (_, trials, _) = store.start(&file);
        assert!(trials.running.is_none() && trials.last.is_some(), "{trials:?}");
        // Damage costs the trial, and not what was set.
        fs::write(folder.path().join(TRIALS), "{").unwrap();
        let (configuration, trials, troubles) = store.start(&file);
        assert_eq!((&configuration, trials, troubles.len()), (&good, Trials::default(), 1));
        assert!(troubles[0].to_string().contains("trials.json: EOF"), "{}", troubles[0]);
    }
}
