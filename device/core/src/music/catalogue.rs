//! The songs that can be recommended, prepared once so that a query over them is one pass.

use std::collections::HashMap;

use serde::Serialize;

use super::genre::Genre;
use crate::affect::Affect;

/// Whether a song is in a major or a minor key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Mode {
    Major,
    Minor,
}

/// A song. Its JSON form is what [`Catalogue::import`] reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// Where it lies on the plane, on the scale of its source.
    #[serde(flatten)]
    pub affect: Affect,
    /// Beats a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tempo: Option<f32>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Where valence and arousal come from.
    pub source: String,
    /// How far they can be trusted, 0..1.
    pub confidence: f32,
}

/// Tracks with unique uris, and what ranking needs to know about each.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    tracks: Vec<Track>,
    /// Indices of `tracks` in the order of their uris.
    by_uri: Vec<u32>,
    /// One for each track.
    features: Vec<Features>,
    /// Every genre that a track names, once.
    genres: Vec<Genre>,
    artists: usize,
}

/// What ranking looks at in a track.
#[derive(Debug, Clone)]
pub(super) struct Features {
    /// Its place on the plane by rank: as many songs of this catalogue lie below as above 0.
    pub(super) place: Affect,
    /// The same number for every spelling of the artist in upper and lower case; less than [`Catalogue::artists`].
    pub(super) artist: u32,
    /// Indices into [`Catalogue::genres`].
    pub(super) genres: Box<[u32]>,
    /// Set of all families of its genres, see [`Genre::families`].
    pub(super) families: u16,
}

impl Catalogue {
    /// The songs that the box knows before it is given a library. Their valence and arousal are estimates.
    #[must_use]
    pub fn demo() -> Self {
        Self::import(include_bytes!("../../data/demo-catalogue.csv")).map(|import| import.catalogue).unwrap_or_default()
    }

    /// Prepares tracks whose uris differ.
    pub(super) fn new(tracks: Vec<Track>) -> Self {
        let valences = by_rank(&tracks.iter().map(|t| t.affect.valence).collect::<Vec<_>>());
        let arousals = by_rank(&tracks.iter().map(|t| t.affect.arousal).collect::<Vec<_>>());
        let mut artists = Numbers::default();
        let mut genres = Genres::default();
        let features: Vec<Features> = tracks
            .iter()
            .zip(valences.into_iter().zip(arousals))
            .map(|(track, (valence, arousal))| {
                let own: Box<[u32]> = track.genres.iter().map(|text| genres.number(text)).collect();
                Features {
                    place: Affect::new(valence, arousal),
                    artist: artists.of(&track.artist.to_lowercase()),
                    families: own.iter().fold(0, |set, &genre| set | genres.all[genre as usize].families()),
                    genres: own,
                }
            })
            .collect();
        let (genres, artists) = (genres.all, artists.0.len());
        let mut by_uri: Vec<u32> = (0..tracks.len() as u32).collect();
        by_uri.sort_unstable_by(|&a, &b| tracks[a as usize].uri.cmp(&tracks[b as usize].uri));
        Self { tracks, by_uri, features, genres, artists }
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

    pub(super) fn index_of(&self, uri: &str) -> Option<usize> {
        let at = self.by_uri.binary_search_by(|&i| self.tracks[i as usize].uri.as_str().cmp(uri)).ok()?;
        Some(self.by_uri[at] as usize)
    }

    pub(super) fn features(&self) -> &[Features] {
        &self.features
    }

    pub(super) fn genres(&self) -> &[Genre] {
        &self.genres
    }

    pub(super) fn artists(&self) -> usize {
        self.artists
    }
}

/// Numbers names in the order in which they first come.
#[derive(Default)]
struct Numbers(HashMap<String, u32>);

impl Numbers {
    fn of(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.0.get(name) {
            return number;
        }
        let number = self.0.len() as u32;
        self.0.insert(name.to_owned(), number);
        number
    }
}

/// Numbers genres, and reads each spelling once.
#[derive(Default)]
struct Genres<'a> {
    all: Vec<Genre>,
    by_name: Numbers,
    by_text: HashMap<&'a str, u32>,
}

impl<'a> Genres<'a> {
    fn number(&mut self, text: &'a str) -> u32 {
        *self.by_text.entry(text).or_insert_with(|| {
            let genre = Genre::read(text);
            let number = self.by_name.of(&genre.name);
            if number as usize == self.all.len() {
                self.all.push(genre);
            }
            number
        })
    }
}

/// Each value's rank among all, scaled to -1..1. Equal values share the mean of their ranks; a lone value is 0.
///
/// Libraries lean: most pop is bright and lively. By rank every mood finds its share of the songs.
fn by_rank(values: &[f32]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    // 0 and -0 are equal values, though the total order knows them apart.
    for equal in order.chunk_by(|&a, &b| values[a] >= values[b]) {
        // The mean rank of the run is `below + (len - 1) / 2`; the highest rank there is, `values.len() - 1`, becomes 1.
        let twice_mean = 2 * below + equal.len() - 1;
        for &index in equal {
            ranks[index] = if values.len() == 1 { 0.0 } else { twice_mean as f32 / (values.len() - 1) as f32 - 1.0 };
        }
        below += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranks_are_scaled_and_ties_share_their_mean() {
        assert!(by_rank(&[]).is_empty());
        assert_eq!(by_rank(&[0.7]), [0.0]);
        assert_eq!(by_rank(&[0.9, 0.1, 0.5]), [1.0, -1.0, 0.0]);
        assert_eq!(by_rank(&[0.5, 0.5, 0.5]), [0.0, 0.0, 0.0]);
        assert_eq!(by_rank(&[0.0, -0.0, 1.0, -1.0, 1.0]), [-0.25, -0.25, 0.75, -1.0, 0.75]);
    }

    #[test]
    fn the_demo_catalogue_holds_without_exception() {
        let import = Catalogue::import(include_bytes!("../../data/demo-catalogue.csv")).unwrap();
        assert_eq!(import.rejected, []);
        assert_eq!(Catalogue::demo().tracks(), import.catalogue.tracks());
    }

    proptest! {
        #[test]
        fn ranks_stay_in_range_keep_the_order_and_balance(values in prop::collection::vec(-1f32..=1.0, 1..60)) {
            let ranks = by_rank(&values);
            prop_assert!(ranks.iter().all(|r| (-1.0..=1.0).contains(r)));
            for (a, rank_a) in values.iter().zip(&ranks) {
                for (b, rank_b) in values.iter().zip(&ranks) {
                    prop_assert_eq!(a.partial_cmp(b), rank_a.partial_cmp(rank_b));
                }
            }
            prop_assert!(ranks.iter().sum::<f32>().abs() < 1e-3);
        }
    }
}
