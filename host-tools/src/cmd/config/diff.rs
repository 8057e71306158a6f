//! A file beside what a box goes by, key by key. Keys that the file does not name are not compared: they are the box's own.

use std::io::{self, Write};
use std::path::Path;

use anyhow::anyhow;
use moodbox_core::config::{Config, reference};
use serde_json::{Value, json};
use toml_edit::DocumentMut;

use super::change::Changes;
use super::{FileAndBox, file, of_box, values};
use crate::failure::Failure;
use crate::mqtt::Connection;
use values::Values;

/// A key that differs.
struct Difference {
    key: String,
    file: Value,
    /// As the box has it; `None` where it does not know the key.
    box_has: Option<Value>,
}

pub(super) fn run(arguments: &FileAndBox, as_json: bool) -> Result<(), Failure> {
    let file = file::read(&arguments.file)?;
    let differences = differences(&file, &of_box(&mut Connection::open(&arguments.address)?)?)?;
    let mut out = io::stdout().lock();
    if as_json {
        let rows = differences.iter().map(|d| json!({ "key": d.key, "file": d.file, "box": d.box_has }));
        writeln!(out, "{}", json!({ "differs": rows.collect::<Vec<_>>() }))?;
    } else if !differences.is_empty() {
        let width = differences.iter().map(|d| d.key.len()).max().unwrap_or(0);
        writeln!(out, "{:width$}  {:24}  box", "", "file")?;
        for Difference { key, file, box_has } in &differences {
            let box_has = box_has.as_ref().map_or("does not know it".to_owned(), values::toml);
            writeln!(out, "{key:width$}  {:24}  {box_has}", values::toml(file))?;
        }
    }
    match differences.len() {
        0 => Ok(()),
        1 => Err(Failure::Finding(anyhow!("1 key differs; `moodbox config push` brings the box in line"))),
        n => Err(Failure::Finding(anyhow!("{n} keys differ; `moodbox config push` brings the box in line"))),
    }
}

/// What must be set on a box that has these values, so that it goes by the file.
///
/// # Errors
/// When the file names values that differ and cannot be set from afar, or keys that the box does not know.
pub(crate) fn wanted(path: &Path, file: &(String, Config), box_has: &Values) -> Result<Changes, Failure> {
    let differences = differences(file, box_has)?;
    let known = reference::keys();
    let is_fixed = |key: &str| known.iter().any(|known| known.name == key && !known.settable);
    let fixed: Vec<_> =
        differences.iter().map(|difference| difference.key.as_str()).filter(|key| is_fixed(key)).collect();
    if !fixed.is_empty() {
        return Err(anyhow!(
            "{}: cannot be set from afar and is another on the box: {}; set it in /etc/moodbox/moodbox.toml there, or leave \
             it out here",
            path.display(),
            fixed.join(", ")
        )
        .into());
    }
    let set = differences.into_iter().map(|difference| (difference.key, difference.file)).collect();
    Changes::new(set, box_has).map_err(|failure| failure.about(&path.display().to_string()))
}

fn differences((text, config): &(String, Config), box_has: &Values) -> Result<Vec<Difference>, Failure> {
    let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| anyhow!(error))?;
    let named = document.iter().flat_map(|(section, fields)| {
        let fields = fields.as_table_like().into_iter().flat_map(|table| table.iter());
        fields.map(move |(field, _)| format!("{section}.{field}"))
    });
    let file = values::of_config(config)?;
    let compared = named.filter_map(|key| {
        let (file, box_has) = (file.get(&key)?.clone(), box_has.get(&key).cloned());
        (box_has.as_ref() != Some(&file)).then_some(Difference { key, file, box_has })
    });
    Ok(compared.collect())
}
