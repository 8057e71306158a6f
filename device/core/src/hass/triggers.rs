//! What an automation can be started by from the page of the device: the room came into a mood.

use serde_json::{Value, json};

use super::Component;
use crate::emotion::Emotion;
use crate::topics::Topics;

pub(super) fn triggers(topics: &Topics) -> Vec<Component> {
    let trigger = |name: &'static str, mood: &str| -> Component {
        let trigger: Value = json!({
            "p": "device_automation", "automation_type": "trigger", "type": "mood", "subtype": mood,
            "topic": topics.topic("event"), "payload": mood,
            "value_template": "{{ value_json.mood if value_json.event_type == 'mood_changed' else '' }}",
        });
        (name, trigger)
    };
    let mut triggers = Vec::from(Emotion::ALL.map(|emotion| trigger(name(emotion), emotion.name())));
    triggers.push(trigger("mood_mixed", "mixed"));
    triggers
}

const fn name(emotion: Emotion) -> &'static str {
    match emotion {
        Emotion::Angry => "mood_angry",
        Emotion::Disgust => "mood_disgust",
        Emotion::Fear => "mood_fear",
        Emotion::Happy => "mood_happy",
        Emotion::Neutral => "mood_neutral",
        Emotion::Sad => "mood_sad",
        Emotion::Surprise => "mood_surprise",
    }
}
