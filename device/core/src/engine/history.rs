//! What becomes of the mood over days: what is noted, and who asks for it.

use std::time::Duration;

use serde_json::json;

use super::{Effect, Engine, Part};
use crate::history::{NOTED_AGAIN, Page, Query, Sight};
use crate::mood::{Room, RoomMood};
use crate::topics::Response;

/// What the disk found of the history.
#[derive(Debug, Clone)]
pub struct Recalled {
    /// That of the request.
    pub transaction: String,
    /// The moments, or in one line why there are none.
    pub outcome: Result<Page, String>,
}

/// Time after which it is noted that nothing is seen though nobody has switched the camera off. A bad cable, or a loose wire of
/// the switch on the box, which comes and goes every few seconds, would else take the place of all that was noted before within
/// days.
const GONE: Duration = Duration::from_secs(60);

/// What was noted last.
#[derive(Debug, Default)]
pub(super) struct Chronicle {
    noted: Option<(Duration, Option<RoomMood>)>,
    /// Since when nothing is seen though nobody has switched the camera off.
    gone_since: Option<Duration>,
}

impl Chronicle {
    /// Takes this mood, or that nobody looks, for noted where that is due; returns whether it is.
    fn take_if_due(&mut self, mood: Option<RoomMood>, now: Duration) -> bool {
        let said = self.noted.is_some_and(|(at, noted)| noted == mood && (mood.is_none() || now < at + NOTED_AGAIN));
        if !said {
            self.noted = Some((now, mood));
        }
        !said
    }

    /// Takes in whether somebody looks; returns whether that is certain, as it is once nobody has for a while. What came before
    /// the start is over at once.
    fn settle(&mut self, looks: bool, is_switched_off: bool, now: Duration) -> bool {
        if looks || is_switched_off {
            self.gone_since = None;
            return true;
        }
        let since = *self.gone_since.get_or_insert(now);
        self.noted.is_none() || now >= since + GONE
    }

    /// When a room in which nothing changes is noted anew, or a camera that is gone is noted.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let (at, mood) = self.noted?;
        mood?;
        Some(self.gone_since.map_or(at + NOTED_AGAIN, |since| since + GONE))
    }
}

impl Engine {
    /// Notes the room where it has changed.
    pub(super) fn note(&mut self, room: &Room, now: Duration, effects: &mut Vec<Effect>) {
        let is_blind = self.failed.contains_key(&Part::Models);
        let looks = self.gives_frames() && !is_blind;
        if !self.chronicle.settle(looks, !self.switches.camera, now) {
            return;
        }
        let sight = looks.then(|| Sight::from(room));
        if self.chronicle.take_if_due(sight.map(|sight| sight.mood), now) {
            effects.push(Effect::Note(sight));
        }
    }

    pub(super) fn ask_for_history(transaction: String, query: Query, effects: &mut Vec<Effect>) {
        effects.push(Effect::Recall { transaction, query });
    }

    /// Answers who asked.
    pub(super) fn recalled(&self, recalled: Recalled, effects: &mut Vec<Effect>) {
        let Recalled { transaction, outcome } = recalled;
        let response = match outcome {
            Ok(page) => Response::ok(transaction, json!(page)),
            Err(reason) => Response::error(Some(transaction), reason),
        };
        self.voice.say(self.topics.response("history.get", &response), effects);
    }
}
