//! The evening as it is told: text for a person, or each song as JSON.

use std::io::{self, Write};

use moodbox_core::emotion::Emotion;

use super::Played;

/// How the reason of a list begins that follows a choice.
const FOLLOWS: &str = "more like";

pub(super) struct Story {
    json: bool,
    mood: Option<Emotion>,
    /// Why the last list was made that was told of.
    reason: String,
}

impl Story {
    pub(super) fn begin(out: &mut impl Write, seed: u64, json: bool) -> io::Result<Self> {
        if !json {
            writeln!(
                out,
                "Four simulated hours (seed {seed}). A listener's mood lasts for 20 to 50 minutes and shows on the face two"
            )?;
            writeln!(
                out,
                "fifths of the time. The box sees that face alone, and misreads it as often as its classifier does.\n"
            )?;
        }
        Ok(Self { json, mood: None, reason: String::new() })
    }

    /// The listener's mood, and after how many seconds the box has just seen it.
    pub(super) fn moods(
        &mut self,
        out: &mut impl Write,
        second: u64,
        mood: Emotion,
        seen_after: Option<u32>,
    ) -> io::Result<()> {
        let new = self.mood.replace(mood) != Some(mood);
        if new && !self.json {
            writeln!(out, "{}  The listener feels {}.", clock(second), mood.adjective())?;
        }
        match seen_after {
            Some(seconds) if !self.json => writeln!(out, "{}  The box sees it, {seconds} s later.", clock(second)),
            _ => Ok(()),
        }
    }

    /// Why the box recommends what it does, where that is news.
    pub(super) fn reason(&mut self, out: &mut impl Write, second: u64, reason: Option<&str>) -> io::Result<()> {
        let Some(reason) = reason.filter(|reason| *reason != self.reason) else { return Ok(()) };
        // Every song of a kind leads to more of it; that is told once.
        let goes_on = reason.starts_with(FOLLOWS) && self.reason.starts_with(FOLLOWS);
        reason.clone_into(&mut self.reason);
        if goes_on || self.json {
            return Ok(());
        }
        writeln!(out, "{}  The box: {reason}.", clock(second))
    }

    pub(super) fn skip(&self, out: &mut impl Write, second: u64) -> io::Result<()> {
        if self.json { Ok(()) } else { writeln!(out, "{}      skipped", clock(second)) }
    }

    pub(super) fn song(&self, out: &mut impl Write, played: &Played) -> io::Result<()> {
        if self.json {
            return writeln!(out, "{}", serde_json::to_string(played)?);
        }
        let Played { at_s, how, track, .. } = played;
        let how = match *how {
            "chosen" => ", chosen by the listener",
            "next, by mood" => ", as the listener asks for the mood again",
            _ => "",
        };
        writeln!(out, "{}    \u{266a} {} \u{2013} {}{how}", clock(*at_s), track.artist, track.title)?;
        writeln!(out, "            {}", track.why)
    }
}

fn clock(second: u64) -> String {
    format!("{}:{:02}", second / 3600, second / 60 % 60)
}
