use proptest::prelude::*;

use super::*;
use crate::face::{BBox, Face, Point};

fn seen(emotions: Probabilities) -> SeenFace {
    let bbox = BBox { x: 0.0, y: 0.0, w: 100.0, h: 100.0 };
    let face = Face { bbox, score: 1.0, landmarks: [Point::default(); 5] };
    SeenFace { face, emotions, sharp: true, fresh: true, track: None }
}

/// The bias of a classifier that does not err of itself.
fn fit(evidence: &Evidence) -> Bias {
    Bias::fit(evidence, &Confusion::default())
}

/// Evidence from faces that showed this, of which the classifier said that.
fn evidence(faces: &[(Emotion, Probabilities, f32)]) -> Evidence {
    let mut evidence = Evidence::default();
    for (expression, said, count) in faces {
        evidence.add(*expression, said, *count);
    }
    evidence
}

fn probabilities() -> impl Strategy<Value = Probabilities> {
    prop::array::uniform7(0f32..1.0).prop_map(|w| Probabilities::normalised(w.map(|x| x * x + 1e-7)).unwrap())
}

fn faces() -> impl Strategy<Value = Vec<(Emotion, Probabilities, f32)>> {
    prop::collection::vec((prop::sample::select(&Emotion::ALL), probabilities(), 0f32..20.0), 0..12)
}

/// What the fit makes as large as it can: the logarithm of the posterior, all seven expressions weighed.
fn log_posterior(rows: &[(Emotion, Probabilities)], bias: &[f64; COUNT]) -> f64 {
    let prior: f64 = bias.iter().map(|b| b * b).sum::<f64>() / (2.0 * f64::from(VARIANCE));
    let likelihood = rows.iter().map(|(expression, said)| {
        let odds = Emotion::ALL.map(|e| f64::from(said[e]) * bias[e as usize].exp());
        f64::from(GUIDED) * (odds[*expression as usize] / odds.iter().sum::<f64>()).ln()
    });
    likelihood.sum::<f64>() - prior
}

