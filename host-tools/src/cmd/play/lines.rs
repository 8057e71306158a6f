//! What `moodbox play` says: text for a person, or one JSON object a line.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::failure::tell;
use crate::plain::plain;
use crate::song::Song;

/// How a song came to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Somebody asked the box for it.
    Asked,
    /// It was the next of the list.
    Next,
    /// It was the next of the list, and the one before was not wanted.
    Skipped,
    /// Somebody chose it at the player.
    Chosen,
}

impl How {
    const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Next => "next",
            Self::Skipped => "skipped",
            Self::Chosen => "chosen",
        }
    }
}

/// Something to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Plays { song: Song, how: How },
    NotThere { song: Song },
    NothingThere { uri: String },
    Unplayable { song: Song, reason: String },
    Unknown { uri: String },
    Refused { command: String, reason: String },
    Paused,
    Problem { reason: String },
    Mended { what: &'static str },
}

impl Line {
    /// Songs go to stdout, the rest to stderr; as JSON all goes to stdout.
    pub(super) fn print(&self, as_json: bool) -> io::Result<()> {
        if as_json {
            return writeln!(io::stdout().lock(), "{}", self.json());
        }
        if let Self::Plays { song, how } = self {
            let mut out = io::stdout().lock();
            let how = if *how == How::Skipped { "next" } else { how.name() };
            writeln!(out, "\u{266a} {} ({how})", plain(&song.name()))?;
            if !song.why.is_empty() {
                writeln!(out, "  {}", plain(&song.why))?;
            }
            return out.flush();
        }
        tell(format_args!("moodbox: {}", plain(&self.text())));
        Ok(())
    }

    fn text(&self) -> String {
        match self {
            Self::Plays { song, .. } => song.name(),
            Self::NotThere { song } => format!("MPD does not have {} ({}); passed over", song.name(), song.uri),
            Self::NothingThere { uri } => format!(
                "MPD has none of the songs that the box recommends, such as {uri}; were they scanned with --names mpd?"
            ),
            Self::Unplayable { song, reason } => format!("MPD cannot play {}: {reason}", song.name()),
            Self::Unknown { uri } => format!("the box does not know {uri}; its list stays as it is"),
            Self::Refused { command, reason } => format!("the box refuses {command}: {reason}"),
            Self::Paused => "MPD is paused; the box's songs wait in its queue".to_owned(),
            Self::Problem { reason } => reason.clone(),
            Self::Mended { what } => format!("{what} is back"),
        }
    }

    fn json(&self) -> Value {
        let of_song = |event: &str, song: &Song| json!({ "event": event, "uri": song.uri, "title": song.title, "artist": song.artist });
        match self {
            Self::Plays { song, how } => {
                let mut line = of_song("plays", song);
                (line["how"], line["why"]) = (how.name().into(), song.why.clone().into());
                line
            }
            Self::NotThere { song } => of_song("not_there", song),
            Self::NothingThere { uri } => json!({ "event": "nothing_there", "uri": uri }),
            Self::Unplayable { song, reason } => {
                let mut line = of_song("unplayable", song);
                line["reason"] = reason.clone().into();
                line
            }
            Self::Unknown { uri } => json!({ "event": "unknown", "uri": uri }),
            Self::Refused { command, reason } => json!({ "event": "refused", "command": command, "reason": reason }),
            Self::Paused => json!({ "event": "paused" }),
            Self::Problem { reason } => json!({ "event": "problem", "reason": reason }),
            Self::Mended { what } => json!({ "event": "mended", "what": what }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_as_text_and_as_json() {
        let song = Song {
            uri: "Ada/First.flac".to_owned(),
            title: "First".to_owned(),
            artist: "Ada".to_owned(),
            genre: "folk".to_owned(),
            why: "bright, like the mood".to_owned(),
        };
        let uri = "Ada/First.flac".to_owned();
        let reason = "MPD closed the connection; trying again".to_owned();
        let lines = [
            Line::Plays { song: song.clone(), how: How::Asked },
            Line::Plays { song: Song { uri: uri.clone(), ..Song::default() }, how: How::Chosen },
            Line::NotThere { song: song.clone() },
            Line::NothingThere { uri: uri.clone() },
            Line::Unplayable { song, reason: "no decoder".to_owned() },
            Line::Unknown { uri },
            Line::Refused { command: "next".to_owned(), reason: "there is no song".to_owned() },
            Line::Paused,
            Line::Problem { reason },
            Line::Mended { what: "MPD" },
        ];
        insta::assert_snapshot!(lines.map(|line| format!("{}\n{}", line.text(), line.json())).join("\n"));
    }
}
