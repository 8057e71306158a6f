//! One track from its values, wherever they were written.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::{MAX_WORDS, TEMPOS, one_line};
use crate::affect::Affect;
use crate::music::catalogue::{Mode, Source, Track};
use crate::topics::MAX_URI_BYTES;

/// Every value that a track may have, and whether it must.
pub(super) const COLUMNS: [(&str, bool); 15] = [
    ("uri", true),
    ("title", true),
    ("artist", true),
    ("album", false),
    ("year", false),
    ("genres", false),
    ("tags", false),
    ("mbid", false),
    ("isrc", false),
    ("valence", false),
    ("arousal", false),
    ("tempo", false),
    ("mode", false),
    ("source", false),
    ("confidence", false),
];

/// Longest value, in bytes.
const MAX_VALUE: usize = 4096;

/// How far valence and arousal are trusted where the file does not say.
const DEFAULT_CONFIDENCE: f32 = 0.5;

/// Makes a track; `value` gives the text under a name of [`COLUMNS`], empty where there is none, or why it cannot.
pub(super) fn track<'a>(value: impl Fn(&str) -> Result<Cow<'a, str>, String>) -> Result<Track, String> {
    let value = |name: &str| {
        let text = value(name)?;
        if text.len() > MAX_VALUE {
            return Err(format!("{name} is longer than {MAX_VALUE} bytes"));
        }
        Ok(text)
    };
    let words = |name: &str| Ok::<_, String>(one_line(&value(name)?));
    let needed_words = |name: &str| words(name).and_then(|text| needed(name, text));
    let number = |name: &str, range: RangeInclusive<f32>| in_range(name, value(name)?.trim(), &range);

    let uri = value("uri")?.trim().to_owned();
    if uri.contains(char::is_control) {
        return Err(format!("uri {} has a control character", shown(&uri)));
    }
    if uri.len() > MAX_URI_BYTES {
        return Err(format!("uri is longer than {MAX_URI_BYTES} bytes"));
    }
    let affect = match (number("valence", -1.0..=1.0)?, number("arousal", -1.0..=1.0)?) {
        (Some(valence), Some(arousal)) => Some(Affect::new(valence, arousal)),
        (None, None) => None,
        (None, Some(_)) => return Err("valence is missing".to_owned()),
        (Some(_), None) => return Err("arousal is missing".to_owned()),
    };
    let confidence = number("confidence", 0.0..=1.0)?.unwrap_or(DEFAULT_CONFIDENCE);
    Ok(Track {
        uri: needed("uri", uri)?,
        title: needed_words("title")?,
        artist: needed_words("artist")?,
        album: words("album")?,
        year: match value("year")?.trim() {
            // Some write 0 where they do not know.
            text if text.bytes().all(|digit| digit == b'0') => None,
            text => Some(
                text.parse()
                    .ok()
                    .filter(|year| (1000..=2999).contains(year))
                    .ok_or_else(|| format!("year {} is not a year", shown(text)))?,
            ),
        },
        genres: list("genres", &value("genres")?)?,
        tags: list("tags", &value("tags")?)?,
        mbid: mbid(&value("mbid")?),
        isrc: isrc(&value("isrc")?),
        affect: affect.unwrap_or_default(),
        // Some write 0 where they do not know.
        tempo: if value("tempo")?.trim().parse() == Ok(0f32) { None } else { number("tempo", TEMPOS)? },
        mode: match value("mode")?.trim() {
            "" => None,
            "major" | "1" => Some(Mode::Major),
            "minor" | "0" => Some(Mode::Minor),
            text => return Err(format!("mode {} is neither major nor minor", shown(text))),
        },
        timbre: None,
        source: if affect.is_some() { source(&value("source")?) } else { Source::Unknown },
        confidence: if affect.is_some() { confidence } else { 0.0 },
    })
}

fn needed(name: &str, text: String) -> Result<String, String> {
    if text.is_empty() { Err(format!("{name} is missing")) } else { Ok(text) }
}

fn in_range(name: &str, text: &str, range: &RangeInclusive<f32>) -> Result<Option<f32>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let number: f32 = text.parse().map_err(|_| format!("{name} {} is not a number", shown(text)))?;
    if !range.contains(&number) {
        return Err(format!("{name} {number} is outside {}..{}", range.start(), range.end()));
    }
    Ok(Some(number))
}

/// Each word once: a song of several artists may have the genres of each, and many of them twice.
fn list(name: &str, text: &str) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(';').map(one_line) {
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    if words.len() > MAX_WORDS {
        return Err(format!("{} {name} are more than {MAX_WORDS}", words.len()));
    }
    Ok(words)
}

/// A table may name its own source, which is a table's all the same.
fn source(text: &str) -> Source {
    let named = Source::ALL.into_iter().find(|source| text.trim().eq_ignore_ascii_case(source.name()));
    named.unwrap_or_default()
}

/// A `MusicBrainz` id in its usual form; anything else names no recording.
fn mbid(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let parts = text.split('-').map(|part| part.bytes().all(|b| b.is_ascii_hexdigit()).then_some(part.len()));
    parts.eq([8, 4, 4, 4, 12].map(Some)).then_some(text)
}

/// An ISRC without the dashes that some write; anything else names no recording.
fn isrc(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| *c != '-').collect::<String>().to_ascii_uppercase();
    (text.len() == 12 && text.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(text)
}

/// A value as it is shown in a message: in quotes, escaped, and not too long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().nth(LONGEST).is_none() {
        return format!("{text:?}");
    }
    format!("{:?}...", text.chars().take(LONGEST).collect::<String>())
}
