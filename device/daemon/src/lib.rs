//! The moodbox daemon.

pub mod broker;
pub mod mqtt;
