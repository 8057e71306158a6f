//! Which songs, in which order: scores, at most two songs an artist, and variety.

use crate::affect::{Affect, Policy};

use super::catalogue::Catalogue;

/// Songs by one artist in a list.
const ARTIST_CAP: usize = 2;

/// The best songs among which variety is sought; those behind them are too far off to be worth it.
const POOL: usize = 200;

/// Weight of the score against variety (maximal marginal relevance, Carbonell & Goldstein 1998).
const MMR: f32 = 0.75;

/// One song in so many is an experiment.
const EXPLORE_ONE_IN: u64 = 10;

/// The best songs from which experiments are drawn.
const EXPLORE_AMONG: usize = 50;

/// Distance on the plane at which songs stop feeling alike.
const ALIKE: f32 = 0.45;

/// Weights of genre, place and tempo after a song was chosen. The design gives .15 more to timbre; as no track carries
/// one yet, the rest is scaled up to make 1.
const GENRE: f32 = 0.45 / 0.85;
const PLACE: f32 = 0.30 / 0.85;
const TEMPO: f32 = 0.10 / 0.85;

/// What another song by the chosen song's artist loses.
const SAME_ARTIST: f32 = 0.15;

/// Where *lift* leads, its longest step, and the fewest steps that make a way.
pub(super) const UP: Affect = Affect::new(0.6, 0.3);
const STEP: f32 = 0.25;
const FEWEST_STEPS: f32 = 3.0;

/// Where *soothe* leads.
pub(super) const CALM: Affect = Affect::new(0.4, -0.4);

/// The place that each song of a list of `n` aims at.
pub(super) fn way(policy: Policy, mood: Affect, n: usize) -> Vec<Affect> {
    match policy {
        Policy::Match => vec![mood; n],
        Policy::Soothe => vec![CALM; n],
        Policy::Lift => {
            let step = STEP.min(mood.distance(UP) / FEWEST_STEPS);
            (0..n).map(|song| mood.toward(UP, step * song as f32)).collect()
        }
    }
}

/// Adds to each song's score how near it lies to `target`: 1 on it, less by the distance.
pub(super) fn add_nearness(catalogue: &Catalogue, target: Affect, scores: &mut [f32]) {
    for (score, song) in scores.iter_mut().zip(catalogue.features()) {
        *score += 1.0 - song.place.distance(target);
    }
}

/// Adds to each song's score how much it is of the same kind as `chosen`, 0..1.
pub(super) fn add_likeness(catalogue: &Catalogue, chosen: usize, scores: &mut [f32]) {
    let like = &catalogue.features()[chosen];
    let tempo = catalogue.tracks()[chosen].tempo;
    // One row for each genre of the chosen song: how near it is to every genre of the catalogue.
    let near: Vec<Vec<f32>> = like
        .genres
        .iter()
        .map(|&own| catalogue.genres().iter().map(|genre| catalogue.genres()[own as usize].nearness(genre)).collect())
        .collect();
    for ((score, song), track) in scores.iter_mut().zip(catalogue.features()).zip(catalogue.tracks()) {
        let best_matches = near.iter().map(|row| song.genres.iter().map(|&g| row[g as usize]).fold(0.0, f32::max));
        let genre = best_matches.sum::<f32>() / near.len().max(1) as f32;
        let apart = song.place.distance(like.place) / ALIKE;
        *score += GENRE * genre + PLACE * (-apart * apart / 2.0).exp() + TEMPO * tempo_likeness(tempo, track.tempo);
        if song.artist == like.artist {
            *score -= SAME_ARTIST;
        }
    }
}

/// 1 for the same tempo, twice it or half of it, 0 for the farthest from that. Unknown is as good as chance.
fn tempo_likeness(a: Option<f32>, b: Option<f32>) -> f32 {
    let (Some(a), Some(b)) = (a, b) else { return 0.5 };
    let octaves = (a / b).log2();
    1.0 - 2.0 * (octaves - octaves.round()).abs()
}

/// A song that was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pick {
    /// Its index in the catalogue.
    pub(super) index: usize,
    /// Its score before variety.
    pub(super) score: f32,
    /// Whether it is an experiment.
    pub(super) explored: bool,
}

/// A song that may be taken.
struct Candidate {
    song: usize,
    /// With the pick that is most like it.
    sameness: f32,
}

