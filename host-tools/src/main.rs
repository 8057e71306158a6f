//! `moodbox`: the host tool.
fn main() {}
