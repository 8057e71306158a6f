//! The whole box as rules: an evening replays in milliseconds.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that is surprised fails")]

use std::time::Duration;

use moodbox_core::config::Config;
use moodbox_core::emotion::{Emotion, Probabilities};
use moodbox_core::engine::{Effect, Engine, Event, Part, Setting, Switches};
use moodbox_core::face::{BBox, Face, Point, SeenFace};
use moodbox_core::hass::Device;
use moodbox_core::mood::Confusion;
use moodbox_core::music::Catalogue;
use moodbox_core::topics::Topics;
use proptest::prelude::*;
use serde_json::Value;

const FRAME: Duration = Duration::from_millis(200);

struct Evening {
    engine: Engine,
    now: Duration,
    effects: Vec<(Duration, Effect)>,
}

impl Evening {
    fn begin(switches: Switches) -> Self {
        let setting = Setting {
            config: Config::default(),
            topics: Topics::new("moodbox", "homeassistant", "t"),
            device: Device { name: "Moodbox".to_owned(), version: "0".to_owned(), model: "test".to_owned() },
            confusion: Confusion::default(),
            catalogue: Catalogue::demo(),
            switches,
            seed: 1,
        };
        let (engine, first) = Engine::new(setting, Duration::ZERO);
        let effects = first.into_iter().map(|e| (Duration::ZERO, e)).collect();
        Self { engine, now: Duration::ZERO, effects }
    }

    fn tell(&mut self, event: Event) {
        let effects = self.engine.on(event, self.now);
        self.effects.extend(effects.into_iter().map(|e| (self.now, e)));
    }

    fn command(&mut self, name: &str, payload: &str) {
        self.tell(Event::Message { topic: format!("moodbox/t/cmd/{name}"), payload: payload.into() });
    }

    /// Frames for a time, and the ticks in between.
    fn watch(&mut self, faces: &[SeenFace], time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += FRAME;
            self.tell(Event::Seen(faces.to_vec()));
        }
    }

    /// Nothing but time, as long as the engine asks for it.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.engine.next_deadline(self.now).filter(|d| *d <= end) {
            self.now = deadline.max(self.now + Duration::from_millis(1));
            self.tell(Event::Tick);
        }
        self.now = self.now.max(end);
    }

    fn said(&self, topic: &str) -> Vec<(Duration, Value)> {
        let wanted = format!("moodbox/t/{topic}");
        let publications = self.effects.iter().filter_map(|(at, effect)| match effect {
            Effect::Publish(p) if p.topic == wanted => Some((*at, serde_json::from_slice(&p.payload).ok()?)),
            _ => None,
        });
        publications.collect()
    }

    fn last(&self, topic: &str) -> Value {
        self.said(topic).pop().map_or(Value::Null, |(_, payload)| payload)
    }
}

fn face(emotion: Emotion) -> SeenFace {
    let point = |x, y| Point { x, y };
    let landmarks =
        [point(230.0, 130.0), point(270.0, 130.0), point(250.0, 150.0), point(235.0, 170.0), point(265.0, 170.0)];
    let bbox = BBox { x: 200.0, y: 100.0, w: 100.0, h: 120.0 };
    let mut p = [0.02; 7];
    p[emotion as usize] = 0.88;
    let emotions = Probabilities::normalised(p).unwrap();
    SeenFace { face: Face { bbox, score: 0.99, landmarks }, emotions, sharp: true }
}

const MINUTE: Duration = Duration::from_secs(60);

fn happy_evening() -> Evening {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    evening.tell(Event::CameraUp);
    evening.watch(&[face(Emotion::Happy)], MINUTE);
    evening
}

#[test]
fn somebody_comes_smiles_and_leaves() {
    let mut evening = happy_evening();
    let state = evening.last("state");
    assert_eq!((&state["mood"], &state["presence"], &state["camera"]), (&"happy".into(), &true.into(), &"on".into()));
    assert_eq!(evening.last("recommendation")["tracks"].as_array().unwrap().len(), 10);
    evening.wait(3 * MINUTE);
    let state = evening.last("state");
    assert_eq!((&state["mood"], &state["presence"]), (&"absent".into(), &false.into()));
    let presence: Vec<_> = evening.said("event").into_iter().filter(|(_, e)| e["event_type"] == "presence").collect();
    assert_eq!(presence.len(), 2);
}

#[test]
fn nothing_is_said_before_the_broker_listens_and_all_of_it_then() {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Failed(Part::Leds, "dark".to_owned()));
    evening.watch(&[face(Emotion::Happy)], MINUTE);
    assert!(!evening.effects.iter().any(|(_, e)| matches!(e, Effect::Publish(_))));
    evening.tell(Event::Connected);
    for topic in ["state", "recommendation", "now"] {
        assert_eq!(evening.said(topic).len(), 1, "{topic}");
    }
    assert_eq!(evening.last("event")["part"], "leds");
}

#[test]
fn a_steady_room_is_not_news() {
    let mut evening = happy_evening();
    let before = (evening.said("state").len(), evening.said("recommendation").len());
    evening.watch(&[face(Emotion::Happy)], 10 * MINUTE);
    let after = (evening.said("state").len(), evening.said("recommendation").len());
    assert!(after.0 - before.0 <= 3, "{} states in ten minutes in which nothing happened", after.0 - before.0);
    assert_eq!(after.1, before.1);
}

