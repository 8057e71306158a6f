//! The moodbox daemon.

pub mod camera;
