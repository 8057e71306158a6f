//! Songs for a mood, and more of the same kind.
//!
//! A [`Catalogue`] is read once and prepared; a [`Recommender`] ranks it and learns from what is played, chosen, liked and
//! skipped. The same calls with the same seed give the same lists.

mod catalogue;
mod features;
mod feedback;
mod file;
mod genre;
mod history;
mod import;
mod ranking;
mod recording;
#[cfg(test)]
mod tests;
mod why;

use std::time::Duration;

pub use catalogue::{Catalogue, Kinship, Mode, Source, TIMBRE, Track, UNKNOWN_ARTIST, artist_and_title};
pub use feedback::{Deed, Feedback, MAX_REMEMBERED, Memory, Standing};
pub use file::FileError;
pub use genre::Genre;
pub use import::{Import, ImportError, MAX_TRACKS, MAX_WORDS, Rejected, TEMPOS, one_line};

use crate::affect::{Affect, Policy};
use crate::emotion::Emotion;
use history::History;
use ranking::{Dice, Kind, Selection};
use serde::Serialize;

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
    /// How well it fits, at most about 2; comparable within one list only.
    pub score: f32,
    /// What the score is the sum of.
    pub parts: Vec<Part>,
    /// Why, in one sentence without a full stop.
    pub why: String,
}

/// A part of a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Part {
    /// What it stands for, in plain words.
    pub name: &'static str,
    /// What it adds; less than 0 where it takes.
    pub value: f32,
}

/// What a list for a mood goes by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aim<'a> {
    /// Where the mood lies; for a *lift*, where it lay when the lift began.
    pub mood: Affect,
    /// What to do with it.
    pub policy: Policy,
    /// Songs of the *lift* that were played already: the next one goes on from there.
    pub climbed: usize,
    /// The song that plays; it is in no list.
    pub playing: Option<&'a str>,
    /// Whether the list shall stay near its kind; not asked by a *lift*, which has a way to go.
    pub keeps_kind: bool,
}

/// A uri that no track of the catalogue has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no track of the catalogue has the uri {0:?}")]
pub struct UnknownTrack(pub String);

/// Ranks a catalogue for moods and chosen songs. Times are since 1970, so that plays and votes keep their age over restarts.
#[derive(Debug, Clone)]
pub struct Recommender {
    catalogue: Catalogue,
    memory: Memory,
    history: History,
    seed: u64,
}

impl Recommender {
    /// A recommender that knows nothing of its listeners. `seed` decides which songs are tried out.
    #[must_use]
    pub fn new(catalogue: Catalogue, seed: u64) -> Self {
        Self { catalogue, memory: Memory::default(), history: History::default(), seed }
    }

    /// The same with what its listeners did before.
    #[must_use]
    pub fn remembering(self, memory: Memory) -> Self {
        Self { history: History::new(&self.catalogue, &memory), memory, ..self }
    }

    /// The songs.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// From now on these are the songs. What was done with those that are among them still counts.
    pub fn change_catalogue(&mut self, catalogue: Catalogue) {
        self.history = History::new(&catalogue, &self.memory);
        self.catalogue = catalogue;
    }

    /// Up to `n` songs for a room whose mood lies at `mood`, in the order to play them. Fewer only where the catalogue has
    /// fewer that differ, at two an artist.
    #[must_use]
    pub fn for_mood(&self, mood: Affect, policy: Policy, n: usize, now: Duration) -> Vec<Recommended> {
        self.toward(&Aim { mood, policy, climbed: 0, playing: None, keeps_kind: false }, n, now)
    }

    /// Up to `n` songs for a mood while others were played: [`Self::for_mood`] with what came before.
    #[must_use]
    pub fn toward(&self, aim: &Aim<'_>, n: usize, now: Duration) -> Vec<Recommended> {
        let lifts = aim.policy == Policy::Lift;
        let playing = aim.playing.and_then(|uri| self.catalogue.index_of(uri));
        let kind = playing.filter(|_| aim.keeps_kind && !lifts).map(|index| Kind::of(&self.catalogue, index));
        let mut base = self.history.scores(&self.catalogue, now);
        if let Some(kind) = &kind {
            base.iter_mut().enumerate().for_each(|(index, score)| *score += kind.bonus(index));
        }
        let mut dice = Dice::new(self.seed ^ now.as_millis() as u64);
        let mut selection = Selection::for_mood(&self.catalogue, playing, kind.is_none());
        let way = ranking::way(aim.policy, aim.mood, aim.climbed, n);
        let mut scores = base.clone();
        for stretch in way.chunk_by(|a, b| a == b) {
            for ((score, base), song) in scores.iter_mut().zip(&base).zip(self.catalogue.features()) {
                *score = base + ranking::nearness(song, stretch[0]);
            }
            // An experiment would break the steps of a way.
            selection.extend(&scores, stretch.len(), (!lifts).then_some(&mut dice));
        }
        let picks = selection.into_picks();
        let last = std::iter::once(None).chain(picks.iter().copied().map(Some));
        let recommend = |((pick, last), target): ((&ranking::Pick, _), &Affect)| {
            let fit = ranking::nearness(&self.catalogue.features()[pick.index], *target);
            let bonus = kind.as_ref().map_or(0.0, |kind| kind.bonus(pick.index));
            let parts = [Part { name: "mood", value: fit }, Part { name: "same kind as what plays", value: bonus }];
            self.recommended(*pick, why::for_mood(&self.catalogue, aim, *pick, last), &parts, now)
        };
        picks.iter().zip(last).zip(&way).map(recommend).collect()
    }

