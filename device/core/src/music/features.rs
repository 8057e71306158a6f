//! What ranking looks at in a track, prepared once so that a query is one pass.

use std::collections::HashMap;

use super::catalogue::{Source, TIMBRE, Track, UNKNOWN_ARTIST};
use super::genre::Genre;
use super::recording;
use crate::affect::Affect;

/// What ranking looks at in one track.
#[derive(Debug, Clone)]
pub(super) struct Features {
    /// Its place on the plane by rank: of the songs whose place is known, as many lie below as above 0.
    pub(super) place: Option<Affect>,
    /// How far that place can be trusted, 0..1: how well it agrees with what listeners say, as a correlation.
    pub(super) trust: f32,
    /// The logarithm of its tempo to the base 2.
    pub(super) octave: Option<f32>,
    /// The same number for every way to write the artist, and one of its own for a track of which nobody says it; less than
    /// [`Prepared::artists`].
    pub(super) artist: u32,
    /// Index of the first track with the same recording; its own where it is alone.
    pub(super) recording: u32,
    /// Indices into [`Prepared::genres`].
    pub(super) genres: Box<[u32]>,
    /// Set of all families of its genres, see [`Genre::families`].
    pub(super) families: u16,
}

impl Features {
    /// Where listeners would put the song, as far as one can tell: a guess that is little trusted lies near the middle,
    /// where most songs are.
    pub(super) fn expected(&self) -> Affect {
        self.place
            .map_or_else(Affect::default, |place| Affect::new(self.trust * place.valence, self.trust * place.arousal))
    }
}

/// The features of all tracks and what they refer to.
#[derive(Debug, Clone, Default)]
pub(super) struct Prepared {
    /// One for each track.
    pub(super) features: Vec<Features>,
    /// Every genre that a track names, once.
    pub(super) genres: Vec<Genre>,
    pub(super) artists: usize,
    /// How far each number of the timbre is spread among the tracks: its standard deviation.
    pub(super) timbre_spread: [f32; TIMBRE],
}

impl Prepared {
    pub(super) fn new<'t>(tracks: &'t [Track]) -> Self {
        let mut by_name = Numbers::default();
        let mut by_spelling: HashMap<&str, Option<u32>> = HashMap::new();
        let number = |track: &'t Track| {
            let known = *by_spelling.entry(&track.artist).or_insert_with(|| {
                let name = recording::artist_name(&track.artist);
                (name != UNKNOWN_ARTIST).then(|| by_name.of(&name))
            });
            known.unwrap_or_else(|| by_name.another())
        };
        let artists: Vec<u32> = tracks.iter().map(number).collect();
        let recordings = recording::first_of_each(tracks, &artists);
        let mut genres = Genres::default();
        let features = tracks
            .iter()
            .zip(places(tracks))
            .zip(artists.into_iter().zip(recordings))
            .map(|((track, place), (artist, recording))| {
                let own: Box<[u32]> = track.genres.iter().map(|text| genres.number(text)).collect();
                Features {
                    place,
                    trust: if place.is_some() { track.confidence.clamp(0.0, 1.0) } else { 0.0 },
                    octave: track.tempo.map(f32::log2),
                    artist,
                    recording,
                    families: own.iter().fold(0, |set, &genre| set | genres.all[genre as usize].families()),
                    genres: own,
                }
            })
            .collect();
        Self { features, genres: genres.all, artists: by_name.count as usize, timbre_spread: spread(tracks) }
    }
}

/// Numbers names in the order in which they first come.
#[derive(Default)]
struct Numbers {
    by_name: HashMap<String, u32>,
    count: u32,
}

impl Numbers {
    fn of(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.by_name.get(name) {
            return number;
        }
        let number = self.another();
        self.by_name.insert(name.to_owned(), number);
        number
    }

    /// A number that no name has.
    const fn another(&mut self) -> u32 {
        self.count += 1;
        self.count - 1
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

/// The standard deviation of each number of the timbre; 0 where no track has one.
fn spread(tracks: &[Track]) -> [f32; TIMBRE] {
    let known = || tracks.iter().filter_map(|track| track.timbre.as_ref());
    let count = known().count().max(1) as f32;
    std::array::from_fn(|n| {
        let mean = known().map(|timbre| timbre[n]).sum::<f32>() / count;
        (known().map(|timbre| (timbre[n] - mean).powi(2)).sum::<f32>() / count).sqrt()
    })
}

/// Where each track lies by rank among those whose place is known; the others would bend the plane for these.
fn places(tracks: &[Track]) -> impl Iterator<Item = Option<Affect>> {
    let known = |track: &&Track| track.source != Source::Unknown;
    let ranks = |value: fn(&Track) -> f32| by_rank(&tracks.iter().filter(known).map(value).collect::<Vec<_>>());
    let mut ranked = ranks(|track| track.affect.valence).into_iter().zip(ranks(|track| track.affect.arousal));
    tracks.iter().map(move |track| {
        let (valence, arousal) = known(&track).then(|| ranked.next()).flatten()?;
        Some(Affect::new(valence, arousal))
    })
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
