//! `moodboxd`: the daemon.
fn main() {}
