//! What Home Assistant is told about the box: one discovery payload for the device with all its entities.
//!
//! Home Assistant drops the whole device for one mistake at the top level, in `dev` or in `o`. Ids come from the id of
//! the box, never from its name, which a person may change. The state of every entity is taken from the payloads of
//! [`crate::topics`] by a template, so that nothing is published twice.

mod controls;
mod diagnostics;
mod observations;
mod settings;
mod triggers;

use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::topics::Topics;

/// The box as Home Assistant lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Version of moodbox.
    pub version: String,
    /// The board, such as `Raspberry Pi 4 Model B`.
    pub model: String,
}

/// A component that versions before announced.
struct Dropped {
    name: &'static str,
    platform: &'static str,
}

/// What this version no longer has. Home Assistant forgets a component when it is told its platform alone, and keeps it
/// as unavailable for ever when it is told nothing. What is renamed stands beside its new name for two minor versions
/// first; a row stays here for two more, so that no box is updated past it.
const DROPPED: [Dropped; 0] = [];

/// The payload for [`Topics::discovery`].
#[must_use]
pub fn discovery(topics: &Topics, device: &Device, config: &Config) -> Value {
    without(&DROPPED, topics, device, config)
}

fn without(dropped: &[Dropped], topics: &Topics, device: &Device, config: &Config) -> Value {
    let mut components: Map<_, _> =
        dropped.iter().map(|Dropped { name, platform }| ((*name).to_owned(), json!({ "p": platform }))).collect();
    let present = [
        observations::observations(topics),
        controls::controls(topics),
        settings::settings(topics, config),
        diagnostics::diagnostics(topics),
        triggers::triggers(topics),
    ];
    for (name, component) in present.into_iter().flatten() {
        components.insert(name.to_owned(), identified(name, component, topics));
    }
    let mut payload = json!({
        "dev": {
            "ids": [topics.device()],
            "name": config.device.name,
            "mf": "moodbox",
            "mdl": device.model,
            "sw": device.version,
            "sn": topics.id(),
        },
        "o": { "name": "moodboxd", "sw": device.version },
        "availability_topic": topics.topic("availability"),
        "qos": 1,
        "cmps": components,
    });
    // A null would lose the whole device.
    if let Some(room) = &config.device.room {
        payload["dev"]["suggested_area"] = json!(room);
    }
    payload
}

/// An entity and the name it goes by in ids.
type Component = (&'static str, Value);

/// Adds what makes an entity the same one after a restart or a change of name.
fn identified(name: &str, mut component: Value, topics: &Topics) -> Value {
    let id = format!("{}_{name}", topics.device());
    let platform = component["p"].as_str().unwrap_or_default();
    // Not an entity: a trigger is known by the device and what it says.
    if platform != "device_automation" {
        // An entity id has no hyphen; Home Assistant would change it by itself.
        component["default_entity_id"] = json!(format!("{platform}.{}", id.replace('-', "_")));
    }
    component["unique_id"] = json!(id);
    component
}

#[cfg(test)]
mod tests;
