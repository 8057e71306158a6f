//! What Home Assistant is told about the box: one discovery payload for the device with all its entities.
//!
//! Home Assistant drops the whole device for one mistake at the top level, in `dev` or in `o`. Ids come from the id of
//! the box, never from its name, which a person may change. The state of every entity is taken from the payloads of
//! [`crate::topics`] by a template, so that nothing is published twice.

use serde_json::{Map, Value, json};

use crate::affect::Policy;
use crate::emotion::Emotion;
use crate::topics::{Event, Topics};

/// The box as Home Assistant lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The name a person gave it.
    pub name: String,
    /// Version of moodbox.
    pub version: String,
    /// The board, such as `Raspberry Pi 4 Model B`.
    pub model: String,
}

/// The payload for [`Topics::discovery`].
#[must_use]
pub fn discovery(topics: &Topics, device: &Device) -> Value {
    let mut components = Map::new();
    for (name, component) in entities(topics).into_iter().chain(controls(topics)).chain(diagnostics(topics)) {
        components.insert(name.to_owned(), identified(name, component, topics));
    }
    json!({
        "dev": {
            "ids": [topics.device()],
            "name": device.name,
            "mf": "moodbox",
            "mdl": device.model,
            "sw": device.version,
            "sn": topics.id(),
        },
        "o": { "name": "moodboxd", "sw": device.version },
        "availability_topic": topics.topic("availability"),
        "qos": 1,
        "cmps": components,
    })
}

