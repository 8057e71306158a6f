//! What is believed about one person, and how time and readings change it.
//!
//! The filter is exact for this model: a person is in one of seven moods and stays in it for minutes; the face shows the
//! mood's expression for a share of the time, in episodes of some seconds, and is neutral or anything else in between;
//! the classifier sees the expression through its confusion. Believing in mood and expression together is what makes
//! the many frames of one smile count as one smile.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::emotion::{COUNT, Emotion, NotProbabilities, Probabilities};

/// What the classifier says about each expression: row `e` is its average calibrated output over faces that truly show
/// `e`, in the order of [`Emotion::ALL`]. It is measured on validation data and comes with the model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Confusion(pub [Probabilities; COUNT]);

impl Default for Confusion {
    /// Of a classifier that never errs.
    fn default() -> Self {
        Self(Emotion::ALL.map(Probabilities::certain))
    }
}

impl TryFrom<[[f32; COUNT]; COUNT]> for Confusion {
    type Error = NotProbabilities;

    fn try_from(rows: [[f32; COUNT]; COUNT]) -> Result<Self, NotProbabilities> {
        let mut confusion = Self::default();
        for (probabilities, row) in confusion.0.iter_mut().zip(rows) {
            *probabilities = row.try_into()?;
        }
        Ok(confusion)
    }
}

/// How much more probable neutral is than any other mood when nothing is known: at rest most faces are neutral, and a
/// newcomer's first misread must not become a mood. More than twice would only make real moods slower to find.
const NEUTRAL_ODDS: f32 = 2.0;

/// Of the time in which a face does not show the mood it is in, the share in which it is neutral; the rest is spread
/// over the other expressions. With the default expressiveness of .35 that is .55 neutral and .02 for each other.
const NEUTRAL_SHARE: f32 = 0.55 / 0.65;

/// Mean time that an expression stays on a face, in seconds.
const EPISODE_S: f32 = 5.0;

/// Readings this far apart or farther count fully; nearer ones less, for they repeat the same misreadings.
const INDEPENDENT_S: f32 = 0.5;

/// No output is taken for less likely than this, so that one absurd reading cannot rule an expression out.
const LEAST: f32 = 1e-3;

/// The probabilities of each mood (row) together with each expression on the face (column).
#[derive(Debug, Clone)]
pub(super) struct Belief {
    joint: [[f32; COUNT]; COUNT],
    moods: Probabilities,
}

impl Belief {
    /// The belief about the mood alone.
    pub(super) fn moods(&self) -> &Probabilities {
        &self.moods
    }
}

/// How a belief changes.
#[derive(Debug, Clone)]
pub(super) struct Dynamics {
    /// The share of the time that each expression (column) is on a face in each mood (row).
    shown: [[f32; COUNT]; COUNT],
    /// The logarithm of the average output (column) for each expression (row).
    ln_confusion: [[f32; COUNT]; COUNT],
    forget_s: f32,
    prior: Probabilities,
}

impl Dynamics {
    /// For faces that show their mood for the share `expressiveness` of the time.
    pub(super) fn new(expressiveness: f32, forget: Duration, confusion: &Confusion) -> Self {
        Self {
            shown: Emotion::ALL.map(|mood| shown_in(mood, expressiveness)),
            ln_confusion: confusion.0.map(|row| row.as_array().map(|p| p.max(LEAST).ln())),
            forget_s: forget.as_secs_f32(),
            prior: prior(),
        }
    }

    /// What is believed when nothing is known.
    pub(super) fn prior(&self) -> &Probabilities {
        &self.prior
    }

    /// The belief about somebody of whom only this is believed about the mood.
    pub(super) fn start(&self, moods: &Probabilities) -> Belief {
        let joint = Emotion::ALL.map(|m| self.shown[m as usize].map(|share| moods[m] * share));
        Belief { joint, moods: *moods }
    }

    /// One step: time passes, then the output of the classifier is weighed. `since` is the time from the reading before.
    pub(super) fn step(&self, belief: &Belief, output: &Probabilities, since: Duration) -> Belief {
        let since = since.as_secs_f32();
        let forgotten = passed(since, self.forget_s);
        let new_episode = passed(since, EPISODE_S);
        let evidence = (since / INDEPENDENT_S).min(1.0);
        let ln_likely = self.ln_confusion.map(|row| dot(&row, output.as_array()));
        // Only ratios count; the most likely expression is set to 1 so that none of the powers overflows.
        let most = ln_likely.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let likely = ln_likely.map(|l| (evidence * (l - most)).exp());

        let mut joint = belief.joint;
        for (m, row) in joint.iter_mut().enumerate() {
            let mood = Emotion::ALL[m];
            for (e, p) in row.iter_mut().enumerate() {
                let shown = self.shown[m][e];
                let stayed = (1.0 - new_episode) * *p + new_episode * belief.moods[mood] * shown;
                *p = ((1.0 - forgotten) * stayed + forgotten * self.prior[mood] * shown) * likely[e];
            }
        }
        match Probabilities::normalised(joint.map(|row| row.iter().sum())) {
            Ok(moods) => {
                let sum: f32 = joint.iter().flatten().sum();
                Belief { joint: joint.map(|row| row.map(|p| p / sum)), moods }
            }
            // Nothing that was believed allows this output at all.
            Err(_) => self.start(&self.prior),
        }
    }
}

