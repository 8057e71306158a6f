//! `moodbox fleet status`: a table of all boxes, of what the broker has kept of them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::anyhow;
use serde::Serialize;
use serde_json::Value;

use super::Boxes;
use crate::failure::Failure;
use crate::plain::plain;

/// Which boxes.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox fleet status --broker mqtt://broker.local")]
pub(crate) struct Arguments {
    #[command(flatten)]
    boxes: Boxes,
}

/// A row of the table; null is what the broker has not kept.
#[derive(Default, Serialize)]
struct Row {
    id: String,
    availability: Option<String>,
    mood: Value,
    faces: Value,
    camera: Value,
    fps: Value,
    temperature_c: Value,
    version: Value,
}

pub(super) fn run(arguments: &Arguments, as_json: bool) -> Result<(), Failure> {
    let kept = arguments.boxes.kept(&["availability", "state", "diagnostics"])?;
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let listed = if arguments.boxes.hosts.is_some() { Some(arguments.boxes.hosts()?) } else { None };
    for host in listed.iter().flatten() {
        rows.entry(host.id.as_str().to_owned()).or_default();
    }
    for (id, last, payload) in kept {
        if listed.is_some() && !rows.contains_key(&id) {
            continue;
        }
        let row = rows.entry(id).or_default();
        let mut said: Value = serde_json::from_slice(&payload).unwrap_or_default();
        // Whoever may publish there may have sent anything.
        let mut take = |field: &str| said.get_mut(field).map(Value::take).unwrap_or_default();
        match last.as_str() {
            "availability" => row.availability = String::from_utf8(payload).ok(),
            "state" => {
                (row.mood, row.faces, row.camera) = (take("mood"), take("faces"), take("camera"));
            }
            _ => {
                row.fps = take("fps");
                (row.temperature_c, row.version) = (take("temperature_c"), take("version"));
            }
        }
    }
    if rows.is_empty() {
        return Err(Failure::NoAnswer(anyhow!("the broker knows of no box; is this its base topic?")));
    }
    let rows: Vec<_> = rows.into_iter().map(|(id, row)| Row { id, ..row }).collect();
    print(&rows, as_json)?;
    let away = rows.iter().filter(|row| row.availability.as_deref() != Some("online")).count();
    match away {
        0 => Ok(()),
        away => Err(Failure::Finding(anyhow!("{away} of {} boxes are not online", rows.len()))),
    }
}

fn print(rows: &[Row], as_json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if as_json {
        for row in rows {
            writeln!(out, "{}", serde_json::to_string(row).map_err(|error| anyhow!(error))?)?;
        }
        return Ok(());
    }
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0).max(3);
    writeln!(out, "{:width$}  box      mood      faces  camera       fps  °C    version", "id")?;
    for row in rows {
        let text = |value: &Value| match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let line = format!(
            "{:width$}  {:7}  {:8}  {:5}  {:11}  {:3}  {:4}  {}",
            row.id,
            row.availability.as_deref().unwrap_or("unknown"),
            text(&row.mood),
            text(&row.faces),
            text(&row.camera),
            text(&row.fps),
            text(&row.temperature_c),
            text(&row.version),
        );
        writeln!(out, "{}", plain(line.trim_end()))?;
    }
    Ok(())
}
