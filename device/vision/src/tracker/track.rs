//! One face on its way from frame to frame.

use std::time::Duration;

use moodbox_core::emotion::Probabilities;
use moodbox_core::face::{BBox, Face, Point, SeenFace};

use crate::mtcnn::inside;

/// How far a face is expected from where it was, at most, in its own widths.
const FARTHEST: f32 = 0.5;

/// An expression with the time when it was read.
#[derive(Debug, Clone, Copy)]
struct Reading {
    emotions: Probabilities,
    sharp: bool,
    at: Duration,
}

/// A face that is followed.
#[derive(Debug, Clone)]
pub(super) struct Track {
    id: u32,
    /// Where it was last; the box may reach over the frame's border.
    pub(super) face: Face,
    /// Pixels a second.
    speed: Point,
    /// When it was last seen.
    pub(super) seen: Duration,
    /// When the cascade last found it.
    pub(super) joined: Duration,
    /// How often the cascade has found it.
    finds: u32,
    /// How often in a row the cascade has not.
    pub(super) misses: u32,
    reading: Option<Reading>,
}

impl Track {
    pub(super) fn new(id: u32, face: Face, at: Duration) -> Self {
        Self { id, face, speed: Point::default(), seen: at, joined: at, finds: 1, misses: 0, reading: None }
    }

    /// Where the face is by now if it went on as it moved before.
    pub(super) fn expected(&self, at: Duration) -> BBox {
        let time = at.saturating_sub(self.seen).as_secs_f32();
        let limit = FARTHEST * self.face.bbox.w;
        let BBox { x, y, w, h } = self.face.bbox;
        let way = |speed: f32| (speed * time).clamp(-limit, limit);
        BBox { x: x + way(self.speed.x), y: y + way(self.speed.y), w, h }
    }

    /// Whether a part of the frame is where the face and its body may move: two faces wide, up to half a face above, and
    /// three below.
    pub(super) fn moves_in(&self, cell: &BBox) -> bool {
        let BBox { x, y, w, h } = self.face.bbox;
        let room = BBox { x: x - w / 2.0, y: y - h / 2.0, w: 2.0 * w, h: 4.5 * h };
        room.intersection(cell) > 0.0
    }

    /// Whether the cascade has found it more than once.
    pub(super) fn is_confirmed(&self) -> bool {
        self.finds > 1
    }

    /// The cascade found it.
    pub(super) fn join(&mut self, face: Face, at: Duration) {
        self.see(face, at);
        (self.joined, self.finds, self.misses) = (at, self.finds + 1, 0);
    }

    /// It was seen.
    pub(super) fn see(&mut self, face: Face, at: Duration) {
        let time = at.saturating_sub(self.seen).as_secs_f32();
        if time > 0.0 {
            let (before, now) = (self.face.bbox.centre(), face.bbox.centre());
            let mean = |speed: f32, way: f32| f32::midpoint(speed, way / time);
            self.speed = Point { x: mean(self.speed.x, now.x - before.x), y: mean(self.speed.y, now.y - before.y) };
        }
        (self.face, self.seen) = (face, at);
    }

    /// When its expression was last read.
    pub(super) fn read_at(&self) -> Option<Duration> {
        self.reading.map(|r| r.at)
    }

    /// Whether its expression is to be read: always when it never was, and else `every` so often where there is a turn left.
    pub(super) fn is_due(&self, at: Duration, every: Duration, turn: bool) -> bool {
        self.read_at().is_none_or(|read| turn && at.saturating_sub(read) >= every)
    }

    /// Takes in what was read. Whether it is another expression than before.
    pub(super) fn read(&mut self, (emotions, sharp): (Probabilities, bool), at: Duration) -> bool {
        let before = self.reading.replace(Reading { emotions, sharp, at });
        before.is_some_and(|before| before.emotions.top().0 != emotions.top().0)
    }

    /// What there is to tell of it, in a frame of this width and height.
    pub(super) fn shown(&self, size: (usize, usize), at: Duration) -> SeenFace {
        let (emotions, sharp) = self.reading.map_or((Probabilities::UNIFORM, false), |r| (r.emotions, r.sharp));
        let fresh = self.read_at() == Some(at);
        SeenFace { face: inside(size, &self.face), emotions, sharp, fresh, track: Some(self.id) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn face(x: f32) -> Face {
        Face { bbox: BBox { x, y: 100.0, w: 80.0, h: 100.0 }, score: 0.9, landmarks: [Point::default(); 5] }
    }

    fn ms(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    #[test]
    fn a_face_is_expected_where_its_speed_takes_it() {
        let mut track = Track::new(1, face(100.0), ms(0));
        for step in 1..=20 {
            track.see(face(100.0 + 5.0 * step as f32), ms(200 * step));
        }
        // 25 px a second for 400 ms.
        assert!((track.expected(ms(4_400)).x - 210.0).abs() < 0.1, "{:?}", track.expected(ms(4_400)));
    }

    proptest! {
        #[test]
        fn it_is_never_expected_far_away(places in prop::collection::vec((-1e4f32..1e4, 0u64..3_000), 1..20), later in 0u64..10_000) {
            let mut track = Track::new(1, face(0.0), ms(0));
            let mut at = 0;
            for (x, step) in places {
                at += step;
                track.see(face(x), ms(at));
            }
            let (last, expected) = (track.face.bbox, track.expected(ms(at + later)));
            prop_assert!((expected.x - last.x).abs() <= FARTHEST * last.w + 0.01);
        }
    }
}
