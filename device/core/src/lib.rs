//! The rules of moodbox, free of files, threads, clocks, logs and networks.
//!
//! Time is always an argument: `now` is the time since the process started, as a [`std::time::Duration`] on a
//! monotonic clock. Everything that happens is an event that goes into the engine, everything that shall happen is an
//! effect that comes out, so that a whole evening replays in a unit test in milliseconds.

pub mod affect;
mod card;
pub mod config;
pub mod emotion;
pub mod engine;
pub mod expression;
pub mod face;
pub mod hass;
pub mod history;
pub mod led;
pub mod mood;
pub mod music;
pub mod personal;
pub mod topics;
