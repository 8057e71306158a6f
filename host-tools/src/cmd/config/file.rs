//! The file on this computer: read whole, changed with its comments, replaced at once.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use moodbox_core::config::Config;
use serde_json::{Map, Value};
use toml_edit::Array;

use crate::document;
use crate::failure::Failure;

pub(super) fn text(path: &Path) -> Result<String, Failure> {
    Ok(fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?)
}

/// The file's text and what it means.
pub(crate) fn read(path: &Path) -> Result<(String, Config), Failure> {
    let text = text(path)?;
    let config = parse(path, &text)?;
    Ok((text, config))
}

pub(super) fn parse(path: &Path, text: &str) -> Result<Config, Failure> {
    Ok(Config::parse(text).with_context(|| path.display().to_string())?)
}

/// Sets keys in a file and leaves the rest as it is, comments too; null removes a key. Nothing is written where the whole
/// would be wrong.
pub(super) fn set(path: &Path, changes: &Map<String, Value>) -> Result<(), Failure> {
    let old = text(path)?;
    let mut new = old.clone();
    for (key, value) in changes {
        let (section, field) = key.split_once('.').unwrap_or((key, ""));
        let wrong = || format!("{}: {key} must be a number, a word, true, false or a list", path.display());
        let changed = match value {
            Value::Null => document::without(&new, section, field),
            _ => document::with(&new, section, field, to_toml(value).with_context(wrong)?),
        };
        new = changed.map_err(|_| unreadable(path, &old))?;
    }
    parse(path, &new)?;
    replace(path, Some(&old), &new)
}

/// What the box would say of this file.
fn unreadable(path: &Path, text: &str) -> Failure {
    match parse(path, text) {
        Err(failure) => failure,
        Ok(_) => anyhow!("{} cannot be edited", path.display()).into(),
    }
}

fn to_toml(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Bool(is) => (*is).into(),
        Value::String(text) => text.into(),
        Value::Number(number) => number.as_i64().map(Into::into).or_else(|| number.as_f64().map(Into::into))?,
        Value::Array(values) => values.iter().map(to_toml).collect::<Option<Array>>()?.into(),
        Value::Null | Value::Object(_) => return None,
    })
}

/// Puts a file in the place of another: a reader sees the one or the other. `old` is what was read there; where somebody else
/// has written to it since, theirs stays.
pub(super) fn replace(path: &Path, old: Option<&str>, new: &str) -> Result<(), Failure> {
    // A link stays one; what it points to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut beside = tempfile::Builder::new().prefix(".moodbox-").tempfile_in(folder)?;
        beside.write_all(new.as_bytes())?;
        beside.as_file().sync_all()?;
        if let Ok(there) = fs::metadata(&path) {
            beside.as_file().set_permissions(there.permissions())?;
        }
        Ok::<_, io::Error>(beside)
    };
    let beside = beside().with_context(|| format!("cannot write {}", path.display()))?;
    if fs::read(&path).ok().as_deref() != old.map(str::as_bytes) {
        return Err(Failure::Finding(anyhow!(
            "{} was changed by somebody else meanwhile, and stays so",
            path.display()
        )));
    }
    beside.persist(&path).map_err(|error| error.error).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
