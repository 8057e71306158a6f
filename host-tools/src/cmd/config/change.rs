//! What shall be set on a box, and what becomes of it.

use std::fmt;

use anyhow::anyhow;
use serde_json::{Map, Value, json};

use super::values::{self, Values};
use crate::failure::Failure;

/// Keys to set, and what the box has in their place.
#[derive(Debug)]
pub(crate) struct Changes {
    pub(super) set: Map<String, Value>,
    before: Values,
}

impl Changes {
    /// For a box that has these values.
    ///
    /// # Errors
    /// When the box does not know a key.
    pub(super) fn new(set: Map<String, Value>, box_has: &Values) -> Result<Self, Failure> {
        let unknown: Vec<_> = set.keys().filter(|key| !box_has.contains_key(*key)).map(String::as_str).collect();
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            let reason = "its version is another; leave that out, or update it";
            return Err(anyhow!("the box does not know {unknown}: {reason}").into());
        }
        let before = set.keys().filter_map(|key| Some((key.clone(), box_has.get(key)?.clone()))).collect();
        Ok(Self { set, before })
    }

    /// The command that sets what the box has, without the words that name the box.
    pub(super) fn undo(&self) -> String {
        let settings = self.before.iter().map(|(key, value)| values::word(&format!("{key}={}", values::bare(value))));
        format!("moodbox config set {}", settings.collect::<Vec<_>>().join(" "))
    }

    /// How it ended on a box that has taken it, and has these values since.
    pub(super) fn outcome_among(&self, box_has: &Values) -> Outcome {
        let other = |(key, value): (&String, &Value)| {
            let has = box_has.get(key)?;
            // Which value the file on the box has is not known here.
            (!value.is_null() && !values::are_same(value, has)).then(|| format!("{key} = {}", values::toml(has)))
        };
        let others: Vec<_> = self.set.iter().filter_map(other).collect();
        if others.is_empty() { Outcome::Taken } else { Outcome::Overtaken(others.join(", ")) }
    }
}

/// What became of a change.
pub(crate) struct Change {
    /// The keys that were set.
    pub(super) keys: Vec<String>,
    /// How it ended.
    pub(super) outcome: Outcome,
}

/// How a change ended.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// The box goes by it.
    Taken,
    /// Somebody else has set some of the keys meanwhile, so.
    Overtaken(String),
    /// The box was not well with it.
    TakenBack(String),
    /// A box of an earlier version goes by it, and does not watch over it.
    Unwatched {
        /// Whether the box was asked to restart for it.
        restarts: bool,
    },
}

impl Change {
    /// What a person or a program is told.
    ///
    /// # Errors
    /// The same as a finding, where the box does not go by the change.
    pub(crate) fn told(self) -> Result<String, Failure> {
        match self.outcome {
            Outcome::Taken | Outcome::Unwatched { .. } => Ok(self.to_string()),
            Outcome::TakenBack(_) | Outcome::Overtaken(_) => Err(Failure::Finding(anyhow!("{self}"))),
        }
    }

    pub(super) fn json(&self) -> Value {
        let (outcome, why) = match &self.outcome {
            Outcome::Taken => ("taken", None),
            Outcome::Overtaken(others) => ("overtaken", Some(others)),
            Outcome::TakenBack(why) => ("taken_back", Some(why)),
            Outcome::Unwatched { .. } => ("unwatched", None),
        };
        json!({ "keys": self.keys, "outcome": outcome, "why": why })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.join(", ");
        match &self.outcome {
            Outcome::Taken => write!(f, "taken: {keys}"),
            Outcome::Overtaken(others) => write!(f, "taken, but somebody else has set since: {others}"),
            Outcome::TakenBack(why) => write!(f, "taken back: {why}; the box has what it had before"),
            Outcome::Unwatched { restarts: false } => {
                write!(f, "set: {keys}; this box is of an earlier version and does not watch over it")
            }
            Outcome::Unwatched { restarts: true } => write!(
                f,
                "set: {keys}; the box restarts for it, but is of an earlier version and does not go back by itself"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes() -> Changes {
        let set = json!({ "mood.hold_s": 20, "device.name": "Attic", "music.policy": null });
        let has =
            json!({ "mood": { "hold_s": 10.0 }, "device": { "name": "Anna's box" }, "music": { "policy": "lift" } });
        Changes::new(set.as_object().cloned().unwrap(), &values::flat(&has)).unwrap()
    }

    #[test]
    fn a_shell_takes_the_command_that_undoes_it() {
        let undo = changes().undo();
        assert_eq!(undo, r"moodbox config set 'device.name=Anna'\''s box' mood.hold_s=10.0 music.policy=lift");
    }

    #[test]
    fn what_somebody_else_has_set_since_is_told() {
        let after = |hold_s: f64, name: &str| {
            let has =
                json!({ "mood": { "hold_s": hold_s }, "device": { "name": name }, "music": { "policy": "soothe" } });
            changes().outcome_among(&values::flat(&has))
        };
        assert_eq!(after(20.0, "Attic"), Outcome::Taken);
        let others = "device.name = \"Hall\", mood.hold_s = 9.5".to_owned();
        assert_eq!(after(9.5, "Hall"), Outcome::Overtaken(others));
    }

    #[test]
    fn a_key_that_the_box_lacks_is_not_set() {
        let set = Map::from_iter([("mood.new".to_owned(), json!(1)), ("mood.hold_s".to_owned(), json!(20))]);
        let error = Changes::new(set, &values::flat(&json!({ "mood": { "hold_s": 10.0 } }))).unwrap_err();
        assert!(error.line().starts_with("the box does not know mood.new: its version is another"), "{}", error.line());
    }
}
