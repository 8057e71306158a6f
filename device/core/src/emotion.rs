//! The seven expressions and probabilities over them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Number of [`Emotion`]s.
pub const COUNT: usize = 7;

/// An expression, in the order used everywhere: models, payloads, tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Emotion {
    Angry,
    Disgust,
    Fear,
    Happy,
    Neutral,
    Sad,
    Surprise,
}

impl Emotion {
    /// All of them, in order.
    pub const ALL: [Self; COUNT] =
        [Self::Angry, Self::Disgust, Self::Fear, Self::Happy, Self::Neutral, Self::Sad, Self::Surprise];

    /// The name used in payloads, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Angry => "angry",
            Self::Disgust => "disgust",
            Self::Fear => "fear",
            Self::Happy => "happy",
            Self::Neutral => "neutral",
            Self::Sad => "sad",
            Self::Surprise => "surprise",
        }
    }

    /// What somebody who has it is, in a sentence.
    #[must_use]
    pub const fn adjective(self) -> &'static str {
        match self {
            Self::Disgust => "disgusted",
            Self::Fear => "afraid",
            Self::Surprise => "surprised",
            Self::Angry | Self::Happy | Self::Neutral | Self::Sad => self.name(),
        }
    }
}

impl fmt::Display for Emotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that names no [`Emotion`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no mood is called {0:?}; known are angry, disgust, fear, happy, neutral, sad, surprise")]
pub struct UnknownEmotion(pub String);

impl FromStr for Emotion {
    type Err = UnknownEmotion;

    fn from_str(word: &str) -> Result<Self, UnknownEmotion> {
        Self::ALL.into_iter().find(|e| e.name() == word).ok_or_else(|| UnknownEmotion(word.to_owned()))
    }
}

/// Probabilities of the seven emotions: each 0..1, together 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f32; COUNT]")]
pub struct Probabilities([f32; COUNT]);

/// Seven numbers that are not probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("probabilities must be seven, finite, not negative and not all zero")]
pub struct NotProbabilities;

impl Probabilities {
    /// The same probability for each.
    pub const UNIFORM: Self = Self([1.0 / COUNT as f32; COUNT]);

    /// All on one emotion.
    #[must_use]
    pub fn certain(emotion: Emotion) -> Self {
        let mut p = [0.0; COUNT];
        p[emotion as usize] = 1.0;
        Self(p)
    }

    /// `softmax(logits / temperature)`. A temperature above 1 makes the result less sure; it is fitted on validation data
    /// (Guo et al. 2017, "On Calibration of Modern Neural Networks"). Logits that are not finite give [`Self::UNIFORM`].
    #[must_use]
    pub fn from_logits(logits: [f32; COUNT], temperature: f32) -> Self {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        Self::normalised(logits.map(|l| ((l - largest) / temperature).exp())).unwrap_or(Self::UNIFORM)
    }

    /// Weights scaled so that they sum to 1.
    ///
    /// # Errors
    /// When a weight is negative or not finite, or all are zero.
    pub fn normalised(weights: [f32; COUNT]) -> Result<Self, NotProbabilities> {
        let sum: f32 = weights.iter().sum();
        let valid = weights.iter().all(|w| *w >= 0.0) && sum.is_finite() && sum > 0.0;
        if valid { Ok(Self(weights.map(|w| w / sum))) } else { Err(NotProbabilities) }
    }

    /// The numbers, in the order of [`Emotion::ALL`].
    #[must_use]
    pub const fn as_array(&self) -> &[f32; COUNT] {
        &self.0
    }

    /// The most probable emotion and its probability; the first in order when several are equal.
    #[must_use]
    pub fn top(&self) -> (Emotion, f32) {
        let mut best = (Emotion::Angry, self.0[0]);
        for emotion in Emotion::ALL {
            if self[emotion] > best.1 {
                best = (emotion, self[emotion]);
            }
        }
        best
    }

    /// Each emotion with its probability.
    pub fn iter(&self) -> impl Iterator<Item = (Emotion, f32)> + '_ {
        Emotion::ALL.into_iter().map(|e| (e, self[e]))
    }
}

/// Probabilities as payloads have them: an object with a number for each emotion by name, to four decimals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Emotion, f32>", into = "BTreeMap<Emotion, f64>")]
pub struct Named(pub Probabilities);

impl From<Named> for BTreeMap<Emotion, f64> {
    fn from(Named(probabilities): Named) -> Self {
        probabilities.iter().map(|(emotion, p)| (emotion, (f64::from(p) * 1e4).round() / 1e4)).collect()
    }
}

impl TryFrom<BTreeMap<Emotion, f32>> for Named {
    type Error = NotProbabilities;

    fn try_from(by_name: BTreeMap<Emotion, f32>) -> Result<Self, NotProbabilities> {
        if by_name.len() != COUNT {
            return Err(NotProbabilities);
        }
        let mut weights = [0.0; COUNT];
        for (emotion, weight) in by_name {
            weights[emotion as usize] = weight;
        }
        Probabilities::normalised(weights).map(Self)
    }
}

impl Index<Emotion> for Probabilities {
    type Output = f32;

    fn index(&self, emotion: Emotion) -> &f32 {
        &self.0[emotion as usize]
    }
}

impl TryFrom<[f32; COUNT]> for Probabilities {
    type Error = NotProbabilities;

    fn try_from(weights: [f32; COUNT]) -> Result<Self, NotProbabilities> {
        Self::normalised(weights)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_name_reads_back() {
        for emotion in Emotion::ALL {
            assert_eq!(emotion.name().parse(), Ok(emotion));
        }
        assert_eq!("Happy".parse::<Emotion>(), Err(UnknownEmotion("Happy".to_owned())));
    }

    #[test]
    fn softmax_matches_published_values() {
        // softmax(1, 2, 3) = (.0900, .2447, .6652), here with the other four logits too small to matter.
        let p = Probabilities::from_logits([1.0, 2.0, 3.0, -99.0, -99.0, -99.0, -99.0], 1.0);
        for (got, want) in p.as_array().iter().zip([0.0900, 0.2447, 0.6652]) {
            assert!((got - want).abs() < 1e-4, "{got} {want}");
        }
    }

    proptest! {
        #[test]
        fn softmax_is_a_distribution_that_keeps_the_order(logits in prop::array::uniform7(-40f32..40.0), t in 0.3f32..5.0) {
            let p = Probabilities::from_logits(logits, t);
            prop_assert!((p.as_array().iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            prop_assert!((logits[p.top().0 as usize] - largest).abs() < 1e-3);
        }

        #[test]
        fn logits_of_any_kind_give_a_distribution(logits in prop::array::uniform7(any::<f32>())) {
            let p = Probabilities::from_logits(logits, 1.0);
            prop_assert!((p.as_array().iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}
