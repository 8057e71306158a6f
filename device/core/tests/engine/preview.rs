//! Who may look through the camera, and for how long.

use moodbox_core::led::CameraLight;
use moodbox_core::topics::PreviewFrame;
use serde_json::json;

use super::*;

fn frame() -> PreviewFrame {
    let faces = vec![(&face(Emotion::Happy)).into()];
    PreviewFrame { jpeg: vec![0xff, 0xd8, 0xff, 0xd9], width: 640, height: 480, light: 0.5, faces }
}

fn with_broker(broker: &str) -> Evening {
    let config = Config::parse(&format!("[mqtt]\nbroker = \"{broker}\"")).unwrap();
    let mut evening = Evening::with(config, Switches::default());
    evening.tell(Event::Connected);
    evening.tell(Event::CameraUp);
    evening
}

impl Evening {
    /// Frames come for a time.
    fn film(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += FRAME;
            self.tell(Event::Pictured(frame()));
        }
    }

    fn pictures(&self) -> Vec<(Duration, Value)> {
        self.said("preview").into_iter().filter(|(_, look)| look.get("jpeg").is_some()).collect()
    }

    fn lines(&self) -> Vec<Value> {
        let lines = self.effects.iter().filter_map(|(_, effect)| match effect {
            Effect::ShowViewer(line) => Some(serde_json::from_slice(line).unwrap()),
            _ => None,
        });
        lines.collect()
    }

    fn blinks(&self) -> bool {
        self.effects.iter().rev().find_map(|(_, effect)| match effect {
            Effect::Light(pattern) => Some(pattern.camera == CameraLight::Blinks),
            _ => None,
        }) == Some(true)
    }
}

#[test]
fn a_frame_says_what_is_in_it() {
    let mut evening = with_broker("mqtts://home");
    assert_eq!(evening.request("preview.start", ""), Ok(json!({ "seconds": 120 })));
    evening.film(FRAME);
    insta::assert_json_snapshot!(evening.last("preview"));
}

#[test]
fn nobody_looks_over_a_way_that_others_may_read() {
    let mut evening = with_broker("mqtt://home");
    let refused = evening.request("preview.start", "").unwrap_err();
    assert_eq!(
        refused,
        "the connection to the broker is not encrypted, and pictures go over no other; use mqtts, or `moodbox aim --ssh`"
    );
    evening.film(MINUTE);
    assert!(evening.said("preview").is_empty() && !evening.blinks());
}

#[test]
fn whoever_asks_sees_two_minutes_and_the_light_shows_it() {
    let mut evening = with_broker("mqtts://home");
    evening.film(MINUTE);
    assert!(evening.pictures().is_empty(), "nobody asked");
    evening.request("preview.start", "").unwrap();
    assert!(evening.blinks());
    let again = evening.request("preview.start", "").unwrap_err();
    assert_eq!(again, "somebody looks through the camera already, for 121 s at most");
    evening.film(3 * MINUTE);
    assert_eq!(evening.pictures().len(), 599, "two minutes at five frames a second, but for the last one");
    assert_eq!(evening.last("preview"), json!({ "ended": "the two minutes are over" }));
    assert!(!evening.blinks());
    evening.request("preview.start", "").unwrap();
    assert!(evening.blinks());
}

#[test]
fn either_side_ends_it() {
    type Deed = fn(&mut Evening);
    let deeds: [(&str, Deed); 5] = [
        ("the camera gives no picture: unplugged", |evening| {
            evening.tell(Event::Failed(Part::Camera, "unplugged".to_owned()));
        }),
        ("the camera was closed", |evening| evening.tell(Event::CameraClosed)),
        ("it was asked to end", |evening| drop(evening.request("preview.stop", "").unwrap())),
        ("the camera was switched off", |evening| evening.command("camera", "OFF")),
        ("the connection has broken", |evening| {
            evening.tell(Event::Disconnected { reason: "away".to_owned(), refused: false });
            evening.tell(Event::Connected);
        }),
    ];
    for (reason, deed) in deeds {
        let mut evening = with_broker("mqtts://home");
        evening.request("preview.start", "").unwrap();
        evening.film(MINUTE);
        let before = evening.pictures().len();
        deed(&mut evening);
        evening.film(MINUTE);
        assert_eq!((evening.pictures().len(), evening.blinks()), (before, false), "{reason}");
        assert_eq!(evening.last("preview")["ended"], reason);
    }
}

