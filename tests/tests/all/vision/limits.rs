//! Frames as bad as they come: whatever they hold, the work for one is bounded and what is said of it makes sense.

use std::collections::HashSet;
use std::time::Duration;

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use moodbox_core::config::{self, Bounded};
use moodbox_core::face::SeenFace;
use moodbox_models::Models;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::mtcnn::MAX_FACES;
use moodbox_vision::{Tracker, Vision};

use super::recording;

/// Multiply-accumulates of the networks in one frame at the very most: a pyramid of twice 960x540 pixels, 64 candidates for
/// R-Net and O-Net, and [`MAX_FACES`] faces looked at twice and read.
const MOST_MACS: u64 = 5_000_000_000;

fn tracker(min_face: u32) -> Tracker {
    let settings = config::Vision { min_face_px: Bounded(min_face), ..config::Vision::default() };
    Tracker::new(&Models::built_in().unwrap(), &settings).unwrap()
}

fn assert_sensible(faces: &[SeenFace], width: usize, height: usize) {
    assert!(faces.len() <= MAX_FACES);
    for seen in faces {
        let bbox = seen.face.bbox;
        assert!(bbox.x >= 0.0 && bbox.x + bbox.w <= width as f32, "{bbox:?} in {width}x{height}");
        assert!(bbox.y >= 0.0 && bbox.y + bbox.h <= height as f32, "{bbox:?} in {width}x{height}");
        assert!((seen.emotions.as_array().iter().sum::<f32>() - 1.0).abs() < 1e-3);
    }
    let tracks: HashSet<_> = faces.iter().map(|seen| seen.track).collect();
    assert_eq!(tracks.len(), faces.len(), "each has a track of its own");
}

#[test]
fn any_size_stride_and_content_can_be_looked_at() {
    let mut random = fastrand::Rng::with_seed(8);
    let mut tracker = tracker(24);
    for case in 0..60 {
        let format = random.choice([Format::Rgb, Format::Grey, Format::Yuyv]).unwrap();
        let side = |random: &mut fastrand::Rng| match case % 4 {
            0 => random.usize(1..=3),
            1 => random.usize(1..=30),
            _ => random.usize(1..=260),
        };
        let (mut width, height) = (side(&mut random), side(&mut random));
        if format == Format::Yuyv {
            width += width % 2;
        }
        let stride = format.row_bytes(width) + random.usize(0..40);
        let mut data = vec![random.choice([0, 255, 128]).unwrap(); stride * height];
        if case % 3 == 0 {
            data.fill_with(|| random.u8(..));
        }
        let frame = Frame::new(&data, format, width, height, stride).unwrap();
        for time in 0..2 {
            let sight = tracker.track(frame, Duration::from_secs(2 * case + time)).unwrap();
            assert_sensible(sight.faces, width, height);
        }
    }
}

#[test]
fn the_largest_frame_takes_bounded_work() {
    let (width, height) = (7680, 4320);
    let mut noise = vec![0; 2 * 1_000_003];
    let mut random = fastrand::Rng::with_seed(9);
    noise.fill_with(|| random.u8(..));
    let mut tracker = tracker(24);
    let bytes = Format::Yuyv.row_bytes(width) * height;
    let contents = [[16, 128].repeat(bytes / 2), [235, 128].repeat(bytes / 2), noise.repeat(bytes / noise.len() + 1)];
    for (k, data) in contents.into_iter().enumerate() {
        let frame = Frame::new(&data, Format::Yuyv, width, height, 2 * width).unwrap();
        let sight = tracker.track(frame, Duration::from_secs(10 * k as u64)).unwrap();
        assert!(sight.stages.cost.macs <= MOST_MACS, "{}", sight.stages.cost.macs);
        assert_sensible(sight.faces, width, height);
    }
}

#[test]
fn of_forty_faces_the_best_are_followed() {
    // The face of the recording's frame that shows one best, eight times five.
    let models = Models::built_in().unwrap();
    let mut vision = Vision::new(&models, &config::Vision::default()).unwrap();
    let mut decoder = Decoder::new(640 * 480);
    let frames = recording();
    let found = frames.iter().step_by(20).find_map(|jpeg| {
        let frame = decoder.decode(jpeg).unwrap();
        let face = vision.analyse(frame).unwrap().faces.first().map(|seen| seen.face.bbox)?;
        let picture = RgbImage::from_fn(640, 480, |x, y| Rgb(frame.rgb(x as usize, y as usize)));
        Some((picture, face))
    });
    let (picture, face) = found.unwrap();
    let margin = face.w / 2.0;
    let from = |at: f32| (at - margin).max(0.0) as u32;
    let side = (face.w.max(face.h) + 2.0 * margin) as u32;
    let face = imageops::crop_imm(&picture, from(face.x), from(face.y), side, side).to_image();
    let tile = imageops::resize(&face, 200, 200, FilterType::Triangle);
    let mut crowd = RgbImage::new(1600, 1000);
    for place in 0..40 {
        imageops::replace(&mut crowd, &tile, place % 8 * 200, place / 8 * 200);
    }
    let frame = Frame::new(crowd.as_raw(), Format::Rgb, 1600, 1000, 4800).unwrap();
    let mut tracker = tracker(60);
    let mut seen = Vec::new();
    for k in 0..6 {
        let sight = tracker.track(frame, Duration::from_millis(200 * k)).unwrap();
        assert_sensible(sight.faces, 1600, 1000);
        assert!(sight.stages.cost.macs <= MOST_MACS);
        seen.push((sight.faces.len(), sight.faces.iter().filter(|face| face.fresh).count()));
    }
    let (faces, fresh) = seen[0];
    assert!(faces > MAX_FACES / 2 && fresh == faces, "all are read at once: {seen:?}");
    assert!(seen.iter().all(|(count, _)| *count == faces), "{seen:?}");
    // From then on no more than half of them in one frame.
    assert!(seen[1..].iter().all(|(_, fresh)| *fresh <= faces.div_ceil(2)), "{seen:?}");
}
