//! What no single field can tell: values that contradict each other, and texts that are no names.

use toml::de::{DeTable, DeValue};

use super::{Broker, Config, ConfigError, locate};

/// Score under which the detector's networks, as they are quantised, tell faces no longer apart (`LEAST_PROBABILITY` of the
/// pipeline).
const LEAST_SCORE: f32 = 0.1;

/// Refuses a configuration that contradicts itself. `text` is what it was read from, to tell the line.
pub(super) fn check(config: &Config, text: &str) -> Result<(), ConfigError> {
    let refuse = |section, keys: &[&str], reason: String| Err(at(text, section, keys, reason));

    let mood = &config.mood;
    if mood.expression_leave >= mood.expression_enter {
        let keys = ["expression_leave", "expression_enter"];
        return refuse("mood", &keys, less(keys, mood.expression_leave.0, mood.expression_enter.0));
    }
    if mood.leave >= mood.enter {
        let keys = ["leave", "enter"];
        return refuse("mood", &keys, less(keys, mood.leave.0, mood.enter.0));
    }
    if mood.hold_s >= mood.absent_s {
        let keys = ["hold_s", "absent_s"];
        return refuse("mood", &keys, less(keys, mood.hold_s.0, mood.absent_s.0));
    }

    if let Some(threshold) = config.vision.thresholds.iter().find(|threshold| threshold.0 <= LEAST_SCORE) {
        let reason = format!("must be above {LEAST_SCORE}, not {}: lower scores are not told apart", threshold.0);
        return refuse("vision", &["thresholds"], reason);
    }

    let leds = &config.leds;
    let pins = [("red", leds.red), ("green", leds.green), ("blue", leds.blue), ("camera_on", leds.camera_on)]
        .map(|(k, p)| (k, p.0));
    for (i, (key, pin)) in pins.iter().enumerate() {
        if let Some((other, _)) = pins[..i].iter().find(|(_, p)| p == pin) {
            return refuse(
                "leds",
                &[key, other],
                format!("{other} and {key} are both on pin {pin}; each light needs its own"),
            );
        }
    }

    if let Some(switch) = config.camera.switch_pin
        && let Some((light, _)) = pins.iter().find(|(_, pin)| *pin == switch.0)
    {
        let reason = format!("pin {} is that of leds.{light}; the switch needs its own", switch.0);
        return refuse("camera", &["switch_pin"], reason);
    }

    let mqtt = &config.mqtt;
    for (key, topic) in [("base_topic", &mqtt.base_topic), ("discovery_prefix", &mqtt.discovery_prefix)] {
        if !is_topic(topic) {
            return refuse(
                "mqtt",
                &[key],
                format!("{topic:?} is not a topic: 1 to 128 bytes without + # or outer slashes"),
            );
        }
    }
    if mqtt.password_file.is_some() && mqtt.username.is_none() {
        return refuse("mqtt", &["password_file"], "needs a username with it".to_owned());
    }
    if mqtt.ca_file.is_some() && !matches!(mqtt.broker, Broker::Remote { tls: true, .. }) {
        return refuse("mqtt", &["ca_file"], "needs an encrypted connection: the broker must be mqtts://".to_owned());
    }

    let device = &config.device;
    for (key, name) in [("name", Some(&device.name)), ("room", device.room.as_ref())] {
        let is_name =
            |name: &String| !name.trim().is_empty() && name.chars().count() <= 64 && !name.contains(char::is_control);
        if name.is_some_and(|name| !is_name(name)) {
            return refuse("device", &[key], "must have 1 to 64 characters on one line".to_owned());
        }
    }
    Ok(())
}

fn less([lower, upper]: [&str; 2], is: f32, of: f32) -> String {
    format!("{lower} ({is}) must be less than {upper} ({of})")
}

/// Whether this may be the first part of a topic: 1 to 128 bytes without wildcards or slashes at its ends.
#[must_use]
pub fn is_topic(topic: &str) -> bool {
    (1..=128).contains(&topic.len())
        && !topic.contains(['+', '#'])
        && !topic.contains(char::is_control)
        && !topic.starts_with(['/', '$'])
        && !topic.ends_with('/')
}

/// The refusal of the first of the keys that the text sets; the others are at their defaults.
fn at(text: &str, section: &str, keys: &[&str], reason: String) -> ConfigError {
    let root = DeTable::parse(text).ok();
    let table = root.as_ref().and_then(|root| match root.get_ref().get(section)?.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    });
    let found = keys.iter().find_map(|key| {
        let (spanned, _) = table?.get_key_value(*key)?;
        Some((*key, spanned.span().start))
    });
    let (key, start) = found.unwrap_or((keys[0], 0));
    ConfigError { key: Some(key.to_owned()), reason, ..locate(text, start) }
}
