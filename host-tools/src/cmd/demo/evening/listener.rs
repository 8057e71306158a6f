//! A simulated person: a mood that lasts, a face that shows it now and then, and wishes.

use moodbox_core::affect::Affect;
use moodbox_core::emotion::{COUNT, Emotion, Probabilities};
use moodbox_core::face::{BBox, Face, Point, SeenFace};
use moodbox_core::topics::TrackPayload;

/// Shortest and longest time in one mood, in seconds.
const MOOD_S: std::ops::Range<u64> = 1200..3000;

/// Mean time that an expression stays on the face, in seconds.
const EXPRESSION_S: f32 = 6.0;

/// Share of the time that the face shows the mood, as in the simulation that the mood filter is tested with.
const EXPRESSIVE: f32 = 0.4;

/// Share of the rest in which the face is at rest.
const AT_REST: f32 = 0.85;

/// How sure the classifier is of the expression that it takes a face for.
const SURE: f32 = 0.6;

/// Songs that are heard after a chosen one before the mood is asked again.
const MORE_LIKE_IT: u32 = 4;

/// What is wished when a song ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Next,
    /// Another one of the list than the first.
    Choose,
    /// Enough of the chosen kind.
    BackToTheMood,
}

pub(super) struct Listener {
    random: fastrand::Rng,
    /// What the classifier says of each expression, on average.
    confusion: [[f32; COUNT]; COUNT],
    mood: Emotion,
    mood_ends: u64,
    expression: Emotion,
    /// Songs of the chosen kind still wished for.
    more: u32,
}

impl Listener {
    pub(super) fn new(confusion: [[f32; COUNT]; COUNT], seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self {
            random,
            confusion,
            mood: Emotion::Neutral,
            mood_ends: MOOD_S.start,
            expression: Emotion::Neutral,
            more: 0,
        }
    }

    pub(super) const fn mood(&self) -> Emotion {
        self.mood
    }

    /// What the box sees in this second.
    pub(super) fn face(&mut self, second: u64) -> SeenFace {
        if second >= self.mood_ends {
            self.mood = self.other_than(self.mood);
            self.mood_ends = second + self.random.u64(MOOD_S);
        }
        if self.random.f32() * EXPRESSION_S < 1.0 {
            self.expression = self.new_expression();
        }
        let row = self.confusion[self.expression as usize];
        let taken_for = self.draw(row);
        let mut weights = row.map(|share| (1.0 - SURE) * share);
        weights[taken_for] += SURE;
        // Rows of shares that sum to 1 always make a distribution.
        let emotions = Probabilities::normalised(weights).unwrap_or_else(|_| Probabilities::certain(self.expression));
        SeenFace { face: FACE, emotions, sharp: true, fresh: true, track: None }
    }

    /// Whether a song is turned off after some seconds: rarely, but more often the farther it is from the mood.
    pub(super) fn dislikes(&mut self, track: Option<&TrackPayload>) -> bool {
        let away = |track: &TrackPayload| Affect::new(track.valence, track.arousal).distance(Affect::of(self.mood));
        let chance = 0.03 + 0.25 * (track.map_or(0.0, away) - 0.8).max(0.0);
        self.random.f32() < chance
    }

    pub(super) fn wish(&mut self) -> Wish {
        match self.more {
            0 if self.random.u32(0..8) == 0 => {
                self.more = MORE_LIKE_IT;
                Wish::Choose
            }
            0 => Wish::Next,
            1 => {
                self.more = 0;
                Wish::BackToTheMood
            }
            _ => {
                self.more -= 1;
                Wish::Next
            }
        }
    }

    fn new_expression(&mut self) -> Emotion {
        if self.random.f32() < EXPRESSIVE {
            self.mood
        } else if self.random.f32() < AT_REST {
            Emotion::Neutral
        } else {
            self.other_than(self.mood)
        }
    }

    fn other_than(&mut self, emotion: Emotion) -> Emotion {
        Emotion::ALL[(emotion as usize + self.random.usize(1..COUNT)) % COUNT]
    }

    /// An index, by its share.
    fn draw(&mut self, shares: [f32; COUNT]) -> usize {
        let mut left = self.random.f32() * shares.iter().sum::<f32>();
        shares
            .iter()
            .position(|share| {
                left -= share;
                left < 0.0
            })
            .unwrap_or(COUNT - 1)
    }
}

/// Large and turned to the camera.
const FACE: Face = Face {
    bbox: BBox { x: 270.0, y: 180.0, w: 100.0, h: 120.0 },
    score: 0.99,
    landmarks: [
        Point { x: 300.0, y: 220.0 },
        Point { x: 340.0, y: 220.0 },
        Point { x: 320.0, y: 240.0 },
        Point { x: 305.0, y: 265.0 },
        Point { x: 335.0, y: 265.0 },
    ],
};
