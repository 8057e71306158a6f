//! A watched box in lines, where there is no terminal to draw on: one for each change.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::state::{Change, State};
use crate::plain::plain;

/// Prints what a message has changed; as JSON, the message itself.
pub(super) fn print(change: Change, state: &State, part: &str, payload: &[u8], as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        // Words without quotation marks are words all the same.
        let text = || Value::String(String::from_utf8_lossy(payload).into_owned());
        let said: Value = serde_json::from_slice(payload).unwrap_or_else(|_| text());
        writeln!(out, "{}", json!({ "topic": part, "payload": said }))?;
    } else if let Some(line) = line(change, state) {
        writeln!(out, "{}", plain(&line))?;
    }
    out.flush()
}

/// Prints that the broker has gone, or is there again.
pub(super) fn print_broker(lost: Option<&str>, as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match (as_json, lost) {
        (true, _) => {
            writeln!(out, "{}", json!({ "broker": if lost.is_some() { "lost" } else { "back" }, "reason": lost }))
        }
        (false, Some(reason)) => writeln!(out, "broker: {reason}; trying again"),
        (false, None) => writeln!(out, "broker: there again"),
    }?;
    out.flush()
}

/// What a person wants to know of a change; nothing where that is nothing.
pub(super) fn line(change: Change, state: &State) -> Option<String> {
    let room = state.room.as_ref();
    Some(match change {
        Change::Availability if state.online == Some(true) => "box: online".to_owned(),
        Change::Availability => "box: away".to_owned(),
        Change::State => {
            let room = room?;
            let unsure = if room.unsure { " (unsure)" } else { "" };
            let expression = room.expression.map_or("-", moodbox_core::emotion::Emotion::name);
            format!(
                "mood: {}{unsure}, valence {:+.2}, arousal {:+.2}, faces {}, expression {expression}, policy {}, camera {}, \
                 light {}",
                room.mood, room.valence, room.arousal, room.faces, room.policy, room.camera, room.leds
            )
        }
        Change::Confidence => format!("confidence: {} %", state.confidence?),
        Change::List => {
            let list = state.list.as_ref()?;
            let first = list.tracks.first().map(|song| format!(" First: {}.", song.name())).unwrap_or_default();
            format!("songs: {}.{first}", list.reason.trim_end_matches('.'))
        }
        Change::Playing => match &state.playing {
            Some(song) => format!("plays: {}", song.name()),
            None => "plays: nothing".to_owned(),
        },
        Change::Problems if state.problems.is_empty() => "problems: none".to_owned(),
        Change::Problems => {
            let problems = state.problems.iter().map(|problem| format!("{}: {}", problem.part, problem.message));
            format!("problems: {}", problems.collect::<Vec<_>>().join("; "))
        }
        Change::Figures => super::view::figures(state.figures.as_ref()?),
        Change::Brightness => format!("light: {} % bright", state.brightness?),
        Change::Refused => state.notice.clone()?,
        Change::Faces => return None,
    })
}
