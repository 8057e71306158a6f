//! Faces as outlines, for somebody who watches: only while somebody asks for them.

use std::time::Duration;

use serde_json::json;

use super::{Effect, Engine};
use crate::face::{SeenFace, Size};
use crate::topics::{Faces, Response};

/// Time for which outlines are sent; who goes on watching asks again before.
const WATCHED: Duration = Duration::from_secs(60);

/// Shortest time between two of them, on average: five a second.
const PAUSE: Duration = Duration::from_millis(200);

/// How much too early one may be, so that frames that come five times a second are not passed over when one is late.
const JITTER: Duration = Duration::from_millis(50);

/// Somebody who watches.
#[derive(Debug)]
pub(super) struct Watch {
    until: Duration,
    /// When the next outlines may be sent.
    next: Duration,
    sent: Option<Faces>,
}

impl Engine {
    /// From now on, and from the beginning, for who watches already knows nothing more than who has just come.
    pub(super) fn watch_start(&mut self, transaction: String, now: Duration) -> Response {
        let next = self.watch.take().map_or(now, |watch| watch.next);
        self.watch = Some(Watch { until: now + WATCHED, next, sent: None });
        Response::ok(transaction, json!({ "seconds": WATCHED.as_secs() }))
    }

    /// Sends the outlines of the faces in a frame where they have changed.
    pub(super) fn outline(&mut self, faces: &[SeenFace], frame: Size, now: Duration, effects: &mut Vec<Effect>) {
        let Some(watch) = self.watch.as_mut() else { return };
        if watch.until <= now {
            self.watch = None;
            return;
        }
        if now + JITTER < watch.next {
            return;
        }
        let outlines = Faces::of(frame, faces, self.mood.numbers());
        if watch.sent.as_ref() == Some(&outlines) {
            return;
        }
        self.voice.say(self.topics.faces(&outlines), effects);
        watch.next = watch.next.max(now) + PAUSE;
        watch.sent = Some(outlines);
    }
}
