//! Whoever sits still is seen in each frame, however rare frames are.

use std::time::Duration;

use moodbox_core::config;
use moodbox_models::Models;
use moodbox_vision::Tracker;
use moodbox_vision::jpeg::Decoder;

use super::recording;

#[test]
fn a_face_is_seen_in_every_frame_however_rare_frames_are() {
    let (models, settings) = (Models::built_in().unwrap(), config::Vision::default());
    let mut decoder = Decoder::new(640 * 480);
    let jpeg = &recording()[100];
    // Of a camera with 29.97 frames a second every thirtieth is 1.001 s after the one before.
    for every in [100, 900, 1_001, 1_999, 2_500, 60_000] {
        let mut tracker = Tracker::new(&models, &settings).unwrap();
        let mut seen = Vec::new();
        for k in 0..8 {
            let sight = tracker.track(decoder.open(jpeg).unwrap(), Duration::from_millis(every * k)).unwrap();
            seen.push(sight.faces.iter().map(|face| face.track).collect::<Vec<_>>());
        }
        assert!(
            !seen[0].is_empty() && seen.iter().all(|faces| faces.len() == seen[0].len()),
            "each {every} ms: {seen:?}"
        );
        if every < 2_000 {
            assert!(seen.iter().all(|faces| *faces == seen[0]), "each {every} ms: {seen:?}");
        }
    }
}
