use std::collections::HashSet;

use super::*;
use crate::topics::{Command, Incoming, Request};

fn topics() -> Topics {
    Topics::new("moodbox", "homeassistant", "b827eb01")
}

fn device() -> Device {
    Device { version: "0.1.0".to_owned(), model: "Raspberry Pi 4 Model B Rev 1.4".to_owned() }
}

fn payload() -> Value {
    discovery(&topics(), &device(), &Config::default())
}

#[test]
fn discovery_payload() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&payload()).unwrap());
}

#[test]
fn it_is_announced_for_the_device() {
    let publication = topics().discovery(&payload());
    assert_eq!(publication.topic, "homeassistant/device/moodbox_b827eb01/config");
    assert!(publication.retain);
}

/// The rules that Home Assistant 2026.11.0 was seen to hold to.
#[test]
fn no_mistake_that_loses_the_device() {
    let payload = payload();
    assert!(payload["o"]["name"].is_string());
    assert_eq!(payload["dev"]["ids"], json!(["moodbox_b827eb01"]));
    assert!(!payload.to_string().contains('~'));
    let mut ids = HashSet::new();
    for (name, component) in payload["cmps"].as_object().unwrap() {
        let platform = component["p"].as_str().unwrap();
        let id = component["unique_id"].as_str().unwrap();
        if platform == "device_automation" {
            assert_eq!(component.get("default_entity_id"), None, "{name}");
        } else {
            assert_eq!(component["default_entity_id"], format!("{platform}.{id}"), "{name}");
        }
        assert!(ids.insert(id.to_owned()), "{name} has the id of another");
        assert_eq!(component["device_class"] == "enum", platform == "sensor" && component.get("options").is_some());
    }
}

#[test]
fn what_home_assistant_sends_is_what_commands_take() {
    let topics = topics();
    let mut commands = HashSet::new();
    for component in payload()["cmps"].as_object().unwrap().values() {
        let Some(topic) = component["command_topic"].as_str() else { continue };
        let name = match topics.incoming(topic) {
            Some(Incoming::Command(name)) => name,
            // Its template makes a transaction of the time.
            Some(Incoming::Request(name)) => {
                assert!(Request::parse(name, br#"{"transaction":"home-assistant 1790000000.5"}"#).is_ok(), "{name}");
                continue;
            }
            other => panic!("{topic} is {other:?}"),
        };
        // The payloads that its documentation gives as defaults.
        let payloads = match component["p"].as_str().unwrap() {
            "switch" => vec!["ON".to_owned(), "OFF".to_owned()],
            "button" => vec!["PRESS".to_owned()],
            "select" => {
                component["options"].as_array().unwrap().iter().map(|o| o.as_str().unwrap().to_owned()).collect()
            }
            // Home Assistant lets nothing through but what lies between these.
            "number" => ["min", "max"].map(|bound| component[bound].to_string().replace(".0", "")).to_vec(),
            "text" => vec![json!({ "uri": "a \"quoted\" name.flac" }).to_string()],
            other => panic!("{other} sends no commands"),
        };
        for payload in payloads {
            assert!(Command::parse(name, payload.as_bytes()).is_ok(), "{name} refuses {payload}");
        }
        commands.insert(name.to_owned());
    }
    let mut known: Vec<_> = commands.into_iter().collect();
    known.sort();
    let mut names = Command::NAMES;
    names.sort_unstable();
    assert_eq!(known, names, "a command without an entity");
}

#[test]
fn what_was_dropped_is_named_by_its_platform_alone() {
    let dropped = [Dropped { name: "colour", platform: "sensor" }];
    let payload = without(&dropped, &topics(), &device(), &Config::default());
    assert_eq!(payload["cmps"]["colour"], json!({ "p": "sensor" }));
    let names: Vec<_> = DROPPED.iter().map(|dropped| dropped.name).collect();
    let present = discovery(&topics(), &device(), &Config::default());
    for (name, component) in present["cmps"].as_object().unwrap() {
        assert_ne!(component.get("unique_id").is_some(), names.contains(&name.as_str()), "{name} is here and dropped");
    }
}

#[test]
fn two_boxes_on_one_broker_share_nothing() {
    let texts = |id: &str| -> HashSet<String> {
        let payload = discovery(&Topics::new("moodbox", "homeassistant", id), &device(), &Config::default());
        let components = payload["cmps"].as_object().unwrap().values();
        let keys = ["unique_id", "default_entity_id", "state_topic", "command_topic", "image_topic", "topic"];
        let found = components.flat_map(|c| keys.iter().filter_map(|key| c[*key].as_str().map(str::to_owned)));
        found.chain([payload["dev"]["ids"][0].to_string()]).collect()
    };
    assert!(texts("a1").is_disjoint(&texts("a1_mood")));
    assert!(texts("hall").is_disjoint(&texts("hall-2")));
}

#[test]
fn a_new_name_changes_no_id() {
    let renamed = Config::parse("[device]\nname = \"Kitchen\"").unwrap();
    let (before, mut after) = (payload(), discovery(&topics(), &device(), &renamed));
    assert_eq!(after["dev"]["name"], "Kitchen");
    after["dev"]["name"] = before["dev"]["name"].clone();
    assert_eq!(after, before);
}

#[test]
fn a_room_is_suggested_where_there_is_one() {
    let placed = Config::parse("[device]\nroom = \"Kitchen\"").unwrap();
    assert_eq!(discovery(&topics(), &device(), &placed)["dev"]["suggested_area"], "Kitchen");
    assert_eq!(payload()["dev"].get("suggested_area"), None);
}

#[test]
fn ids_hold_no_hyphen_where_home_assistant_takes_none() {
    let payload = discovery(&Topics::new("moodbox", "homeassistant", "living-room"), &device(), &Config::default());
    assert_eq!(payload["cmps"]["mood"]["default_entity_id"], "sensor.moodbox_living_room_mood");
    assert_eq!(payload["cmps"]["mood"]["unique_id"], "moodbox_living-room_mood");
}

#[test]
fn the_longest_hold_time_is_under_that_of_an_empty_room() {
    for (absent_s, longest) in [("120", 119.9), ("3.5", 3.4), ("0.2", 0.1)] {
        let config = Config::parse(&format!("[mood]\nhold_s = 0.1\nabsent_s = {absent_s}")).unwrap();
        let payload = discovery(&topics(), &device(), &config);
        assert_eq!(payload["cmps"]["hold_time"]["max"], longest);
    }
}
