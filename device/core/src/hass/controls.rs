//! What a person uses every day.

use serde_json::json;

use super::Component;
use crate::emotion::Emotion;
use crate::topics::Topics;

pub(super) fn controls(topics: &Topics) -> Vec<Component> {
    let state = topics.topic("state");
    let command = |name: &str| topics.topic(&format!("cmd/{name}"));
    let button = |name: &str, title: &str, icon: &str| json!({ "p": "button", "name": title, "icon": icon, "command_topic": command(name) });
    vec![
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
        ("recommend", button("recommend", "New list", "mdi:refresh")),
        (
            "correct",
            // It shows what the box believes: Home Assistant sends nothing when somebody selects what is shown, and without a
            // state that would be what was last selected, were it days ago.
            json!({
                "p": "select", "name": "The mood is really", "icon": "mdi:emoticon-confused-outline",
                "options": Emotion::ALL.map(Emotion::name), "command_topic": command("correct"), "state_topic": state,
                "value_template": "{{ value_json.mood if value_json.mood not in ['mixed', 'absent'] else None }}",
            }),
        ),
    ]
}
