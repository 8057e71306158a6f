//! The mood filter and the two simpler rules that it must beat.

use std::time::Duration;

use moodbox_core::config;
use moodbox_core::emotion::{COUNT, Emotion, Probabilities};
use moodbox_core::face::{BBox, Face, Point, SeenFace};
use moodbox_core::mood::{Confusion, MoodFilter, RoomMood};

/// The average calibrated output of the classifier in `world`, over all 3,543 validation faces of FER2013.
const CONFUSION: [[f32; COUNT]; COUNT] = [
    [0.4688, 0.0311, 0.1516, 0.0635, 0.1080, 0.1323, 0.0447],
    [0.2160, 0.4230, 0.1053, 0.0469, 0.0526, 0.1189, 0.0373],
    [0.1434, 0.0136, 0.3384, 0.0648, 0.1328, 0.2022, 0.1048],
    [0.0394, 0.0040, 0.0353, 0.7661, 0.0823, 0.0353, 0.0376],
    [0.1133, 0.0076, 0.1037, 0.1167, 0.4460, 0.1765, 0.0362],
    [0.1491, 0.0144, 0.1660, 0.0765, 0.1790, 0.3771, 0.0379],
    [0.0503, 0.0032, 0.1232, 0.0553, 0.0388, 0.0370, 0.6922],
];

/// Says after each frame which mood the person is in.
pub(crate) trait Rule {
    fn mood(&mut self, output: &Probabilities, now: Duration) -> Emotion;
}

/// The filter under test, as the box runs it.
pub(crate) struct Filter(MoodFilter);

impl Filter {
    pub(crate) fn new() -> Self {
        let confusion = Confusion(CONFUSION.map(|row| Probabilities::normalised(row).unwrap()));
        Self(MoodFilter::new(&config::Mood::default(), &confusion))
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
