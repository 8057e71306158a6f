//! What is set from afar proves itself, or is taken back.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Asker, Effect, Engine, Outcome, Part};
use crate::config::{Configuration, Overrides, touches_a_part};
use crate::topics::{CameraState, Response};

impl Engine {
    /// Time in which the box must come up with what was set.
    pub(super) fn patience(&self) -> Duration {
        self.config().store.trial_s.duration()
    }

    /// Puts changes on trial that can make a part fail.
    pub(super) fn try_out(
        &mut self,
        new: &Configuration,
        changes: &Map<String, Value>,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) {
        if !self.configuration.differing_keys(new).iter().any(|key| touches_a_part(key)) {
            // What is asked for again while it is on trial has not proved itself by that.
            let beyond = changes.iter().filter(|(key, _)| !touches_a_part(key));
            self.keep_beyond_a_trial(&beyond.map(|(key, value)| (key.clone(), value.clone())).collect(), effects);
            return;
        }
        let awaits_restart = self.started_with.needs_restart(new);
        let worked = self.working();
        // Frames that were seen before say nothing of it.
        self.proved.remove(&Part::Models);
        self.trial.begin(self.configuration.overrides().clone(), worked, awaits_restart, now);
        effects.push(Effect::KeepTrials(self.trial.trials().clone()));
    }

    /// What is not on trial itself stays, whatever becomes of the trial that goes on, if one does.
    pub(super) fn keep_beyond_a_trial(&mut self, changes: &Map<String, Value>, effects: &mut Vec<Effect>) {
        let configuration = &self.configuration;
        let with = |before: &Overrides| {
            let good = configuration.with(before.clone()).ok()?;
            good.changed(changes).ok().map(|good| good.overrides().clone())
        };
        if self.trial.keep(with) {
            effects.push(Effect::KeepTrials(self.trial.trials().clone()));
        }
    }

    /// The parts that work, as far as is known.
    fn working(&self) -> BTreeSet<Part> {
        self.proved.iter().copied().filter(|part| *part != Part::Camera || self.gives_frames()).collect()
    }

    /// Ends a trial that is decided.
    pub(super) fn judge(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let Some(wanted) = self.trial.wants() else { return };
        let lacking = self.lacking(wanted);
        let Some((outcome, before)) = self.trial.judge(lacking, self.patience(), now) else { return };
        match outcome.complaint() {
            None => effects.push(Effect::KeepTrials(self.trial.trials().clone())),
            Some(complaint) => self.take_back(&complaint, before, now, effects),
        }
    }

    /// What does not work of the parts that shall, if anything. A camera that is switched off cannot be asked for, nor what
    /// looks at frames while there are none, unless that is known to have failed.
    fn lacking(&self, wanted: &BTreeSet<Part>) -> Option<String> {
        let working = self.working();
        let can_tell = |part: &Part| match part {
            Part::Camera => self.camera_is_wanted(),
            Part::Models => self.camera_state() == CameraState::On || self.failed.contains_key(part),
            Part::Broker | Part::Leds => true,
        };
        let lacking = wanted.iter().filter(|part| can_tell(part)).find(|part| !working.contains(part))?;
        let why = self.failed.get(lacking).map_or("it does not come up", String::as_str);
        Some(format!("{}: {why}", lacking.name()))
    }

    fn take_back(&mut self, complaint: &str, before: Overrides, now: Duration, effects: &mut Vec<Effect>) {
        effects.push(Effect::Warn(complaint.to_owned()));
        if self.voice.is_connected() {
            self.announce_problem("config", complaint, effects);
        } else {
            self.trial.set_untold(true);
        }
        let good = self.configuration.with(before).unwrap_or_else(|_| self.configuration.without_overrides());
        let needs_restart = self.started_with.needs_restart(&good);
        self.configure(good, Asker::nobody("config.set"), now, effects);
        effects.push(Effect::KeepTrials(self.trial.trials().clone()));
        if needs_restart {
            effects.push(Effect::Restart);
        }
    }

    /// How what was set last fares.
    pub(super) fn config_trial(&self, transaction: String, now: Duration) -> Response {
        let trials = self.trial.trials();
        let left_s = self.trial.left(self.patience(), now).as_secs();
        let running = trials.running.as_ref().map(|trial| {
            let lacking = self.trial.wants().and_then(|wanted| self.lacking(wanted));
            json!({ "awaits_restart": trial.awaits_restart, "left_s": left_s, "lacking": lacking })
        });
        let last = trials.last.as_ref().map(|outcome| match outcome {
            Outcome::Taken => json!({ "outcome": "taken" }),
            Outcome::TakenBack { why } => json!({ "outcome": "taken_back", "why": why }),
        });
        Response::ok(transaction, json!({ "trial": running, "last": last }))
    }
}
