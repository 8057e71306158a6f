//! Values set over the network, which take the place of the file's.
//!
//! The file belongs to the person who wrote it and is never written. Only keys that name no file, address or identity can
//! be set, so that nobody on the network can turn the box into something else, or lock its owner out; nor those by which the
//! light beside the camera could be made to lie.

use std::collections::BTreeMap;
use std::path::Component;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Config, ConfigError, Source};

/// The keys that can be set, by section.
const SETTABLE: [(&str, &[&str]); 6] = [
    ("device", &["name"]),
    ("camera", &["source", "width", "height", "fps", "repeat"]),
    ("vision", &["min_face_px", "fps", "idle_fps", "threads", "thresholds", "labels"]),
    (
        "mood",
        &[
            "expression_time_constant_s",
            "expression_enter",
            "expression_leave",
            "expression_dwell_s",
            "forget_s",
            "expressiveness",
            "enter",
            "leave",
            "dwell_s",
            "unsure_below",
            "pooling",
            "hold_s",
            "absent_s",
        ],
    ),
    ("leds", &["red", "green", "blue", "brightness"]),
    ("music", &["policy", "list_length"]),
];

/// The one key of which not every value can be set.
const SOURCE: &str = "camera.source";

/// Values by key, such as `mood.hold_s`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Overrides(BTreeMap<String, Value>);

/// Why values cannot be set; nothing of them is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct OverrideError {
    /// The key that is wrong, as it came.
    pub key: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// The configuration in force, and what it is made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Configuration {
    file: Config,
    overrides: Overrides,
    in_force: Config,
}

impl From<Config> for Configuration {
    /// The file's alone.
    fn from(file: Config) -> Self {
        Self { in_force: file.clone(), overrides: Overrides::default(), file }
    }
}

impl Configuration {
    /// The file's values with others in their place.
    ///
    /// # Errors
    /// When a key is unknown or cannot be set, a value is out of its range, or they contradict each other or the file.
    pub fn new(file: Config, overrides: Overrides) -> Result<Self, OverrideError> {
        let in_force = overrides.over(&file)?;
        Ok(Self { file, overrides, in_force })
    }

    /// With some of the values changed; null gives a key back to the file.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn changed(&self, changes: &Map<String, Value>) -> Result<Self, OverrideError> {
        let mut overrides = self.overrides.clone();
        for (key, value) in changes {
            check_key(key)?;
            if value.is_null() {
                overrides.0.remove(key);
            } else {
                overrides.0.insert(key.clone(), value.clone());
            }
        }
        Self::new(self.file.clone(), overrides)
    }

    /// The same file with others in place of what was set.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn with(&self, overrides: Overrides) -> Result<Self, OverrideError> {
        Self::new(self.file.clone(), overrides)
    }

    /// The file's alone.
    #[must_use]
    pub fn without_overrides(&self) -> Self {
        self.file.clone().into()
    }

    /// The keys whose values in force are not the same in both.
    #[must_use]
    pub fn differing_keys(&self, other: &Self) -> Vec<String> {
        let [ours, theirs] = [self, other].map(|it| serde_json::to_value(&it.in_force).unwrap_or_default());
        let mut keys = Vec::new();
        for (section, fields) in ours.as_object().into_iter().flatten() {
            let fields = fields.as_object().into_iter().flatten();
            let differing = fields.filter(|(field, value)| theirs[section][field] != **value);
            keys.extend(differing.map(|(field, _)| format!("{section}.{field}")));
        }
        keys
    }

    /// Whether the way from one to the other takes a restart.
    #[must_use]
    pub fn needs_restart(&self, other: &Self) -> bool {
        self.differing_keys(other).iter().any(|key| waits_for_a_restart(key))
    }

    /// What counts.
    #[must_use]
    pub const fn in_force(&self) -> &Config {
        &self.in_force
    }

    /// What was set over the network.
    #[must_use]
    pub const fn overrides(&self) -> &Overrides {
        &self.overrides
    }
}

/// Whether this key can be set over the network.
#[must_use]
pub(crate) fn is_settable(key: &str) -> bool {
    check_key(key).is_ok()
}

/// Whether a new value of this key counts only after a restart: the camera and the LEDs are opened at the start, and what was
/// learnt of faces and moods before goes by the labels of the time.
#[must_use]
pub(crate) fn waits_for_a_restart(key: &str) -> bool {
    key.starts_with("camera.") || key == "vision.labels" || (key.starts_with("leds.") && key != "leds.brightness")
}

