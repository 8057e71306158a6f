//! The moods of a box since somebody looks, for the way on the plane and the plot of a page that is loaded anew.

use std::collections::VecDeque;

use serde_json::{Value, json};

/// Points that are kept: an hour of a room that never rests.
const LENGTH: usize = 720;

/// Changes within this time of a point, in milliseconds, take its place.
const STEP_MS: u64 = 5000;

/// Points in time, the oldest first.
#[derive(Default)]
pub(super) struct Trail(VecDeque<Point>);

struct Point {
    /// The time that it stands for, and when it was last changed.
    since_ms: u64,
    mood: Value,
    valence: f64,
    arousal: f64,
}

impl Trail {
    /// The state as of a time in milliseconds.
    pub(super) fn add(&mut self, state: &Value, at_ms: u64) {
        let number = |name: &str| state[name].as_f64().unwrap_or_default();
        let (valence, arousal) = (number("valence"), number("arousal"));
        let mut point = Point { since_ms: at_ms, mood: state["mood"].clone(), valence, arousal };
        if let Some(last) = self.0.back()
            && at_ms.saturating_sub(last.since_ms) < STEP_MS
            && last.mood == point.mood
        {
            point.since_ms = last.since_ms;
            self.0.pop_back();
        }
        self.push(point);
    }

    /// From a time in milliseconds on the mood is not known. Returns whether that is new.
    pub(super) fn end(&mut self, at_ms: u64) -> bool {
        if self.0.back().is_none_or(|last| last.mood.is_null()) {
            return false;
        }
        self.push(Point { since_ms: at_ms, mood: Value::Null, valence: 0.0, arousal: 0.0 });
        true
    }

    fn push(&mut self, point: Point) {
        if self.0.len() == LENGTH {
            self.0.pop_front();
        }
        self.0.push_back(point);
    }

    /// A list of time in milliseconds, mood (null while it is not known), valence and arousal.
    pub(super) fn to_json(&self) -> Value {
        self.0.iter().map(|point| json!([point.since_ms, point.mood, point.valence, point.arousal])).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn state(mood: &str, valence: f64) -> Value {
        json!({ "mood": mood, "valence": valence, "arousal": 0.5 })
    }

    #[test]
    fn a_change_soon_after_another_takes_its_place_and_another_mood_does_not() {
        let mut trail = Trail::default();
        for (mood, valence, at_ms) in
            [("sad", -0.5, 10_000), ("sad", -0.6, 11_000), ("happy", 0.5, 12_000), ("happy", 0.7, 18_000)]
        {
            trail.add(&state(mood, valence), at_ms);
        }
        let expected = json!([[10_000, "sad", -0.6, 0.5], [12_000, "happy", 0.5, 0.5], [18_000, "happy", 0.7, 0.5]]);
        assert_eq!(trail.to_json(), expected);
    }

    #[test]
    fn what_has_ended_is_not_known_until_the_next_state() {
        let mut trail = Trail::default();
        assert!(!trail.end(1000), "nothing was known");
        trail.add(&state("happy", 0.5), 10_000);
        assert!(trail.end(20_000));
        assert!(!trail.end(30_000), "nor since then");
        trail.add(&state("happy", 0.5), 21_000);
        let expected = json!([[10_000, "happy", 0.5, 0.5], [20_000, null, 0.0, 0.0], [21_000, "happy", 0.5, 0.5]]);
        assert_eq!(trail.to_json(), expected);
    }

    proptest! {
        #[test]
        fn it_is_bounded_and_ends_with_the_last_state(states in prop::collection::vec((0..3_u8, -1.0..1.0, 0..9000_u64), 1..2000)) {
            let mut trail = Trail::default();
            let mut at_ms = 0;
            for (mood, valence, pause) in &states {
                at_ms += pause;
                trail.add(&state(&mood.to_string(), *valence), at_ms);
            }
            let points = trail.to_json();
            prop_assert!(points.as_array().unwrap().len() <= LENGTH);
            let (mood, valence, _) = states.last().unwrap();
            let last = points.as_array().unwrap().last().unwrap();
            prop_assert_eq!((&last[1], last[2].as_f64()), (&json!(mood.to_string()), Some(*valence)));
        }
    }
}
