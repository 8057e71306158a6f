//! The fast signal: which expression is on the faces right now. It drives the light.

use std::time::Duration;

use crate::config;
use crate::emotion::{COUNT, Emotion};
use crate::face::SeenFace;
use crate::mood::{readable, weight};

/// An exponential average of what the faces show, and the expression that stands out of it.
#[derive(Debug, Clone)]
pub struct ExpressionFilter {
    settings: config::Mood,
    /// Average probability of each expression; together less than 1 where nobody was seen for part of the time.
    mean: [f32; COUNT],
    shown: Option<Shown>,
    /// The latest time that was told; a clock that runs backwards stands still for us.
    clock: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Shown {
    expression: Emotion,
    since: Duration,
}

impl ExpressionFilter {
    /// A filter that has seen nobody.
    #[must_use]
    pub fn new(settings: &config::Mood) -> Self {
        Self { settings: settings.clone(), mean: [0.0; COUNT], shown: None, clock: None }
    }

    /// Goes by other settings from now on; the average stays.
    pub fn configure(&mut self, settings: &config::Mood) {
        self.settings = settings.clone();
    }

    /// Takes in what was seen in one frame, also when that is nobody: then the average fades. Several faces count by
    /// size, score and how much they face the camera; those that cannot be read count as not seen.
    pub fn observe(&mut self, faces: &[SeenFace], now: Duration) {
        let before = self.clock.unwrap_or(now);
        let now = now.max(before);
        self.clock = Some(now);

        // What is seen is taken to have been there since the frame before. So the average of a steady expression depends on
        // the time alone, and not on how many frames fell into it.
        let passed = now.saturating_sub(before).as_secs_f32() / self.settings.expression_time_constant_s.0;
        let gain = -(-passed).exp_m1();
        let seen = seen_in(faces);
        for (mean, seen) in self.mean.iter_mut().zip(seen) {
            *mean += gain * (seen - *mean);
        }
        self.decide(now);
    }

    /// The expression and its average probability, 0..1; `None` where none stands out.
    #[must_use]
    pub fn current(&self) -> Option<(Emotion, f32)> {
        self.shown.map(|s| (s.expression, self.mean[s.expression as usize]))
    }