/// Whether a value of this key can make a part of the box fail.
#[must_use]
pub(crate) fn touches_a_part(key: &str) -> bool {
    waits_for_a_restart(key) || key.starts_with("vision.")
}

impl Overrides {
    fn over(&self, file: &Config) -> Result<Config, OverrideError> {
        let refuse = |key: &str, reason: String| OverrideError { key: key.to_owned(), reason };
        let mut table = toml::Table::try_from(file).map_err(|error| refuse("file", error.to_string()))?;
        for (key, value) in &self.0 {
            let (section, field) = check_key(key)?;
            let value = toml::Value::try_from(value).ok().filter(|_| is_plain(value));
            let value =
                value.ok_or_else(|| refuse(key, "must be a number, a word, true, false or a list".to_owned()))?;
            let section = table.entry(section).or_insert_with(|| toml::Table::new().into());
            if let Some(section) = section.as_table_mut() {
                section.insert(field.to_owned(), value);
            }
        }
        // Through the same door as a file, so that the same is refused.
        let config = Config::parse(&table.to_string()).map_err(|error| self.blame(error, file))?;
        if self.0.contains_key(SOURCE) && !is_camera(&config.camera.source) {
            return Err(refuse(SOURCE, "over the network only v4l2:auto or v4l2:/dev/... can be set".to_owned()));
        }
        Ok(config)
    }

    /// The refusal in terms of our keys: lines are those of a text that nobody has seen.
    fn blame(&self, error: ConfigError, file: &Config) -> OverrideError {
        let field = error.key.unwrap_or_default();
        let ours = || self.0.keys().filter(|key| key.rsplit('.').next() == Some(&field));
        // Several sections may have such a field.
        let is_well_without = |key: &&String| {
            let mut others = self.clone();
            others.0.remove(*key);
            others.over(file).is_ok()
        };
        let guilty = ours().find(is_well_without).or_else(|| ours().next());
        OverrideError { key: guilty.cloned().unwrap_or(field), reason: error.reason }
    }
}

/// Whether this is a camera and no file, which nobody on the network may point the box at.
fn is_camera(source: &Source) -> bool {
    match source {
        Source::V4l2Auto => true,
        Source::V4l2(path) => path.starts_with("/dev") && path.components().all(|part| part != Component::ParentDir),
        Source::Replay(_) => false,
    }
}

/// Whether a value can stand behind a key of the file: a table would be a section of its own.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().all(|value| !value.is_array() && is_plain(value)),
        Value::Object(_) | Value::Null => false,
        _ => true,
    }
}