/// A list of songs that is being made.
pub(super) struct Selection<'a> {
    catalogue: &'a Catalogue,
    picks: Vec<Pick>,
    /// The song that the list follows, which must not come again.
    after: Option<usize>,
}

impl<'a> Selection<'a> {
    pub(super) const fn new(catalogue: &'a Catalogue, after: Option<usize>) -> Self {
        Self { catalogue, picks: Vec::new(), after }
    }

    /// Takes up to `count` more songs by `scores`, one for each track. With `dice` one in ten but the first is drawn from
    /// the best instead of being the best, so that feedback reaches songs that would never have their turn.
    pub(super) fn extend(&mut self, scores: &[f32], count: usize, mut dice: Option<&mut Dice>) {
        let mut pool = self.pool(scores);
        for _ in 0..count {
            let dice = dice.as_deref_mut().filter(|_| !self.picks.is_empty());
            let drawn = dice.and_then(|dice| {
                let experiment = dice.roll(EXPLORE_ONE_IN) == 0 && !pool.is_empty();
                experiment.then(|| dice.roll(pool.len().min(EXPLORE_AMONG) as u64) as usize)
            });
            let worth = |at: usize| MMR * scores[pool[at].song] - (1.0 - MMR) * pool[at].sameness;
            let best = || (0..pool.len()).reduce(|best, at| if worth(at) > worth(best) { at } else { best });
            let Some(index) = drawn.or_else(best).map(|at| pool[at].song) else { return };
            self.picks.push(Pick { index, score: scores[index], explored: drawn.is_some() });
            pool.retain(|candidate| self.allows(candidate.song));
            for candidate in &mut pool {
                candidate.sameness = candidate.sameness.max(self.sameness(candidate.song, index));
            }
        }
    }

    pub(super) fn into_picks(self) -> Vec<Pick> {
        self.picks
    }

    /// The best songs that may still be taken, best first.
    fn pool(&self, scores: &[f32]) -> Vec<Candidate> {
        let songs = self.catalogue.features();
        let better = |a: usize, b: usize| scores[b].total_cmp(&scores[a]).then(a.cmp(&b));
        // The cap comes before the cut: one artist's many songs must not fill the pool.
        let mut best = vec![[None; ARTIST_CAP]; self.catalogue.artists()];
        for song in (0..songs.len()).filter(|&song| self.allows(song)) {
            let mut next = Some(song);
            for place in &mut best[songs[song].artist as usize] {
                if next.is_some_and(|next| place.is_none_or(|held| better(next, held).is_lt())) {
                    std::mem::swap(place, &mut next);
                }
            }
        }
        let mut pool: Vec<usize> = best.into_iter().flatten().flatten().collect();
        if pool.len() > POOL {
            pool.select_nth_unstable_by(POOL, |&a, &b| better(a, b));
            pool.truncate(POOL);
        }
        pool.sort_unstable_by(|&a, &b| better(a, b));
        let nearest_pick =
            |song: usize| self.picks.iter().map(|pick| self.sameness(song, pick.index)).fold(0.0, f32::max);
        pool.into_iter().map(|song| Candidate { song, sameness: nearest_pick(song) }).collect()
    }

    /// How much two songs bore one after the other, 0..1. After a choice the kind is what was asked for, so only the artist
    /// counts.
    fn sameness(&self, a: usize, b: usize) -> f32 {
        let (a, b) = (&self.catalogue.features()[a], &self.catalogue.features()[b]);
        if a.artist == b.artist {
            1.0
        } else if self.after.is_some() {
            0.0
        } else if a.genres.iter().any(|genre| b.genres.contains(genre)) {
            0.5
        } else if a.families & b.families != 0 {
            0.25
        } else {
            0.0
        }
    }

    /// Whether a song may be added: it is not there yet, nor under another uri, and its artist is not too often.
    fn allows(&self, song: usize) -> bool {
        let songs = self.catalogue.features();
        let title = |song: usize| &self.catalogue.tracks()[song].title;
        let by_artist = |other: &usize| songs[*other].artist == songs[song].artist;
        let there = self.picks.iter().map(|pick| pick.index);
        there.clone().filter(by_artist).count() < ARTIST_CAP
            && !there.chain(self.after).filter(by_artist).any(|other| title(other).eq_ignore_ascii_case(title(song)))
    }
}

/// Seeded random numbers (`SplitMix64`, Steele et al. 2014): the same seed, the same list.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number less than `sides`.
    const fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}
