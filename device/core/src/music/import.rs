//! Catalogues from files: tables, playlists, JSON or our own format, told apart by their content.
//!
//! Files come from spreadsheets, scripts and other players, and some rows will be wrong. A wrong row is named by its line
//! and costs no other row.

mod csv;
mod json;
mod m3u;
mod row;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;

use super::catalogue::{Catalogue, Track};
use super::file::FileError;

/// Most tracks that a catalogue holds.
pub const MAX_TRACKS: usize = 1_000_000;

/// Most genres, and most tags, of one track: enough for every real one, and few enough to compare with all others.
pub const MAX_WORDS: usize = 16;

/// Tempos that music has, in beats a minute.
pub const TEMPOS: RangeInclusive<f32> = 20.0..=400.0;

/// Times that reading starts again after an entry that swallowed those behind it. Each time may read the rest of the
/// file, so there must be an end to it.
const MAX_RESTARTS: usize = 100;

/// A catalogue that was read, and what was left out of it.
#[derive(Debug, Clone)]
pub struct Import {
    /// The good tracks; at least one.
    pub catalogue: Catalogue,
    /// The bad ones, by line.
    pub rejected: Vec<Rejected>,
}

/// An entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The line of the file on which it starts, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// Why nothing could be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// There is nothing in it.
    #[error("the catalogue is empty")]
    Empty,
    /// It is a picture, an archive, UTF-16 or the like.
    #[error("the catalogue is neither a table, a playlist nor JSON in UTF-8")]
    NotText,
    /// It is a catalogue that moodbox has written, and cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is JSON, but something else than a list.
    #[error("the catalogue is JSON but no list of tracks: it must start with [")]
    NotAList,
    /// The first line of the CSV does not name what every track needs.
    #[error("the first line of the catalogue must name its columns; missing: {}", .0.join(", "))]
    MissingColumns(Vec<&'static str>),
    /// The first line names a column twice.
    #[error("the first line of the catalogue names the column {0} twice")]
    DoubledColumn(String),
    /// Every entry is bad.
    #[error("the catalogue has no usable track{}", .0.first().map(|first| format!("; {first}")).unwrap_or_default())]
    NoTrack(Vec<Rejected>),
    /// It has more than [`MAX_TRACKS`].
    #[error("the catalogue has more than {MAX_TRACKS} tracks")]
    TooManyTracks,
}

impl Catalogue {
    /// Reads a catalogue from the bytes of a file, in UTF-8 with or without a byte order mark.
    ///
    /// Tables, parted by commas, semicolons or tabs: the first line names the columns, in any order; `uri`, `title` and
    /// `artist` are needed. `valence` and `arousal` (-1..1) may be absent together, and the track stands in the middle with
    /// [`Source::Unknown`](super::Source). `album`, `year`, `genres` and `tags` (parted by `;`), `mbid`, `isrc`, `tempo`
    /// (beats a minute), `mode` (`major` or `minor`), `source` and `confidence` (0..1) are optional, and others are
    /// ignored. Columns may be named as Exportify does; its `Energy` and `Valence` are 0..1, and commas part its genres.
    ///
    /// Playlists: M3U and M3U8.
    ///
    /// JSON: a list of objects with our names; `genres` and `tags` are lists of strings.
    ///
    /// # Errors
    /// When it is neither, or has no usable track.
    pub fn import(file: &[u8]) -> Result<Import, ImportError> {
        if Self::is_file(file) {
            return Ok(Import { catalogue: Self::from_file(file)?, rejected: Vec::new() });
        }
        let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        let mut entries = Entries::default();
        match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => return Err(ImportError::Empty),
            Some(b'[') => json::read(text, &mut entries),
            Some(b'{') => return Err(ImportError::NotAList),
            Some(_) if m3u::is_playlist(text) => m3u::read(text, &mut entries),
            Some(_) => csv::read(text, &mut entries)?,
        }
        entries.finish()
    }
}

/// What was read so far.
#[derive(Default)]
struct Entries {
    tracks: Vec<Track>,
    /// The line of each track.
    lines: Vec<usize>,
    rejected: Vec<Rejected>,
}

impl Entries {
    /// Adds what the entry that starts on `line` came to.
    fn add(&mut self, line: usize, entry: Result<Track, String>) {
        match entry {
            Ok(track) => {
                self.tracks.push(track);
                self.lines.push(line);
            }
            Err(reason) => self.rejected.push(Rejected { line, reason }),
        }
    }

    /// Whether one more entry may be read.
    fn has_room(&self) -> bool {
        self.tracks.len() <= MAX_TRACKS
    }

    fn finish(mut self) -> Result<Import, ImportError> {
        if !self.has_room() {
            return Err(ImportError::TooManyTracks);
        }
        let mut first_line: HashMap<&str, usize> = HashMap::with_capacity(self.tracks.len());
        let mut doubled = Vec::new();
        for (index, (track, &line)) in self.tracks.iter().zip(&self.lines).enumerate() {
            if let Some(first) = first_line.get(track.uri.as_str()) {
                let reason = format!("uri {} is already on line {first}", row::shown(&track.uri));
                self.rejected.push(Rejected { line, reason });
                doubled.push(index);
            } else {
                first_line.insert(&track.uri, line);
            }
        }
        let mut doubled = doubled.into_iter().peekable();
        let mut index = 0;
        self.tracks.retain(|_| {
            let keep = doubled.next_if_eq(&index).is_none();
            index += 1;
            keep
        });
        self.rejected.sort_by_key(|rejected| rejected.line);
        if self.tracks.is_empty() {
            return Err(ImportError::NoTrack(self.rejected));
        }
        Ok(Import { catalogue: Catalogue::new(self.tracks), rejected: self.rejected })
    }
}

/// `text` without control characters, its words parted by single spaces: it will be printed on terminals and displays.
#[must_use]
pub fn one_line(text: &str) -> String {
    let parts = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

fn line_breaks(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}
