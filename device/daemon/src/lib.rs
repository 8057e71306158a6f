//! The moodbox daemon.

pub mod camera;
pub mod leds;
