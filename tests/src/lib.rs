//! What the tests from outside share.

pub mod listener;
pub mod mosquitto;
pub mod mpd;
pub mod programs;
pub mod shared_data;
pub mod simulated_box;
pub mod sound_files;