/// An entity and the name it goes by in ids.
type Component = (&'static str, Value);

/// Adds what makes an entity the same one after a restart or a change of name.
fn identified(name: &str, mut component: Value, topics: &Topics) -> Value {
    let id = format!("{}_{name}", topics.device());
    let platform = component["p"].as_str().unwrap_or_default();
    component["default_entity_id"] = json!(format!("{platform}.{id}"));
    component["unique_id"] = json!(id);
    component
}

/// What the box sees and recommends.
fn entities(topics: &Topics) -> Vec<Component> {
    let state = topics.topic("state");
    let emotions = Emotion::ALL.map(Emotion::name);
    let moods = [&emotions[..], &["mixed", "absent"]].concat();
    let recommendation = topics.topic("recommendation");
    vec![
        (
            "mood",
            json!({
                "p": "sensor", "name": "Mood", "icon": "mdi:emoticon-outline",
                "device_class": "enum", "options": moods,
                "state_topic": state, "value_template": "{{ value_json.mood }}",
            }),
        ),
        (
            "expression",
            json!({
                "p": "sensor", "name": "Expression", "icon": "mdi:face-recognition",
                "device_class": "enum", "options": emotions,
                // Home Assistant takes the word None, which null becomes, for unknown.
                "state_topic": state, "value_template": "{{ value_json.expression }}",
            }),
        ),
        (
            "confidence",
            json!({
                "p": "sensor", "name": "Confidence", "icon": "mdi:percent-outline",
                "unit_of_measurement": "%", "state_class": "measurement", "suggested_display_precision": 0,
                "state_topic": topics.topic("confidence"),
            }),
        ),
        (
            "presence",
            json!({
                "p": "binary_sensor", "name": "Presence", "device_class": "occupancy",
                "state_topic": state, "value_template": "{{ value_json.presence }}",
                "payload_on": "True", "payload_off": "False",
            }),
        ),
        (
            "recommendation",
            json!({
                "p": "sensor", "name": "Recommendation", "icon": "mdi:playlist-music",
                "state_topic": recommendation, "json_attributes_topic": recommendation,
                // A state has at most 255 characters.
                "value_template": "{% set t = value_json.tracks | first %}\
                    {{ ([t.title, t.artist] | join(' - '))[:255] if t is defined else None }}",
            }),
        ),
        (
            "event",
            json!({
                "p": "event", "name": "Event", "icon": "mdi:bell-ring-outline",
                "event_types": Event::TYPES, "state_topic": topics.topic("event"),
            }),
        ),
    ]
}

/// What a person may change.
fn controls(topics: &Topics) -> Vec<Component> {
    let state = topics.topic("state");
    let command = |name: &str| topics.topic(&format!("cmd/{name}"));
    let button = |name: &str, title: &str, icon: &str| json!({ "p": "button", "name": title, "icon": icon, "command_topic": command(name) });
    vec![
        (
            "policy",
            json!({
                "p": "select", "name": "Policy", "icon": "mdi:tune-variant", "options": Policy::ALL.map(Policy::name),
                "state_topic": state, "value_template": "{{ value_json.policy }}", "command_topic": command("policy"),
            }),
        ),
        (
            "camera",
            json!({
                "p": "switch", "name": "Camera", "icon": "mdi:camera",
                // A camera that is wanted but missing can still be switched off.
                "state_topic": state, "value_template": "{{ 'OFF' if value_json.camera == 'off' else 'ON' }}",
                "command_topic": command("camera"),
            }),
        ),
        (
            "leds",
            json!({
                "p": "switch", "name": "Mood light", "icon": "mdi:led-on",
                "state_topic": state, "value_template": "{{ value_json.leds | upper }}",
                "command_topic": command("leds"),
            }),
        ),
        ("next", button("next", "Next", "mdi:skip-next")),
        ("like", button("like", "Like", "mdi:thumb-up-outline")),
        ("skip", button("skip", "Skip", "mdi:thumb-down-outline")),
        (
            "choose",
            // Not a select: its options stand in this payload, which would have to be sent again with every list.
            json!({
                "p": "text", "name": "Chosen track", "icon": "mdi:music-circle-outline", "max": 255,
                "state_topic": topics.topic("now"), "value_template": "{{ (value_json.uri | default(''))[:255] }}",
                "command_topic": command("choose"), "command_template": "{{ {'uri': value} | to_json }}",
            }),
        ),
        (
            "reset_calibration",
            json!({
                "p": "button", "name": "Reset calibration", "icon": "mdi:restore", "entity_category": "config",
                "command_topic": topics.topic("request/calibrate.reset"),
                "payload_press": "{\"transaction\": \"home-assistant\"}",
            }),
        ),
    ]
}

/// How the box is doing. They change every minute, so those that fill the history are off until a person wants them.
fn diagnostics(topics: &Topics) -> Vec<Component> {
    let diagnostics = topics.topic("diagnostics");
    let sensor = |field: &str, name: &str, unit: Option<&str>, kind: Value| {
        let mut component = json!({
            "p": "sensor", "name": name, "entity_category": "diagnostic", "enabled_by_default": false,
            "state_class": "measurement",
            "state_topic": diagnostics, "value_template": format!("{{{{ value_json.{field} }}}}"),
        });
        if let Some(unit) = unit {
            component["unit_of_measurement"] = json!(unit);
        }
        with(component, kind)
    };
    let count = json!({ "state_class": "total_increasing" });
    vec![
        (
            "camera_problem",
            json!({
                "p": "binary_sensor", "name": "Camera problem", "device_class": "problem",
                "entity_category": "diagnostic", "state_topic": topics.topic("state"),
                "value_template": "{{ 'ON' if value_json.camera == 'unavailable' else 'OFF' }}",
            }),
        ),
        (
            "throttled",
            json!({
                "p": "binary_sensor", "name": "Throttled", "device_class": "problem",
                "entity_category": "diagnostic", "state_topic": diagnostics,
                "value_template": "{{ value_json.throttled }}", "payload_on": "True", "payload_off": "False",
            }),
        ),
        (
            "temperature",
            sensor(
                "temperature_c",
                "Temperature",
                Some("\u{b0}C"),
                json!({ "device_class": "temperature", "enabled_by_default": true }),
            ),
        ),
        ("fps", sensor("fps", "Frames analysed", Some("fps"), json!({ "icon": "mdi:filmstrip" }))),
        ("frame_ms_p50", sensor("frame_ms_p50", "Frame time", Some("ms"), json!({ "device_class": "duration" }))),
        (
            "frame_ms_p95",
            sensor("frame_ms_p95", "Frame time, slowest", Some("ms"), json!({ "device_class": "duration" })),
        ),
        ("memory", sensor("rss_mb", "Memory", Some("MB"), json!({ "device_class": "data_size" }))),
        ("inferences", sensor("inferences", "Frames, total", None, count.clone())),
        ("dropped", sensor("dropped", "Frames dropped", None, count.clone())),
        ("corrupt", sensor("corrupt", "Frames corrupt", None, count)),
        ("uptime", sensor("uptime_s", "Uptime", Some("s"), json!({ "device_class": "duration" }))),
    ]
}

/// An object with the fields of another added or replaced.
fn with(mut object: Value, other: Value) -> Value {
    if let (Some(object), Value::Object(other)) = (object.as_object_mut(), other) {
        object.extend(other);
    }
    object
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::topics::{Command, Incoming, Request};

    fn topics() -> Topics {
        Topics::new("moodbox", "homeassistant", "b827eb01")
    }

    fn payload() -> Value {
        let device = Device {
            name: "Moodbox".to_owned(),
            version: "0.1.0".to_owned(),
            model: "Raspberry Pi 4 Model B Rev 1.4".to_owned(),
        };
        discovery(&topics(), &device)
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
            assert_eq!(component["default_entity_id"], format!("{platform}.{id}"), "{name}");
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
                Some(Incoming::Request(name)) => {
                    let payload = component["payload_press"].as_str().unwrap();
                    assert!(Request::parse(name, payload.as_bytes()).is_ok(), "{name} refuses {payload}");
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
                "text" => vec![json!({ "uri": "a \"quoted\" name.flac" }).to_string()],
                other => panic!("{other} sends no commands"),
            };
            for payload in payloads {
                assert!(Command::parse(name, payload.as_bytes()).is_ok(), "{name} refuses {payload}");
            }
            commands.insert(name.to_owned());
        }
        assert_eq!(commands.len(), 7);
    }
}
