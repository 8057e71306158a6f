//! What is said over MQTT: topics, payloads, and what is accepted from others.
//!
//! [`Topics`] holds the table of the contract: each of its methods makes the [`Publication`] of one topic with the
//! payload, the retain flag and the quality of service that belong to it, so that neither can be mixed up elsewhere.

mod command;
mod faces;
mod payload;
mod piece;
mod preview;
mod reading;
mod request;
mod settings;

use serde::Serialize;

pub use command::{Command, MAX_URI_BYTES};
pub use faces::{Faces, MAX_FACES, Outline};
pub(crate) use payload::two_decimals;
pub use payload::{
    CameraState, Diagnostics, Event, MAX_RECOMMENDATION_BYTES, Outcome, Recommendation, Response, SCHEMA, State,
    Switch, TrackNames, TrackPayload,
};
pub use piece::{MAX_FILE_BYTES, MAX_PIECE_BYTES, Piece};
pub use preview::{Look, PreviewFace, PreviewFrame};
pub use reading::{CommandError, MAX_COMMAND_BYTES};
pub use request::{Request, RequestError, RequestKind};
pub use settings::{Limit, Limits, Settings};

/// How hard a message is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qos {
    /// Sent once; may get lost with the connection.
    AtMostOnce,
    /// Sent until the broker has confirmed it.
    AtLeastOnce,
}

/// A message to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The full topic.
    pub topic: String,
    /// UTF-8 text, mostly JSON.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it for those who subscribe later.
    pub retain: bool,
    /// How hard it is delivered.
    pub qos: Qos,
}

/// What a message that came in is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// A command of this name, for [`Command::parse`].
    Command(&'a str),
    /// A request of this name, for [`Request::parse`].
    Request(&'a str),
    /// Home Assistant says how it is: `online` when it has just started and knows nothing of us.
    HomeAssistant,
}

/// The topics of one box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    id: String,
    /// `<base>/<id>`
    root: String,
    discovery_prefix: String,
}

impl Topics {
    /// The last parts of the topics that are retained.
    pub const KEPT: [&str; 8] =
        ["state", "confidence", "recommendation", "now", "diagnostics", "settings", "card", "availability"];

    /// The topics of the box `id` under `base` (`moodbox`), announced under `discovery_prefix` (`homeassistant`).
    #[must_use]
    pub fn new(base: &str, discovery_prefix: &str, id: &str) -> Self {
        Self { id: id.to_owned(), root: format!("{base}/{id}"), discovery_prefix: discovery_prefix.to_owned() }
    }

    /// The full topic of a last part of the box `id` under `base`; for the id `+` the filter that stands for every box.
    #[must_use]
    pub fn topic_of(base: &str, id: &str, last: &str) -> String {
        format!("{base}/{id}/{last}")
    }

