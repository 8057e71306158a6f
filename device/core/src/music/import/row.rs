//! One track from its values, wherever they were written.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::affect::Affect;
use crate::music::catalogue::{Mode, Track};

/// Every value that a track may have, and whether it must.
pub(super) const COLUMNS: [(&str, bool); 12] = [
    ("uri", true),
    ("title", true),
    ("artist", true),
    ("album", false),
    ("year", false),
    ("genres", false),
    ("valence", true),
    ("arousal", true),
    ("tempo", false),
    ("mode", false),
    ("source", false),
    ("confidence", false),
];

/// Longest value, in bytes.
const MAX_VALUE: usize = 4096;

/// Most genres of one track: enough for every real one, and few enough to compare with all others.
const MAX_GENRES: usize = 16;

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
    let valence = number("valence", -1.0..=1.0)?.ok_or("valence is missing")?;
    let arousal = number("arousal", -1.0..=1.0)?.ok_or("arousal is missing")?;
    Ok(Track {
        uri: needed("uri", uri)?,
        title: needed_words("title")?,
        artist: needed_words("artist")?,
        album: words("album")?,
        year: match value("year")?.trim() {
            "" => None,
            text => Some(
                text.parse()
                    .ok()
                    .filter(|year| (1000..=2999).contains(year))
                    .ok_or_else(|| format!("year {} is not a year", shown(text)))?,
            ),
        },
        genres: genres(&value("genres")?)?,
        affect: Affect::new(valence, arousal),
        tempo: number("tempo", 20.0..=400.0)?,
        mode: match value("mode")?.trim() {
            "" => None,
            "major" => Some(Mode::Major),
            "minor" => Some(Mode::Minor),
            text => return Err(format!("mode {} is neither major nor minor", shown(text))),
        },
        source: words("source")?,
        confidence: number("confidence", 0.0..=1.0)?.unwrap_or(DEFAULT_CONFIDENCE),
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

fn genres(text: &str) -> Result<Vec<String>, String> {
    let genres: Vec<String> = text.split(';').map(one_line).filter(|genre| !genre.is_empty()).collect();
    if genres.len() > MAX_GENRES {
        return Err(format!("{} genres are more than {MAX_GENRES}", genres.len()));
    }
    Ok(genres)
}

/// `text` without control characters, its words parted by single spaces: it will be printed on terminals and displays.
fn one_line(text: &str) -> String {
    let parts = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

/// A value as it is shown in a message: in quotes, escaped, and not too long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().nth(LONGEST).is_none() {
        return format!("{text:?}");
    }
    format!("{:?}...", text.chars().take(LONGEST).collect::<String>())
}
