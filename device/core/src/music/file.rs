//! The file in which a catalogue is kept and sent: JSON, one line a track, behind a line that says how many there are
//! and what their checksum is. A file that was cut off, damaged or mixed with another is refused whole.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::catalogue::{Catalogue, Mode, Source, TIMBRE, Track};
use super::import::{MAX_TRACKS, MAX_WORDS, TEMPOS};
use crate::affect::Affect;
use crate::topics::MAX_URI_BYTES;

/// Version of the format: raised when a field changes its meaning, not when one is added.
const VERSION: u32 = 1;

/// What every such file starts with.
const START: &[u8] = b"{\"moodbox_catalogue\":";

/// Longest text of a track, in bytes.
const MAX_TEXT: usize = 4096;

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The first line is something else.
    #[error("this is no catalogue of moodbox: its first line does not say so")]
    NotOurs,
    /// A newer program has written it.
    #[error("the catalogue has version {0}, this program reads {VERSION}; update moodbox")]
    Version(u32),
    /// Some of it is missing or different.
    #[error("the catalogue is damaged: its checksum is wrong; make or send it again")]
    Damaged,
    /// A track in it cannot be.
    #[error("line {line}: {reason}")]
    Track {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    moodbox_catalogue: u32,
    tracks: usize,
    sha256: String,
}

/// A track as it stands on its line.
#[derive(Deserialize)]
struct Line {
    uri: String,
    title: String,
    artist: String,
    album: String,
    year: Option<u16>,
    genres: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    mbid: Option<String>,
    isrc: Option<String>,
    valence: f32,
    arousal: f32,
    tempo: Option<f32>,
    mode: Option<Mode>,
    timbre: Option<[f32; TIMBRE]>,
    source: Source,
    confidence: f32,
}

impl From<Line> for Track {
    fn from(line: Line) -> Self {
        Self {
            uri: line.uri,
            title: line.title,
            artist: line.artist,
            album: line.album,
            year: line.year,
            genres: line.genres,
            tags: line.tags,
            mbid: line.mbid,
            isrc: line.isrc,
            affect: Affect::new(line.valence, line.arousal),
            tempo: line.tempo,
            mode: line.mode,
            timbre: line.timbre,
            source: line.source,
            confidence: line.confidence,
        }
    }
}

impl Track {
    /// Whether a catalogue may hold it.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub fn check(&self) -> Result<(), String> {
        let codes = self.mbid.iter().chain(&self.isrc);
        let texts =
            [&self.title, &self.artist, &self.album].into_iter().chain(&self.genres).chain(&self.tags).chain(codes);
        if texts.clone().any(|text| text.len() > MAX_TEXT) {
            return Err(format!("a text is longer than {MAX_TEXT} bytes"));
        }
        if texts.chain([&self.uri]).any(|text| text.contains(char::is_control)) {
            return Err("a text has a control character".to_owned());
        }
        if self.uri.is_empty() || self.uri.len() > MAX_URI_BYTES {
            return Err(format!("uri must have 1 to {MAX_URI_BYTES} bytes"));
        }
        if self.genres.len().max(self.tags.len()) > MAX_WORDS {
            return Err(format!("more than {MAX_WORDS} genres or tags"));
        }
        if !(0.0..=1.0).contains(&self.confidence) {
            return Err("confidence is outside 0..1".to_owned());
        }
        if self.tempo.is_some_and(|tempo| !TEMPOS.contains(&tempo)) {
            return Err(format!("tempo must be from {} to {} beats a minute", TEMPOS.start(), TEMPOS.end()));
        }
        if self.timbre.iter().flatten().any(|number| !number.is_finite()) {
            return Err("a number is too large".to_owned());
        }
        Ok(())
    }
}

impl Catalogue {
    /// The content of a file that [`Self::from_file`] reads back.
    ///
    /// # Errors
    /// When a number is not finite, which JSON cannot say.
    pub fn to_file(tracks: &[Track]) -> serde_json::Result<Vec<u8>> {
        let mut lines = Vec::new();
        for track in tracks {
            serde_json::to_writer(&mut lines, track)?;
            lines.push(b'\n');
        }
        let header = Header { moodbox_catalogue: VERSION, tracks: tracks.len(), sha256: hex(&lines) };
        let mut file = serde_json::to_vec(&header)?;
        file.push(b'\n');
        file.extend_from_slice(&lines);
        Ok(file)
    }

    /// Whether this is meant to be such a file, and no other list of songs.
    #[must_use]
    pub fn is_file(bytes: &[u8]) -> bool {
        bytes.starts_with(START)
    }

