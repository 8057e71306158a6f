//! What the box sees and recommends.

use serde_json::{Value, json};

use super::Component;
use crate::emotion::Emotion;
use crate::topics::{Event, Topics};

pub(super) fn observations(topics: &Topics) -> Vec<Component> {
    let state = topics.topic("state");
    // Home Assistant takes the word None, which null becomes, for unknown.
    let where_known = |field: &str| {
        format!("{{{{ value_json.{field} if not value_json.presence_unknown | default(false) else None }}}}")
    };
    let emotions = Emotion::ALL.map(Emotion::name);
    let moods = [&emotions[..], &["mixed", "absent"]].concat();
    let recommendation = topics.topic("recommendation");
    vec![
        (
            "mood",
            json!({
                "p": "sensor", "name": "Mood", "icon": "mdi:emoticon-outline",
                "device_class": "enum", "options": moods,
                "state_topic": state, "value_template": where_known("mood"),
            }),
        ),
        (
            "expression",
            json!({
                "p": "sensor", "name": "Expression", "icon": "mdi:face-recognition",
                "device_class": "enum", "options": emotions,
                "state_topic": state, "value_template": "{{ value_json.expression }}",
            }),
        ),
        (
            "confidence",
            json!({
                "p": "sensor", "name": "Confidence", "icon": "mdi:percent-outline",
                "unit_of_measurement": "%", "state_class": "measurement", "suggested_display_precision": 0,
                // Nobody is there where it is 0.
                "state_topic": topics.topic("confidence"), "value_template": "{{ value if value != '0' else None }}",
            }),
        ),
        (
            "faces",
            json!({
                "p": "sensor", "name": "Faces", "icon": "mdi:account-multiple-outline",
                "state_class": "measurement", "enabled_by_default": false,
                "state_topic": state, "value_template": "{{ value_json.faces }}",
            }),
        ),
        ("valence", place("valence", "Valence", "mdi:emoticon-happy-outline", &state)),
        ("arousal", place("arousal", "Arousal", "mdi:flash-outline", &state)),
        (
            "unsure",
            json!({
                "p": "binary_sensor", "name": "Unsure", "icon": "mdi:help-circle-outline", "enabled_by_default": false,
                "state_topic": state, "value_template": "{{ value_json.unsure }}",
                "payload_on": "True", "payload_off": "False",
            }),
        ),
        (
            "card",
            json!({
                "p": "image", "name": "Mood card", "icon": "mdi:card-account-details-outline",
                "image_topic": topics.topic("card"), "content_type": "image/svg+xml",
            }),
        ),
        (
            "presence",
            json!({
                "p": "binary_sensor", "name": "Presence", "device_class": "occupancy",
                "state_topic": state, "value_template": where_known("presence"),
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

/// Where the room is on one axis of the valence-arousal plane, for graphs; off until a person wants it, as it moves all
/// the time. An empty room is nowhere.
fn place(field: &str, name: &str, icon: &str, state: &str) -> Value {
    json!({
        "p": "sensor", "name": name, "icon": icon, "state_class": "measurement", "suggested_display_precision": 2,
        "enabled_by_default": false, "state_topic": state,
        "value_template": format!("{{{{ value_json.{field} if value_json.presence else None }}}}"),
    })
}
