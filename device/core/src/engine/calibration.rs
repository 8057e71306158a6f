//! Personal calibration: what is learnt of the faces before this box.

use std::time::Duration;

use serde_json::json;

use super::{Asker, Effect, Engine};
use crate::emotion::{Emotion, Named};
use crate::personal::{Evidence, Look};
use crate::topics::Response;

impl Engine {
    /// What the one face before the camera showed, as the classifier reads it and as the box does.
    pub(super) fn calibrate_look(&self, transaction: String, over: Duration, now: Duration) -> Response {
        match self.personal.look(over, now) {
            Some(Look { seen, said }) if seen >= over / 2 => {
                let read = self.personal.bias().apply(&said);
                Response::ok(transaction, json!({ "said": Named(said), "read": Named(read) }))
            }
            _ if !self.camera_is_wanted() => {
                Response::error(Some(transaction), "the camera is switched off".to_owned())
            }
            look => {
                let seen = look.map_or(0.0, |look| look.seen.as_secs_f32());
                let reason = format!(
                    "a sharp face, and no other, was seen for {seen:.1} s of {:.1} s; one person must look at the camera",
                    over.as_secs_f32()
                );
                Response::error(Some(transaction), reason)
            }
        }
    }

    /// Faces are read by this evidence from now on. The answer to this request comes when it is kept.
    pub(super) fn calibrate(&mut self, name: &str, transaction: String, evidence: Evidence, effects: &mut Vec<Effect>) {
        self.personal.replace(evidence);
        let bias = self.personal.bias().as_array();
        let by_name =
            Emotion::ALL.map(|e| (e.name().to_owned(), json!((f64::from(bias[e as usize]) * 1e4).round() / 1e4)));
        let by_name: serde_json::Map<_, _> = by_name.into_iter().collect();
        let asker = Asker::of(name, transaction, json!({ "bias": by_name }));
        effects.push(Effect::KeepEvidence(evidence, asker));
    }

    /// The mood was told: so was what the face before the camera showed.
    pub(super) fn learn(&mut self, mood: Emotion, now: Duration, effects: &mut Vec<Effect>) {
        if self.personal.correct(mood, now) {
            effects.push(Effect::KeepEvidence(*self.personal.evidence(), Asker::nobody("correct")));
        }
    }
}