#[test]
fn where_there_is_no_picture_it_is_said_at_once() {
    let told = |deed: Event| {
        let mut evening = with_broker("mqtts://home");
        evening.tell(deed);
        evening.request("preview.start", "").unwrap_err()
    };
    let command = Event::Message { topic: "moodbox/t/cmd/camera".to_owned(), payload: b"OFF".to_vec() };
    assert_eq!(told(command), "the camera is off; switch it on first");
    assert_eq!(told(Event::CameraLock(Some("by its switch".to_owned()))), "the camera is off: by its switch");
    assert_eq!(told(Event::CameraClosed), "the camera gives no picture yet; try again");
    let failed = Event::Failed(Part::Camera, "unplugged".to_owned());
    assert_eq!(told(failed), "the camera gives no picture: unplugged");
}

#[test]
fn who_is_on_the_box_looks_through_the_socket_whatever_the_broker() {
    let mut evening = with_broker("mqtt://home");
    evening.tell(Event::Viewer(true));
    assert!(evening.blinks());
    evening.film(MINUTE);
    assert_eq!(evening.lines().len(), 300);
    assert!(evening.said("preview").is_empty(), "nothing goes to the broker");
    // A broker that comes and goes is none of its business.
    evening.tell(Event::Disconnected { reason: "away".to_owned(), refused: false });
    assert!(evening.blinks());
    evening.tell(Event::Viewer(false));
    assert!(!evening.blinks());
    assert!(evening.effects.iter().any(|(_, effect)| *effect == Effect::DismissViewer));
    evening.command("camera", "OFF");
    evening.tell(Event::Viewer(true));
    assert_eq!(evening.lines().pop(), Some(json!({ "ended": "the camera is off; switch it on first" })));
    assert!(!evening.blinks());
}

#[test]
fn far_faces_are_looked_for_meanwhile_and_are_nobody() {
    let smallest = |evening: &Evening| {
        evening.effects.iter().rev().find_map(|(_, effect)| match effect {
            Effect::Vision(settings) => Some(settings.min_face_px.0),
            _ => None,
        })
    };
    let mut evening = with_broker("mqtts://home");
    evening.request("preview.start", "").unwrap();
    assert_eq!(smallest(&evening), Some(24));
    evening.command("min_face", "50");
    assert_eq!(smallest(&evening), Some(24), "what is set meanwhile waits");
    let far = SeenFace {
        face: Face { bbox: BBox { x: 9.0, y: 9.0, w: 30.0, h: 34.0 }, ..face(Emotion::Happy).face },
        ..face(Emotion::Happy)
    };
    evening.watch(&[far], MINUTE);
    assert_eq!(evening.last("state")["presence"], false);
    evening.watch(&[far, face(Emotion::Happy)], Duration::from_secs(5));
    assert_eq!(evening.last("state")["faces"], 1);
    evening.request("preview.stop", "").unwrap();
    assert_eq!(smallest(&evening), Some(50));
}

/// What may happen around a preview.
fn around() -> impl Strategy<Value = (Event, u64)> {
    let ask = |name: &str, transaction: u32| Event::Message {
        topic: format!("moodbox/t/request/{name}"),
        payload: format!("{{\"transaction\":\"{transaction}\"}}").into(),
    };
    let event = prop_oneof![
        6 => Just(Event::Pictured(frame())),
        2 => any::<u32>().prop_map(move |transaction| ask("preview.start", transaction)),
        1 => any::<u32>().prop_map(move |transaction| ask("preview.stop", transaction)),
        1 => any::<bool>().prop_map(Event::Viewer),
        2 => any_event(),
    ];
    (event, 0u64..20_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_picture_goes_anywhere_while_the_light_does_not_blink(
        private: bool,
        events in prop::collection::vec(around(), 1..80),
    ) {
        let mut evening = with_broker(if private { "mqtts://home" } else { "mqtt://home" });
        let (mut blinks, mut ends) = (evening.blinks(), Duration::ZERO);
        for (event, pause) in events {
            evening.now += Duration::from_millis(pause);
            let before = evening.effects.len();
            evening.tell(event);
            let is_picture = |bytes: &[u8]| bytes.windows(6).any(|w| w == b"\"jpeg\"");
            for (at, effect) in &evening.effects[before..] {
                match effect {
                    Effect::Preview(true) => ends = *at + 2 * MINUTE,
                    Effect::Light(pattern) => blinks = pattern.camera == CameraLight::Blinks,
                    Effect::Publish(p) if is_picture(&p.payload) => {
                        prop_assert!(private && blinks && *at < ends && !p.retain && p.topic == "moodbox/t/preview");
                    }
                    Effect::ShowViewer(line) if is_picture(line) => prop_assert!(blinks && *at < ends),
                    _ => {}
                }
            }
        }
    }
}
