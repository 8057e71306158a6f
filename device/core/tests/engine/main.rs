//! The whole box as rules: an evening replays in milliseconds.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that is surprised fails")]

mod calibration;
mod history;
mod preview;
mod settings;
mod songs;
mod trial;
mod watching;

use std::time::Duration;

use moodbox_core::config::{Config, Configuration, Labels};
use moodbox_core::emotion::{Emotion, Probabilities};
use moodbox_core::engine::{Effect, Engine, Event, Part, Received, Setting, Stored, Switches, Trials};
use moodbox_core::face::{BBox, Face, Point, SeenFace, Size};
use moodbox_core::hass::Device;
use moodbox_core::led::Fault;
use moodbox_core::mood::Confusion;
use moodbox_core::music::{Catalogue, Memory};
use moodbox_core::personal::Evidence;
use moodbox_core::topics::{Command, Topics};
use proptest::prelude::*;
use serde_json::{Value, json};

const FRAME: Duration = Duration::from_millis(200);

struct Evening {
    engine: Engine,
    requests: u32,
    now: Duration,
    effects: Vec<(Duration, Effect)>,
}

impl Evening {
    fn begin(switches: Switches) -> Self {
        Self::with(Config::default(), switches)
    }

    fn with(config: Config, switches: Switches) -> Self {
        Self::begin_with(config.into(), switches, Trials::default())
    }

    fn begin_with(config: Configuration, switches: Switches, trials: Trials) -> Self {
        let setting = Setting {
            config,
            topics: Topics::new("moodbox", "homeassistant", "t"),
            device: Device { version: "0".to_owned(), model: "test".to_owned() },
            confusion: Confusion::default(),
            catalogue: Catalogue::demo(),
            memory: Memory::default(),
            started: Duration::from_secs(1_790_000_000),
            switches,
            trials,
            evidence: Evidence::default(),
            seed: 1,
        };
        let (engine, first) = Engine::new(setting, Duration::ZERO);
        let effects = first.into_iter().map(|e| (Duration::ZERO, e)).collect();
        Self { engine, requests: 0, now: Duration::ZERO, effects }
    }

    fn tell(&mut self, event: Event) {
        let effects = self.engine.on(event, self.now);
        self.effects.extend(effects.into_iter().map(|e| (self.now, e)));
    }

    fn ask(&mut self, name: &str, fields: &str) {
        self.requests += 1;
        let payload = format!("{{\"transaction\":\"t{}\"{fields}}}", self.requests);
        self.tell(Event::Message { topic: format!("moodbox/t/request/{name}"), payload: payload.into() });
    }

    /// Asks, and gives back the answer's data or error.
    fn request(&mut self, name: &str, fields: &str) -> Result<Value, String> {
        self.ask(name, fields);
        self.answer(name)
    }

    fn answer(&self, name: &str) -> Result<Value, String> {
        let answer = self.last(&format!("response/{name}"));
        assert_eq!(answer["transaction"], format!("t{}", self.requests));
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["data"].clone()),
        }
    }

    fn command(&mut self, name: &str, payload: &str) {
        self.tell(Event::Message { topic: format!("moodbox/t/cmd/{name}"), payload: payload.into() });
    }

    /// Frames for a time, and the ticks in between.
    fn watch(&mut self, faces: &[SeenFace], time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += FRAME;
            self.tell(Event::Seen(faces.to_vec(), VGA));
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
    let face = Face { bbox, score: 0.99, landmarks };
    SeenFace { face, emotions, sharp: true, fresh: true, track: None }
}

const VGA: Size = Size { width: 640, height: 480 };

const MINUTE: Duration = Duration::from_secs(60);

fn happy_evening() -> Evening {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    evening.tell(Event::CameraUp);
    evening.watch(&[face(Emotion::Happy)], MINUTE);
    evening
}

