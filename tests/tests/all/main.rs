//! Tests of moodbox from outside.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that is surprised fails")]

mod broker;
mod checksums;
mod cli;
mod daemon;
mod documents;
mod fleet;
mod mqtt;
mod power_cuts;
mod preview;
mod privacy;
mod terminal;
mod vision;
