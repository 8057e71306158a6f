//! What the box has learnt of the faces before it: a bias on the classifier's logits, fitted to a few faces of which
//! somebody has said what they show.
//!
//! `q'` is proportional to `q * exp(b)`: the bias of vector scaling (Guo et al. 2017, "On Calibration of Modern Neural
//! Networks"), here with a Gaussian prior around 0, so that it is a maximum-a-posteriori fit, which is convex. It is one
//! for the box and not one for each person: nobody is recognised. It counts while one face is in view, so that guests in
//! company are read as before; one who comes alone is read with it, and the prior and the limit keep it small for that.

mod readings;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::emotion::{COUNT, Emotion, Probabilities};
use crate::face::SeenFace;
use crate::mood::Confusion;
use readings::Readings;
pub use readings::{LOOK_BACK, Look};

/// Variance of the prior on each number of the bias. With this one and [`GUIDED`], after a guided minute a face that brings
/// a bias of standard deviation 1.15 along is read right 2.9 points more often, and a guest without one who comes alone 1.3
/// points less often; with a third of the variance it is 1.6 and .4 (`personal/tests.rs`).
const VARIANCE: f32 = 0.35;

/// No number of the bias goes beyond this, so that the odds of one expression against another change by a factor of
/// 7.4 at most.
pub const LIMIT: f32 = 1.0;

/// What an expression that was held when asked for counts, in faces; and the most that any expression counts, however
/// often somebody corrects the box.
const GUIDED: f32 = 4.0;
const MOST: f32 = GUIDED;

/// What a correction counts, after a face was seen for all of [`LOOK_BACK`]. Less than what was held when asked for: the
/// mood that somebody is in need not have been on the face.
const CORRECTED: f32 = 1.0;

/// Steps of the fit. Each brings the bias nearer to the best one by a fifth at least, for any evidence.
const STEPS: usize = 100;

/// How often the classifier said what (column) while a face showed each expression (row), in faces.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "[[f32; COUNT]; COUNT]")]
pub struct Evidence([[f32; COUNT]; COUNT]);

/// Numbers that no faces can have given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("counts of faces must be finite and not negative")]
pub struct NotEvidence;

impl TryFrom<[[f32; COUNT]; COUNT]> for Evidence {
    type Error = NotEvidence;

    fn try_from(rows: [[f32; COUNT]; COUNT]) -> Result<Self, NotEvidence> {
        let valid = rows.iter().flatten().all(|n| *n >= 0.0) && rows.iter().all(|r| r.iter().sum::<f32>().is_finite());
        if valid { Ok(Self(rows)) } else { Err(NotEvidence) }
    }
}

impl Evidence {
    /// Evidence from expressions that were held when asked for, each with what the classifier said of it on average.
    #[must_use]
    pub fn guided(held: impl IntoIterator<Item = (Emotion, Probabilities)>) -> Self {
        let mut evidence = Self::default();
        for (expression, said) in held {
            evidence.add(expression, &said, GUIDED);
        }
        evidence
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, expression: Emotion, said: &Probabilities, faces: f32) {
        for (count, p) in self.0[expression as usize].iter_mut().zip(said.as_array()) {
            *count += faces * p;
        }
    }

    /// The expressions of which there is evidence, with what was said of each, and how much that counts.
    fn rows(&self) -> impl Iterator<Item = (usize, Probabilities, f32)> + '_ {
        self.0.iter().enumerate().filter_map(|(expression, row)| {
            let said = Probabilities::normalised(*row).ok()?;
            Some((expression, said, row.iter().sum::<f32>().min(MOST)))
        })
    }
}

/// What is added to the classifier's logits: seven numbers, together 0, none beyond [`LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bias([f32; COUNT]);