    /// Up to `n` songs of the same kind as the one that was chosen, without it, in the order to play them. Plays and votes
    /// count here as they do for a mood, so that a song just skipped does not come straight back.
    ///
    /// # Errors
    /// When the catalogue has no such track.
    pub fn after(&self, uri: &str, n: usize, now: Duration) -> Result<Vec<Recommended>, UnknownTrack> {
        let chosen = self.index_of(uri)?;
        let kind = Kind::of(&self.catalogue, chosen);
        let mut scores = self.history.scores(&self.catalogue, now);
        for (index, score) in scores.iter_mut().enumerate() {
            *score += kind.likeness(index).iter().map(|part| part.value).sum::<f32>();
        }
        let mut selection = Selection::of_a_kind(&self.catalogue, chosen);
        selection.extend(&scores, n, None);
        let recommend = |pick: ranking::Pick| {
            let why = why::after(&self.catalogue, chosen, pick);
            self.recommended(pick, why, &kind.likeness(pick.index), now)
        };
        Ok(selection.into_picks().into_iter().map(recommend).collect())
    }

    /// A track started: it rests for some days.
    ///
    /// # Errors
    /// When the catalogue has no such track.
    pub fn played(&mut self, uri: &str, now: Duration) -> Result<Feedback, UnknownTrack> {
        self.index_of(uri)?;
        Ok(self.learn(now, Deed::Played { uri: uri.to_owned() }))
    }

    /// A person chose a track, and it starts: it, its artist and its genres are wanted.
    ///
    /// # Errors
    /// When the catalogue has no such track.
    pub fn chosen(&mut self, uri: &str, now: Duration) -> Result<Feedback, UnknownTrack> {
        self.index_of(uri)?;
        Ok(self.learn(now, Deed::Chosen { uri: uri.to_owned() }))
    }

    /// A person likes a track: it, its artist and its genres come sooner.
    ///
    /// # Errors
    /// When the catalogue has no such track.
    pub fn liked(&mut self, uri: &str, now: Duration) -> Result<Feedback, UnknownTrack> {
        self.index_of(uri)?;
        Ok(self.learn(now, Deed::Liked { uri: uri.to_owned() }))
    }

    /// A person skipped a track that plays. Within 30 s of its start it, its artist and its genres come later; a skip after
    /// that says nothing.
    ///
    /// # Errors
    /// When the catalogue has no such track.
    pub fn skipped(&mut self, uri: &str, now: Duration) -> Result<Option<Feedback>, UnknownTrack> {
        let track = self.index_of(uri)?;
        let counts = self.history.skip_is_vote(&self.catalogue, track, now);
        Ok(counts.then(|| self.learn(now, Deed::Skipped { uri: uri.to_owned() })))
    }

    /// A person skipped a track before it could start, whenever it last played: it, its artist and its genres come later.
    ///
    /// # Errors
    /// When the catalogue has no such track.
    pub fn turned_down(&mut self, uri: &str, now: Duration) -> Result<Feedback, UnknownTrack> {
        self.index_of(uri)?;
        Ok(self.learn(now, Deed::Skipped { uri: uri.to_owned() }))
    }

    /// A person said what the mood really is: what was skipped in the last ten minutes did not fit a mood that was wrong,
    /// so those skips are taken back.
    pub fn corrected(&mut self, now: Duration) -> Feedback {
        self.learn(now, Deed::Corrected)
    }

    /// Takes in what listeners did; returns it for the log.
    fn learn(&mut self, now: Duration, deed: Deed) -> Feedback {
        let feedback = Feedback { at: now.as_secs(), deed };
        for uri in self.memory.take(&feedback) {
            self.history.recount(&self.catalogue, &uri, self.memory.standing(&uri));
        }
        feedback
    }

    fn index_of(&self, uri: &str) -> Result<usize, UnknownTrack> {
        self.catalogue.index_of(uri).ok_or_else(|| UnknownTrack(uri.to_owned()))
    }

    fn recommended(&self, pick: ranking::Pick, mut why: String, fit: &[Part], now: Duration) -> Recommended {
        if self.history.is_liked(&self.catalogue, pick.index) {
            why.push_str("; liked before");
        }
        let history = self.history.parts(&self.catalogue, pick.index, now);
        let parts = fit.iter().chain(&history).copied().filter(|part| part.value != 0.0).collect();
        Recommended { track: self.catalogue.tracks()[pick.index].clone(), score: pick.score, parts, why }
    }
}
