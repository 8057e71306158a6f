//! `moodbox library list` and `show`.

use std::io::{self, Write};

use anyhow::anyhow;
use moodbox_core::music::{Mode, Track};

use crate::failure::Failure;
use crate::library::Library;

pub(super) fn list(library: &Library, json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for track in library.songs()? {
        if json {
            writeln!(out, "{}", serde_json::to_string(track).map_err(|e| anyhow!(e))?)?;
        } else {
            let genre = track.genres.first().map(|genre| format!(" ({genre})")).unwrap_or_default();
            writeln!(out, "{} \u{2013} {}{genre}", track.artist, track.title)?;
            writeln!(out, "    {}", track.uri)?;
        }
    }
    Ok(())
}

pub(super) fn show(library: &Library, uri: &str, json: bool) -> Result<(), Failure> {
    let found = library.tracks().iter().find(|track| track.uri == uri);
    let track = found.ok_or_else(|| anyhow!("no song of {} has the uri {uri:?}", library.path().display()))?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(track).map_err(|e| anyhow!(e))?)?;
        return Ok(());
    }
    for (name, value) in lines(track) {
        if !value.is_empty() {
            writeln!(out, "{name:12} {value}")?;
        }
    }
    Ok(())
}

fn lines(track: &Track) -> [(&'static str, String); 14] {
    let mode = track.mode.map(|mode| if mode == Mode::Major { "major" } else { "minor" });
    [
        ("title", track.title.clone()),
        ("artist", track.artist.clone()),
        ("album", track.album.clone()),
        ("year", track.year.map(|year| year.to_string()).unwrap_or_default()),
        ("genres", track.genres.join(", ")),
        ("tags", track.tags.join(", ")),
        ("uri", track.uri.clone()),
        ("MusicBrainz", track.mbid.clone().unwrap_or_default()),
        ("ISRC", track.isrc.clone().unwrap_or_default()),
        ("tempo", track.tempo.map(|tempo| format!("{tempo:.1} beats a minute")).unwrap_or_default()),
        ("mode", mode.unwrap_or_default().to_owned()),
        ("valence", format!("{:+.2}", track.affect.valence)),
        ("arousal", format!("{:+.2}", track.affect.arousal)),
        ("known from", format!("{}, trusted {:.0} %", track.source.name(), 100.0 * track.confidence)),
    ]
}
