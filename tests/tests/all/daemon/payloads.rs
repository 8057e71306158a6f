//! Every topic of the contract, with the payload that others rely on, from one pass through the recording.

use std::collections::BTreeSet;

use moodbox_tests::listener::Message;
use moodbox_tests::programs::recording;
use serde_json::Value;

use super::Home;

const TRACK: &str = "uri title artist album genre valence arousal score why";

fn assert_keys(value: &Value, keys: &str) {
    let found: BTreeSet<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(found, keys.split(' ').collect(), "{value}");
}

fn assert_within(value: &Value, lowest: f64, highest: f64) {
    let number = value.as_f64().unwrap_or(f64::NAN);
    assert!((lowest..=highest).contains(&number), "{value} is not in {lowest}..{highest}");
}

fn assert_track(track: &Value) {
    assert_keys(track, TRACK);
    assert_within(&track["valence"], -1.0, 1.0);
    assert_within(&track["arousal"], -1.0, 1.0);
    for text in ["uri", "title", "artist", "why"] {
        assert_ne!(track[text], "", "{track}");
    }
}

fn assert_event(event: &Value) {
    match event["event_type"].as_str().unwrap() {
        "mood_changed" | "recommended" => assert_keys(event, "event_type mood title artist album uri"),
        "presence" => assert_keys(event, "event_type presence"),
        other => panic!("{other} in an evening without commands and faults"),
    }
}

fn assert_recommendation(recommendation: &Value) {
    assert_keys(recommendation, "id mood policy reason tracks");
    let tracks = recommendation["tracks"].as_array().unwrap();
    assert_eq!(tracks.len(), 10);
    tracks.iter().for_each(assert_track);
    let uris: BTreeSet<_> = tracks.iter().map(|track| track["uri"].as_str()).collect();
    assert_eq!(uris.len(), 10);
}

fn assert_state(state: &Value) {
    let always = "mood unsure expression faces presence valence arousal policy camera leds schema";
    match state.get("presence_unknown") {
        None => assert_keys(state, always),
        // Until somebody is seen.
        Some(unknown) => {
            assert_keys(state, &format!("{always} presence_unknown"));
            assert_eq!((unknown, &state["presence"]), (&true.into(), &false.into()));
        }
    }
    let emotions = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"];
    let mood = state["mood"].as_str().unwrap();
    assert!(emotions.contains(&mood) || ["mixed", "absent"].contains(&mood), "{state}");
    assert!(state["expression"].as_str().is_none_or(|e| emotions.contains(&e)), "{state}");
    assert!(["match", "lift", "soothe"].contains(&state["policy"].as_str().unwrap()), "{state}");
    assert!(["on", "unavailable"].contains(&state["camera"].as_str().unwrap()), "{state}");
    assert!(state["unsure"].is_boolean() && state["presence"].is_boolean() && state["faces"].is_u64(), "{state}");
    assert_within(&state["valence"], -1.0, 1.0);
    assert_within(&state["arousal"], -1.0, 1.0);
    assert_eq!(state["schema"], 1);
}

fn assert_diagnostics(diagnostics: &Value) {
    assert_keys(
        diagnostics,
        "fps frame_ms_p50 frame_ms_p95 inferences dropped corrupt light rss_mb temperature_c throttled uptime_s version models",
    );
    assert_within(&diagnostics["rss_mb"], 1.0, 1000.0);
    assert_eq!(diagnostics["models"]["set"].as_str().unwrap().len(), 8);
}

#[test]
fn an_evening_says_what_the_contract_promises() {
    let source = format!("replay:{}", recording().display());
    let mut home = Home::with(&source, "fps = 0\nrepeat = false");
    let evening = home.listener.all_until(|message| message.text == "offline");
    let on = |last: &str| -> Vec<&Message> { evening.iter().filter(|m| m.topic.ends_with(last)).collect() };

    let topics: BTreeSet<_> = evening.iter().map(|message| message.topic.as_str()).collect();
    let expected =
        ["availability", "card", "confidence", "diagnostics", "event", "now", "recommendation", "settings", "state"];
    let mut expected: BTreeSet<_> = expected.iter().map(|last| format!("moodbox/test/{last}")).collect();
    expected.insert("homeassistant/device/moodbox_test/config".to_owned());
    assert_eq!(topics, expected.iter().map(String::as_str).collect());

    for message in &evening {
        match message.topic.rsplit('/').next().unwrap() {
            "state" => assert_state(&message.json()),
            "event" => assert_event(&message.json()),
            "recommendation" => assert_recommendation(&message.json()),
            "diagnostics" => assert_diagnostics(&message.json()),
            "confidence" => assert_within(&message.json(), 0.0, 100.0),
            "settings" => assert_keys(&message.json(), "hold_time min_face brightness analysis_rate"),
            "card" => assert!(message.text.starts_with("<svg ") && message.text.len() < 16 * 1024, "{}", message.text),
            "now" => assert_eq!(message.text, "{}"),
            _ => {}
        }
    }

    let moods: Vec<_> =
        on("/event").into_iter().map(Message::json).filter(|e| e["event_type"] == "mood_changed").collect();
    for mood in ["happy", "angry"] {
        assert!(moods.iter().any(|event| event["mood"] == mood), "{mood} in {moods:#?}");
    }
    // Each list is announced by an event with its first track.
    let lists: Vec<_> = on("/recommendation").iter().map(|m| m.json()["tracks"][0]["uri"].clone()).collect();
    let announced = on("/event").into_iter().map(Message::json).filter(|e| e["event_type"] == "recommended");
    assert_eq!(announced.map(|event| event["uri"].clone()).collect::<Vec<_>>(), lists);
    assert!(on("/state").iter().any(|m| m.json()["faces"] == 2));
}
