//! How often a classifier is right, on what it errs, and whether it knows.

use std::collections::BTreeMap;

use moodbox_core::emotion::{COUNT, Emotion, Probabilities};
use serde::Serialize;

use super::share::Share;

/// Bins of the top probability, of equal width (Guo et al. 2017, "On Calibration of Modern Neural Networks").
const BINS: usize = 15;

/// What was read from faces whose expression is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Rows: what it is. Columns: what was read.
    confusion: [[usize; COUNT]; COUNT],
    bins: [Bin; BINS],
    sharp: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    right: Share,
    /// Sum of the top probabilities.
    confidence: f64,
}

/// The figures of a [`Tally`].
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Metrics {
    /// Faces.
    pub(crate) n: usize,
    /// Share of the faces that were read right; 0 where there are none.
    pub(crate) accuracy: f64,
    /// Its 95 % interval.
    pub(crate) accuracy_interval: [f64; 2],
    /// Mean recall of the classes that there are.
    pub(crate) balanced_accuracy: f64,
    /// The figures of each class.
    pub(crate) per_class: BTreeMap<Emotion, ClassMetrics>,
    /// Counts. Rows: what it is. Columns: what was read.
    pub(crate) confusion: [[usize; COUNT]; COUNT],
    /// Expected calibration error: mean distance between how sure it was and how often it was right then.
    pub(crate) ece: f64,
    /// The bins that hold faces, from unsure to sure.
    pub(crate) reliability: Vec<Reliability>,
    /// Share of the faces that the box itself finds sharp enough to believe what was read.
    pub(crate) sharp: f64,
}

/// The figures of one class; `None` where they are undefined.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ClassMetrics {
    /// Of what was read as this class, the share that is.
    pub(crate) precision: Option<f64>,
    /// Of what is this class, the share that was read so.
    pub(crate) recall: Option<f64>,
    /// The recall's 95 % interval.
    pub(crate) recall_interval: [f64; 2],
    /// Harmonic mean of precision and recall.
    pub(crate) f1: Option<f64>,
    /// Faces of this class.
    pub(crate) support: usize,
}

/// How often it was right when it was so sure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Reliability {
    /// The bin's lowest top probability.
    pub(crate) from: f64,
    /// The next bin's lowest.
    pub(crate) to: f64,
    /// Faces in it.
    pub(crate) n: usize,
    /// Their mean top probability.
    pub(crate) confidence: f64,
    /// The share of them that were read right.
    pub(crate) accuracy: f64,
    /// Its 95 % interval.
    pub(crate) accuracy_interval: [f64; 2],
}

impl Tally {
    /// Counts a face that shows `truth`; `sharp` is whether the box would have believed what it read.
    pub(crate) fn add(&mut self, truth: Emotion, read: &Probabilities, sharp: bool) {
        let (top, confidence) = read.top();
        self.confusion[truth as usize][top as usize] += 1;
        let bin = &mut self.bins[((confidence * BINS as f32) as usize).min(BINS - 1)];
        bin.right.add(top == truth);
        bin.confidence += f64::from(confidence);
        self.sharp += usize::from(sharp);
    }

    /// The figures.
    pub(crate) fn metrics(&self) -> Metrics {
        let per_class: BTreeMap<_, _> = Emotion::ALL.into_iter().map(|e| (e, self.class(e as usize))).collect();
        let right = Share { hits: (0..COUNT).map(|i| self.confusion[i][i]).sum(), of: self.n() };
        let miss = |bin: &Bin| (bin.right.hits as f64 - bin.confidence).abs();
        let per_face = |sum: f64| if self.n() > 0 { sum / self.n() as f64 } else { 0.0 };
        Metrics {
            n: self.n(),
            accuracy: right.value().unwrap_or_default(),
            accuracy_interval: right.interval(),
            balanced_accuracy: mean(per_class.values().filter_map(|class| class.recall)).unwrap_or_default(),
            per_class,
            confusion: self.confusion,
            ece: per_face(self.bins.iter().map(miss).sum()),
            reliability: self.reliability(),
            sharp: per_face(self.sharp as f64),
        }
    }

    fn n(&self) -> usize {
        self.confusion.as_flattened().iter().sum()
    }

