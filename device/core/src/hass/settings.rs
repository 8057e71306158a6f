//! What a person sets once; the bounds are those of the configuration.

use serde_json::{Value, json};

use super::Component;
use crate::affect::Policy;
use crate::config::Config;
use crate::topics::{Limit, Limits, Topics};

pub(super) fn settings(topics: &Topics, config: &Config) -> Vec<Component> {
    let state = topics.topic("state");
    let command = |name: &str| topics.topic(&format!("cmd/{name}"));
    let number = |name: &str, title: &str, icon: &str, unit: &str, Limit { min, max, step }: Limit| {
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
    let limits = Limits::from(config);
    vec![
        (
            "policy",
            json!({
                "p": "select", "name": "Policy", "icon": "mdi:tune-variant", "entity_category": "config",
                "options": Policy::ALL.map(Policy::name), "state_topic": state,
                "value_template": "{{ value_json.policy }}", "command_topic": command("policy"),
            }),
        ),
        ("hold_time", number("hold_time", "Hold time", "mdi:timer-sand", "s", limits.hold_time)),
        ("min_face", number("min_face", "Smallest face", "mdi:face-recognition", "px", limits.min_face)),
        ("brightness", number("brightness", "Brightness", "mdi:brightness-6", "%", limits.brightness)),
        ("analysis_rate", number("analysis_rate", "Analysis rate", "mdi:speedometer", "fps", limits.analysis_rate)),
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
