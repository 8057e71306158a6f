//! Songs for a mood, and more of the same kind.
//!
//! A [`Catalogue`] is read once and prepared; a [`Recommender`] ranks it and learns from what is played, chosen, liked and
//! skipped. The same calls with the same seed give the same lists.

mod catalogue;
mod genre;
mod history;
mod import;
mod ranking;
#[cfg(test)]
mod tests;
mod why;

use std::time::Duration;

pub use catalogue::{Catalogue, Mode, Track};
pub use import::{Import, ImportError, MAX_TRACKS, Rejected};

use crate::affect::{Affect, Policy};
use crate::emotion::Emotion;
use history::History;
use ranking::{Dice, Selection};

/// What the music does with an emotion unless a person says otherwise. Songs reflect anger and fear badly: of those that
/// ranking finds for them, listeners rated few as angry or fearful.
#[must_use]
pub const fn default_policy(emotion: Emotion) -> Policy {
    match emotion {
        Emotion::Angry | Emotion::Fear => Policy::Soothe,
        _ => Policy::Match,
    }
}

/// A track and why it was recommended.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommended {
    /// The track.
    pub track: Track,
    /// How well it fits, at most about 1.6; comparable within one list only.
    pub score: f32,
    /// Why, in one sentence without a full stop.
    pub why: String,
}

/// A uri that no track of the catalogue has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no track of the catalogue has the uri {0:?}")]
pub struct UnknownTrack(pub String);

/// Ranks a catalogue for moods and chosen songs.
#[derive(Debug, Clone)]
pub struct Recommender {
    catalogue: Catalogue,
    history: History,
    seed: u64,
}

impl Recommender {
    /// A recommender that knows nothing of its listeners. `seed` decides which songs are tried out.
    #[must_use]
    pub fn new(catalogue: Catalogue, seed: u64) -> Self {
        Self { catalogue, history: History::default(), seed }
    }

    /// The songs.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Up to `n` songs for a room whose mood lies at `mood`, in the order to play them. Fewer only where the catalogue has
    /// fewer that differ, at two an artist.
    #[must_use]
    pub fn for_mood(&self, mood: Affect, policy: Policy, n: usize, now: Duration) -> Vec<Recommended> {
        let base = self.history.scores(&self.catalogue, now);
        let mut dice = Dice::new(self.seed ^ now.as_millis() as u64);
        let mut selection = Selection::new(&self.catalogue, None);
        for stretch in ranking::way(policy, mood, n).chunk_by(|a, b| a == b) {
            let mut scores = base.clone();
            ranking::add_nearness(&self.catalogue, stretch[0], &mut scores);
            // An experiment would break the steps of a way.
            selection.extend(&scores, stretch.len(), (policy != Policy::Lift).then_some(&mut dice));
        }
        let picks = selection.into_picks();
        let last = std::iter::once(None).chain(picks.iter().copied().map(Some));
        let why = |(&pick, last)| why::for_mood(&self.catalogue, policy, mood, pick, last);
        picks.iter().zip(last).map(|(pick, last)| self.recommended(*pick, why((pick, last)))).collect()
    }

    /// Up to `n` songs of the same kind as the one that was chosen, without it, in the order to play them. Plays and votes
    /// count here as they do for a mood, so that a song just skipped does not come straight back.
    ///
    /// # Errors
    /// When the catalogue has no such track.
    pub fn after(&self, uri: &str, n: usize, now: Duration) -> Result<Vec<Recommended>, UnknownTrack> {
        let chosen = self.index_of(uri)?;
        let mut scores = self.history.scores(&self.catalogue, now);
        ranking::add_likeness(&self.catalogue, chosen, &mut scores);
        let mut selection = Selection::new(&self.catalogue, Some(chosen));
        selection.extend(&scores, n, None);
        let picks = selection.into_picks();
        Ok(picks.iter().map(|pick| self.recommended(*pick, why::after(&self.catalogue, chosen, *pick))).collect())
    }

    /// A track started: it rests for some days.
    ///
    /// # Errors
    /// When the catalogue has no such track.
    pub fn played(&mut self, uri: &str, now: Duration) -> Result<(), UnknownTrack> {
        let track = self.index_of(uri)?;
        self.history.played(track, now);
        Ok(())
    }

    /// A person chose a track, and it starts: it and its genres are wanted.
    ///
    /// # Errors
    /// When the catalogue has no such track.
    pub fn chosen(&mut self, uri: &str, now: Duration) -> Result<(), UnknownTrack> {
        self.liked(uri)?;
        self.played(uri, now)
    }

    /// A person likes a track: it and its genres come sooner.
    ///
    /// # Errors
    /// When the catalogue has no such track.
    pub fn liked(&mut self, uri: &str) -> Result<(), UnknownTrack> {
        let track = self.index_of(uri)?;
        self.history.vote(&self.catalogue, track, true);
        Ok(())
    }

    /// A person skipped a track. Within 30 s of its start, or before it, it and its genres come later; a skip after that
    /// says nothing.
    ///
    /// # Errors
    /// When the catalogue has no such track.
    pub fn skipped(&mut self, uri: &str, now: Duration) -> Result<(), UnknownTrack> {
        let track = self.index_of(uri)?;
        if self.history.skip_is_vote(track, now) {
            self.history.vote(&self.catalogue, track, false);
        }
        Ok(())
    }

    fn index_of(&self, uri: &str) -> Result<usize, UnknownTrack> {
        self.catalogue.index_of(uri).ok_or_else(|| UnknownTrack(uri.to_owned()))
    }

    fn recommended(&self, pick: ranking::Pick, mut why: String) -> Recommended {
        if self.history.is_liked(pick.index) {
            why.push_str("; liked before");
        }
        Recommended { track: self.catalogue.tracks()[pick.index].clone(), score: pick.score, why }
    }
}