    /// The id of the box under `base` that a full topic is of, and its last part, such as `state` or `cmd/next`; nothing where
    /// it is not the topic of a box.
    #[must_use]
    pub fn of_box<'a>(base: &str, topic: &'a str) -> Option<(&'a str, &'a str)> {
        let (id, last) = topic.strip_prefix(base)?.strip_prefix('/')?.split_once('/')?;
        (!id.is_empty() && !last.is_empty()).then_some((id, last))
    }

    /// The name of the box on the broker and in Home Assistant: `moodbox_<id>`.
    #[must_use]
    pub fn device(&self) -> String {
        format!("moodbox_{}", self.id)
    }

    /// The id of the box.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The full topic of a last part, such as `state` or `cmd/next`.
    #[must_use]
    pub fn topic(&self, last: &str) -> String {
        format!("{}/{last}", self.root)
    }

    /// The filters to subscribe to.
    #[must_use]
    pub fn subscriptions(&self) -> [String; 3] {
        [self.topic("cmd/+"), self.topic("request/+"), self.home_assistant()]
    }

    /// What a message on this topic is about; nothing when it is none of ours.
    #[must_use]
    pub fn incoming<'a>(&self, topic: &'a str) -> Option<Incoming<'a>> {
        if topic == self.home_assistant() {
            return Some(Incoming::HomeAssistant);
        }
        match topic.strip_prefix(&self.root)?.strip_prefix('/')?.split_once('/')? {
            ("cmd", name) => Some(Incoming::Command(name)),
            ("request", name) => Some(Incoming::Request(name)),
            _ => None,
        }
    }

    /// Where Home Assistant says that it has started.
    fn home_assistant(&self) -> String {
        format!("{}/status", self.discovery_prefix)
    }

    /// Whether the box is there. `offline` is also the will that the broker publishes when the connection breaks.
    #[must_use]
    pub fn availability(&self, online: bool) -> Publication {
        let word = if online { "online" } else { "offline" };
        self.publication("availability", true, Qos::AtLeastOnce, word.into())
    }

    /// The mood of the room and the switches; on change, at most once a second.
    #[must_use]
    pub fn state(&self, state: &State) -> Publication {
        self.publication("state", true, Qos::AtLeastOnce, json(state))
    }

    /// How sure the mood is, 0..1, published as whole percent; at most every 10 s.
    #[must_use]
    pub fn confidence(&self, confidence: f32) -> Publication {
        let percent = (confidence.clamp(0.0, 1.0) * 100.0).round() as u8;
        self.publication("confidence", true, Qos::AtMostOnce, percent.to_string().into())
    }

    /// The songs that fit.
    #[must_use]
    pub fn recommendation(&self, recommendation: &Recommendation) -> Publication {
        self.publication("recommendation", true, Qos::AtLeastOnce, recommendation.bounded_json())
    }

    /// The chosen song, or `{}`.
    #[must_use]
    pub fn now(&self, track: Option<&TrackPayload>) -> Publication {
        let payload = track.map_or_else(|| b"{}".to_vec(), json);
        self.publication("now", true, Qos::AtLeastOnce, payload)
    }

    /// Something that happened. Never retained: a later listener must not take it for news.
    #[must_use]
    pub fn event(&self, event: &Event) -> Publication {
        self.publication("event", false, Qos::AtLeastOnce, json(event))
    }

    /// How the box itself is doing; every 60 s.
    #[must_use]
    pub fn diagnostics(&self, diagnostics: &Diagnostics) -> Publication {
        self.publication("diagnostics", true, Qos::AtMostOnce, json(diagnostics))
    }

    /// What a person has set; on change, at most once a second.
    #[must_use]
    pub fn settings(&self, settings: &Settings) -> Publication {
        self.publication("settings", true, Qos::AtLeastOnce, json(settings))
    }

    /// The mood card, an SVG document.
    #[must_use]
    pub fn card(&self, svg: String) -> Publication {
        self.publication("card", true, Qos::AtMostOnce, svg.into_bytes())
    }

    /// What the camera sees, for who asked to aim it. Never retained, and lost with the connection: a picture is of now.
    #[must_use]
    pub fn preview(&self, look: &Look) -> Publication {
        self.publication("preview", false, Qos::AtMostOnce, json(look))
    }

    /// Where faces are and what they show, for who watches. Never retained, and lost with the connection, as the preview.
    #[must_use]
    pub fn faces(&self, faces: &Faces) -> Publication {
        self.publication("faces", false, Qos::AtMostOnce, json(faces))
    }

    /// The answer to the request or command `name`.
    #[must_use]
    pub fn response(&self, name: &str, response: &Response) -> Publication {
        let last = format!("response/{name}");
        self.publication(&last, false, Qos::AtLeastOnce, json(response))
    }

    /// What Home Assistant needs to know to list the box, as [`crate::hass::discovery`] makes it.
    #[must_use]
    pub fn discovery(&self, payload: &serde_json::Value) -> Publication {
        let topic = self.discovery_topic();
        Publication { topic, payload: json(payload), retain: true, qos: Qos::AtLeastOnce }
    }

    /// Where the box is announced to Home Assistant.
    #[must_use]
    pub fn discovery_topic(&self) -> String {
        format!("{}/device/{}/config", self.discovery_prefix, self.device())
    }

    /// All topics on which the broker keeps something of this box.
    #[must_use]
    pub fn kept(&self) -> Vec<String> {
        let own = Self::KEPT.iter().map(|last| self.topic(last));
        // The announcement goes first: without it nobody misses the states.
        [self.discovery_topic()].into_iter().chain(own).collect()
    }

    fn publication(&self, last: &str, retain: bool, qos: Qos, payload: Vec<u8>) -> Publication {
        Publication { topic: self.topic(last), payload, retain, qos }
    }
}