#[test]
fn the_light_tells_a_broker_that_is_away_from_one_that_refuses_the_box() {
    let mut evening = Evening::begin(Switches::default());
    let mut fault_after = |event| {
        evening.tell(event);
        evening.effects.iter().rev().find_map(|(_, effect)| match effect {
            Effect::Light(pattern) => Some(pattern.fault),
            _ => None,
        })
    };
    let lost = |refused| Event::Disconnected { reason: format!("refused: {refused}"), refused };
    assert_eq!(fault_after(lost(false)), Some(Some(Fault::Broker)));
    assert_eq!(fault_after(lost(true)), Some(Some(Fault::Refused)));
    assert_eq!(fault_after(lost(false)), Some(Some(Fault::Broker)));
    assert_eq!(fault_after(lost(true)), Some(Some(Fault::Refused)));
    assert_eq!(fault_after(Event::Connected), Some(None));
}

#[test]
fn a_problem_is_told_once_and_known_as_it_is_now() {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    for reason in ["another program uses it", "it is unplugged"] {
        evening.tell(Event::Failed(Part::Camera, reason.to_owned()));
    }
    assert_eq!(evening.said("event").len(), 1);
    let told = evening.request("diagnose", "").unwrap();
    assert_eq!(told["problems"], json!([{ "part": "camera", "message": "it is unplugged" }]));
    evening.wait(Duration::from_secs(2));
    assert_eq!(evening.last("state")["camera_reason"], "it is unplugged");
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
    assert_eq!(state.get("presence_unknown"), None);
    assert_eq!(told_of_presence(&evening), [true, false]);
}

fn told_of_presence(evening: &Evening) -> Vec<bool> {
    let events = evening.said("event").into_iter();
    events.filter_map(|(_, event)| event["presence"].as_bool()).collect()
}

#[test]
fn a_room_that_is_not_looked_at_is_not_called_empty() {
    let mut evening = happy_evening();
    evening.command("camera", "OFF");
    evening.tell(Event::CameraClosed);
    evening.wait(3 * MINUTE);
    let state = evening.last("state");
    assert_eq!((&state["mood"], &state["presence"]), (&"absent".into(), &false.into()));
    assert_eq!((&state["presence_unknown"], told_of_presence(&evening)), (&true.into(), vec![true]));
    // Nor is one that has only just been looked at.
    evening.command("camera", "ON");
    evening.tell(Event::CameraUp);
    evening.watch(&[], FRAME);
    evening.wait(MINUTE);
    assert_eq!((&evening.last("state")["presence_unknown"], told_of_presence(&evening)), (&true.into(), vec![true]));
    evening.wait(2 * MINUTE);
    assert_eq!(evening.last("state").get("presence_unknown"), None);
    assert_eq!(told_of_presence(&evening), [true, false]);
}

#[test]
fn a_room_is_not_called_empty_by_who_cannot_see() {
    for blind in [Event::Failed(Part::Models, "damaged".to_owned()), Event::Failed(Part::Camera, "EPROTO".to_owned())] {
        let mut evening = happy_evening();
        let of_the_camera = matches!(blind, Event::Failed(Part::Camera, _));
        evening.tell(blind);
        assert_eq!(evening.engine.expression(), None);
        evening.wait(3 * MINUTE);
        assert_eq!(
            (&evening.last("state")["presence_unknown"], told_of_presence(&evening)),
            (&true.into(), vec![true])
        );
        if of_the_camera {
            // No frame of it can be decoded.
            evening.tell(Event::CameraUp);
            evening.wait(3 * MINUTE);
            assert_eq!(told_of_presence(&evening), [true]);
        }
        evening.watch(&[], FRAME);
        assert_eq!(told_of_presence(&evening), [true]);
        evening.wait(3 * MINUTE);
        assert_eq!(told_of_presence(&evening), [true, false]);
    }
}