#[test]
fn a_choice_is_followed_until_the_room_is_empty() {
    let mut evening = happy_evening();
    let uri = Catalogue::demo().tracks()[7].uri.clone();
    evening.command("choose", &format!("{{\"uri\":\"{uri}\"}}"));
    assert_eq!(evening.last("now")["uri"], uri);
    let list = evening.last("recommendation");
    assert!(list["reason"].as_str().unwrap().starts_with("more like"), "{list}");
    evening.command("next", "");
    assert_eq!(evening.last("now")["uri"], list["tracks"][0]["uri"]);
    evening.watch(&[face(Emotion::Sad)], 5 * MINUTE);
    assert!(evening.last("recommendation")["reason"].as_str().unwrap().starts_with("more like"));
    evening.wait(3 * MINUTE);
    evening.watch(&[face(Emotion::Sad)], MINUTE);
    assert!(evening.last("recommendation")["reason"].as_str().unwrap().starts_with("the room looks sad"));
}

#[test]
fn anger_is_soothed_unless_somebody_wants_otherwise() {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    evening.watch(&[face(Emotion::Angry)], MINUTE);
    assert_eq!(evening.last("state")["policy"], "soothe");
    evening.command("policy", "match");
    evening.wait(Duration::from_secs(2));
    assert_eq!(evening.last("recommendation")["policy"], "match");
    assert_eq!(evening.last("state")["policy"], "match");
    let kept = Switches { policy: Some(moodbox_core::affect::Policy::Match), ..Switches::default() };
    assert!(evening.effects.iter().any(|(_, e)| *e == Effect::Keep(kept)));
}

#[test]
fn the_camera_light_is_on_exactly_while_frames_arrive() {
    let mut evening = Evening::begin(Switches::default());
    let light = |evening: &Evening| {
        let mut lights = evening.effects.iter().filter_map(|(_, e)| match e {
            Effect::Light(pattern) => Some(pattern.levels_at(Duration::ZERO).camera > 0.0),
            _ => None,
        });
        lights.next_back().unwrap_or(false)
    };
    assert!(!light(&evening));
    evening.tell(Event::CameraUp);
    assert!(light(&evening));
    evening.tell(Event::Failed(Part::Camera, "gone".to_owned()));
    assert!(!light(&evening));
    evening.tell(Event::CameraUp);
    evening.command("camera", "OFF");
    assert!(!light(&evening));
    assert!(evening.effects.iter().any(|(_, e)| *e == Effect::Camera(false)));
}

#[test]
fn a_camera_that_was_off_stays_off() {
    let evening = Evening::begin(Switches { camera: false, ..Switches::default() });
    assert_eq!(evening.effects[0].1, Effect::Camera(false));
}

#[test]
fn home_assistant_hears_it_again_but_not_at_once() {
    let mut evening = happy_evening();
    let before = evening.said("now").len();
    let born = evening.now;
    evening.tell(Event::Message { topic: "homeassistant/status".to_owned(), payload: b"online".to_vec() });
    assert_eq!(evening.said("now").len(), before);
    evening.wait(Duration::from_secs(11));
    let (again, _) = evening.said("now").pop().unwrap();
    assert_eq!(evening.said("now").len(), before + 1);
    assert!((born + Duration::from_secs(1)..=born + Duration::from_secs(10)).contains(&again));
}

/// Anything that can happen.
fn any_event() -> impl Strategy<Value = Event> {
    const NAMES: [&str; 10] =
        ["camera", "leds", "policy", "choose", "next", "like", "skip", "correct", "recommend", "x"];
    const PAYLOADS: [&str; 8] =
        ["ON", "OFF", "match", "lift", "", "sad", "{\"uri\":\"demo:track:abba-dancing-queen\"}", "\u{0}"];
    let faces = prop::collection::vec(prop::sample::select(&Emotion::ALL).prop_map(face), 0..3);
    let part = prop::sample::select(&[Part::Camera, Part::Models, Part::Broker, Part::Leds]);
    let message = (prop::sample::select(&NAMES), prop::sample::select(&PAYLOADS))
        .prop_map(|(name, payload)| Event::Message { topic: format!("moodbox/t/cmd/{name}"), payload: payload.into() });
    prop_oneof![
        4 => faces.prop_map(Event::Seen),
        2 => message,
        1 => Just(Event::CameraUp),
        1 => part.clone().prop_map(|p| Event::Failed(p, "broken".to_owned())),
        1 => part.prop_map(Event::Works),
        1 => Just(Event::Connected),
        1 => Just(Event::Disconnected("away".to_owned())),
        1 => Just(Event::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_happens_states_are_a_second_apart_and_deadlines_ahead(
        events in prop::collection::vec((any_event(), 0u64..3000), 1..80),
    ) {
        let mut evening = Evening::begin(Switches::default());
        let mut connected_at = Vec::new();
        for (event, pause) in events {
            evening.now += Duration::from_millis(pause);
            if matches!(event, Event::Connected) {
                connected_at.push(evening.now);
            }
            evening.tell(event);
            prop_assert!(evening.engine.next_deadline(evening.now).is_none_or(|d| d > evening.now));
        }
        let states = evening.said("state");
        for pair in states.windows(2) {
            let introduced = connected_at.iter().any(|at| (pair[0].0..=pair[1].0).contains(at));
            prop_assert!(introduced || pair[1].0 >= pair[0].0 + Duration::from_secs(1));
        }
    }
}
