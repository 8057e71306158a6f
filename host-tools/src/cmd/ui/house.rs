//! What is known of the boxes of a broker, and what of that a page has not heard yet.

mod trail;

use std::collections::BTreeMap;
use std::sync::Arc;

use moodbox_core::config::{Config, DeviceId};
use moodbox_core::topics::Limits;
use serde_json::{Value, json};

use trail::Trail;

/// The parts of a box that a page shows as the box says them, by the last part of their topics.
const PARTS: [&str; 5] = ["state", "confidence", "recommendation", "now", "settings"];

/// Most boxes that are known; one broker carries about as many.
const MAX_BOXES: usize = 1000;

/// Time between two signs that this program runs, in milliseconds, after which the computer has slept in between.
const SLEPT_MS: u64 = 60_000;

/// Something for a page to know: what it is, and JSON.
pub(super) type News = (&'static str, Arc<str>);

/// All boxes of a broker.
pub(super) struct House {
    boxes: BTreeMap<String, Known>,
    broker: String,
    /// Why there is no connection, if there is none.
    trouble: Option<String>,
    /// When this program last ran, in milliseconds.
    ran_ms: u64,
    /// Counts the changes; each part remembers that of its last one.
    version: u64,
    broker_version: u64,
    list_version: u64,
}

#[derive(Default)]
struct Known {
    is_online: bool,
    /// What it is called.
    name: Option<String>,
    mood: Option<String>,
    parts: BTreeMap<&'static str, Part>,
    trail: Trail,
    /// Of the last time that the trail was ended; what is added to it a page hears as the state.
    trail_version: u64,
}

struct Part {
    version: u64,
    text: Arc<str>,
}

impl House {
    /// Connected to this broker, and nothing heard yet.
    pub(super) fn new(broker: &str) -> Self {
        let (boxes, broker) = (BTreeMap::new(), broker.to_owned());
        Self { boxes, broker, trouble: None, ran_ms: 0, version: 1, broker_version: 1, list_version: 1 }
    }

    /// Counts what was changed here.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// Whether the broker passes on what is said.
    pub(super) const fn is_connected(&self) -> bool {
        self.trouble.is_none()
    }

    /// Whether the box is there.
    pub(super) fn is_online(&self, id: &str) -> bool {
        self.boxes.get(id).is_some_and(|known| known.is_online)
    }

    /// This program runs at a time in milliseconds, as it says every few seconds. What the boxes said while the computer slept
    /// was not heard, and the connection is found to be lost only afterwards.
    pub(super) fn runs(&mut self, at_ms: u64) {
        if at_ms.saturating_sub(self.ran_ms) > SLEPT_MS {
            self.end_trails(self.ran_ms);
        }
        self.ran_ms = at_ms;
    }

    /// At a time in milliseconds the connection to the broker came about, or is away for this reason; then no box is there until
    /// it says so again.
    pub(super) fn connection(&mut self, trouble: Option<String>, at_ms: u64) {
        if trouble == self.trouble {
            return;
        }
        if trouble.is_some() {
            for known in self.boxes.values_mut() {
                known.is_online = false;
            }
            self.end_trails(at_ms);
            self.list_changed();
        }
        self.version += 1;
        self.broker_version = self.version;
        self.trouble = trouble;
    }

    /// A box has said something at a time in milliseconds. What makes no sense is passed over.
    pub(super) fn hear(&mut self, id: &str, part: &str, payload: &[u8], at_ms: u64) {
        if part == "availability" {
            return self.availability(id, payload, at_ms);
        }
        let Some(part) = PARTS.into_iter().find(|known| *known == part) else { return };
        let said = serde_json::from_slice(payload).ok().filter(|value| can_be_shown(part, value));
        if let Some(value) = said {
            self.said(id, part, &value, at_ms);
        }
    }

    fn availability(&mut self, id: &str, payload: &[u8], at_ms: u64) {
        if payload.is_empty() {
            // A box that was removed.
            if self.boxes.remove(id).is_some() {
                self.list_changed();
            }
        } else if let Some(known) = self.known(id) {
            known.is_online = payload == b"online";
            let ended = !known.is_online && known.trail.end(at_ms);
            self.list_changed();
            if ended && let Some(known) = self.boxes.get_mut(id) {
                known.trail_version = self.version;
            }
        }
    }

    /// What the mood is from a time in milliseconds on is not known of any box.
    fn end_trails(&mut self, at_ms: u64) {
        self.version += 1;
        for known in self.boxes.values_mut() {
            if known.trail.end(at_ms) {
                known.trail_version = self.version;
            }
        }
    }

    fn said(&mut self, id: &str, part: &'static str, value: &Value, at_ms: u64) {
        let Some(known) = self.known(id) else { return };
        let mut is_news = false;
        if part == "state" {
            // What the broker has kept of a box that is away is no news.
            if known.is_online {
                known.trail.add(value, at_ms);
            }
            let mood = value["mood"].as_str().map(ToOwned::to_owned);
            is_news = mood != known.mood;
            known.mood = mood;
        }
        self.keep(id, part, value);
        if is_news {
            self.list_changed();
        }
    }

    /// A box has answered what its configuration is.
    pub(super) fn configured(&mut self, id: &str, config: &Value) {
        let Some(known) = self.boxes.get_mut(id) else { return };
        known.name = config["device"]["name"].as_str().map(ToOwned::to_owned);
        // A box of another version may know keys that we do not; it refuses by itself what is out of its bounds.
        let limits = serde_json::from_value::<Config>(config.clone()).ok().map(|config| Limits::from(&config));
        self.keep(id, "limits", &json!(limits));
        self.list_changed();
    }

    fn keep(&mut self, id: &str, part: &'static str, value: &Value) {
        self.version += 1;
        if let Some(known) = self.boxes.get_mut(id) {
            known.parts.insert(part, Part { version: self.version, text: value.to_string().into() });
        }
    }

    fn list_changed(&mut self) {
        self.version += 1;
        self.list_version = self.version;
    }

    /// The box, which becomes known if it was not and its name is one.
    fn known(&mut self, id: &str) -> Option<&mut Known> {
        if !self.boxes.contains_key(id) {
            if self.boxes.len() >= MAX_BOXES || DeviceId::try_from(id.to_owned()).is_err() {
                return None;
            }
            self.boxes.insert(id.to_owned(), Known::default());
        }
        self.boxes.get_mut(id)
    }

    /// What a page that shows this box has not heard since a version; all there is for version 0.
    pub(super) fn news(&self, id: Option<&str>, since: u64) -> Vec<News> {
        let mut news = Vec::new();
        if self.broker_version > since {
            let broker = json!({ "broker": self.broker, "connected": self.is_connected(), "reason": self.trouble });
            news.push(("broker", broker.to_string().into()));
        }
        if self.list_version > since {
            news.push(("boxes", self.list().to_string().into()));
        }
        let Some(known) = id.and_then(|id| self.boxes.get(id)) else { return news };
        if since == 0 || known.trail_version > since {
            news.push(("trail", known.trail.to_json().to_string().into()));
        }
        let parts = known.parts.iter().filter(|(_, part)| part.version > since);
        news.extend(parts.map(|(name, part)| (*name, part.text.clone())));
        news
    }

    fn list(&self) -> Value {
        let row = |(id, known): (&String, &Known)| {
            let name = known.name.as_deref().unwrap_or(id);
            json!({ "id": id, "name": name, "online": known.is_online, "mood": known.mood })
        };
        self.boxes.iter().map(row).collect()
    }
}

/// Whether a part is as the page takes it for granted. Who may write to the broker may have said anything.
fn can_be_shown(part: &str, value: &Value) -> bool {
    match part {
        "state" => value["mood"].is_string() && value["valence"].is_number() && value["arousal"].is_number(),
        "confidence" => value.is_number(),
        "recommendation" => value["tracks"].as_array().is_some_and(|tracks| tracks.iter().all(Value::is_object)),
        _ => value.is_object(),
    }
}

#[cfg(test)]
mod tests;
