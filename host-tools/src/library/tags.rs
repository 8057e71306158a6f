//! What a sound file says of itself; nothing else here knows the tag reader.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::time::Duration;

use lofty::config::ParseOptions;
use lofty::error::ErrorKind;
use lofty::file::{AudioFile, FileType, TaggedFileExt};
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag};
use moodbox_core::music::{MAX_WORDS, TEMPOS, one_line};
use serde::{Deserialize, Serialize};

use super::guard::guarded;
use super::trouble::Trouble;

/// Longest text that is kept, in bytes. Nobody gives a song a longer name on purpose.
const MAX_TEXT: usize = 4096;

/// The tags that matter here, cleaned; empty where there are none.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Tags {
    pub(super) title: String,
    pub(super) artist: String,
    pub(super) album: String,
    pub(super) year: Option<u16>,
    pub(super) genres: Vec<String>,
    pub(super) moods: Vec<String>,
    pub(super) mbid: Option<String>,
    pub(super) isrc: Option<String>,
    pub(super) tempo: Option<f32>,
}

/// Reads the tags of a file, whose kind is told by its content. An error is one line for a person.
pub(super) fn read(path: &Path) -> Result<Tags, Trouble> {
    guarded(|| read_tags(path))
}

fn read_tags(path: &Path) -> Result<Tags, Trouble> {
    let unreadable = |error: io::Error| Trouble::Unreadable(error.to_string());
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().is_ok_and(|about| about.len() == 0) {
        return Err("is empty".into());
    }
    let options = ParseOptions::new().read_cover_art(false);
    let probe = Probe::new(BufReader::new(file)).options(options).guess_file_type();
    let probe = probe.map_err(unreadable)?;
    match probe.file_type() {
        None => return Err("is no sound file of a kind that is known".into()),
        Some(FileType::Mpeg | FileType::Flac | FileType::Vorbis | FileType::Opus | FileType::Mp4 | FileType::Wav) => {}
        Some(other) => return Err(format!("is of a kind that is not used here: {other:?}").into()),
    }
    let read = probe.read().map_err(|error| {
        let met = if let ErrorKind::Io(met) = error.kind() { Some(met) } else { None };
        Trouble::met_by_a_reader(met, || format!("is damaged: {}", one_line(&error.to_string())))
    })?;
    let sound = read.properties();
    // FLAC may leave open how long it is, and does so where the encoder could not go back to its start.
    let is_open = read.file_type() == FileType::Flac && sound.sample_rate().is_some_and(|rate| rate > 0);
    if sound.duration() == Duration::ZERO && !is_open {
        return Err("is damaged: there is no sound in it".into());
    }
    // A file may carry tags of two kinds; the first that has something counts.
    let tags: Vec<&Tag> = read.primary_tag().into_iter().chain(read.tags()).collect();
    Ok(clean(&tags)?)
}

fn clean(tags: &[&Tag]) -> Result<Tags, String> {
    let all =
        |key: ItemKey| tags.iter().map(move |tag| tag.get_strings(key).map(one_line).filter(|text| !text.is_empty()));
    let list =
        |key: ItemKey| all(key).map(Iterator::collect).find(|list: &Vec<String>| !list.is_empty()).unwrap_or_default();
    let first = |keys: &[ItemKey]| keys.iter().find_map(|key| list(*key).into_iter().next());
    let text = |name: &str, keys: &[ItemKey]| match first(keys).unwrap_or_default() {
        text if text.len() > MAX_TEXT => Err(format!("its {name} is longer than {MAX_TEXT} bytes")),
        text => Ok(text),
    };
    let words = |name: &str, key: ItemKey| {
        let mut words: Vec<String> = Vec::new();
        for word in list(key).iter().flat_map(|text| text.split([';', '/', ','])).map(one_line) {
            if word.len() > MAX_TEXT {
                return Err(format!("its {name} is longer than {MAX_TEXT} bytes"));
            }
            if !word.is_empty() && !words.contains(&word) && words.len() < MAX_WORDS {
                words.push(word);
            }
        }
        Ok(words)
    };
    let tempo = first(&[ItemKey::Bpm, ItemKey::IntegerBpm]).and_then(|text| text.parse().ok());
    let year = first(&[ItemKey::RecordingDate, ItemKey::Year, ItemKey::OriginalReleaseDate]);
    Ok(Tags {
        title: text("title", &[ItemKey::TrackTitle])?,
        artist: text("artist", &[ItemKey::TrackArtist, ItemKey::AlbumArtist])?,
        album: text("album", &[ItemKey::AlbumTitle])?,
        year: year.and_then(|date| date.get(..4)?.parse().ok()).filter(|year| (1000..=2999).contains(year)),
        genres: words("genre", ItemKey::Genre)?,
        moods: words("mood", ItemKey::Mood)?,
        mbid: first(&[ItemKey::MusicBrainzRecordingId]).map(|id| id.to_ascii_lowercase()).filter(|id| id.len() == 36),
        isrc: first(&[ItemKey::Isrc])
            .map(|isrc| isrc.replace('-', "").to_ascii_uppercase())
            .filter(|isrc| isrc.len() == 12),
        tempo: tempo.filter(|tempo| TEMPOS.contains(tempo)),
    })
}
