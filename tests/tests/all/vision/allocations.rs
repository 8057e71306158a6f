//! After the first frame of a size nothing is allocated.

use moodbox_core::config;
use moodbox_models::Models;
use moodbox_vision::Vision;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::jpeg::Decoder;

use super::recording;

#[test]
fn a_frame_allocates_nothing_once_one_was_seen() {
    let models = Models::built_in().unwrap();
    let mut vision = Vision::new(&models, &config::Vision::default()).unwrap();
    let mut decoder = Decoder::new(640 * 480);
    let frames = recording();
    let empty = decoder.decode(&frames[0]).unwrap();
    assert_eq!(vision.analyse(&empty).unwrap().faces.len(), 0);
    for jpeg in frames.iter().step_by(10) {
        let frame = decoder.decode(jpeg).unwrap();
        let counted = allocation_counter::measure(|| {
            vision.analyse(&frame).unwrap();
        });
        assert_eq!(counted.count_total, 0, "{counted:?}");
    }
}

#[test]
fn a_yuyv_frame_allocates_nothing_either() {
    let models = Models::built_in().unwrap();
    let mut vision = Vision::new(&models, &config::Vision::default()).unwrap();
    // Rows are padded, as some cameras do.
    let stride = 2 * 640 + 64;
    let data: Vec<u8> = (0..stride * 480).map(|i| (i % 251) as u8).collect();
    let frame = Frame::new(&data, Format::Yuyv, 640, 480, stride).unwrap();
    vision.analyse(&frame).unwrap();
    let counted = allocation_counter::measure(|| {
        vision.analyse(&frame).unwrap();
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}