    fn class(&self, i: usize) -> ClassMetrics {
        let hits = self.confusion[i][i];
        let is = Share { hits, of: self.confusion[i].iter().sum() };
        let read = Share { hits, of: self.confusion.iter().map(|row| row[i]).sum() };
        let both = is.of + read.of;
        ClassMetrics {
            precision: read.value(),
            recall: is.value(),
            recall_interval: is.interval(),
            f1: (both > 0).then(|| 2.0 * hits as f64 / both as f64),
            support: is.of,
        }
    }

    fn reliability(&self) -> Vec<Reliability> {
        let edge = |i: usize| i as f64 / BINS as f64;
        let point = |(i, bin): (usize, &Bin)| {
            let accuracy = bin.right.value()?;
            let n = bin.right.of;
            let confidence = bin.confidence / n as f64;
            let accuracy_interval = bin.right.interval();
            Some(Reliability { from: edge(i), to: edge(i + 1), n, confidence, accuracy, accuracy_interval })
        };
        self.bins.iter().enumerate().filter_map(point).collect()
    }
}

impl Metrics {
    /// Mean recall of some classes; `None` where there are none.
    pub(crate) fn balanced_over(&self, classes: &[Emotion]) -> Option<f64> {
        mean(classes.iter().filter_map(|e| self.per_class.get(e)?.recall))
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONFUSION: [[usize; COUNT]; COUNT] = [
        [4, 0, 1, 0, 1, 2, 0],
        [1, 1, 0, 0, 0, 0, 0],
        [0, 0, 3, 0, 1, 2, 1],
        [0, 0, 0, 9, 1, 0, 0],
        [1, 0, 1, 1, 6, 2, 0],
        [1, 0, 2, 0, 3, 5, 0],
        [0, 0, 1, 1, 0, 0, 6],
    ];

    /// Precision, recall, F1 and support.
    const SCIKIT_LEARN: [[f64; 4]; COUNT] = [
        [0.571_428_57, 0.5, 0.533_333_33, 8.0],
        [1.0, 0.5, 0.666_666_67, 2.0],
        [0.375, 0.428_571_43, 0.4, 7.0],
        [0.818_181_82, 0.9, 0.857_142_86, 10.0],
        [0.5, 0.545_454_55, 0.521_739_13, 11.0],
        [0.454_545_45, 0.454_545_45, 0.454_545_45, 11.0],
        [0.857_142_86, 0.75, 0.8, 8.0],
    ];

    /// `balanced_accuracy_score` without the row and the column of disgust.
    const BALANCED_WITHOUT_DISGUST: f64 = 0.596_428_571;

    fn tally(confusion: &[[usize; COUNT]; COUNT]) -> Tally {
        let mut tally = Tally::default();
        for (truth, row) in Emotion::ALL.into_iter().zip(confusion) {
            for (read, count) in Emotion::ALL.into_iter().zip(row) {
                for _ in 0..*count {
                    tally.add(truth, &Probabilities::certain(read), true);
                }
            }
        }
        tally
    }

    fn near(got: f64, want: f64) -> bool {
        (got - want).abs() < 1e-6
    }

    #[test]
    fn figures_are_those_of_scikit_learn() {
        // accuracy_score, balanced_accuracy_score and precision_recall_fscore_support of scikit-learn on the same pairs.
        let metrics = tally(&CONFUSION).metrics();
        assert_eq!((metrics.n, metrics.confusion), (57, CONFUSION));
        assert!(near(metrics.accuracy, 0.596_491_228) && near(metrics.balanced_accuracy, 0.582_653_061));
        for (emotion, class) in Emotion::ALL.into_iter().zip(SCIKIT_LEARN) {
            let [precision, recall, f1, support] = class;
            let got = &metrics.per_class[&emotion];
            assert!(near(got.precision.unwrap(), precision), "{emotion}: {got:?}");
            assert!(near(got.recall.unwrap(), recall) && near(got.f1.unwrap(), f1), "{emotion}: {got:?}");
            assert!(near(got.support as f64, support), "{emotion}");
        }
    }

    #[test]
    fn a_class_that_is_missing_counts_in_no_mean() {
        let mut confusion = CONFUSION;
        confusion[Emotion::Disgust as usize] = [0; COUNT];
        for row in &mut confusion {
            row[Emotion::Disgust as usize] = 0;
        }
        let metrics = tally(&confusion).metrics();
        let missing = ClassMetrics { precision: None, recall: None, recall_interval: [0.0, 1.0], f1: None, support: 0 };
        assert_eq!(metrics.per_class[&Emotion::Disgust], missing);
        assert!(near(metrics.balanced_accuracy, BALANCED_WITHOUT_DISGUST), "{}", metrics.balanced_accuracy);
        assert_eq!(metrics.balanced_over(&[Emotion::Disgust]), None);
        assert!(near(tally(&CONFUSION).metrics().balanced_over(&[Emotion::Angry, Emotion::Happy]).unwrap(), 0.7));
    }

    #[test]
    fn the_calibration_error_is_the_mean_gap_of_the_bins() {
        // Four faces read as happy with .9, three of them happy: the gap is |3 - 3.6| = .6. Two read as sad with .5, one
        // of them sad: no gap. Over six faces, .6 / 6.
        let sure = |top: Emotion, p: f32| {
            let mut weights = [(1.0 - p) / 6.0; COUNT];
            weights[top as usize] = p;
            Probabilities::normalised(weights).unwrap()
        };
        let mut tally = Tally::default();
        for truth in [Emotion::Happy, Emotion::Happy, Emotion::Happy, Emotion::Neutral] {
            tally.add(truth, &sure(Emotion::Happy, 0.9), true);
        }
        for truth in [Emotion::Sad, Emotion::Angry] {
            tally.add(truth, &sure(Emotion::Sad, 0.5), false);
        }
        let metrics = tally.metrics();
        assert!(near(metrics.ece, 0.1), "{}", metrics.ece);
        assert!(near(metrics.sharp, 4.0 / 6.0));
        let [unsure, sure] = &metrics.reliability[..] else { panic!("{:?}", metrics.reliability) };
        assert_eq!((unsure.n, sure.n), (2, 4));
        assert!(near(unsure.from, 7.0 / 15.0) && near(unsure.to, 8.0 / 15.0) && near(unsure.accuracy, 0.5));
        assert!(near(sure.confidence, f64::from(0.9f32)) && near(sure.accuracy, 0.75));
    }

    #[test]
    fn nothing_gives_no_number_that_looks_like_one() {
        let metrics = Tally::default().metrics();
        assert_eq!((metrics.n, metrics.accuracy_interval), (0, [0.0, 1.0]));
        assert!(metrics.per_class.values().all(|class| class.recall.is_none()) && metrics.reliability.is_empty());
        assert!(!serde_json::to_string(&metrics).unwrap().contains("NaN"));
    }

    proptest! {
        #[test]
        fn all_figures_agree_with_each_other(
            faces in prop::collection::vec((0..COUNT, prop::array::uniform7(0.01f32..1.0), any::<bool>()), 1..200),
        ) {
            let mut tally = Tally::default();
            for (truth, weights, sharp) in &faces {
                tally.add(Emotion::ALL[*truth], &Probabilities::normalised(*weights).unwrap(), *sharp);
            }
            let metrics = tally.metrics();
            prop_assert_eq!(metrics.n, faces.len());
            prop_assert_eq!(metrics.per_class.values().map(|c| c.support).sum::<usize>(), faces.len());
            prop_assert_eq!(metrics.reliability.iter().map(|r| r.n).sum::<usize>(), faces.len());
            // Accuracy is the recall weighted by support, and the accuracy of the bins weighted by their faces.
            let by_class: f64 = metrics.per_class.values().map(|c| c.recall.unwrap_or(0.0) * c.support as f64).sum();
            let by_bin: f64 = metrics.reliability.iter().map(|r| r.accuracy * r.n as f64).sum();
            let right = metrics.accuracy * metrics.n as f64;
            prop_assert!((by_class - right).abs() < 1e-6 && (by_bin - right).abs() < 1e-6);
            let unit = 0.0..=1.0;
            prop_assert!(unit.contains(&metrics.ece) && unit.contains(&metrics.balanced_accuracy));
            for bin in &metrics.reliability {
                prop_assert!(bin.from - 1e-6 <= bin.confidence && bin.confidence <= bin.to + 1e-6);
            }
        }

        #[test]
        fn a_classifier_that_is_always_right_and_sure_has_no_error(truths in prop::collection::vec(0..COUNT, 1..50)) {
            let mut tally = Tally::default();
            for truth in truths.iter().map(|t| Emotion::ALL[*t]) {
                tally.add(truth, &Probabilities::certain(truth), true);
            }
            let metrics = tally.metrics();
            prop_assert!(near(metrics.accuracy, 1.0) && near(metrics.balanced_accuracy, 1.0) && near(metrics.ece, 0.0));
        }
    }
}
