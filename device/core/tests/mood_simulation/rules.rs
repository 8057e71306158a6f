//! The mood filter and the two simpler rules that it must beat.

use std::time::Duration;

use moodbox_core::config::{self, Labels};
use moodbox_core::emotion::{COUNT, Emotion, Probabilities};
use moodbox_core::face::{BBox, Face, Point, SeenFace};
use moodbox_core::mood::{Confusion, MoodFilter, RoomMood};

const MANIFEST: &str = include_str!("../../../../models/manifest.toml");

/// How the classifier errs by these labels, as the box knows it.
fn confusion(labels: Labels) -> Confusion {
    let manifest: toml::Table = MANIFEST.parse().unwrap();
    let fer = manifest["model"].as_array().unwrap().iter().find_map(|model| model.get("emotions")).unwrap();
    let rows: [[f32; COUNT]; COUNT] = fer[labels.name()]["confusion"].clone().try_into().unwrap();
    Confusion::try_from(rows).unwrap()
}

/// Says after each frame which mood the person is in.
pub(crate) trait Rule {
    fn mood(&mut self, output: &Probabilities, now: Duration) -> Emotion;
}

/// The filter under test, as the box runs it.
pub(crate) struct Filter(MoodFilter);

impl Filter {
    pub(crate) fn new(labels: Labels) -> Self {
        Self(MoodFilter::new(&config::Mood::default(), &confusion(labels)))
    }
}

impl Rule for Filter {
    fn mood(&mut self, output: &Probabilities, now: Duration) -> Emotion {
        self.0.observe(&[face(*output)], now);
        match self.0.room(now).mood {
            RoomMood::Emotion(emotion) => emotion,
            other => panic!("a person alone is never {other}"),
        }
    }
}

/// The most probable expression of the frame.
pub(crate) struct Argmax;

impl Rule for Argmax {
    fn mood(&mut self, output: &Probabilities, _: Duration) -> Emotion {
        output.top().0
    }
}

/// An exponential average with hysteresis and dwell, at the filter's own limits for the expression.
pub(crate) struct Average {
    time_constant_s: f32,
    mean: [f32; COUNT],
    shown: Emotion,
    since: Duration,
    last: Duration,
}

impl Average {
    pub(crate) fn new(time_constant_s: f32) -> Self {
        let (since, last) = (Duration::ZERO, Duration::ZERO);
        Self { time_constant_s, mean: [0.0; COUNT], shown: Emotion::Neutral, since, last }
    }
}

impl Rule for Average {
    fn mood(&mut self, output: &Probabilities, now: Duration) -> Emotion {
        let gain = 1.0 - (-now.saturating_sub(self.last).as_secs_f32() / self.time_constant_s).exp();
        self.last = now;
        for (m, q) in self.mean.iter_mut().zip(output.as_array()) {
            *m += gain * (q - *m);
        }
        let mean = |e: Emotion| self.mean[e as usize];
        let best = Emotion::ALL.into_iter().max_by(|a, b| mean(*a).total_cmp(&mean(*b))).unwrap();
        let dwelt = now.saturating_sub(self.since) >= Duration::from_millis(1_500);
        if best != self.shown && mean(best) >= 0.45 && mean(self.shown) <= 0.35 && dwelt {
            (self.shown, self.since) = (best, now);
        }
        self.shown
    }
}

fn face(emotions: Probabilities) -> SeenFace {
    let point = |x, y| Point { x, y };
    let landmarks =
        [point(130.0, 140.0), point(170.0, 140.0), point(150.0, 160.0), point(135.0, 180.0), point(165.0, 180.0)];
    let face = Face { bbox: BBox { x: 100.0, y: 100.0, w: 100.0, h: 100.0 }, score: 0.99, landmarks };
    SeenFace { face, emotions, sharp: true, fresh: true, track: None }
}
