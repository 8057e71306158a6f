//! From birth to the end, and through what happens to the broker and to Home Assistant.

use moodbox_tests::listener::Listener;
use moodbox_tests::programs::recording;
use serde_json::json;

use super::{Home, smile};

const DISCOVERY: &str = "homeassistant/device/moodbox_test/config";

/// Everything that must be there for somebody who comes later, whenever the box is there.
const KEPT: [&str; 9] = [
    "moodbox/test/availability",
    "moodbox/test/state",
    "moodbox/test/confidence",
    "moodbox/test/recommendation",
    "moodbox/test/now",
    "moodbox/test/diagnostics",
    "moodbox/test/settings",
    "moodbox/test/card",
    DISCOVERY,
];

/// Waits until the box has said all that it says.
fn everything(listener: &mut Listener) {
    for topic in KEPT {
        listener.next(topic);
    }
}

#[test]
fn a_box_is_there_from_its_first_second() {
    let mut home = Home::with_a_smile();
    assert_eq!(home.listener.next("/availability").text, "online");
    let discovery = home.listener.next(DISCOVERY).json();
    assert_eq!(discovery["availability_topic"], "moodbox/test/availability");
    assert!(discovery["cmps"].as_object().unwrap().len() >= 45, "{discovery}");
    let first = home.listener.next("/state").json();
    assert_eq!((&first["mood"], &first["schema"]), (&json!("absent"), &json!(1)));
    home.listener.until("/state", |state| state.json()["mood"] == "happy");
}

#[test]
fn who_comes_later_finds_everything_and_no_old_news() {
    let mut home = Home::with_a_smile();
    everything(&mut home.listener);
    home.listener.until("/event", |event| event.json()["event_type"] == "presence");
    let mut late = Listener::on(home.broker.port());
    let mut kept: Vec<_> = KEPT.iter().map(|topic| late.next(topic)).filter(|m| m.retained).map(|m| m.topic).collect();
    kept.sort();
    let mut expected = KEPT;
    expected.sort_unstable();
    assert_eq!(kept, expected);
    // What the broker has kept comes before what it is told now.
    late.publish("end", "", false);
    let retained = late.all_until(|message| message.topic == "end");
    assert!(retained.iter().all(|message| !message.retained), "{retained:#?}");
}

#[test]
fn a_box_that_dies_is_offline() {
    let mut home = Home::with_a_smile();
    assert_eq!(home.listener.next("/availability").text, "online");
    home.daemon.signal("KILL");
    home.listener.until("/availability", |message| message.text == "offline");
    assert_eq!(Listener::on(home.broker.port()).next("/availability").text, "offline");
}

#[test]
fn a_box_that_is_asked_to_stop_says_goodbye() {
    for signal in ["TERM", "INT"] {
        let mut home = Home::with_a_smile();
        assert_eq!(home.listener.next("/availability").text, "online");
        home.daemon.signal(signal);
        let (status, log) = home.daemon.ended();
        assert_eq!(status.code(), Some(0), "{signal}: {log:#?}");
        home.listener.until("/availability", |message| message.text == "offline");
        // Nothing is sent after the goodbye, the will neither.
        home.listener.publish("end", "", false);
        let rest = home.listener.all_until(|message| message.topic == "end");
        assert!(!rest.iter().any(|message| message.topic.ends_with("/availability")), "{rest:#?}");
    }
}

#[test]
fn a_recording_that_ends_ends_the_box() {
    let source = format!("replay:{}", recording().display());
    let mut home = Home::with(&source, "fps = 60\nrepeat = false");
    let (status, log) = home.daemon.ended();
    assert_eq!(status.code(), Some(0), "{log:#?}");
    home.listener.until("/availability", |message| message.text == "offline");
}

#[test]
fn a_broker_that_restarts_is_told_everything_again() {
    let mut home = Home::with_a_smile();
    everything(&mut home.listener);
    home.broker.kill();
    home.daemon.says("next attempt");
    home.broker.restart();
    everything(&mut Listener::on(home.broker.port()));
    let state = Listener::on(home.broker.port()).until("/state", |state| state.json()["mood"] == "happy").json();
    assert_eq!(state["presence"], true);
}

#[test]
fn home_assistant_is_told_everything_when_it_has_started() {
    let mut home = Home::with_a_smile();
    everything(&mut home.listener);
    home.listener.publish("homeassistant/status", "offline", false);
    home.listener.publish("homeassistant/status", "online", true);
    everything(&mut home.listener);
}

#[test]
fn retained_commands_are_none() {
    let mut home = Home::prepared(&smile(), "", |before| {
        before.listener.publish("moodbox/test/cmd/camera", "OFF", true);
    });
    home.listener.until("/state", |state| state.json()["camera"] == "on");
    home.listener.publish("moodbox/test/cmd/policy", "lift", true);
    home.daemon.says("ignored a retained message on \"moodbox/test/cmd/policy\"");
    let told = home.listener.next("/response/policy").json();
    assert_eq!(told["error"], "retained messages are ignored; send it without the retain flag");
    home.command("leds", "OFF");
    let state = home.listener.until("/state", |state| state.json()["leds"] == "off").json();
    assert_eq!((&state["camera"], &state["policy"]), (&json!("on"), &json!("match")));
}
