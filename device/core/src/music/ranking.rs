//! Which songs, in which order: scores, at most two songs an artist, and variety.

use std::collections::{HashMap, HashSet};

use super::Part;
use super::catalogue::{Catalogue, Track};
use super::features::Features;
use crate::affect::{Affect, Policy};

/// Songs by one artist in a list.
const ARTIST_CAP: usize = 2;

/// The best songs among which variety is sought; those behind them are too far off to be worth it.
const POOL: usize = 200;

/// Weight of the score against variety (maximal marginal relevance, Carbonell & Goldstein 1998).
const MMR: f32 = 0.75;

/// One song in so many is an experiment.
const EXPLORE_ONE_IN: u64 = 10;

/// The best songs from which experiments are drawn, and how much less than the best they may score: none that rests.
const EXPLORE_AMONG: usize = 50;
const EXPLORE_WITHIN: f32 = 1.0;

/// Distance on the plane at which songs stop feeling alike.
const ALIKE: f32 = 0.45;

/// How far a place on the plane is spread along each axis: the variance of ranks in -1..1.
const VARIANCE: f32 = 1.0 / 3.0;

/// Weights of genre, place, tempo and timbre after a song was chosen.
const GENRE: f32 = 0.45;
const PLACE: f32 = 0.30;
const TEMPO: f32 = 0.10;
const TIMBRE: f32 = 0.15;

/// How alike the places of two songs drawn at random are on average.
const PLACE_BY_CHANCE: f32 = 0.2;

/// What being of the kind of the song that plays adds for a song that fits the mood.
const SAME_KIND: f32 = 0.3;

/// What another song by the chosen song's artist loses.
const SAME_ARTIST: f32 = 0.15;

/// Where *lift* leads, its longest step, and the fewest steps that make a way.
pub(super) const UP: Affect = Affect::new(0.6, 0.3);
const STEP: f32 = 0.25;
const FEWEST_STEPS: f32 = 3.0;

/// Where *soothe* leads.
pub(super) const CALM: Affect = Affect::new(0.4, -0.4);

/// The place that each song of a list of `n` aims at, when `climbed` songs of a *lift* that began at `mood` were played.
pub(super) fn way(policy: Policy, mood: Affect, climbed: usize, n: usize) -> Vec<Affect> {
    match policy {
        Policy::Match => vec![mood; n],
        Policy::Soothe => vec![CALM; n],
        Policy::Lift => {
            let step = STEP.min(mood.distance(UP) / FEWEST_STEPS);
            (climbed..climbed + n).map(|song| mood.toward(UP, step * song as f32)).collect()
        }
    }
}

/// How near to `target` listeners will find a song: 1 on it.
///
/// What is known of a song's place is a guess whose agreement with listeners is its trust, a correlation r. Where they put
/// it is then spread around r times the guess with the variance (1 - r²) that the guess does not explain, and this is the
/// mean of a bump of width [`ALIKE`] over that spread. At full trust it is the bump itself, and the order is that of the
/// distance; a song of which nothing is known is as good as any in the middle.
pub(super) fn nearness(song: &Features, target: Affect) -> f32 {
    let known = ALIKE * ALIKE;
    let spread = known + VARIANCE * (1.0 - song.trust * song.trust);
    let apart = song.expected().distance(target);
    known / spread * (-apart * apart / (2.0 * spread)).exp()
}

/// What other songs are compared with: one song of the catalogue.
pub(super) struct Kind<'a> {
    catalogue: &'a Catalogue,
    track: &'a Track,
    song: &'a Features,
    /// One row for each genre of the song: how near it is to every genre of the catalogue.
    near: Vec<Vec<f32>>,
}

impl<'a> Kind<'a> {
    pub(super) fn of(catalogue: &'a Catalogue, index: usize) -> Self {
        let (track, song) = (&catalogue.tracks()[index], &catalogue.features()[index]);
        let genres = &catalogue.prepared().genres;
        let row = |own: &u32| genres.iter().map(|genre| genres[*own as usize].nearness(genre)).collect();
        Self { catalogue, track, song, near: song.genres.iter().map(row).collect() }
    }

    /// How near the genres of another song are, 0..1: the mean over this song's genres of the nearest of the other's.
    fn genre(&self, song: &Features) -> f32 {
        let best_matches = self.near.iter().map(|row| song.genres.iter().map(|&g| row[g as usize]).fold(0.0, f32::max));
        best_matches.sum::<f32>() / self.near.len().max(1) as f32
    }

    /// What a song that fits the mood gains for being of this kind.
    pub(super) fn bonus(&self, index: usize) -> f32 {
        SAME_KIND * self.genre(&self.catalogue.features()[index])
    }

    /// How much another song is of the same kind, by reason; up to 1 in all.
    pub(super) fn likeness(&self, index: usize) -> [Part; 5] {
        let song = &self.catalogue.features()[index];
        [
            Part { name: "genre", value: GENRE * self.genre(song) },
            Part { name: "place", value: PLACE * place_likeness(self.song.place, song.place) },
            Part { name: "tempo", value: TEMPO * tempo_likeness(self.song.octave, song.octave) },
            Part { name: "timbre", value: TIMBRE * self.timbre_likeness(index) },
            Part { name: "same artist", value: if song.artist == self.song.artist { -SAME_ARTIST } else { 0.0 } },
        ]
    }

