//! The valence-arousal plane, the emotions' places on it, and where music shall lead.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::emotion::{Emotion, Probabilities};

/// A place on the valence-arousal plane (Russell 1980): how pleasant and how activated, each -1..1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Affect {
    /// Unpleasant (-1) to pleasant (1).
    pub valence: f32,
    /// Calm (-1) to excited (1).
    pub arousal: f32,
}

impl Affect {
    /// A place; both values are brought into -1..1.
    #[must_use]
    pub const fn new(valence: f32, arousal: f32) -> Self {
        Self { valence: valence.clamp(-1.0, 1.0), arousal: arousal.clamp(-1.0, 1.0) }
    }

    /// Where an emotion lies. Our own values between three published sets: Russell & Mehrabian 1977, the words of
    /// Warriner et al. 2013, and faces of `AffectNet` as rated by people.
    #[must_use]
    pub const fn of(emotion: Emotion) -> Self {
        match emotion {
            Emotion::Angry => Self::new(-0.50, 0.50),
            Emotion::Disgust => Self::new(-0.55, 0.30),
            Emotion::Fear => Self::new(-0.60, 0.55),
            Emotion::Happy => Self::new(0.75, 0.40),
            Emotion::Neutral => Self::new(0.0, -0.10),
            Emotion::Sad => Self::new(-0.60, -0.30),
            Emotion::Surprise => Self::new(0.15, 0.60),
        }
    }

    /// The mean place of a distribution over the emotions.
    #[must_use]
    pub fn mean(belief: &Probabilities) -> Self {
        belief.iter().fold(Self::default(), |sum, (emotion, p)| {
            let at = Self::of(emotion);
            Self { valence: sum.valence + p * at.valence, arousal: sum.arousal + p * at.arousal }
        })
    }

    /// Euclidean distance, 0..2.83.
    #[must_use]
    pub fn distance(self, other: Self) -> f32 {
        (self.valence - other.valence).hypot(self.arousal - other.arousal)
    }

    /// The place at most `step` from here on the straight way to `goal`.
    #[must_use]
    pub fn toward(self, goal: Self, step: f32) -> Self {
        let distance = self.distance(goal);
        if distance <= step {
            return goal;
        }
        let share = step / distance;
        Self::new(
            self.valence + share * (goal.valence - self.valence),
            self.arousal + share * (goal.arousal - self.arousal),
        )
    }
}

/// What the music shall do with the mood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Reflect it.
    #[default]
    Match,
    /// Start at it and lead up, step by step (the iso principle of music therapy).
    Lift,
    /// Calm it.
    Soothe,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Match, Self::Lift, Self::Soothe];

    /// The name used in payloads, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Lift => "lift",
            Self::Soothe => "soothe",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that names no [`Policy`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no policy is called {0:?}; known are match, lift, soothe")]
pub struct UnknownPolicy(pub String);

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(word: &str) -> Result<Self, UnknownPolicy> {
        Self::ALL.into_iter().find(|p| p.name() == word).ok_or_else(|| UnknownPolicy(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Valence and arousal as published: Russell and Mehrabian 1977, the words of Warriner et al. 2013, and faces of
    /// `AffectNet` as rated by 25 people.
    const PUBLISHED: [(Emotion, [(f32, f32); 3]); 7] = [
        (Emotion::Angry, [(-0.51, 0.59), (-0.62, 0.30), (-0.42, 0.23)]),
        (Emotion::Disgust, [(-0.60, 0.35), (-0.42, 0.00), (-0.49, 0.29)]),
        (Emotion::Fear, [(-0.64, 0.60), (-0.52, 0.29), (-0.59, 0.51)]),
        (Emotion::Happy, [(0.81, 0.51), (0.87, 0.26), (0.37, -0.04)]),
        (Emotion::Neutral, [(0.0, 0.0), (0.13, -0.39), (-0.03, -0.40)]),
        (Emotion::Sad, [(-0.63, -0.27), (-0.73, -0.38), (-0.56, 0.22)]),
        (Emotion::Surprise, [(0.40, 0.67), (0.61, 0.39), (-0.11, 0.32)]),
    ];

    #[test]
    fn every_emotion_lies_among_the_published_places() {
        for (emotion, published) in PUBLISHED {
            let at = Affect::of(emotion);
            let mean = |axis: fn(&(f32, f32)) -> f32| published.iter().map(axis).sum::<f32>() / 3.0;
            let middle = Affect::new(mean(|p| p.0), mean(|p| p.1));
            assert!(at.distance(middle) < 0.3, "{emotion}: {at:?} {middle:?}");
        }
    }

    #[test]
    fn the_mean_of_happy_and_sad_lies_between_them() {
        let mut weights = [0.0; 7];
        weights[Emotion::Happy as usize] = 1.0;
        weights[Emotion::Sad as usize] = 1.0;
        let mean = Affect::mean(&Probabilities::normalised(weights).unwrap());
        assert!(mean.distance(Affect::new(0.075, 0.05)) < 1e-6, "{mean:?}");
    }

    #[test]
    fn every_policy_reads_back() {
        for policy in Policy::ALL {
            assert_eq!(policy.name().parse(), Ok(policy));
        }
        assert_eq!("loud".parse::<Policy>(), Err(UnknownPolicy("loud".to_owned())));
    }

    fn place() -> impl Strategy<Value = Affect> {
        (-1f32..=1.0, -1f32..=1.0).prop_map(|(v, a)| Affect::new(v, a))
    }

    proptest! {
        #[test]
        fn a_step_is_no_longer_than_asked_and_leads_nearer(from in place(), goal in place(), step in 0f32..3.0) {
            let to = from.toward(goal, step);
            prop_assert!(from.distance(to) <= step + 1e-5);
            let left = (from.distance(goal) - step).max(0.0);
            prop_assert!((to.distance(goal) - left).abs() < 1e-5);
        }

        #[test]
        fn a_mean_stays_on_the_plane(weights in prop::array::uniform7(0.001f32..1.0)) {
            let mean = Affect::mean(&Probabilities::normalised(weights).unwrap());
            prop_assert!((-1.0..=1.0).contains(&mean.valence) && (-1.0..=1.0).contains(&mean.arousal));
        }
    }
}