#[test]
fn an_empty_room_stays_so_when_it_takes_longer_to_be_called_that() {
    let mut evening = happy_evening();
    evening.watch(&[], 5 * MINUTE);
    evening.ask("config.set", r#","set":{"mood.absent_s":3600}"#);
    assert_eq!(evening.engine.config().mood.absent_s.duration(), 60 * MINUTE);
    evening.watch(&[], MINUTE);
    assert_eq!((&evening.last("state")["presence"], told_of_presence(&evening)), (&false.into(), vec![true, false]));
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
fn a_room_that_is_hard_to_read_begins_in_the_middle() {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::CameraUp);
    evening.tell(Event::Connected);
    let unclear = SeenFace { emotions: Probabilities::UNIFORM, ..face(Emotion::Neutral) };
    evening.watch(&[unclear], Duration::from_secs(2));
    let list = evening.last("recommendation");
    assert_eq!(evening.last("state")["unsure"], true);
    let mean = |key: &str| {
        let tracks = list["tracks"].as_array().unwrap();
        tracks.iter().map(|track| track[key].as_f64().unwrap()).sum::<f64>() / tracks.len() as f64
    };
    assert!(mean("valence").abs() < 0.25 && mean("arousal").abs() < 0.35, "{list}");
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
fn the_switch_on_the_box_is_above_every_command() {
    let mut evening = happy_evening();
    evening.tell(Event::CameraLock(Some("the switch on the box is off".to_owned())));
    evening.tell(Event::CameraClosed);
    evening.wait(Duration::from_secs(2));
    let state = evening.last("state");
    assert_eq!((&state["camera"], &state["faces"]), (&"off".into(), &0.into()));
    assert_eq!(state["camera_reason"], "the switch on the box is off");
    let before = evening.effects.len();
    evening.command("camera", "ON");
    let refusal = "the camera stays off: the switch on the box is off";
    assert_eq!(evening.last("response/camera")["error"], refusal);
    assert!(!evening.effects[before..].iter().any(|(_, e)| matches!(e, Effect::Camera(_) | Effect::Keep(_))));
    evening.tell(Event::CameraLock(None));
    evening.wait(Duration::from_secs(2));
    assert_eq!(evening.last("state")["camera"], "unavailable");
    evening.tell(Event::CameraUp);
    evening.wait(Duration::from_secs(2));
    let state = evening.last("state");
    assert_eq!((&state["camera"], state.get("camera_reason")), (&"on".into(), None));
}

#[test]
fn a_camera_that_fails_says_why_in_the_state() {
    let mut evening = happy_evening();
    evening.tell(Event::Failed(Part::Camera, "it was unplugged".to_owned()));
    evening.wait(Duration::from_secs(2));
    let state = evening.last("state");
    assert_eq!((&state["camera"], &state["camera_reason"]), (&"unavailable".into(), &"it was unplugged".into()));
    evening.command("camera", "OFF");
    evening.wait(Duration::from_secs(2));
    let state = evening.last("state");
    assert_eq!((&state["camera"], state.get("camera_reason")), (&"off".into(), None));
}

#[test]
fn a_camera_that_was_off_stays_off() {
    let evening = Evening::begin(Switches { camera: false, ..Switches::default() });
    assert_eq!(evening.effects[0].1, Effect::Camera(false));
}

#[test]
fn home_assistant_hears_it_again_but_not_at_once_and_so_does_who_may_have_missed_something() {
    let birth = Event::Message { topic: "homeassistant/status".to_owned(), payload: b"online".to_vec() };
    for reason in [birth, Event::Unsaid] {
        let mut evening = happy_evening();
        let before = evening.said("now").len();
        let states = evening.said("state").len();
        let asked = evening.now;
        evening.tell(reason);
        assert_eq!(evening.said("now").len(), before);
        evening.wait(Duration::from_secs(11));
        let (again, _) = evening.said("now").pop().unwrap();
        assert_eq!(evening.said("now").len(), before + 1);
        assert!(evening.said("state").len() > states);
        assert!((asked + Duration::from_secs(1)..=asked + Duration::from_secs(10)).contains(&again));
    }
}

fn tracks(list: &Value) -> Vec<String> {
    list["tracks"].as_array().unwrap().iter().map(|track| track["uri"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_lift_climbs_from_song_to_song() {
    let lifted = |mut evening: Evening, songs: usize| {
        evening.command("policy", "lift");
        (0..songs).for_each(|_| evening.command("next", ""));
        let first = evening.last("recommendation")["tracks"][0].clone();
        (first["valence"].as_f64().unwrap(), first["why"].as_str().unwrap().to_owned())
    };
    let sad_evening = || {
        let mut evening = Evening::begin(Switches::default());
        evening.tell(Event::Connected);
        evening.tell(Event::CameraUp);
        evening.watch(&[face(Emotion::Sad)], MINUTE);
        evening
    };
    let (at_first, why) = lifted(sad_evening(), 0);
    assert!(at_first < 0.0 && why.ends_with("where the mood is now"), "{at_first} {why}");
    let (at_last, why) = lifted(sad_evening(), 6);
    assert!(at_last > 0.3, "{at_last} {why}");
}

#[test]
fn a_camera_that_was_switched_off_while_it_was_waited_for_has_not_failed() {
    let mut evening = happy_evening();
    evening.command("camera", "OFF");
    evening.tell(Event::Failed(Part::Camera, "no frame within 3 s".to_owned()));
    assert_eq!(evening.request("diagnose", "").unwrap()["problems"], json!([]));
    evening.wait(Duration::from_secs(2));
    assert_eq!(evening.last("state")["camera"], "off");
}

#[test]
fn what_listeners_do_is_remembered_over_a_restart() {
    let mut evening = happy_evening();
    let first = tracks(&evening.last("recommendation"))[0].clone();
    evening.command("next", "");
    evening.command("like", "");
    evening.command("skip", "");
    evening.command("correct", "sad");
    let deeds: Vec<_> = evening
        .effects
        .iter()
        .filter_map(|(_, effect)| match effect {
            Effect::Remember(feedback) => Some(feedback.clone()),
            _ => None,
        })
        .collect();
    let log: String = deeds.iter().map(moodbox_core::music::Feedback::line).collect();
    let what: Vec<_> = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["what"].clone()).collect();
    assert_eq!(what, ["played", "liked", "skipped", "played", "corrected"]);
    let (memory, damaged) = Memory::read(log.as_bytes());
    let standing = memory.standing(&first);
    assert_eq!((standing.up, standing.down, damaged), (1, 0, 0));
    assert!(standing.played.is_some_and(|at| at >= 1_790_000_000));
}

/// Anything that can happen.
fn any_event() -> impl Strategy<Value = Event> {
    const PAYLOADS: [&str; 10] =
        ["ON", "OFF", "match", "lift", "", "sad", "{\"uri\":\"demo:track:abba-dancing-queen\"}", "\u{0}", "30", "0.5"];
    let names = Command::NAMES.into_iter().chain(["x"]).collect::<Vec<_>>();
    let faces = prop::collection::vec(prop::sample::select(&Emotion::ALL).prop_map(face), 0..3);
    let part = prop::sample::select(&[Part::Camera, Part::Models, Part::Broker, Part::Leds]);
    let message = (prop::sample::select(names), prop::sample::select(&PAYLOADS))
        .prop_map(|(name, payload)| Event::Message { topic: format!("moodbox/t/cmd/{name}"), payload: payload.into() });
    prop_oneof![
        4 => faces.prop_map(|faces| Event::Seen(faces, VGA)),
        2 => message,
        1 => Just(Event::CameraUp),
        1 => part.clone().prop_map(|p| Event::Failed(p, "broken".to_owned())),
        1 => part.prop_map(Event::Works),
        1 => Just(Event::Connected),
        1 => Just(Event::Disconnected { reason: "away".to_owned(), refused: false }),
        1 => Just(Event::Retained { topic: "moodbox/t/cmd/next".to_owned() }),
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
