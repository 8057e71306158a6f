//! The slow signal: what mood the room is in. It drives the music.
//!
//! A face shows the mood it is in less than half of the time, and a classifier misreads a third of what it shows. So
//! the mood is inferred, not read: each person has a belief over the seven moods that a Bayes filter updates with every
//! reading, and the room's mood changes only when the pooled belief says so clearly and for a while.

mod belief;
mod people;
mod pooling;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use belief::Confusion;
pub(crate) use people::{readable, weight};

use crate::affect::Affect;
use crate::config;
use crate::emotion::{COUNT, Emotion, Probabilities};
use crate::face::SeenFace;

use belief::Dynamics;
use people::{Person, follow};
use pooling::{Pooled, pool};

/// Time in which the belief about an empty room fades to the prior, after the hold.
const FADE: Duration = Duration::from_secs(60);

/// How often the output is looked at again while it fades.
const FADE_STEP: Duration = Duration::from_secs(1);

/// Disagreement from which a room is mixed (Jensen-Shannon divergence, bits), and under which it is so no longer.
const DISAGREE: f32 = 0.3;
const AGREE: f32 = 0.2;

/// The mood of the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoomMood {
    /// People are there, in different moods.
    Mixed,
    /// Nobody is there.
    Absent,
    /// This one.
    #[serde(untagged)]
    Emotion(Emotion),
}

impl RoomMood {
    /// The name used in payloads, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emotion(emotion) => emotion.name(),
            Self::Mixed => "mixed",
            Self::Absent => "absent",
        }
    }
}

impl fmt::Display for RoomMood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is known of the room at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// Its mood.
    pub mood: RoomMood,
    /// Whether the mood is little more than a guess: the confidence is under the configured limit.
    pub unsure: bool,
    /// Belief in the mood, 0..1: for a mixed room the mean belief in each person's own mood, 0 for an empty one.
    pub confidence: f32,
    /// Where the room is on the valence-arousal plane, on average over the belief.
    pub affect: Affect,
    /// Whether somebody was there recently; false exactly when the mood is absent.
    pub presence: bool,
    /// Faces in the latest frame, readable or not.
    pub faces: usize,
}

/// From the faces of each frame to the mood of the room.
#[derive(Debug, Clone)]
pub struct MoodFilter {
    settings: config::Mood,
    dynamics: Dynamics,
    people: Vec<Person>,
    /// Of the people whose faces are in the latest frame, in the order of the faces.
    numbers: Vec<u32>,
    pooled: Pooled,
    shown: Option<Shown>,
    /// When a face was last seen.
    seen: Option<Duration>,
    faces: usize,
    /// The latest time that was told; a clock that runs backwards stands still for us.
    clock: Duration,
}

/// The mood that is shown, and since when.
#[derive(Debug, Clone, Copy)]
struct Shown {
    mood: RoomMood,
    since: Duration,
    /// Whether it was ever more than a guess. A guess need not be kept for the dwell.
    was_sure: bool,
}

/// How much is believed of a person who says what the mood is.
const TOLD: f32 = 0.9;

impl MoodFilter {
    /// A filter for an empty room, for readings of the classifier with this confusion.
    #[must_use]
    pub fn new(settings: &config::Mood, confusion: &Confusion) -> Self {
        let dynamics = Dynamics::new(settings.expressiveness.0, settings.forget_s.duration(), confusion);
        let pooled = Pooled::agreed(*dynamics.prior());
        Self {
            settings: settings.clone(),
            dynamics,
            people: Vec::new(),
            numbers: Vec::new(),
            pooled,
            shown: None,
            seen: None,
            faces: 0,
            clock: Duration::ZERO,
        }
    }

    /// Goes by other settings from now on; what is believed stays, and an empty room empty.
    pub fn configure(&mut self, settings: &config::Mood, confusion: &Confusion, now: Duration) {
        if self.empty_at(self.clock.max(now)) {
            self.forget_who_was_there();
        }
        self.dynamics = Dynamics::new(settings.expressiveness.0, settings.forget_s.duration(), confusion);
        self.settings = settings.clone();
    }

    /// Takes in what was seen in one frame, also when that is nobody.
    pub fn observe(&mut self, faces: &[SeenFace], now: Duration) {
        self.clock = self.clock.max(now);
        let now = self.clock;
        self.faces = faces.len();
        self.numbers.clear();
        if !faces.is_empty() {
            if self.empty_at(now) {
                self.forget_who_was_there();
            }
            self.pooled.belief = self.belief_at(now);
            self.numbers = follow(&mut self.people, faces, now, &self.dynamics, &self.pooled.belief);
            self.seen = Some(now);
        }
        let hold = self.settings.hold_s.duration();
        self.people.retain(|p| p.unseen(now) < hold);
        match pool(&self.people, self.settings.pooling, self.settings.unsure_below.0) {
            Some(pooled) => self.pooled = pooled,
            None if !faces.is_empty() => self.pooled = Pooled::agreed(self.pooled.belief),
            None => {}
        }
        if !faces.is_empty() {
            self.decide(now);
        }
    }

    fn forget_who_was_there(&mut self) {
        self.people.clear();
        self.shown = None;
    }

