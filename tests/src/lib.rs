//! What the tests from outside share.

pub mod disk;
pub mod fleet;
pub mod json_lines;
pub mod listener;
pub mod memory_group;
pub mod mosquitto;
pub mod mpd;
pub mod programs;
pub mod rights;
pub mod shared_data;
pub mod simulated_box;
mod skipped;
pub mod sound_files;
pub mod strace;
