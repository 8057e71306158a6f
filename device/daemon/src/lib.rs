//! The moodbox daemon.

pub mod mqtt;
