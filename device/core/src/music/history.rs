//! What was played and what people thought of it, and how that moves a song.

use std::collections::BTreeMap;
use std::time::Duration;

use super::catalogue::Catalogue;

/// What a song loses right after it was played, and the time in which that fades (to 1/e).
const RECENCY: f32 = 0.3;
const RECENCY_FADE: Duration = Duration::from_secs(7 * 24 * 3600);

/// A skip later than this after the start says that the song was heard, not that it was disliked.
const SKIP_WITHIN: Duration = Duration::from_secs(30);

/// The most that votes move a song, up or down. As much as recency: a song that all like still gets its rest.
const VOTES: f32 = 0.3;

/// Votes of each kind that are taken for granted (the Beta prior). A genre stands for many songs, so it takes more votes to
/// move it.
const TRACK_PRIOR: f32 = 1.0;
const GENRE_PRIOR: f32 = 5.0;

/// Plays and votes since the start.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// Last time of each track.
    played: BTreeMap<usize, Duration>,
    tracks: BTreeMap<usize, Votes>,
    genres: BTreeMap<u32, Votes>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Votes {
    up: u32,
    down: u32,
}

impl Votes {
    const fn count(&mut self, up: bool) {
        let votes = if up { &mut self.up } else { &mut self.down };
        *votes = votes.saturating_add(1);
    }

    /// Mean of the Beta-Bernoulli posterior, brought from 0..1 to `-VOTES..VOTES`.
    fn shift(self, prior: f32) -> f32 {
        let (up, down) = (self.up as f32 + prior, self.down as f32 + prior);
        VOTES * (2.0 * up / (up + down) - 1.0)
    }
}

impl History {
    pub(super) fn played(&mut self, track: usize, now: Duration) {
        self.played.insert(track, now);
    }

    pub(super) fn vote(&mut self, catalogue: &Catalogue, track: usize, up: bool) {
        self.tracks.entry(track).or_default().count(up);
        for &genre in &catalogue.features()[track].genres {
            self.genres.entry(genre).or_default().count(up);
        }
    }

    /// Whether skipping a track at `now` is a vote against it.
    pub(super) fn skip_is_vote(&self, track: usize, now: Duration) -> bool {
        self.played.get(&track).is_none_or(|&start| now.saturating_sub(start) < SKIP_WITHIN)
    }

    /// Whether more liked a track than skipped it.
    pub(super) fn is_liked(&self, track: usize) -> bool {
        self.tracks.get(&track).is_some_and(|votes| votes.up > votes.down)
    }

    /// What each song gains or loses by plays and votes.
    pub(super) fn scores(&self, catalogue: &Catalogue, now: Duration) -> Vec<f32> {
        let mut scores = vec![0.0; catalogue.tracks().len()];
        if !self.genres.is_empty() {
            let mut shifts = vec![0.0; catalogue.genres().len()];
            for (&genre, votes) in &self.genres {
                shifts[genre as usize] = votes.shift(GENRE_PRIOR);
            }
            for (score, song) in scores.iter_mut().zip(catalogue.features()) {
                let sum: f32 = song.genres.iter().map(|&genre| shifts[genre as usize]).sum();
                *score += sum / song.genres.len().max(1) as f32;
            }
        }
        for (&track, votes) in &self.tracks {
            scores[track] += votes.shift(TRACK_PRIOR);
        }
        for (&track, &at) in &self.played {
            let age = now.saturating_sub(at).as_secs_f32() / RECENCY_FADE.as_secs_f32();
            scores[track] -= RECENCY * (-age).exp();
        }
        scores
    }
}