#[test]
fn without_evidence_nothing_changes() {
    let bias = fit(&Evidence::default());
    assert_eq!(bias, Bias::default());
    let said = Probabilities::from_logits([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 1.3);
    assert_eq!(bias.apply(&said), said);
}

#[test]
fn a_bias_does_what_adding_to_logits_does() {
    let logits = [0.3, -1.0, 2.0, 0.1, 0.0, -0.4, 1.1];
    let bias = Bias([0.5, -0.5, 0.25, -0.25, 1.0, 0.0, -1.0]);
    let added = std::array::from_fn(|k| logits[k] + bias.0[k]);
    let (got, want) = (bias.apply(&Probabilities::from_logits(logits, 1.0)), Probabilities::from_logits(added, 1.0));
    for emotion in Emotion::ALL {
        assert!((got[emotion] - want[emotion]).abs() < 1e-6, "{got:?} {want:?}");
    }
}

#[test]
fn what_was_not_shown_and_not_said_keeps_its_place() {
    let said = Probabilities::normalised([0.05, 0.05, 0.05, 0.1, 0.4, 0.3, 0.05]).unwrap();
    let bias = fit(&Evidence::guided([(Emotion::Sad, said)]));
    let [angry, disgust, fear, happy, neutral, sad, surprise] = bias.0;
    assert!([angry, disgust, fear, happy, surprise].iter().all(|b| b.abs() < f32::EPSILON), "{bias:?}");
    assert!(sad > 0.1 && neutral < -0.1, "{bias:?}");
}

#[test]
fn a_face_that_is_read_as_all_faces_are_learns_nothing() {
    let outputs = outputs();
    let confusion = Confusion(std::array::from_fn(|expression| average(&outputs[expression])));
    let held: Vec<_> = Emotion::ALL.into_iter().zip(confusion.0).collect();
    let bias = Bias::fit(&Evidence::guided(held.iter().copied()), &confusion);
    assert!(bias.0.iter().all(|b| b.abs() < 1e-3), "{bias:?}");
    let sadder = [(Emotion::Sad, confusion.0[Emotion::Neutral as usize])];
    let bias = Bias::fit(&Evidence::guided(sadder), &confusion);
    assert!(bias.0[Emotion::Sad as usize] > 0.1, "{bias:?}");
}

#[test]
fn somebody_who_errs_a_few_times_does_no_harm() {
    let smile = Probabilities::normalised([0.02, 0.01, 0.02, 0.85, 0.05, 0.03, 0.02]).unwrap();
    let bias = fit(&evidence(&[(Emotion::Sad, smile, 3.0 * CORRECTED)]));
    assert_eq!(bias.apply(&smile).top().0, Emotion::Happy);
    let often = fit(&evidence(&[(Emotion::Sad, smile, 1000.0)]));
    assert_eq!(often, fit(&evidence(&[(Emotion::Sad, smile, MOST)])));
}

#[test]
fn what_is_no_evidence_is_refused() {
    for wrong in [-1.0, f32::NAN, f32::INFINITY, f32::MAX] {
        let mut rows = [[0.0; COUNT]; COUNT];
        rows[3] = [wrong; COUNT];
        assert_eq!(Evidence::try_from(rows), Err(NotEvidence), "{wrong}");
    }
    assert_eq!(Evidence::try_from([[0.0; COUNT]; COUNT]), Ok(Evidence::default()));
}

proptest! {
    #[test]
    fn a_bias_is_bounded_and_adds_up_to_nothing(faces in faces(), said in probabilities()) {
        let bias = fit(&evidence(&faces));
        prop_assert!(bias.0.iter().all(|b| b.abs() <= LIMIT), "{bias:?}");
        prop_assert!(bias.0.iter().sum::<f32>().abs() < 1e-4, "{bias:?}");
        let read = bias.apply(&said);
        prop_assert!((read.as_array().iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }

    #[test]
    fn certainty_and_odd_counts_are_borne(
        rows in prop::array::uniform7(prop::array::uniform7(prop::sample::select(&[0.0_f32, 1e-30, 1.0, 1e6, 1e30]))),
    ) {
        let bias = fit(&Evidence::try_from(rows).unwrap());
        prop_assert!(bias.0.iter().all(|b| b.abs() <= LIMIT), "{bias:?}");
    }

    #[test]
    fn the_order_of_the_evidence_does_not_matter(faces in faces()) {
        let reversed: Vec<_> = faces.iter().rev().copied().collect();
        let (a, b) = (fit(&evidence(&faces)), fit(&evidence(&reversed)));
        prop_assert!(a.0.iter().zip(b.0).all(|(a, b)| (a - b).abs() < 1e-3), "{a:?} {b:?}");
    }

    #[test]
    fn no_other_bias_is_more_probable(
        said in prop::array::uniform7(probabilities()),
        (k, step) in (0..COUNT, prop::sample::select(&[-0.05, 0.05])),
    ) {
        let rows: Vec<_> = Emotion::ALL.into_iter().zip(said).collect();
        let bias = fit(&Evidence::guided(rows.iter().copied()));
        prop_assume!(bias.0.iter().all(|b| b.abs() < LIMIT));
        let fitted = bias.0.map(f64::from);
        let mut other = fitted;
        other[k] += step;
        prop_assert!(log_posterior(&rows, &fitted) > log_posterior(&rows, &other));
    }

    #[test]
    fn in_company_nobody_is_read_otherwise_than_before(
        shown in prop::array::uniform3(probabilities()),
        learnt in probabilities(),
        company in 2_usize..4,
    ) {
        let mut personal = Personal::new(Evidence::guided([(Emotion::Neutral, learnt)]), Confusion::default());
        let mut faces: Vec<_> = shown[..company].iter().map(|q| seen(*q)).collect();
        personal.see(&mut faces, Duration::ZERO);
        prop_assert!(faces.iter().zip(&shown).all(|(face, q)| face.emotions == *q));
        let mut alone = [seen(shown[0])];
        personal.see(&mut alone, Duration::ZERO);
        prop_assert_eq!(alone[0].emotions, personal.bias().apply(&shown[0]));
    }

    #[test]
    fn whatever_happens_a_reset_is_the_start(
        moods in prop::collection::vec(prop::sample::select(&Emotion::ALL), 0..5),
        said in probabilities(),
    ) {
        let mut personal = Personal::default();
        for mood in moods {
            personal.evidence.add(mood, &said, CORRECTED);
            personal.bias = fit(&personal.evidence);
        }
        personal.replace(Evidence::default());
        prop_assert_eq!(personal.bias().apply(&said), said);
        prop_assert!(personal.evidence().is_none());
    }
}

/// Outputs of the classifier on the validation faces of each expression, in thousandths. The faces are of as many people,
/// so that what is particular to one of them is simulated: a bias on the logits.
const OUTPUTS: &str = include_str!("../../tests/data/classifier-outputs-fer2013-by-fer2013.csv");

type Outputs = Vec<Vec<Probabilities>>;

fn outputs() -> Outputs {
    let mut outputs = vec![Vec::new(); COUNT];
    for line in OUTPUTS.lines().skip(1) {
        let (expression, thousandths) = line.split_once(',').unwrap();
        let expression: Emotion = expression.parse().unwrap();
        // 0 means under .0005.
        let weights: Vec<f32> = thousandths.split(',').map(|n| n.parse::<f32>().unwrap() + 0.5).collect();
        outputs[expression as usize].push(Probabilities::normalised(weights.try_into().unwrap()).unwrap());
    }
    outputs
}

/// Share that is right and mean cost (negative logarithm), each expression counting the same.
fn quality(outputs: &Outputs, bias: &Bias) -> (f32, f32) {
    let (mut right, mut cost) = (0.0, 0.0);
    for (expression, said) in Emotion::ALL.into_iter().zip(outputs) {
        for p in said.iter().map(|said| bias.apply(said)) {
            right += f32::from(u8::from(p.top().0 == expression)) / said.len() as f32;
            cost -= p[expression].ln() / said.len() as f32;
        }
    }
    (right / COUNT as f32, cost / COUNT as f32)
}

/// Numbers between -1 and 1 of variance 1/3 (Weyl sequences of different square roots): the same on every machine.
fn spread(n: usize) -> [f32; COUNT] {
    [2.0_f64, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0].map(|k| (2.0 * (k.sqrt() * (n + 1) as f64).fract() - 1.0) as f32)
}

fn average(said: &[Probabilities]) -> Probabilities {
    Probabilities::normalised(std::array::from_fn(|k| said.iter().map(|q| q.as_array()[k]).sum())).unwrap()
}

/// Mean over people of what the guided minute changes: right and cost on other faces with the same peculiarity, and on
/// faces without it.
fn guided_minute(peculiarity: f32) -> [f32; 4] {
    const PEOPLE: usize = 200;
    const LOOKS: usize = 3;
    let shown = [Emotion::Neutral, Emotion::Happy, Emotion::Surprise, Emotion::Angry, Emotion::Sad];
    let everybody = outputs();
    let confusion = Confusion(std::array::from_fn(|expression| average(&everybody[expression])));
    let mut mean = [0.0; 4];
    for person in 0..PEOPLE {
        let tilt = Bias(spread(person).map(|t| peculiarity * t));
        let own: Outputs = everybody.iter().map(|said| said.iter().map(|q| tilt.apply(q)).collect()).collect();
        let (mut held, mut rest) = (Vec::new(), Outputs::new());
        for (expression, said) in Emotion::ALL.into_iter().zip(&own) {
            let mut turned = said.clone();
            turned.rotate_left(LOOKS * person % said.len());
            let other = turned.split_off(LOOKS);
            if shown.contains(&expression) {
                held.push((expression, average(&turned)));
            }
            rest.push(other);
        }
        let bias = Bias::fit(&Evidence::guided(held), &confusion);
        let change = |outputs: &Outputs| {
            let (before, after) = (quality(outputs, &Bias::default()), quality(outputs, &bias));
            [after.0 - before.0, after.1 - before.1]
        };
        let ([right, cost], [others_right, others_cost]) = (change(&rest), change(&everybody));
        for (m, c) in mean.iter_mut().zip([right, cost, others_right, others_cost]) {
            *m += c / PEOPLE as f32;
        }
    }
    mean
}

/// `cargo test -p moodbox-core --lib a_peculiar_face -- --nocapture` prints the figures.
#[test]
fn a_peculiar_face_gains_more_than_a_guest_who_comes_alone_loses() {
    for (peculiarity, least_right, most_cost) in [(0.0, -0.006, 0.01), (1.0, 0.005, -0.02), (2.0, 0.025, -0.09)] {
        let [right, cost, others_right, others_cost] = guided_minute(peculiarity);
        println!(
            "peculiarity {peculiarity}: right {:+.1} points, cost {cost:+.3}; others {:+.1} points, {others_cost:+.3}",
            100.0 * right,
            100.0 * others_right
        );
        assert!(right >= least_right && cost <= most_cost, "{right} {cost}");
        assert!(others_right >= -0.02 && others_cost <= 0.05, "{others_right} {others_cost}");
    }
}