    /// Which person each face of the latest frame belongs to, by the track of the face and else by its place: a number from 1,
    /// kept for as long as the person is followed and then given to somebody else.
    #[must_use]
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// Somebody says what the mood is. Everyone who is there is believed to be in it until their faces say otherwise; in
    /// an empty room it means nothing.
    pub fn correct(&mut self, mood: Emotion, now: Duration) {
        let now = self.clock.max(now);
        if self.empty_at(now) {
            return;
        }
        let rest = (1.0 - TOLD) / (COUNT - 1) as f32;
        let told = Emotion::ALL.map(|e| if e == mood { TOLD } else { rest });
        let told = Probabilities::normalised(told).unwrap_or(Probabilities::UNIFORM);
        for person in &mut self.people {
            person.belief = self.dynamics.start(&told);
        }
        self.pooled = Pooled::agreed(told);
        self.shown = Some(Shown { mood: RoomMood::Emotion(mood), since: now, was_sure: true });
    }

    /// The room at `now`, which may be later than the last frame.
    #[must_use]
    pub fn room(&self, now: Duration) -> Room {
        let now = self.clock.max(now);
        let belief = self.belief_at(now);
        let affect = Affect::mean(&belief);
        let Some(Shown { mood, .. }) = self.shown.filter(|_| !self.empty_at(now)) else {
            let mood = RoomMood::Absent;
            return Room { mood, unsure: false, confidence: 0.0, affect, presence: false, faces: 0 };
        };
        let confidence = match mood {
            RoomMood::Emotion(emotion) => belief[emotion],
            RoomMood::Mixed | RoomMood::Absent => {
                let faded = self.faded_at(now);
                (1.0 - faded) * self.pooled.sureness + faded * self.dynamics.prior().top().1
            }
        };
        let held = self.unseen_at(now).is_some_and(|t| t < self.settings.hold_s.duration());
        Room {
            mood,
            unsure: confidence < self.settings.unsure_below.0,
            confidence,
            affect,
            presence: true,
            faces: if held { self.faces } else { 0 },
        }
    }

    /// The next moment after `now` at which [`Self::room`] changes although nothing is observed; `None` where nothing
    /// will.
    #[must_use]
    pub fn next_deadline(&self, now: Duration) -> Option<Duration> {
        let now = self.clock.max(now);
        let seen = self.seen?;
        let after = |limit: Duration| seen.saturating_add(limit);
        let (hold, absent) = (after(self.settings.hold_s.duration()), after(self.settings.absent_s.duration()));
        let next = if now < hold {
            hold
        } else if now < hold.saturating_add(FADE) {
            absent.min(now.saturating_add(FADE_STEP))
        } else {
            absent
        };
        (next > now).then_some(next)
    }

    /// Changes the shown mood where the rule of `[mood]` allows it.
    fn decide(&mut self, now: Duration) {
        self.change_mood(now);
        if let Some(shown) = &mut self.shown {
            shown.was_sure |= match shown.mood {
                RoomMood::Emotion(emotion) => self.pooled.belief[emotion] >= self.settings.unsure_below.0,
                // Only people who are sure of can disagree.
                RoomMood::Mixed | RoomMood::Absent => true,
            };
        }
    }

    fn change_mood(&mut self, now: Duration) {
        let (best, belief) = self.pooled.belief.top();
        let old = match self.shown {
            Some(shown) if shown.was_sure && now.saturating_sub(shown.since) < self.settings.dwell_s.duration() => {
                return;
            }
            shown => shown.map(|s| s.mood),
        };
        let limit = if old == Some(RoomMood::Mixed) { AGREE } else { DISAGREE };
        let new = match old {
            _ if self.pooled.disagreement > limit => RoomMood::Mixed,
            Some(RoomMood::Emotion(e))
                if belief < self.settings.enter.0 || self.pooled.belief[e] > self.settings.leave.0 =>
            {
                return;
            }
            _ => RoomMood::Emotion(best),
        };
        if old != Some(new) {
            self.shown = Some(Shown { mood: new, since: now, was_sure: false });
        }
    }

    /// Time since a face was seen.
    fn unseen_at(&self, now: Duration) -> Option<Duration> {
        self.seen.map(|seen| now.saturating_sub(seen))
    }

    fn empty_at(&self, now: Duration) -> bool {
        self.unseen_at(now).is_none_or(|t| t >= self.settings.absent_s.duration())
    }

    /// How far the belief has faded to the prior, 0..1.
    fn faded_at(&self, now: Duration) -> f32 {
        match self.unseen_at(now) {
            Some(unseen) if !self.empty_at(now) => {
                unseen.saturating_sub(self.settings.hold_s.duration()).div_duration_f32(FADE).min(1.0)
            }
            _ => 1.0,
        }
    }

    /// The belief about the room, faded since somebody was last seen.
    fn belief_at(&self, now: Duration) -> Probabilities {
        let faded = self.faded_at(now);
        let (belief, prior) = (&self.pooled.belief, self.dynamics.prior());
        let mixture = Emotion::ALL.map(|e| (1.0 - faded) * belief[e] + faded * prior[e]);
        Probabilities::normalised(mixture).unwrap_or(*prior)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_that_half_agrees_stays_what_it_was() {
        let mut filter =
            MoodFilter::new(&config::Mood::default(), &Confusion(Emotion::ALL.map(Probabilities::certain)));
        let belief = Probabilities::certain(Emotion::Happy);
        let happy = RoomMood::Emotion(Emotion::Happy);
        for (disagreement, was, is) in [
            (0.25, happy, happy),
            (0.35, happy, RoomMood::Mixed),
            (0.25, RoomMood::Mixed, RoomMood::Mixed),
            (0.15, RoomMood::Mixed, happy),
        ] {
            filter.pooled = Pooled { belief, disagreement, sureness: 1.0 };
            filter.shown = Some(Shown { mood: was, since: Duration::ZERO, was_sure: true });
            filter.decide(Duration::from_secs(60));
            assert_eq!(filter.shown.map(|s| s.mood), Some(is), "{was} at {disagreement}");
        }
    }
}
