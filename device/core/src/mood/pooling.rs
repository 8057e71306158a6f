//! From the beliefs about several people to one about the room.

use crate::config::Pooling;
use crate::emotion::{COUNT, Emotion, Probabilities};

use super::people::Person;

/// What is believed of the room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pooled {
    /// The belief about its mood.
    pub(super) belief: Probabilities,
    /// How far those who count most disagree, 0..1.
    pub(super) disagreement: f32,
    /// How sure the box is of the single people's moods: the mean of the best belief about each.
    pub(super) sureness: f32,
}

impl Pooled {
    /// A room of one mind.
    pub(super) fn agreed(belief: Probabilities) -> Self {
        Self { belief, disagreement: 0.0, sureness: belief.top().1 }
    }
}

/// Pools the people of whom something is known; `None` where that is nobody. Only those whose best belief is at least
/// `sure` can disagree or vote: who has just come in has no mood yet.
pub(super) fn pool(people: &[Person], how: Pooling, sure: f32) -> Option<Pooled> {
    let known: Vec<&Person> = people.iter().filter(|p| p.known).collect();
    let sureness = known.iter().map(|p| p.moods().top().1).sum::<f32>() / known.len() as f32;
    let surely: Vec<&Person> = known.iter().copied().filter(|p| p.moods().top().1 >= sure).collect();
    let largest = known.iter().copied().max_by(|a, b| a.area.total_cmp(&b.area))?;
    Some(match how {
        Pooling::Largest => Pooled::agreed(*largest.moods()),
        Pooling::Pooled => {
            Pooled { belief: mean(&known, |p| p.weight), disagreement: between_the_heaviest(&surely), sureness }
        }
        Pooling::Majority => match majority(&surely) {
            Some(mood) => {
                let voters: Vec<&Person> = surely.into_iter().filter(|p| p.moods().top().0 == mood).collect();
                Pooled::agreed(mean(&voters, |_| 1.0))
            }
            None => Pooled {
                belief: mean(&known, |_| 1.0),
                disagreement: if surely.len() > 1 { 1.0 } else { 0.0 },
                sureness,
            },
        },
    })
}

/// The weighted mean of the beliefs; unweighted where nobody has weight.
fn mean(people: &[&Person], weight: impl Fn(&Person) -> f32) -> Probabilities {
    let sum = |weight: &dyn Fn(&Person) -> f32| {
        Probabilities::normalised(std::array::from_fn(|m| {
            people.iter().map(|p| weight(p) * p.moods()[Emotion::ALL[m]]).sum()
        }))
    };
    sum(&weight).or_else(|_| sum(&|_| 1.0)).unwrap_or(Probabilities::UNIFORM)
}

/// The disagreement of the two people who count most.
fn between_the_heaviest(people: &[&Person]) -> f32 {
    let mut by_weight = people.to_vec();
    by_weight.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    match by_weight[..] {
        [a, b, ..] => jensen_shannon(a.moods(), b.moods()),
        _ => 0.0,
    }
}

/// The mood that more than half of the people are in.
fn majority(people: &[&Person]) -> Option<Emotion> {
    let mut votes = [0; COUNT];
    for person in people {
        votes[person.moods().top().0 as usize] += 1;
    }
    Emotion::ALL.into_iter().find(|e| 2 * votes[*e as usize] > people.len())
}

/// The Jensen-Shannon divergence (Lin 1991) in bits: 0 for equal distributions, 1 for those that share nothing.
fn jensen_shannon(a: &Probabilities, b: &Probabilities) -> f32 {
    let bits = |p: f32, q: f32| if p > 0.0 { p * (2.0 * p / (p + q)).log2() } else { 0.0 };
    let twice: f32 = a.as_array().iter().zip(b.as_array()).map(|(&p, &q)| bits(p, q) + bits(q, p)).sum();
    (twice / 2.0).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn distribution() -> impl Strategy<Value = Probabilities> {
        prop::array::uniform7(0f32..1.0).prop_map(|w| Probabilities::normalised(w.map(|x| x + 1e-6)).unwrap())
    }

    #[test]
    fn divergence_matches_values_worked_by_hand() {
        let two = |p: f32| Probabilities::normalised([p, 1.0 - p, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
        // H(.5) - H(.2) = 1 - .7219 bits.
        assert!((jensen_shannon(&two(0.8), &two(0.2)) - 0.2781).abs() < 1e-4);
        assert!((jensen_shannon(&two(1.0), &two(0.0)) - 1.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn divergence_is_symmetric_bounded_and_zero_only_for_equals(a in distribution(), b in distribution()) {
            let d = jensen_shannon(&a, &b);
            prop_assert!((0.0..=1.0).contains(&d));
            prop_assert!((d - jensen_shannon(&b, &a)).abs() < 1e-5);
            prop_assert!(jensen_shannon(&a, &a) < 1e-5);
        }
    }
}