impl Bias {
    /// The most probable bias after this evidence; 0 after none.
    ///
    /// Only expressions that were shown, or that one of them was mistaken for, are weighed against each other. Of the
    /// others nothing was learnt; without this rule they would fade, for they were never the right answer.
    ///
    /// What the classifier says of an expression on average, by its confusion, is what it shall say of this face: a face that is
    /// read no worse than others learns nothing from the errors that it has in common with them.
    #[must_use]
    pub fn fit(evidence: &Evidence, confusion: &Confusion) -> Self {
        let mut weighed = [0.0; COUNT];
        let mut faces = 0.0;
        for (expression, said, count) in evidence.rows() {
            weighed[expression] = 1.0;
            weighed[said.top().0 as usize] = 1.0;
            faces += count;
        }
        let rows: Vec<_> = evidence
            .rows()
            .map(|(expression, said, count)| {
                let usual = std::array::from_fn(|k| weighed[k] * confusion.0[expression].as_array()[k]);
                let certain = Probabilities::certain(Emotion::ALL[expression]);
                (said, Probabilities::normalised(usual).unwrap_or(certain), count)
            })
            .collect();
        // Gradient ascent with the step that the curvature allows: a softmax has at most 1/2 (Böhning 1992).
        let step = 1.0 / (0.5 * faces + 1.0 / VARIANCE);
        let mut bias = [0.0; COUNT];
        for _ in 0..STEPS {
            let mut ascent = bias.map(|b| -b / VARIANCE);
            for (said, usual, count) in &rows {
                let odds: [f32; COUNT] = std::array::from_fn(|k| weighed[k] * said.as_array()[k] * bias[k].exp());
                let sum: f32 = odds.iter().sum();
                for k in 0..COUNT {
                    ascent[k] += count * (usual.as_array()[k] - odds[k] / sum);
                }
            }
            for (b, a) in bias.iter_mut().zip(ascent) {
                *b += step * a;
            }
        }
        Self::limited(bias)
    }

    /// All numbers in proportion, so that they stay together 0.
    fn limited(bias: [f32; COUNT]) -> Self {
        let largest = bias.iter().fold(0.0_f32, |most, b| most.max(b.abs()));
        Self(if largest > LIMIT { bias.map(|b| b * LIMIT / largest) } else { bias })
    }

    /// What the classifier said, with the bias.
    #[must_use]
    pub fn apply(&self, said: &Probabilities) -> Probabilities {
        if *self == Self::default() {
            return *said;
        }
        let weights = std::array::from_fn(|k| said.as_array()[k] * self.0[k].exp());
        Probabilities::normalised(weights).unwrap_or(*said)
    }

    /// The numbers, in the order of [`Emotion::ALL`].
    #[must_use]
    pub const fn as_array(&self) -> &[f32; COUNT] {
        &self.0
    }
}

/// The bias in use, what it was fitted to, and what could be evidence next.
#[derive(Debug, Clone, Default)]
pub struct Personal {
    evidence: Evidence,
    confusion: Confusion,
    bias: Bias,
    readings: Readings,
}

impl Personal {
    /// With evidence from before, for readings of the classifier with this confusion.
    #[must_use]
    pub fn new(evidence: Evidence, confusion: Confusion) -> Self {
        Self { evidence, confusion, bias: Bias::fit(&evidence, &confusion), readings: Readings::default() }
    }

    /// Takes in what was seen in one frame, and corrects it where there is one face. It is not known whose face is whose,
    /// so among several all stay as the classifier reads them.
    pub fn see(&mut self, faces: &mut [SeenFace], now: Duration) {
        self.readings.observe(faces, now);
        if let [alone] = faces {
            alone.emotions = self.bias.apply(&alone.emotions);
        }
    }

    /// What the classifier said of the one face before the camera over the last `over`, [`LOOK_BACK`] at most, without the
    /// bias.
    #[must_use]
    pub fn look(&self, over: Duration, now: Duration) -> Option<Look> {
        self.readings.look(over, now)
    }

    /// Somebody says what the mood is: what the one face showed just now is evidence for that. Whether there was one.
    pub fn correct(&mut self, mood: Emotion, now: Duration) -> bool {
        let Some(look) = self.readings.look(LOOK_BACK, now) else { return false };
        self.evidence.add(mood, &look.said, CORRECTED * look.seen.div_duration_f32(LOOK_BACK).min(1.0));
        self.bias = Bias::fit(&self.evidence, &self.confusion);
        // Said again, the same face would count again.
        self.readings.forget();
        true
    }

    /// This evidence in place of what there was.
    pub fn replace(&mut self, evidence: Evidence) {
        self.evidence = evidence;
        self.bias = Bias::fit(&evidence, &self.confusion);
    }

    /// The bias in use.
    #[must_use]
    pub const fn bias(&self) -> &Bias {
        &self.bias
    }

    /// What it was fitted to.
    #[must_use]
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

#[cfg(test)]
mod tests;
