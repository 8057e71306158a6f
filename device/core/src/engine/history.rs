//! What becomes of the mood over days: what is noted, and who asks for it.

use std::time::Duration;

use serde_json::json;

use super::{Effect, Engine};
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

/// What was noted last.
#[derive(Debug, Default)]
pub(super) struct Chronicle {
    noted: Option<(Duration, Option<RoomMood>)>,
}

impl Chronicle {
    /// Whether this mood, or that nobody looks, shall be noted now.
    fn wants(&mut self, mood: Option<RoomMood>, now: Duration) -> bool {
        let said = self.noted.is_some_and(|(at, noted)| noted == mood && (mood.is_none() || now < at + NOTED_AGAIN));
        if !said {
            self.noted = Some((now, mood));
        }
        !said
    }

    /// When a room in which nothing changes is noted anew.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.noted.and_then(|(at, mood)| mood.map(|_| at + NOTED_AGAIN))
    }
}

impl Engine {
    /// Notes the room where it has changed.
    pub(super) fn note(&mut self, room: &Room, now: Duration, effects: &mut Vec<Effect>) {
        let sight = self.camera_up.then(|| Sight::from(room));
        if self.chronicle.wants(sight.map(|sight| sight.mood), now) {
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