    /// Reads the content of a file; it may have no tracks.
    ///
    /// # Errors
    /// When it is no such file, or not whole, or has a track that cannot be.
    pub fn from_file(file: &[u8]) -> Result<Self, FileError> {
        let end = file.iter().position(|byte| *byte == b'\n').ok_or(FileError::NotOurs)?;
        let (first, lines) = (&file[..end], &file[end + 1..]);
        let header: Header = serde_json::from_slice(first).map_err(|_| FileError::NotOurs)?;
        if header.moodbox_catalogue != VERSION {
            return Err(FileError::Version(header.moodbox_catalogue));
        }
        if header.sha256 != hex(lines) || header.tracks > MAX_TRACKS {
            return Err(FileError::Damaged);
        }
        let mut tracks = Vec::with_capacity(header.tracks.min(lines.len()));
        for (index, line) in lines.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let refuse = |reason| FileError::Track { line: index + 2, reason };
            let track = Track::from(serde_json::from_slice::<Line>(line).map_err(|error| refuse(error.to_string()))?);
            track.check().map_err(refuse)?;
            tracks.push(track);
        }
        if tracks.len() != header.tracks {
            return Err(FileError::Damaged);
        }
        let catalogue = Self::new(tracks);
        match catalogue.doubled() {
            Some(index) => Err(FileError::Track { line: index + 2, reason: "its uri is already in use".to_owned() }),
            None => Ok(catalogue),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tracks() -> Vec<Track> {
        let full = Track {
            uri: "file:///a%20b.flac".to_owned(),
            title: "\"Quoted\" \u{1f3b5}".to_owned(),
            artist: "Ada".to_owned(),
            album: "First".to_owned(),
            year: Some(1971),
            genres: vec!["folk rock".to_owned()],
            tags: vec!["calm".to_owned()],
            mbid: Some("f4a31f0a-51dd-4fa7-986d-3095c40c5ed9".to_owned()),
            isrc: Some("USRC17607839".to_owned()),
            affect: Affect::new(-0.25, 0.5),
            tempo: Some(120.5),
            mode: Some(Mode::Minor),
            timbre: Some([0.5; TIMBRE]),
            source: Source::Tags,
            confidence: 0.75,
        };
        vec![full, Track { uri: "u:2".to_owned(), source: Source::Unknown, ..Track::default() }]
    }

    #[test]
    fn what_is_written_reads_back() {
        let file = Catalogue::to_file(&tracks()).unwrap();
        assert!(Catalogue::is_file(&file));
        assert_eq!(Catalogue::from_file(&file).unwrap().tracks(), tracks());
        let demo = Catalogue::demo();
        let file = Catalogue::to_file(demo.tracks()).unwrap();
        assert_eq!(Catalogue::from_file(&file).unwrap().tracks(), demo.tracks());
        assert_eq!(Catalogue::from_file(&Catalogue::to_file(&[]).unwrap()).unwrap().tracks(), []);
    }

    #[test]
    fn a_file_that_cannot_be_used_says_why() {
        let reason = |file: &[u8]| Catalogue::from_file(file).unwrap_err().to_string();
        let ours = "this is no catalogue of moodbox: its first line does not say so";
        assert_eq!(reason(b""), ours);
        assert_eq!(reason(b"uri,title\n"), ours);
        let newer = "{\"moodbox_catalogue\":2,\"tracks\":0,\"sha256\":\"\"}\n";
        assert_eq!(reason(newer.as_bytes()), "the catalogue has version 2, this program reads 1; update moodbox");
        let with = |change: fn(&mut Track)| {
            let mut all = tracks();
            change(&mut all[1]);
            reason(&Catalogue::to_file(&all).unwrap())
        };
        assert_eq!(with(|track| track.uri = "file:///a%20b.flac".to_owned()), "line 3: its uri is already in use");
        assert_eq!(with(|track| track.uri.clear()), "line 3: uri must have 1 to 1024 bytes");
        assert_eq!(with(|track| track.title = "a\nb".to_owned()), "line 3: a text has a control character");
        assert_eq!(with(|track| track.confidence = 1.5), "line 3: confidence is outside 0..1");
        assert_eq!(with(|track| track.tempo = Some(0.0)), "line 3: tempo must be from 20 to 400 beats a minute");
        assert_eq!(with(|track| track.album = "x".repeat(4097)), "line 3: a text is longer than 4096 bytes");
    }

    proptest! {
        #[test]
        fn a_file_that_was_cut_or_changed_is_refused(at in any::<prop::sample::Index>(), to: u8, cut: bool) {
            let file = Catalogue::to_file(&tracks()).unwrap();
            let mut bad = file.clone();
            let at = at.index(file.len());
            if cut { bad.truncate(at) } else { bad[at] = to }
            // The header may be written in other ways that mean the same; its tracks may not.
            match Catalogue::from_file(&bad) {
                Ok(catalogue) => prop_assert_eq!(catalogue.tracks(), tracks()),
                Err(error) => prop_assert!(bad != file, "{}", error),
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let header = Header { moodbox_catalogue: VERSION, tracks: 1, sha256: hex(&bytes) };
            let file = [&serde_json::to_vec(&header).unwrap()[..], b"\n", &bytes].concat();
            let _ = Catalogue::from_file(&file);
        }
    }
}
