//! The file on this computer: read whole, changed with its comments, replaced at once.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use moodbox_core::config::Config;
use serde_json::{Map, Value};
use toml_edit::{Array, DocumentMut, Item};

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
    let mut document: DocumentMut = old.parse().map_err(|_| unreadable(path, &old))?;
    for (key, value) in changes {
        let (section, field) = key.split_once('.').unwrap_or((key, ""));
        put(&mut document, section, field, value).with_context(|| format!("{}: {key}", path.display()))?;
    }
    let new = document.to_string();
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

fn put(document: &mut DocumentMut, section: &str, field: &str, value: &Value) -> anyhow::Result<()> {
    let table = document.entry(section).or_insert_with(toml_edit::table);
    let table = table.as_table_like_mut().context("is no table there")?;
    if value.is_null() {
        table.remove(field);
        return Ok(());
    }
    let mut new = to_toml(value).context("must be a number, a word, true, false or a list")?;
    // What stands behind the old value is a comment on the key.
    if let Some(old) = table.get(field).and_then(Item::as_value) {
        *new.decor_mut() = old.decor().clone();
    }
    table.insert(field, Item::Value(new));
    Ok(())
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
