//! The moodbox daemon, as a library: its binary is `moodboxd`, and `moodbox demo` runs the same.

pub mod broker;
pub mod camera;
pub mod capture;
pub mod clock;
pub mod health;
pub mod identity;
pub mod lamp;
pub mod leds;
pub mod library;
pub mod mqtt;
pub mod pace;
pub mod picture;
pub mod run;
pub mod sight;
pub mod store;
pub mod switch;
pub mod systemd;
pub mod usage;
pub mod viewer;
