//! What a person sets once; the bounds are those of the configuration.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::Component;
use crate::affect::Policy;
use crate::config::{Config, Seconds};
use crate::topics::Topics;

pub(super) fn settings(topics: &Topics, config: &Config) -> Vec<Component> {
    let state = topics.topic("state");
    let command = |name: &str| topics.topic(&format!("cmd/{name}"));
    let number = |name: &str, title: &str, icon: &str, unit: &str, (min, max, step): (f64, f64, f64)| {
        json!({
            "p": "number", "name": title, "icon": icon, "entity_category": "config", "mode": "box",
            "min": min, "max": max, "step": step, "unit_of_measurement": unit,
            "state_topic": topics.topic("settings"), "value_template": format!("{{{{ value_json.{name} }}}}"),
            "command_topic": command(name),
        })
    };
    let button = |name: &str, title: &str, icon: &str| -> Value {
        json!({ "p": "button", "name": title, "icon": icon, "entity_category": "config", "command_topic": command(name) })
    };
    let whole = |range: RangeInclusive<u32>| (f64::from(*range.start()), f64::from(*range.end()), 1.0);
    vec![
        (
            "policy",
            json!({
                "p": "select", "name": "Policy", "icon": "mdi:tune-variant", "entity_category": "config",
                "options": Policy::ALL.map(Policy::name), "state_topic": state,
                "value_template": "{{ value_json.policy }}", "command_topic": command("policy"),
            }),
        ),
        ("hold_time", number("hold_time", "Hold time", "mdi:timer-sand", "s", hold_time(config))),
        (
            "min_face",
            number("min_face", "Smallest face", "mdi:face-recognition", "px", whole(config.vision.min_face_px.range())),
        ),
        ("brightness", number("brightness", "Brightness", "mdi:brightness-6", "%", (0.0, 100.0, 1.0))),
        (
            "analysis_rate",
            number("analysis_rate", "Analysis rate", "mdi:speedometer", "fps", whole(config.vision.fps.range())),
        ),
        ("led_test", button("led_test", "LED test", "mdi:led-variant-on")),
        (
            "reset_calibration",
            json!({
                "p": "button", "name": "Reset calibration", "icon": "mdi:restore", "entity_category": "config",
                "command_topic": topics.topic("request/calibrate.reset"),
                // A transaction of its own each time: one that comes again is not done again.
                "command_template": "{{ {'transaction': 'home-assistant %s' % now().timestamp()} | to_json }}",
            }),
        ),
        ("restart", {
            let mut restart = button("restart", "Restart", "mdi:restart");
            restart["device_class"] = json!("restart");
            restart
        }),
    ]
}

/// The mood is held for less time than after which the room counts as empty.
fn hold_time(config: &Config) -> (f64, f64, f64) {
    const STEP: f64 = 0.1;
    let tenths = |seconds: Seconds| (f64::from(seconds.0) / STEP).round();
    let shortest = tenths(Seconds::SHORTEST);
    let longest = (tenths(config.mood.absent_s) - 1.0).max(shortest);
    (shortest / 10.0, longest / 10.0, STEP)
}
