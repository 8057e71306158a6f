//! Values by key, as a person writes them and as a box says them.

use std::collections::BTreeMap;

use anyhow::anyhow;
use moodbox_core::config::{Config, reference};
use serde_json::{Map, Value};

use crate::failure::Failure;

/// Values by key with its section, such as `mood.hold_s`; null where a key has none.
pub(crate) type Values = BTreeMap<String, Value>;

/// The values of a configuration.
pub(super) fn of_config(config: &Config) -> Result<Values, Failure> {
    Ok(flat(&serde_json::to_value(config).map_err(|error| anyhow!(error))?))
}

/// Sections and fields as one.
pub(crate) fn flat(config: &Value) -> Values {
    let sections = config.as_object().into_iter().flatten();
    let keys = sections.flat_map(|(section, fields)| {
        let fields = fields.as_object().into_iter().flatten();
        fields.map(move |(field, value)| (format!("{section}.{field}"), short(value)))
    });
    keys.collect()
}

/// A single as a double has digits that nobody wrote.
fn short(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let single = number.as_f64().unwrap_or_default() as f32;
            single.to_string().parse::<f64>().map_or_else(|_| value.clone(), Value::from)
        }
        Value::Array(values) => values.iter().map(short).collect(),
        other => other.clone(),
    }
}

/// The values of a section or of one key, or all.
pub(super) fn below<'a>(all: &'a Values, key: Option<&str>) -> Result<BTreeMap<&'a str, &'a Value>, Failure> {
    let is_asked = |name: &str| key.is_none_or(|key| name == key || name.split('.').next() == Some(key));
    let found: BTreeMap<_, _> =
        all.iter().filter(|(name, _)| is_asked(name)).map(|(name, value)| (name.as_str(), value)).collect();
    match key {
        Some(key) if found.is_empty() => Err(unknown(key)),
        _ => Ok(found),
    }
}

/// A refusal of a key, with the one that may have been meant.
fn unknown(key: &str) -> Failure {
    let meant = reference::meant(key).map_or(String::new(), |name| format!("did you mean {name}? "));
    Failure::Input(anyhow!("no key is called {key}; {meant}`moodbox config reference` lists all"))
}

/// What `KEY=VALUE` sets; null for a key without a value.
pub(super) fn settings(words: &[String]) -> Result<Map<String, Value>, Failure> {
    let known = reference::keys();
    let mut changes = Map::new();
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            return Err(anyhow!("{word:?} must be KEY=VALUE, such as mood.hold_s=20").into());
        };
        let key = key.trim();
        let about = known.iter().find(|about| about.name == key).ok_or_else(|| unknown(key))?;
        if changes.insert(key.to_owned(), read(value.trim(), about.is_text)).is_some() {
            return Err(anyhow!("{key} is set twice").into());
        }
    }
    Ok(changes)
}

/// A value as a person types it: TOML, or bare text where text is wanted or nothing else fits.
fn read(text: &str, is_text: bool) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let parsed = format!("v = {text}").parse::<toml_edit::DocumentMut>().ok();
    let value = parsed.as_ref().and_then(|document| from_toml(document.get("v")?.as_value()?));
    match value {
        Some(value) if !is_text || value.is_string() => value,
        _ => Value::from(text),
    }
}

fn from_toml(value: &toml_edit::Value) -> Option<Value> {
    Some(match value {
        toml_edit::Value::String(text) => text.value().as_str().into(),
        toml_edit::Value::Integer(number) => (*number.value()).into(),
        toml_edit::Value::Float(number) => (*number.value()).into(),
        toml_edit::Value::Boolean(is) => (*is.value()).into(),
        toml_edit::Value::Array(values) => values.iter().map(from_toml).collect::<Option<_>>()?,
        toml_edit::Value::Datetime(_) | toml_edit::Value::InlineTable(_) => return None,
    })
}

/// As it stands in a file; `none` for nothing.
pub(super) fn toml(value: &Value) -> String {
    if value.is_null() { "none".to_owned() } else { value.to_string() }
}

/// Without quotes, for scripts; nothing for nothing.
pub(super) fn bare(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether two values are the same to the box, for which 20 is 20.0.
pub(super) fn are_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(_), Value::Number(_)) => one.as_f64() == other.as_f64(),
        (Value::Array(ones), Value::Array(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| are_same(one, other))
        }
        _ => one == other,
    }
}

/// A word that a shell takes as it is.
pub(super) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._=-/:@,".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
