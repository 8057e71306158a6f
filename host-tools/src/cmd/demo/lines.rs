//! The demo as lines of text or JSON, one whenever something changes.

use std::io::{self, Write};
use std::time::Duration;

use moodboxd::run::Glimpse;
use serde_json::json;
use tokio::sync::mpsc::Receiver;

/// Songs of a list that are printed.
const SONGS: usize = 3;

pub(super) fn run(mut glimpses: Receiver<Glimpse>, as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut shown = None;
    let mut list = None;
    while let Some(glimpse) = glimpses.blocking_recv() {
        let now = Line::of(&glimpse);
        if shown.as_ref() != Some(&now) {
            if as_json {
                writeln!(out, "{}", now.json(&glimpse))?;
            } else {
                now.print(&mut out, &glimpse)?;
            }
            shown = Some(now);
        }
        let id = glimpse.recommendation.as_ref().map(|r| r.id.clone());
        if list != id && !as_json {
            print_songs(&mut out, &glimpse)?;
        }
        list = id;
    }
    Ok(())
}

/// What must change for a new line.
#[derive(PartialEq)]
struct Line {
    faces: usize,
    expression: &'static str,
    mood: &'static str,
    unsure: bool,
    list: Option<String>,
}

impl Line {
    fn of(glimpse: &Glimpse) -> Self {
        Self {
            faces: glimpse.faces.len(),
            expression: glimpse.expression.map_or("none", moodbox_core::emotion::Emotion::name),
            mood: glimpse.room.mood.name(),
            unsure: glimpse.room.unsure,
            list: glimpse.recommendation.as_ref().map(|r| r.id.clone()),
        }
    }

    fn print(&self, out: &mut impl Write, glimpse: &Glimpse) -> io::Result<()> {
        let seconds = glimpse.at.as_secs_f32();
        let [r, g, b] = light(glimpse);
        let sureness = if self.unsure { "unsure" } else { "" };
        let confidence = 100.0 * glimpse.room.confidence;
        writeln!(
            out,
            "{seconds:6.2} s  faces {}  expression {:8}  mood {:8} {confidence:3.0} % {sureness:6}  light #{r:02x}{g:02x}{b:02x}",
            self.faces, self.expression, self.mood,
        )
    }

    fn json(&self, glimpse: &Glimpse) -> serde_json::Value {
        json!({
            "at_s": glimpse.at.as_secs_f32(),
            "faces": self.faces,
            "expression": glimpse.expression,
            "mood": self.mood,
            "unsure": self.unsure,
            "confidence": glimpse.room.confidence,
            "light": light(glimpse),
            "recommendation": glimpse.recommendation,
        })
    }
}

/// The light at its brightest, however it breathes.
fn light(glimpse: &Glimpse) -> [u8; 3] {
    crate::tui::on_screen(&glimpse.light, Duration::ZERO)
}

fn print_songs(out: &mut impl Write, glimpse: &Glimpse) -> io::Result<()> {
    let Some(recommendation) = &glimpse.recommendation else { return Ok(()) };
    writeln!(out, "          {}", recommendation.reason)?;
    for track in recommendation.tracks.iter().take(SONGS) {
        writeln!(out, "          \u{266a} {} \u{2013} {}: {}", track.artist, track.title, track.why)?;
    }
    Ok(())
}
