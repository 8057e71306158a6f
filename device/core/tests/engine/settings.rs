//! What is set while the box runs, and what the box shows of it.

use std::collections::BTreeMap;

use moodbox_core::config::Labels;
use moodbox_core::led::{LedPattern, TestLight};
use moodbox_core::topics::Diagnostics;
use serde_json::json;

use super::*;

impl Evening {
    fn lights(&self) -> Vec<LedPattern> {
        let lights = self.effects.iter().filter_map(|(_, effect)| match effect {
            Effect::Light(pattern) => Some(*pattern),
            _ => None,
        });
        lights.collect()
    }

    /// The disk has kept everything, or nothing.
    pub(super) fn disk(&mut self, outcome: &Result<(), String>) {
        let asked: Vec<_> = std::mem::take(&mut self.effects);
        for (at, effect) in asked {
            if let Effect::KeepOverrides(_, asker) = &effect {
                self.tell(Event::Kept(asker.clone(), outcome.clone()));
            }
            self.effects.push((at, effect));
        }
    }

    fn cards(&self) -> Vec<(Duration, String)> {
        let cards = self.effects.iter().filter_map(|(at, effect)| match effect {
            Effect::Publish(p) if p.topic == "moodbox/t/card" => {
                Some((*at, String::from_utf8_lossy(&p.payload).into()))
            }
            _ => None,
        });
        cards.collect()
    }
}

#[test]
fn the_hold_time_counts_at_once() {
    let mut evening = happy_evening();
    evening.command("hold_time", "40");
    evening.tell(Event::Seen(vec![], VGA));
    assert_eq!(evening.last("settings")["hold_time"], 40.0);
    // Within the hold nothing fades.
    let before = evening.engine.room(evening.now).confidence;
    evening.wait(Duration::from_secs(39));
    assert!((evening.engine.room(evening.now).confidence - before).abs() < 1e-6);
    evening.wait(Duration::from_secs(20));
    assert!(evening.engine.room(evening.now).confidence < before - 0.05);
}

#[test]
fn brightness_and_vision_follow_at_once() {
    let mut evening = happy_evening();
    evening.command("brightness", "30");
    assert!((evening.lights().last().unwrap().brightness - 0.3).abs() < 1e-6);
    evening.command("min_face", "40");
    evening.command("analysis_rate", "12");
    let vision = evening.effects.iter().rev().find_map(|(_, effect)| match effect {
        Effect::Vision(vision) => Some(vision.clone()),
        _ => None,
    });
    let vision = vision.unwrap();
    assert_eq!((vision.min_face_px.0, vision.fps.0), (40, 12));
}

#[test]
fn leds_are_tested_one_by_one_and_then_go_on() {
    let mut evening = Evening::begin(Switches { leds: false, ..Switches::default() });
    evening.wait(Duration::from_secs(1));
    let begun = evening.lights().len();
    evening.command("led_test", "");
    evening.wait(Duration::from_secs(5));
    let shown: Vec<_> = evening.lights()[begun..].iter().map(|light| light.test).collect();
    let expected: Vec<_> = TestLight::STEPS.into_iter().map(Some).chain([None]).collect();
    assert_eq!(shown, expected);
}

#[test]
fn a_request_is_answered_when_what_it_set_is_kept() {
    let mut evening = Evening::begin(Switches::default());
    evening.tell(Event::Connected);
    let topic = || "moodbox/t/request/config.set".to_owned();
    let ask = |transaction: &str| {
        let payload = json!({ "transaction": transaction, "set": { "mood.hold_s": 20, "leds.red": 5 } }).to_string();
        Event::Message { topic: topic(), payload: payload.into() }
    };
    evening.tell(ask("a"));
    assert_eq!(evening.last("response/config.set"), Value::Null);
    evening.disk(&Ok(()));
    let answer = evening.last("response/config.set");
    let data = json!({ "set": { "mood.hold_s": 20, "leds.red": 5 }, "after_restart": ["leds.red"], "trial_s": 60.0 });
    assert_eq!(answer, json!({ "transaction": "a", "status": "ok", "data": data }));
    evening.effects.clear();
    evening.tell(ask("b"));
    evening.disk(&Err("the disk is full".to_owned()));
    let answer = evening.last("response/config.set");
    assert_eq!(answer["error"], "it counts until the next start only: the disk is full");
}