/// JSON text.
#[expect(clippy::expect_used, reason = "structs of text and numbers always serialise, and memory takes any length")]
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain structs serialise")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics() -> Topics {
        Topics::new("moodbox", "homeassistant", "b827eb01")
    }

    fn text(publication: &Publication) -> &str {
        std::str::from_utf8(&publication.payload).unwrap()
    }

    #[test]
    fn messages_are_told_apart_by_topic() {
        for (topic, expected) in [
            ("moodbox/b827eb01/cmd/next", Some(Incoming::Command("next"))),
            ("moodbox/b827eb01/request/config.get", Some(Incoming::Request("config.get"))),
            ("homeassistant/status", Some(Incoming::HomeAssistant)),
            ("homeassistant/STATUS", None),
            ("moodbox/b827eb01/state", None),
            ("moodbox/b827eb01/cmd", None),
            ("moodbox/b827eb012/cmd/next", None),
            ("moodbox/other/cmd/next", None),
            ("", None),
        ] {
            assert_eq!(topics().incoming(topic), expected, "{topic}");
        }
    }

    #[test]
    fn a_topic_names_its_box_and_its_last_part() {
        for (base, topic, expected) in [
            ("moodbox", "moodbox/hall/state", Some(("hall", "state"))),
            ("moodbox", "moodbox/hall/cmd/next", Some(("hall", "cmd/next"))),
            ("up/stairs", "up/stairs/hall/state", Some(("hall", "state"))),
            // A box under a longer base, which has no such id and no such last part.
            ("up", "up/stairs/hall/state", Some(("stairs", "hall/state"))),
            ("moodbox", "moodbox2/hall/state", None),
            ("moodbox", "lamps/hall/state", None),
            ("moodbox", "Moodbox/hall/state", None),
            ("moodbox", "/moodbox/hall/state", None),
            ("moodbox", "moodbox//state", None),
            ("moodbox", "moodbox/hall", None),
            ("moodbox", "moodbox/hall/", None),
            ("moodbox", "moodbox/", None),
            ("moodbox", "moodbox", None),
            ("moodbox", "", None),
        ] {
            assert_eq!(Topics::of_box(base, topic), expected, "{topic} under {base}");
            if let Some((id, last)) = expected {
                assert_eq!(Topics::topic_of(base, id, last), topic);
                assert_eq!(Topics::new(base, "homeassistant", id).topic(last), topic);
            }
        }
    }

    #[test]
    fn what_is_subscribed_to_is_understood() {
        for filter in topics().subscriptions() {
            assert!(topics().incoming(&filter.replace('+', "x")).is_some(), "{filter}");
        }
    }

    #[test]
    fn availability_is_kept_and_confirmed() {
        let online = topics().availability(true);
        assert_eq!(online.topic, "moodbox/b827eb01/availability");
        assert_eq!((text(&online), online.retain, online.qos), ("online", true, Qos::AtLeastOnce));
        assert_eq!(text(&topics().availability(false)), "offline");
    }

    #[test]
    fn confidence_is_whole_percent() {
        for (confidence, expected) in [(0.874, "87"), (0.0, "0"), (1.0, "100"), (1.2, "100"), (f32::NAN, "0")] {
            assert_eq!(text(&topics().confidence(confidence)), expected);
        }
    }

    #[test]
    fn only_events_and_answers_are_not_kept() {
        let topics = topics();
        let event = topics.event(&Event::Presence { presence: true });
        let response = topics.response("config.get", &Response::ok("1".to_owned(), serde_json::json!({})));
        assert!(!event.retain && !response.retain);
        assert_eq!(response.topic, "moodbox/b827eb01/response/config.get");
        assert!(topics.now(None).retain && topics.confidence(0.5).retain);
        assert_eq!(text(&topics.now(None)), "{}");
    }
}