    /// 1 for the same colour of sound, less by how unusual the difference is among the catalogue's songs. Unknown is as
    /// good as chance.
    fn timbre_likeness(&self, index: usize) -> f32 {
        let Some(a) = &self.track.timbre else { return 0.5 };
        let Some(b) = &self.catalogue.tracks()[index].timbre else { return 0.5 };
        let spreads = &self.catalogue.prepared().timbre_spread;
        let unusual = |((a, b), spread): ((&f32, &f32), &f32)| ((a - b) / spread.max(f32::MIN_POSITIVE)).powi(2);
        let apart = a.iter().zip(b).zip(spreads).map(unusual).sum::<f32>() / spreads.len() as f32;
        // Two songs drawn at random are 2 apart on average, which is worth .5 here as well.
        (-apart * std::f32::consts::LN_2 / 2.0).exp()
    }
}

/// 1 for the same place, less with the distance. Unknown is as good as chance.
fn place_likeness(a: Option<Affect>, b: Option<Affect>) -> f32 {
    let (Some(a), Some(b)) = (a, b) else { return PLACE_BY_CHANCE };
    let apart = a.distance(b) / ALIKE;
    (-apart * apart / 2.0).exp()
}

/// 1 for the same tempo, twice it or half of it, 0 for the farthest from that. Unknown is as good as chance.
fn tempo_likeness(a: Option<f32>, b: Option<f32>) -> f32 {
    let (Some(a), Some(b)) = (a, b) else { return 0.5 };
    1.0 - 2.0 * (a - b - (a - b).round()).abs()
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
    /// Whether songs of different kinds are wanted; after a choice the kind is what was asked for.
    mixed: bool,
}

impl<'a> Selection<'a> {
    /// Songs without the one that plays, of different kinds or near its own.
    pub(super) const fn for_mood(catalogue: &'a Catalogue, playing: Option<usize>, mixed: bool) -> Self {
        Self { catalogue, picks: Vec::new(), after: playing, mixed }
    }

    pub(super) const fn of_a_kind(catalogue: &'a Catalogue, chosen: usize) -> Self {
        Self { catalogue, picks: Vec::new(), after: Some(chosen), mixed: false }
    }

    /// Takes up to `count` more songs by `scores`, one for each track. With `dice` one in ten is drawn from the best instead
    /// of being the best, so that feedback reaches songs that would never have their turn. Where a list begins anew its
    /// first is not; where it goes on the first may be, for that is the one which will play.
    pub(super) fn extend(&mut self, scores: &[f32], count: usize, mut dice: Option<&mut Dice>) {
        let mut pool = self.pool(scores);
        for _ in 0..count {
            if pool.is_empty() {
                pool = self.pool(scores);
            }
            let dice = dice.as_deref_mut().filter(|_| !self.picks.is_empty() || !self.mixed);
            let drawn = dice.and_then(|dice| {
                let experiment = dice.roll(EXPLORE_ONE_IN) == 0;
                let worst = scores[pool.first()?.song] - EXPLORE_WITHIN;
                let among = pool.iter().take(EXPLORE_AMONG).take_while(|candidate| scores[candidate.song] >= worst);
                experiment.then(|| dice.roll(among.count() as u64) as usize)
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
        let mut order: Vec<usize> = (0..songs.len()).filter(|&song| self.allows(song)).collect();
        // The cap comes before the cut: one artist's many songs must not fill the pool, nor copies of one the artist's places.
        // So the cut is tried with twice the songs, and with more while too many fall to the cap.
        let songs_left = order.len();
        let mut cut = 2 * POOL;
        let pool = loop {
            if cut < order.len() {
                order.select_nth_unstable_by(cut, |&a, &b| better(a, b));
            }
            let best = &mut order[..cut.min(songs_left)];
            best.sort_unstable_by(|&a, &b| better(a, b));
            let mut by_artist: HashMap<u32, usize> = HashMap::new();
            let mut recordings = HashSet::new();
            let capped =
                best.iter().copied().filter(|&song| recordings.insert(songs[song].recording)).filter(|&song| {
                    let count = by_artist.entry(songs[song].artist).or_default();
                    *count += 1;
                    *count <= ARTIST_CAP
                });
            let pool: Vec<usize> = capped.take(POOL).collect();
            if pool.len() == POOL || cut >= songs_left {
                break pool;
            }
            cut *= 4;
        };
        let nearest_pick =
            |song: usize| self.picks.iter().map(|pick| self.sameness(song, pick.index)).fold(0.0, f32::max);
        pool.into_iter().map(|song| Candidate { song, sameness: nearest_pick(song) }).collect()
    }

    /// How much two songs bore one after the other, 0..1.
    fn sameness(&self, a: usize, b: usize) -> f32 {
        let (a, b) = (&self.catalogue.features()[a], &self.catalogue.features()[b]);
        if a.artist == b.artist {
            1.0
        } else if !self.mixed {
            0.0
        } else if a.genres.iter().any(|genre| b.genres.contains(genre)) {
            0.5
        } else if a.families & b.families != 0 {
            0.25
        } else {
            0.0
        }
    }

    /// Whether a song may be added: its recording is not there yet, and its artist is not too often.
    fn allows(&self, song: usize) -> bool {
        let song = &self.catalogue.features()[song];
        let there = |index: usize| &self.catalogue.features()[index];
        self.after.is_none_or(|after| there(after).recording != song.recording)
            && self.picks.iter().all(|pick| there(pick.index).recording != song.recording)
            && self.picks.iter().filter(|pick| there(pick.index).artist == song.artist).count() < ARTIST_CAP
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
