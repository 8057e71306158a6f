//! The configuration while the box runs: asked for, checked and set.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Effect, Engine};
use crate::config::{Configuration, touches_a_part, waits_for_a_restart};
use crate::hass;
use crate::topics::Response;

/// Who waits until the disk has kept what was set.
#[derive(Debug, Clone, PartialEq)]
pub struct Asker {
    /// Name of the request or command.
    name: String,
    /// The request's transaction and its answer; a command that worked is not answered.
    answer: Option<(String, Value)>,
}

impl Asker {
    /// Who has sent a request, and what the answer is when it is kept.
    pub(super) fn of(name: &str, transaction: String, data: Value) -> Self {
        Self { name: name.to_owned(), answer: Some((transaction, data)) }
    }

    /// Nobody waits; where the disk cannot keep it, that is said as of this request.
    pub(super) fn nobody(name: &str) -> Self {
        Self { name: name.to_owned(), answer: None }
    }
}

impl Engine {
    pub(super) fn config_get(&self, transaction: String) -> Response {
        match serde_json::to_value(self.config()) {
            Ok(config) => Response::ok(transaction, config),
            Err(error) => Response::error(Some(transaction), error.to_string()),
        }
    }

    pub(super) fn config_check(&self, transaction: String, changes: &Map<String, Value>) -> Response {
        match self.configuration.changed(changes) {
            Ok(new) => Response::ok(transaction, self.difference(&new, changes)),
            Err(error) => Response::error(Some(transaction), error.to_string()),
        }
    }

    /// Sets all of the keys or none. The answer comes when they are kept; nothing more is to be said until then.
    pub(super) fn config_set(
        &mut self,
        transaction: String,
        changes: &Map<String, Value>,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) -> Option<Response> {
        match self.configuration.changed(changes) {
            Ok(new) => {
                let asker = Asker::of("config.set", transaction, self.difference(&new, changes));
                self.try_out(&new, changes, now, effects);
                if changes.contains_key("music.policy") && self.switches.policy.take().is_some() {
                    // The last word counts; nothing else takes back what the command of this name has chosen.
                    effects.push(Effect::Keep(self.switches));
                }
                self.configure(new, asker, now, effects);
                None
            }
            Err(error) => Some(Response::error(Some(transaction), error.to_string())),
        }
    }

    /// Sets one key for a command.
    pub(super) fn set(
        &mut self,
        command: &str,
        key: &str,
        value: Value,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) -> Result<(), String> {
        let changes = Map::from_iter([(key.to_owned(), value)]);
        let new = self.configuration.changed(&changes).map_err(|error| error.to_string())?;
        self.keep_beyond_a_trial(&changes, effects);
        self.configure(new, Asker::nobody(command), now, effects);
        Ok(())
    }

    /// All that is set over the file, which of the changes wait for a restart, and how long the box may take to come up
    /// with them; nothing of the last where no part of it depends on them.
    fn difference(&self, new: &Configuration, changes: &Map<String, Value>) -> Value {
        let mut waiting = self.started_with.differing_keys(new);
        waiting.retain(|key| waits_for_a_restart(key) && changes.contains_key(key));
        // What is asked for again while it is on trial still is.
        let is_on_trial = self.trial.trials().running.is_some() && changes.keys().any(|key| touches_a_part(key));
        let is_tried = is_on_trial || self.configuration.differing_keys(new).iter().any(|key| touches_a_part(key));
        let trial_s = is_tried.then(|| self.config().store.trial_s.0);
        json!({ "set": new.overrides(), "after_restart": waiting, "trial_s": trial_s })
    }

    /// Goes by another configuration from now on, as far as that can be done without a restart.
    pub(super) fn configure(&mut self, new: Configuration, asker: Asker, now: Duration, effects: &mut Vec<Effect>) {
        let old = std::mem::replace(&mut self.configuration, new);
        let (old, new) = (old.in_force(), self.configuration.in_force());
        if new.mood != old.mood {
            self.mood.configure(&new.mood, &self.confusion, now);
            self.expression.configure(&new.mood);
        }
        if new.vision != old.vision {
            effects.push(Effect::Vision(self.vision_settings()));
        }
        self.playlist.set_length(new.music.list_length.0 as usize);
        let songs_differ = new.music != old.music;
        // Bounds and the name of the box stand in what Home Assistant was told.
        if hass::discovery(&self.topics, &self.device, old) != hass::discovery(&self.topics, &self.device, new) {
            self.announce(effects);
        }
        effects.push(Effect::KeepOverrides(self.configuration.overrides().clone(), asker));
        let room = self.mood.room(now);
        if songs_differ && room.presence && !self.playlist.follows_a_choice() {
            self.recommend(&room, now, effects);
        }
    }

    /// Tells Home Assistant what there is.
    pub(super) fn announce(&self, effects: &mut Vec<Effect>) {
        let discovery = hass::discovery(&self.topics, &self.device, self.config());
        self.voice.say(self.topics.discovery(&discovery), effects);
    }

    /// The disk has kept what was set, or could not.
    pub(super) fn kept(&self, asker: Asker, outcome: Result<(), String>, effects: &mut Vec<Effect>) {
        let Asker { name, answer } = asker;
        let response = match (outcome, answer) {
            (Ok(()), None) => return,
            (Ok(()), Some((transaction, data))) => Response::ok(transaction, data),
            (Err(reason), answer) => {
                let reason = format!("it counts until the next start only: {reason}");
                effects.push(Effect::Warn(format!("{name}: {reason}")));
                Response::error(answer.map(|(transaction, _)| transaction), reason)
            }
        };
        self.voice.say(self.topics.response(&name, &response), effects);
    }

    /// How the box is, in one answer for a person who looks for what is wrong.
    pub(super) fn diagnose(&self, transaction: String, now: Duration) -> Response {
        let problems = self.failed.iter().map(|(part, reason)| json!({ "part": part.name(), "message": reason }));
        let room = self.mood.room(now);
        let data = json!({
            "problems": problems.collect::<Vec<_>>(),
            "state": self.state(&room, now),
            "settings": self.settings(),
            "set": self.configuration.overrides(),
            "songs": self.playlist.songs(),
            "calibrated": !self.personal.evidence().is_none(),
            "diagnostics": self.measured,
        });
        Response::ok(transaction, data)
    }
}
