//! Which of the modes that a camera offers suits the box best.

use std::cmp::Reverse;
use std::fmt;

use moodbox_core::config;

use crate::camera::{MAX_PIXELS, PixelFormat};

/// The four letters by which the kernel names a pixel format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FourCc(pub(super) u32);

impl FourCc {
    /// What it holds, where that is of use here.
    pub(super) fn pixel_format(self) -> Option<PixelFormat> {
        match &self.0.to_le_bytes() {
            b"MJPG" | b"JPEG" => Some(PixelFormat::Mjpeg),
            b"YUYV" => Some(PixelFormat::Yuyv),
            b"GREY" => Some(PixelFormat::Grey),
            b"RGB3" => Some(PixelFormat::Rgb),
            _ => None,
        }
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_le_bytes().escape_ascii().fmt(f)
    }
}

/// One thing that a camera can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mode {
    pub(super) fourcc: FourCc,
    /// Pixels.
    pub(super) width: u32,
    /// Pixels.
    pub(super) height: u32,
    /// The greatest rate in frames a second, where the driver tells.
    pub(super) fps: Option<f32>,
}

impl Mode {
    /// Whether its frames can be looked at.
    fn is_of_use(&self) -> bool {
        let is_too_large = self.width as usize * self.height as usize > MAX_PIXELS;
        self.fourcc.pixel_format().is_some_and(|format| format != PixelFormat::Mjpeg || !is_too_large)
    }
}

/// What is asked of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::camera) struct Wanted {
    /// Pixels.
    pub(super) width: u32,
    /// Pixels.
    pub(super) height: u32,
    /// Frames a second; 0 leaves it to the camera.
    pub(super) fps: u32,
}

impl From<&config::Camera> for Wanted {
    fn from(config: &config::Camera) -> Self {
        Self { width: config.width.0, height: config.height.0, fps: config.fps.0 }
    }
}

/// The mode that is nearest in size, and among those the one that keeps the rate at the least work.
///
/// YUYV is read as it comes, so it is taken where the camera keeps the rate with it (a USB 2 bus does not at large
/// sizes); MJPEG must be decoded, GREY lacks the colour that the face detector was trained with, and RGB fills the bus.
pub(super) fn choose(offered: &[Mode], wanted: Wanted) -> Option<Mode> {
    offered.iter().copied().filter(Mode::is_of_use).min_by_key(|mode| {
        let distance = mode.width.abs_diff(wanted.width) + mode.height.abs_diff(wanted.height);
        // A camera that says 29.97 keeps 30.
        let too_slow = mode.fps.is_some_and(|fps| fps + 0.5 < wanted.fps as f32);
        let work = match mode.fourcc.pixel_format() {
            Some(PixelFormat::Yuyv) => 0,
            Some(PixelFormat::Mjpeg) => 1,
            Some(PixelFormat::Grey) => 2,
            Some(PixelFormat::Rgb) | None => 3,
        };
        // Where all are too slow, the fastest.
        let rate = if too_slow { mode.fps.map_or(0, |fps| (fps * 1000.0) as u32) } else { 0 };
        (distance, Reverse(mode.width), too_slow, Reverse(rate), work)
    })
}

