//! The moodbox daemon.
