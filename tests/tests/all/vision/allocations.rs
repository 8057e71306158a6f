//! After the first frame of a size nothing is allocated.

use std::time::Duration;

use moodbox_core::config;
use moodbox_models::Models;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::{Tracker, Vision};

use super::recording;

#[test]
fn a_frame_allocates_nothing_once_one_was_seen() {
    let models = Models::built_in().unwrap();
    let mut vision = Vision::new(&models, &config::Vision::default()).unwrap();
    let mut decoder = Decoder::new(640 * 480);
    let frames = recording();
    let empty = decoder.decode(&frames[0]).unwrap();
    assert_eq!(vision.analyse(empty).unwrap().faces.len(), 0);
    for jpeg in frames.iter().step_by(10) {
        let frame = decoder.decode(jpeg).unwrap();
        let counted = allocation_counter::measure(|| {
            vision.analyse(frame).unwrap();
        });
        assert_eq!(counted.count_total, 0, "{counted:?}");
    }
}

#[test]
fn following_allocates_nothing_either() {
    let models = Models::built_in().unwrap();
    let mut tracker = Tracker::new(&models, &config::Vision::default()).unwrap();
    let mut decoder = Decoder::new(640 * 480);
    let (mut followed, mut searched) = (0, 0);
    for (k, jpeg) in recording().iter().step_by(2).enumerate() {
        let at = Duration::from_millis(200 * k as u64);
        let counted = allocation_counter::measure(|| {
            // Decoding the frame of a camera is a part of it.
            let sight = tracker.track(decoder.open(jpeg).unwrap(), at).unwrap();
            searched += usize::from(sight.searched);
            followed += usize::from(!sight.searched && !sight.faces.is_empty());
        });
        assert!(k == 0 || counted.count_total == 0, "frame {k}: {counted:?}");
    }
    assert!(followed > 0 && searched > 1, "both were seen: {followed}, {searched}");
}

#[test]
fn a_yuyv_frame_allocates_nothing_either() {
    let models = Models::built_in().unwrap();
    let mut vision = Vision::new(&models, &config::Vision::default()).unwrap();
    // Rows are padded, as some cameras do.
    let stride = 2 * 640 + 64;
    let data: Vec<u8> = (0..stride * 480).map(|i| (i % 251) as u8).collect();
    let frame = Frame::new(&data, Format::Yuyv, 640, 480, stride).unwrap();
    vision.analyse(frame).unwrap();
    let counted = allocation_counter::measure(|| {
        vision.analyse(frame).unwrap();
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}