#[test]
fn other_labels_wait_for_a_restart() {
    let mut evening = happy_evening();
    let labels = |evening: &Evening| {
        let of = |(_, effect): &(Duration, Effect)| match effect {
            Effect::Vision(settings) => Some((settings.labels, settings.min_face_px.0)),
            _ => None,
        };
        evening.effects.iter().rev().find_map(of).unwrap()
    };
    let set = evening.request_later("config.set", ",\"set\":{\"vision.labels\":\"ferplus\",\"vision.min_face_px\":80}");
    assert_eq!(set, Value::Null);
    assert_eq!(labels(&evening), (Labels::Fer2013, 80));
    evening.disk(&Ok(()));
    let answer = evening.last("response/config.set");
    assert_eq!(answer["data"]["after_restart"], json!(["vision.labels"]), "{answer}");
    evening.command("min_face", "90");
    assert_eq!(labels(&evening), (Labels::Fer2013, 90));
}

#[test]
fn a_new_policy_from_afar_makes_a_new_list() {
    let mut evening = happy_evening();
    let set = evening.request_later("config.set", ",\"set\":{\"music.policy\":\"soothe\",\"music.list_length\":3}");
    assert_eq!(set, Value::Null);
    let list = evening.last("recommendation");
    assert_eq!((&list["policy"], list["tracks"].as_array().unwrap().len()), (&json!("soothe"), 3));
}

impl Evening {
    /// Asks something that the disk answers.
    fn request_later(&mut self, name: &str, fields: &str) -> Value {
        let payload = format!("{{\"transaction\":\"later\"{fields}}}");
        self.tell(Event::Message { topic: format!("moodbox/t/request/{name}"), payload: payload.into() });
        self.last(&format!("response/{name}"))
    }
}

#[test]
fn a_retained_message_is_refused_and_not_done() {
    let mut evening = happy_evening();
    evening.tell(Event::Retained { topic: "moodbox/t/cmd/camera".to_owned() });
    assert!(evening.last("response/camera")["error"].as_str().unwrap().starts_with("retained messages are ignored"));
    assert_eq!(evening.last("state")["camera"], "on");
}

#[test]
fn a_still_room_has_few_cards_and_a_moving_one_two_a_minute() {
    let mut evening = happy_evening();
    let begun = evening.cards().len();
    assert!((1..=4).contains(&begun), "{begun}");
    evening.watch(&[face(Emotion::Happy)], 10 * MINUTE);
    assert!(evening.cards().len() <= begun + 1, "{}", evening.cards().len());
    for _ in 0..10 {
        evening.watch(&[face(Emotion::Angry)], MINUTE / 2);
        evening.watch(&[face(Emotion::Happy)], MINUTE / 2);
    }
    let times: Vec<_> = evening.cards().iter().map(|(at, _)| *at).collect();
    assert!(times.windows(2).all(|pair| pair[1] >= pair[0] + Duration::from_secs(30)), "{times:?}");
    assert!(times.len() > begun + 3, "{times:?}");
    let (_, card) = evening.cards().pop().unwrap();
    assert!(card.contains("</svg>") && card.contains("10. "), "{card}");
}

#[test]
fn a_hot_machine_analyses_half_as_many_frames_until_it_has_cooled_down() {
    let mut evening = Evening::begin(Switches::default());
    let figures = |temperature_c, throttled| Diagnostics {
        fps: 5.0,
        frame_ms_p50: 60.0,
        frame_ms_p95: 80.0,
        inferences: 0,
        dropped: 0,
        corrupt: 0,
        light: None,
        rss_mb: 23.0,
        temperature_c,
        throttled,
        uptime_s: 60,
        version: String::new(),
        models: BTreeMap::new(),
    };
    for (temperature, throttled, rates) in [
        (Some(60.0), Some(false), None),
        (Some(81.0), Some(false), Some((2, 1))),
        (Some(77.0), Some(false), None),
        (Some(74.0), Some(false), Some((5, 2))),
        (Some(50.0), Some(true), Some((2, 1))),
        (None, None, Some((5, 2))),
    ] {
        let before = evening.effects.len();
        evening.tell(Event::Measured(figures(temperature, throttled)));
        let now = evening.effects[before..].iter().map(|(_, effect)| effect);
        let vision = now.clone().find_map(|effect| match effect {
            Effect::Vision(vision) => Some((vision.fps.0, vision.idle_fps.0)),
            _ => None,
        });
        assert_eq!(vision, rates, "{temperature:?} {throttled:?}");
        assert_eq!(
            now.clone().any(|effect| matches!(effect, Effect::Warn(_))),
            rates.is_some(),
            "said when it changes"
        );
    }
}
