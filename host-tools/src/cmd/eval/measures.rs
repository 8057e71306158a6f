//! Measures of lists of songs, and lists to compare with.

use std::collections::BTreeSet;

use moodbox_core::affect::Affect;
use moodbox_core::music::Catalogue;
use serde::Serialize;

/// Songs of a list that are looked at.
pub(super) const LENGTH: usize = 10;

/// How relevant a song that listeners put at `place` is for `target`, 0..1.
pub(super) fn relevance(place: Affect, target: Affect) -> f32 {
    (1.0 - place.distance(target)).max(0.0)
}

/// Normalised discounted cumulative gain of the first ten of a list (Järvelin & Kekäläinen 2002); `all` is the relevance
/// of every song.
pub(super) fn ndcg(list: &[f32], all: &[f32]) -> f32 {
    let mut ideal = all.to_vec();
    ideal.sort_unstable_by(|a, b| b.total_cmp(a));
    let discounted = |list: &[f32]| -> f32 {
        list.iter().take(LENGTH).enumerate().map(|(at, relevance)| gain(*relevance) / ((at + 2) as f32).log2()).sum()
    };
    discounted(list) / discounted(&ideal).max(f32::MIN_POSITIVE)
}

/// The same for a random order, in which every place has the mean gain of all songs.
pub(super) fn ndcg_by_chance(all: &[f32]) -> f32 {
    let mean = all.iter().map(|relevance| gain(*relevance)).sum::<f32>() / all.len().max(1) as f32;
    ndcg(&vec![(mean + 1.0).log2(); LENGTH.min(all.len())], all)
}

fn gain(relevance: f32) -> f32 {
    relevance.exp2() - 1.0
}

/// What lists of songs after a chosen one are like, on average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Continuity {
    /// Share of the songs whose genre is of the chosen song's family.
    pub(super) same_family: f32,
    /// Artists in a list, as a share of its songs.
    pub(super) unique_artists: f32,
    /// Mean distance of a song from the chosen one on the plane, by rank.
    pub(super) distance: f32,
    /// How different the genres of two songs of a list are: 1 nothing in common.
    pub(super) diversity: f32,
    /// Share of the catalogue that some list holds.
    pub(super) coverage: f32,
}

/// Measures lists, each of them of indices after the chosen song; uris are the songs' numbers.
pub(super) fn continuity(catalogue: &Catalogue, lists: &[(usize, Vec<usize>)]) -> Continuity {
    let tracks = catalogue.tracks();
    let uri = |index: usize| tracks[index].uri.as_str();
    let (mut songs, mut same, mut distance) = (0_usize, 0_usize, 0.0);
    let (mut artists, mut different, mut pairs) = (0_usize, 0.0, 0_usize);
    let mut found: BTreeSet<usize> = BTreeSet::new();
    for (chosen, list) in lists {
        songs += list.len();
        found.extend(list);
        artists += list.iter().map(|song| tracks[*song].artist.to_lowercase()).collect::<BTreeSet<_>>().len();
        for song in list {
            let kinship = catalogue.kinship(uri(*chosen), uri(*song));
            same += usize::from(kinship.is_some_and(|kinship| kinship.same_family));
            let places = catalogue.place(uri(*chosen)).zip(catalogue.place(uri(*song)));
            distance += places.map_or(0.0, |(a, b)| a.distance(b));
        }
        for (at, a) in list.iter().enumerate() {
            for b in &list[at + 1..] {
                different += 1.0 - catalogue.kinship(uri(*a), uri(*b)).map_or(0.0, |kinship| kinship.nearness);
                pairs += 1;
            }
        }
    }
    let share = |part: f32, whole: usize| part / whole.max(1) as f32;
    Continuity {
        same_family: share(same as f32, songs),
        unique_artists: share(artists as f32, songs),
        distance: share(distance, songs),
        diversity: share(different, pairs),
        coverage: share(found.len() as f32, tracks.len()),
    }
}

/// The first ten by `score`, best first, without `chosen`. Equal ones come in a random order.
pub(super) fn best(
    count: usize,
    chosen: Option<usize>,
    random: &mut fastrand::Rng,
    score: impl Fn(usize) -> f32,
) -> Vec<usize> {
    let mut scored: Vec<(f32, usize)> =
        (0..count).filter(|song| Some(*song) != chosen).map(|song| (score(song), song)).collect();
    random.shuffle(&mut scored);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(LENGTH).map(|(_, song)| song).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_all_songs_fit_equally_chance_is_as_good_as_any_order() {
        for count in [1, 5, LENGTH, 3 * LENGTH] {
            assert!((ndcg_by_chance(&vec![1.0; count]) - 1.0).abs() < 1e-5, "{count} songs");
        }
    }
}