/// The size nearest to `wanted` in a range that a driver gives as limits and a step.
pub(super) fn nearest_step(wanted: u32, min: u32, max: u32, step: u32) -> u32 {
    let clamped = wanted.clamp(min, max.max(min));
    clamped - (clamped - min) % step.max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mode(letters: [u8; 4], width: u32, height: u32, fps: impl Into<Option<f32>>) -> Mode {
        Mode { fourcc: FourCc(u32::from_le_bytes(letters)), width, height, fps: fps.into() }
    }

    fn chosen(offered: &[Mode], width: u32, height: u32, fps: u32) -> Option<(String, u32, u32)> {
        choose(offered, Wanted { width, height, fps }).map(|m| (m.fourcc.to_string(), m.width, m.height))
    }

    /// What `v4l2-ctl --list-formats-ext` prints for a Logitech C270, in short.
    fn c270() -> Vec<Mode> {
        vec![
            mode(*b"YUYV", 640, 480, 30.0),
            mode(*b"YUYV", 320, 240, 30.0),
            mode(*b"YUYV", 1280, 720, 7.5),
            mode(*b"YUYV", 1280, 960, 5.0),
            mode(*b"MJPG", 640, 480, 30.0),
            mode(*b"MJPG", 1280, 720, 30.0),
            mode(*b"MJPG", 1280, 960, 30.0),
        ]
    }

    #[test]
    fn takes_what_needs_no_decoding_while_it_keeps_the_rate() {
        assert_eq!(chosen(&c270(), 640, 480, 10), Some(("YUYV".to_owned(), 640, 480)));
        assert_eq!(chosen(&c270(), 640, 480, 30), Some(("YUYV".to_owned(), 640, 480)));
        assert_eq!(chosen(&c270(), 1280, 720, 5), Some(("YUYV".to_owned(), 1280, 720)));
    }

    #[test]
    fn takes_mjpeg_where_raw_frames_are_too_slow() {
        assert_eq!(chosen(&c270(), 1280, 720, 10), Some(("MJPG".to_owned(), 1280, 720)));
    }

    #[test]
    fn passes_over_mjpeg_that_is_too_large_to_decode() {
        let offered = [mode(*b"MJPG", 1920, 1200, 30.0), mode(*b"MJPG", 1280, 720, 30.0)];
        assert_eq!(chosen(&offered, 1920, 1080, 10), Some(("MJPG".to_owned(), 1280, 720)));
        assert_eq!(chosen(&offered[..1], 1920, 1080, 10), None);
    }

    #[test]
    fn takes_the_fastest_where_all_are_too_slow() {
        let offered = [mode(*b"YUYV", 640, 480, 5.0), mode(*b"MJPG", 640, 480, 15.0), mode(*b"GREY", 640, 480, 10.0)];
        assert_eq!(chosen(&offered, 640, 480, 60), Some(("MJPG".to_owned(), 640, 480)));
    }

    #[test]
    fn takes_the_nearest_size_and_the_larger_of_two_as_near() {
        assert_eq!(chosen(&c270(), 600, 500, 10), Some(("YUYV".to_owned(), 640, 480)));
        let offered = [mode(*b"YUYV", 320, 240, 30.0), mode(*b"YUYV", 960, 720, 30.0)];
        assert_eq!(chosen(&offered, 640, 480, 10), Some(("YUYV".to_owned(), 960, 720)));
    }

    #[test]
    fn takes_grey_before_rgb_and_either_if_that_is_all_there_is() {
        let offered = [mode(*b"RGB3", 640, 480, 30.0), mode(*b"GREY", 640, 480, 30.0)];
        assert_eq!(chosen(&offered, 640, 480, 10), Some(("GREY".to_owned(), 640, 480)));
        assert_eq!(chosen(&offered[..1], 640, 480, 10), Some(("RGB3".to_owned(), 640, 480)));
    }

    #[test]
    fn a_rate_that_the_driver_does_not_tell_is_not_held_against_it() {
        let offered = [mode(*b"YUYV", 640, 480, None), mode(*b"MJPG", 640, 480, 30.0)];
        assert_eq!(chosen(&offered, 640, 480, 30), Some(("YUYV".to_owned(), 640, 480)));
    }

    #[test]
    fn refuses_what_cannot_be_read_here() {
        let offered = [mode(*b"pRAA", 640, 480, 30.0), mode(*b"H264", 640, 480, 30.0)];
        assert_eq!(chosen(&offered, 640, 480, 10), None);
        assert_eq!(chosen(&[], 640, 480, 10), None);
    }

    proptest! {
        #[test]
        fn a_stepped_size_is_one_that_the_driver_has(
            wanted in 0u32..5000, min in 1u32..500, range in 0u32..4000, step in 0u32..64,
        ) {
            let max = min + range;
            let size = nearest_step(wanted, min, max, step);
            prop_assert!((min..=max).contains(&size));
            prop_assert_eq!((size - min) % step.max(1), 0);
            prop_assert!(size <= wanted.max(min));
        }

        #[test]
        fn nothing_nearer_in_size_is_passed_over(
            sizes in prop::collection::vec((16u32..2000, 16u32..2000), 1..20), width in 160u32..1920, height in 120u32..1080,
        ) {
            let offered: Vec<_> = sizes.iter().map(|&(w, h)| mode(*b"YUYV", w, h, 30.0)).collect();
            let distance = |m: &Mode| m.width.abs_diff(width) + m.height.abs_diff(height);
            let taken = choose(&offered, Wanted { width, height, fps: 10 }).unwrap();
            prop_assert!(offered.iter().all(|other| distance(&taken) <= distance(other)));
        }
    }
}