/// Section and field of a key that can be set.
fn check_key(key: &str) -> Result<(&str, &str), OverrideError> {
    let (section, field) = key.split_once('.').unwrap_or((key, ""));
    let fields = SETTABLE.iter().find(|(known, _)| *known == section).map(|(_, fields)| *fields);
    if fields.is_some_and(|fields| fields.contains(&field)) {
        return Ok((section, field));
    }
    let known = match fields {
        Some(fields) => format!("{section}.({})", fields.join(", ")),
        None => SETTABLE.map(|(section, _)| format!("{section}.*")).join(", "),
    };
    let shown = key.chars().map(|c| if c.is_control() { ' ' } else { c }).take(64).collect();
    Err(OverrideError { key: shown, reason: format!("cannot be set over the network; known are {known}") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::reference;

    fn set(changes: Value) -> Result<Config, String> {
        let Value::Object(changes) = changes else { panic!("{changes}") };
        let configuration = Configuration::from(Config::default()).changed(&changes);
        configuration.map(|c| c.in_force().clone()).map_err(|error| error.to_string())
    }

    /// Keys that stay the file's: they name files, addresses or the box, or make the camera's light and its switch.
    const FIXED: [&str; 16] = [
        "store.trial_s",
        "camera.switch_pin",
        "leds.chip",
        "leds.driver",
        "leds.common",
        "leds.camera_on",
        "mqtt.base_topic",
        "mqtt.broker",
        "mqtt.discovery_prefix",
        "mqtt.embedded_port",
        "mqtt.keep_alive_s",
        "store.folder",
        "device.id",
        "vision.models",
        "music.catalogue",
        "mqtt.password_file",
    ];

    #[test]
    fn every_key_is_settable_or_fixed() {
        let table = toml::Table::try_from(Config::default()).unwrap();
        for (section, fields) in &table {
            for field in fields.as_table().unwrap().keys() {
                let key = format!("{section}.{field}");
                assert_ne!(check_key(&key).is_ok(), FIXED.contains(&key.as_str()), "{key}");
            }
        }
        for key in FIXED {
            assert!(check_key(key).is_err(), "{key}");
        }
    }

    #[test]
    fn values_take_the_place_of_the_files() {
        let file = Config::parse("[mood]\nhold_s = 20\n[leds]\nbrightness = 0.3\n[device]\nid = \"a\"").unwrap();
        let configuration = Configuration::from(file.clone());
        let Value::Object(changes) = json!({ "mood.hold_s": 30, "music.policy": "lift", "vision.fps": 9 }) else {
            return;
        };
        let changed = configuration.changed(&changes).unwrap();
        let now = changed.in_force();
        assert_eq!((now.mood.hold_s.0, now.vision.fps.0, now.leds.brightness.0), (30.0, 9, 0.3));
        assert_eq!(now.device, file.device);
        assert_eq!(Configuration::new(file.clone(), changed.overrides().clone()).unwrap(), changed);
        let back = json!({ "mood.hold_s": null, "music.policy": null, "vision.fps": null });
        let back = changed.changed(back.as_object().unwrap()).unwrap();
        assert_eq!(back.in_force(), &file);
    }

    #[test]
    fn the_way_there_and_back_takes_a_restart_where_the_key_waits_for_one() {
        let file = Configuration::from(Config::default());
        for key in reference::keys().into_iter().filter(|key| key.settable) {
            let changes: Map<String, Value> = toml::from_str(&format!("\"{}\" = {}", key.name, key.example)).unwrap();
            let set = file.changed(&changes).unwrap();
            let ways = [(&file, &set), (&set, &file)];
            assert_eq!(ways.map(|(from, to)| from.differing_keys(to)), [[&*key.name]; 2]);
            assert_eq!(ways.map(|(from, to)| from.needs_restart(to)), [key.after_restart; 2], "{}", key.name);
        }
        assert!(!file.needs_restart(&file));
    }

    #[test]
    fn a_refusal_names_the_key_and_what_would_be_right() {
        for (changes, expected) in [
            (json!({ "mood.hold_s": -1 }), "mood.hold_s: must be from 0.1 to 86400 seconds, not -1"),
            (json!({ "mood.hold_s": "ten" }), "mood.hold_s: invalid type: string \"ten\", expected a number"),
            (json!({ "mood.hold_s": 120 }), "mood.hold_s: hold_s (120) must be less than absent_s (120)"),
            (json!({ "vision.fps": 2.5 }), "vision.fps: invalid type: fraction `2.5`, expected a whole number"),
            (
                json!({ "camera.fps": 8, "vision.fps": 2.5 }),
                "vision.fps: invalid type: fraction `2.5`, expected a whole number",
            ),
            (json!({ "vision.fps": {"a": 1} }), "vision.fps: must be a number, a word, "),
            (json!({ "vision.fps": [{"a": 1}] }), "vision.fps: must be a number, a word, "),
            (json!({ "vision.fps": u64::MAX }), "vision.fps: must be a number, a word, "),
            (
                json!({ "camera.source": "replay:/etc" }),
                "camera.source: over the network only v4l2:auto or v4l2:/dev/... can be set",
            ),
            (
                json!({ "camera.source": "v4l2:/dev/../etc/shadow" }),
                "camera.source: over the network only v4l2:auto or v4l2:/dev/... can be set",
            ),
            (
                json!({ "camera.switch_pin": 3 }),
                "camera.switch_pin: cannot be set over the network; known are camera.(source, width, height, fps, repeat)",
            ),
            (
                json!({ "mqtt.broker": "mqtt://elsewhere" }),
                "mqtt.broker: cannot be set over the network; known are device.*, camera.*, vision.*, mood.*, leds.*, music.*",
            ),
            (
                json!({ "mood": { "hold_s": 3 } }),
                "mood: cannot be set over the network; known are mood.(expression_time_constant_s, ",
            ),
            (json!({ "mood.hold_s\n": 3 }), "mood.hold_s : cannot be set over the network; "),
        ] {
            let told = set(changes.clone()).unwrap_err();
            assert!(told.starts_with(expected), "{changes}: {told}");
        }
        // One wrong value, and none is taken.
        assert!(set(json!({ "mood.hold_s": 20, "leds.brightness": 7 })).is_err());
        assert!(set(json!({ "leds.red": 3, "leds.green": 4, "leds.brightness": 1 })).is_ok());
    }
}
