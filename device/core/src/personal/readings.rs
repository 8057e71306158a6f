//! What was last read from the face before the camera.

use std::collections::VecDeque;
use std::time::Duration;

use crate::emotion::{COUNT, Probabilities};
use crate::face::SeenFace;
use crate::mood::readable;

/// How far back readings are kept: as long as an expression stays on a face.
pub const LOOK_BACK: Duration = Duration::from_secs(5);

/// A reading stands for the time since the frame before, this at most.
const LONGEST: Duration = Duration::from_secs(1);

/// More readings than this are not kept: [`LOOK_BACK`] at 60 frames a second.
const MOST: usize = 300;

/// What the classifier said of a face on average over some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// For how much of the time the face was there, and nobody else.
    pub seen: Duration,
    /// The average.
    pub said: Probabilities,
}

/// The last readings of a face that was alone. With two in the frame nobody knows whose expression is meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Readings {
    recent: VecDeque<Reading>,
    /// The latest time that was told; a clock that runs backwards stands still for us.
    clock: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Duration,
    lasted: Duration,
    said: Probabilities,
}

impl Readings {
    pub(super) fn observe(&mut self, faces: &[SeenFace], now: Duration) {
        let before = self.clock.unwrap_or(now);
        let now = now.max(before);
        self.clock = Some(now);
        self.recent.retain(|r| r.at + LOOK_BACK > now);
        if let [seen] = faces
            && readable(seen)
        {
            let lasted = now.saturating_sub(before).min(LONGEST);
            if self.recent.len() == MOST {
                self.recent.pop_front();
            }
            self.recent.push_back(Reading { at: now, lasted, said: seen.emotions });
        }
    }

    /// The average over the last `over`; `None` where the face was not there for any of it.
    pub(super) fn look(&self, over: Duration, now: Duration) -> Option<Look> {
        let now = self.clock.map_or(now, |clock| now.max(clock));
        let mut sum = [0.0; COUNT];
        let mut seen = Duration::ZERO;
        for reading in self.recent.iter().filter(|r| r.at + over.min(LOOK_BACK) > now) {
            seen += reading.lasted;
            for (s, p) in sum.iter_mut().zip(reading.said.as_array()) {
                *s += reading.lasted.as_secs_f32() * p;
            }
        }
        // Nothing was seen where all is zero.
        Probabilities::normalised(sum).ok().map(|said| Look { seen, said })
    }

    pub(super) fn forget(&mut self) {
        self.recent.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::Emotion;
    use crate::face::{BBox, Face, Point};

    fn face(emotion: Emotion) -> SeenFace {
        let at = |x, y| Point { x, y };
        let landmarks = [at(30.0, 40.0), at(70.0, 40.0), at(50.0, 60.0), at(35.0, 80.0), at(65.0, 80.0)];
        let face = Face { bbox: BBox { x: 0.0, y: 0.0, w: 100.0, h: 100.0 }, score: 1.0, landmarks };
        SeenFace { face, emotions: Probabilities::certain(emotion), sharp: true, fresh: true, track: None }
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn the_average_is_over_time_and_not_over_frames() {
        let mut readings = Readings::default();
        readings.observe(&[], ms(0));
        readings.observe(&[face(Emotion::Sad)], ms(300));
        for t in 31..=40 {
            readings.observe(&[face(Emotion::Happy)], ms(10 * t));
        }
        let look = readings.look(LOOK_BACK, ms(400)).unwrap();
        assert_eq!(look.seen, ms(400));
        assert!((look.said[Emotion::Sad] - 0.75).abs() < 1e-3, "{look:?}");
        let look = readings.look(ms(50), ms(400)).unwrap();
        assert!((look.said[Emotion::Happy] - 1.0).abs() < 1e-3, "{look:?}");
    }

    #[test]
    fn old_frames_two_faces_and_blurred_ones_do_not_count() {
        let mut readings = Readings::default();
        readings.observe(&[face(Emotion::Sad)], ms(0));
        assert_eq!(readings.look(LOOK_BACK, ms(0)), None, "a first frame lasts no time");
        readings.observe(&[face(Emotion::Sad)], ms(200));
        readings.observe(&[face(Emotion::Happy), face(Emotion::Happy)], ms(400));
        readings.observe(&[SeenFace { sharp: false, ..face(Emotion::Happy) }], ms(600));
        let look = Look { seen: ms(200), said: Probabilities::certain(Emotion::Sad) };
        assert_eq!(readings.look(LOOK_BACK, ms(600)), Some(look));
        assert_eq!(readings.look(LOOK_BACK, ms(5200)), None);
        readings.observe(&[face(Emotion::Happy)], ms(9000));
        let look = Look { seen: LONGEST, said: Probabilities::certain(Emotion::Happy) };
        assert_eq!(readings.look(LOOK_BACK, ms(9000)), Some(look), "nobody knows what was before");
    }

    #[test]
    fn a_flood_of_frames_is_bounded() {
        let mut readings = Readings::default();
        for t in 0..2000 {
            readings.observe(&[face(Emotion::Sad)], ms(t / 10));
        }
        assert_eq!(readings.recent.len(), MOST);
    }
}
