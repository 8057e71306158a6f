//! The commands, one file each.

pub(crate) mod aim;
#[cfg(feature = "vision")]
pub(crate) mod analyze;
#[cfg(feature = "vision")]
pub(crate) mod bench;
pub(crate) mod calibrate;
pub(crate) mod config;
#[cfg(feature = "vision")]
pub(crate) mod demo;
pub(crate) mod discover;
pub(crate) mod doctor;
#[cfg(feature = "vision")]
pub(crate) mod eval;
pub(crate) mod fleet;
pub(crate) mod history;
#[cfg(feature = "vision")]
pub(crate) mod labels;
pub(crate) mod library;
pub(crate) mod logs;
pub(crate) mod manual;
pub(crate) mod play;
pub(crate) mod recommend;
pub(crate) mod remove;
pub(crate) mod setup;
pub(crate) mod ui;
pub(crate) mod watch;