/// The probability that an event, which comes once in `mean` seconds on average, has come in `seconds`.
fn passed(seconds: f32, mean: f32) -> f32 {
    -(-seconds / mean).exp_m1()
}

fn dot(a: &[f32; COUNT], b: &[f32; COUNT]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The share of the time that each expression is on a face in `mood`.
fn shown_in(mood: Emotion, expressiveness: f32) -> [f32; COUNT] {
    let rest = 1.0 - expressiveness;
    let others = COUNT - if mood == Emotion::Neutral { 1 } else { 2 };
    let mut shown = [rest * (1.0 - NEUTRAL_SHARE) / others as f32; COUNT];
    shown[mood as usize] = 0.0;
    shown[Emotion::Neutral as usize] = rest * NEUTRAL_SHARE;
    shown[mood as usize] += expressiveness;
    shown
}

fn prior() -> Probabilities {
    let mut odds = [1.0; COUNT];
    odds[Emotion::Neutral as usize] = NEUTRAL_ODDS;
    Probabilities::normalised(odds).unwrap_or(Probabilities::UNIFORM)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn perfect() -> Confusion {
        Confusion(Emotion::ALL.map(Probabilities::certain))
    }

    #[test]
    fn the_default_shares_are_those_of_the_design() {
        let happy = shown_in(Emotion::Happy, 0.35);
        let neutral = shown_in(Emotion::Neutral, 0.35);
        for (got, want) in [
            (happy[Emotion::Happy as usize], 0.35),
            (happy[Emotion::Neutral as usize], 0.55),
            (happy[Emotion::Sad as usize], 0.02),
            (neutral[Emotion::Neutral as usize], 0.90),
            (neutral[Emotion::Sad as usize], 0.10 / 6.0),
        ] {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
    }

    #[test]
    fn one_step_follows_bayes_rule() {
        // Nearly nothing is forgotten in a second, and the smile is read with next to no doubt: what counts is the share
        // of the time that each mood shows a smile.
        let dynamics = Dynamics::new(0.35, Duration::from_secs(86_400), &perfect());
        let start = dynamics.start(&Probabilities::UNIFORM);
        let seen = dynamics.step(&start, &Probabilities::certain(Emotion::Happy), Duration::from_secs(1));
        let likely = |share: f32| share + LEAST * (1.0 - share);
        let want = likely(0.35) / (likely(0.35) + 5.0 * likely(0.02) + likely(0.10 / 6.0));
        assert!((seen.moods()[Emotion::Happy] - want).abs() < 1e-4, "{} {want}", seen.moods()[Emotion::Happy]);
    }

    #[test]
    fn frames_of_one_smile_count_less_than_as_many_smiles() {
        let dynamics = Dynamics::new(0.35, Duration::from_secs(300), &perfect());
        let smile = Probabilities::certain(Emotion::Happy);
        let after = |gap: Duration| {
            (0..4).fold(dynamics.start(dynamics.prior()), |b, _| dynamics.step(&b, &smile, gap)).moods()[Emotion::Happy]
        };
        let (one, four) = (after(Duration::from_millis(500)), after(Duration::from_secs(10)));
        assert!(one < 0.9 && four > 0.97, "{one} {four}");
    }

    proptest! {
        #[test]
        fn the_shares_are_a_distribution(expressiveness in 0f32..=1.0, mood in prop::sample::select(&Emotion::ALL)) {
            let shown = shown_in(mood, expressiveness);
            prop_assert!((shown.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            prop_assert!(shown.iter().all(|s| *s >= 0.0));
        }

        #[test]
        fn a_belief_stays_a_distribution(
            expressiveness in 0f32..=1.0,
            readings in prop::collection::vec((prop::sample::select(&Emotion::ALL), any::<u64>(), 0u32..60), 1..40),
        ) {
            let dynamics = Dynamics::new(expressiveness, Duration::from_secs(300), &perfect());
            let mut belief = dynamics.start(dynamics.prior());
            for (seen, nanos, shift) in readings {
                let since = Duration::from_nanos(nanos >> shift);
                belief = dynamics.step(&belief, &Probabilities::certain(seen), since);
                let total: f32 = belief.joint.iter().flatten().sum();
                prop_assert!((total - 1.0).abs() < 1e-4);
                prop_assert!(belief.joint.iter().flatten().all(|p| (0.0..=1.0001).contains(p)));
            }
        }
    }
}
