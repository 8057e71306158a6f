//! The songs that can be recommended, prepared once so that a query over them is one pass.

use serde::{Deserialize, Serialize};

use super::features::{Features, Prepared};
use crate::affect::Affect;

/// Whether a song is in a major or a minor key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Mode {
    Major,
    Minor,
}

/// Where a song's place on the plane comes from; earlier ones are trusted more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Words for moods that a person or a service wrote into the file.
    Tags,
    /// A table that somebody made or exported.
    #[default]
    Table,
    /// The sound itself.
    Sound,
    /// What songs of its genre are like.
    Genre,
    /// The catalogue that comes with the box.
    Demo,
    /// Nowhere: it stands in the middle.
    Unknown,
}

impl Source {
    /// All of them, from the most trusted.
    pub const ALL: [Self; 6] = [Self::Tags, Self::Table, Self::Sound, Self::Genre, Self::Demo, Self::Unknown];

    /// The word used in files, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Table => "table",
            Self::Sound => "sound",
            Self::Genre => "genre",
            Self::Demo => "demo",
            Self::Unknown => "unknown",
        }
    }
}

/// Who plays a song of which nobody says it. It stands for somebody else in each track.
pub const UNKNOWN_ARTIST: &str = "unknown artist";

/// Artist and title of a song that is known by the name of its file, without ending: `Artist - Title`, with a number before
/// it or without, or a title.
#[must_use]
pub fn artist_and_title(name: &str) -> (&str, &str) {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let name = name.split_once(" - ").filter(|(first, _)| number(first)).map_or(name, |(_, rest)| rest);
    name.split_once(" - ").unwrap_or((UNKNOWN_ARTIST, name))
}

/// Numbers that describe the colour of a sound.
pub const TIMBRE: usize = 12;

/// A song. Its JSON form is what [`Catalogue::import`] reads.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Track {
    /// What a player calls it; one of a kind in a catalogue.
    pub uri: String,
    /// Its title.
    pub title: String,
    /// Who plays it.
    pub artist: String,
    /// The record it is from; may be empty.
    pub album: String,
    /// Year of release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// In free words, from broad to narrow; may be empty.
    pub genres: Vec<String>,
    /// Moods and occasions in free words, as people tag songs; may be empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The recording at `MusicBrainz`, a UUID in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mbid: Option<String>,
    /// The International Standard Recording Code, twelve letters and digits without dashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isrc: Option<String>,
    /// Where it lies on the plane, on the scale of its source.
    #[serde(flatten)]
    pub affect: Affect,
    /// Beats a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tempo: Option<f32>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The colour of its sound: means of the mel-frequency cepstral coefficients 1 to 12, which are near for sounds that
    /// are alike. The first ones vary most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timbre: Option<[f32; TIMBRE]>,
    /// Where valence and arousal come from.
    pub source: Source,
    /// How far they can be trusted, 0..1.
    pub confidence: f32,
}

/// Tracks with unique uris, and what ranking needs to know about each.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    tracks: Vec<Track>,
    /// Indices of `tracks` in the order of their uris.
    by_uri: Vec<u32>,
    prepared: Prepared,
}

/// How near the genres of two tracks are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kinship {
    /// Whether they share a family of genres.
    pub same_family: bool,
    /// Of their nearest genres: 1 the same, 0 nothing in common.
    pub nearness: f32,
}

impl Catalogue {
    /// The songs that the box knows before it is given a library. Their valence and arousal are estimates.
    #[must_use]
    pub fn demo() -> Self {
        Self::import(include_bytes!("../../data/demo-catalogue.csv")).map(|import| import.catalogue).unwrap_or_default()
    }

    /// Prepares tracks whose uris differ.
    pub(super) fn new(tracks: Vec<Track>) -> Self {
        let prepared = Prepared::new(&tracks);
        let mut by_uri: Vec<u32> = (0..tracks.len() as u32).collect();
        by_uri.sort_unstable_by(|&a, &b| tracks[a as usize].uri.cmp(&tracks[b as usize].uri));
        Self { tracks, by_uri, prepared }
    }

    /// All tracks, in the order of the file.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The track that a player calls `uri`.
    #[must_use]
    pub fn get(&self, uri: &str) -> Option<&Track> {
        self.index_of(uri).map(|index| &self.tracks[index])
    }

    /// Where a track lies on the plane by rank: as many songs of this catalogue lie below as above 0 on each axis. In the
    /// middle where it is not known.
    #[must_use]
    pub fn place(&self, uri: &str) -> Option<Affect> {
        self.index_of(uri).map(|index| self.features()[index].place.unwrap_or_default())
    }

    /// How near the genres of two tracks are; nothing where a track is unknown or has no genre.
    #[must_use]
    pub fn kinship(&self, a: &str, b: &str) -> Option<Kinship> {
        let genres =
            |uri| Some(self.features()[self.index_of(uri)?].genres.iter().map(|&g| &self.prepared.genres[g as usize]));
        let (a, b) = (genres(a)?, genres(b)?);
        let pairs = || a.clone().flat_map(|a| b.clone().map(move |b| (a, b)));
        let nearness = pairs().map(|(a, b)| a.nearness(b)).reduce(f32::max)?;
        let same_family = pairs().any(|(a, b)| a.name == b.name || (a.family().is_some() && a.family() == b.family()));
        Some(Kinship { same_family, nearness })
    }

    /// The later one of two tracks with the same uri, which [`Self::new`] is not meant for.
    pub(super) fn doubled(&self) -> Option<usize> {
        let uri = |index: u32| &self.tracks[index as usize].uri;
        let pair = self.by_uri.windows(2).find(|pair| uri(pair[0]) == uri(pair[1]))?;
        pair.iter().max().map(|index| *index as usize)
    }

    pub(super) fn index_of(&self, uri: &str) -> Option<usize> {
        let at = self.by_uri.binary_search_by(|&i| self.tracks[i as usize].uri.as_str().cmp(uri)).ok()?;
        Some(self.by_uri[at] as usize)
    }

    pub(super) fn features(&self) -> &[Features] {
        &self.prepared.features
    }

    pub(super) const fn prepared(&self) -> &Prepared {
        &self.prepared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_before_a_name_is_no_artist() {
        for (name, artist, title) in [
            ("01 - Hey Jude", UNKNOWN_ARTIST, "Hey Jude"),
            ("01 - The Beatles - Hey Jude", "The Beatles", "Hey Jude"),
            ("The Beatles - 1 - Hey Jude", "The Beatles", "1 - Hey Jude"),
            ("Track 01", UNKNOWN_ARTIST, "Track 01"),
            ("01", UNKNOWN_ARTIST, "01"),
        ] {
            assert_eq!(artist_and_title(name), (artist, title), "{name}");
        }
    }

    #[test]
    fn the_demo_catalogue_holds_without_exception() {
        let import = Catalogue::import(include_bytes!("../../data/demo-catalogue.csv")).unwrap();
        assert_eq!(import.rejected, []);
        assert_eq!(Catalogue::demo().tracks(), import.catalogue.tracks());
    }
}
