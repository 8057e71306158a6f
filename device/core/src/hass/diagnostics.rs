//! How the box is doing. The figures change every minute, so those that fill the history are off until a person wants them.

use serde_json::{Value, json};

use super::Component;
use crate::topics::Topics;

pub(super) fn diagnostics(topics: &Topics) -> Vec<Component> {
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
                // One that is about to start has no reason.
                "value_template": "{{ 'ON' if value_json.camera == 'unavailable' and value_json.camera_reason is defined else 'OFF' }}",
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
            "update",
            json!({
                "p": "update", "name": "Version", "title": "moodbox", "device_class": "firmware",
                "entity_category": "diagnostic",
                // The box asks nobody on the internet: as far as it knows, what is installed is the latest.
                "state_topic": diagnostics, "value_template": "{{ value_json.version }}",
                "latest_version_topic": diagnostics, "latest_version_template": "{{ value_json.version }}",
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