    fn decide(&mut self, now: Duration) {
        let mean = |e: Emotion| self.mean[e as usize];
        if let Some(shown) = self.shown {
            let dwelt = now.saturating_sub(shown.since) >= self.settings.expression_dwell_s.duration();
            if !dwelt || mean(shown.expression) >= self.settings.expression_leave.0 {
                return;
            }
        }
        let limit = self.settings.expression_enter.0;
        let best = Emotion::ALL.into_iter().max_by(|a, b| mean(*a).total_cmp(&mean(*b)));
        self.shown = best.filter(|e| mean(*e) >= limit).map(|expression| Shown { expression, since: now });
    }
}

/// The weighted mean of what the readable faces show; zero where there are none.
fn seen_in(faces: &[SeenFace]) -> [f32; COUNT] {
    let mut sum = [0.0; COUNT];
    let mut total = 0.0;
    for seen in faces.iter().filter(|f| readable(f)) {
        let weight = weight(&seen.face);
        total += weight;
        for (s, p) in sum.iter_mut().zip(seen.emotions.as_array()) {
            *s += weight * p;
        }
    }
    if total > 0.0 { sum.map(|s| s / total) } else { sum }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::emotion::Probabilities;
    use crate::face::{BBox, Face, Point};

    fn face(emotions: Probabilities, side: f32) -> SeenFace {
        let at = |x, y| Point { x: x * side, y: y * side };
        let landmarks = [at(0.3, 0.4), at(0.7, 0.4), at(0.5, 0.6), at(0.35, 0.8), at(0.65, 0.8)];
        let face = Face { bbox: BBox { x: 0.0, y: 0.0, w: side, h: side }, score: 1.0, landmarks };
        SeenFace { face, emotions, sharp: true, fresh: true, track: None }
    }

    fn showing(emotion: Emotion) -> [SeenFace; 1] {
        [face(Probabilities::certain(emotion), 100.0)]
    }

    fn filter() -> ExpressionFilter {
        ExpressionFilter::new(&config::Mood::default())
    }

    fn seconds(s: f32) -> Duration {
        Duration::from_secs_f32(s)
    }

    #[test]
    fn the_average_reaches_63_percent_after_one_time_constant() {
        let mut filter = filter();
        filter.observe(&showing(Emotion::Happy), seconds(0.0));
        filter.observe(&showing(Emotion::Happy), seconds(1.5));
        let (expression, mean) = filter.current().unwrap();
        assert_eq!(expression, Emotion::Happy);
        assert!((mean - 0.632).abs() < 1e-3, "{mean}");
    }

    #[test]
    fn an_expression_is_left_under_the_lower_limit_and_not_before() {
        let mut filter = filter();
        for t in 0..50 {
            filter.observe(&showing(Emotion::Happy), seconds(t as f32 * 0.2));
        }
        // From 1 the average falls to .35 in 1.5 s x ln(1 / .35) = 1.57 s.
        let left = (1..30).map(|i| 9.8 + i as f32 * 0.1).find(|t| {
            filter.observe(&showing(Emotion::Sad), seconds(*t));
            filter.current().is_none_or(|(e, _)| e != Emotion::Happy)
        });
        assert!((left.unwrap() - 9.8 - 1.6).abs() < 0.01, "{left:?}");
        assert_eq!(filter.current().map(|(e, _)| e), Some(Emotion::Sad));
    }

    #[test]
    fn nobody_fades_the_expression_away() {
        let mut filter = filter();
        filter.observe(&showing(Emotion::Happy), seconds(0.0));
        filter.observe(&showing(Emotion::Happy), seconds(10.0));
        filter.observe(&[], seconds(11.0));
        assert_eq!(filter.current().map(|(e, _)| e), Some(Emotion::Happy));
        filter.observe(&[], seconds(12.0));
        assert_eq!(filter.current(), None);
    }

    #[test]
    fn an_expression_is_shown_for_the_dwell_at_least() {
        let mut filter = filter();
        filter.observe(&showing(Emotion::Happy), seconds(0.0));
        filter.observe(&showing(Emotion::Happy), seconds(1.0));
        // Under the lower limit from 1.5 s x ln(.487 / .35) = .5 s on.
        filter.observe(&[], seconds(2.0));
        assert_eq!(filter.current().map(|(e, _)| e), Some(Emotion::Happy));
        filter.observe(&[], seconds(2.5));
        assert_eq!(filter.current(), None);
    }

    #[test]
    fn the_larger_face_decides_and_an_unreadable_one_does_not() {
        let mut filter = filter();
        let happy = face(Probabilities::certain(Emotion::Happy), 200.0);
        let sad = face(Probabilities::certain(Emotion::Sad), 50.0);
        let blurred = SeenFace { sharp: false, ..face(Probabilities::certain(Emotion::Fear), 400.0) };
        for t in [0.0, 20.0] {
            filter.observe(&[sad, happy, blurred], seconds(t));
        }
        let (expression, mean) = filter.current().unwrap();
        assert_eq!(expression, Emotion::Happy);
        assert!((mean - 0.8).abs() < 1e-3, "{mean}");
    }

    fn any_face() -> impl Strategy<Value = SeenFace> {
        (prop::array::uniform7(any::<f32>()), any::<f32>(), any::<bool>())
            .prop_map(|(logits, side, sharp)| SeenFace { sharp, ..face(Probabilities::from_logits(logits, 1.0), side) })
    }

    proptest! {
        #[test]
        fn only_the_time_counts_and_not_the_number_of_frames(
            cuts in prop::collection::vec(0f32..10.0, 0..20),
            emotion in prop::sample::select(&Emotion::ALL),
        ) {
            let mut cuts = cuts;
            cuts.sort_by(f32::total_cmp);
            let (mut often, mut once) = (filter(), filter());
            often.observe(&showing(emotion), Duration::ZERO);
            once.observe(&showing(emotion), Duration::ZERO);
            for t in cuts {
                often.observe(&showing(emotion), seconds(t));
            }
            often.observe(&showing(emotion), seconds(10.0));
            once.observe(&showing(emotion), seconds(10.0));
            let (a, b) = (often.mean[emotion as usize], once.mean[emotion as usize]);
            prop_assert!((a - b).abs() < 1e-4, "{} {}", a, b);
        }

        #[test]
        fn nothing_breaks_it(frames in prop::collection::vec((prop::collection::vec(any_face(), 0..3), any::<u64>()), 0..40)) {
            let mut filter = filter();
            let mut entered: Option<(Emotion, Duration)> = None;
            for (faces, nanos) in frames {
                filter.observe(&faces, Duration::from_nanos(nanos));
                let now = filter.clock.unwrap();
                prop_assert!(filter.mean.iter().all(|m| (0.0..=1.0001).contains(m)));
                let current = filter.current().map(|(e, _)| e);
                if let Some((_, since)) = entered.filter(|(e, _)| Some(*e) != current) {
                    prop_assert!(now >= since + Duration::from_millis(1500));
                }
                if entered.map(|(e, _)| e) != current {
                    entered = current.map(|e| (e, now));
                }
            }
        }
    }
}
