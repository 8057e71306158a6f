//! Commands and requests: the first line is the name, the rest the payload. A refusal is one short line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moodbox_core::topics::{Command, Request};

fuzz_target!(|bytes: &[u8]| {
    let (name, payload) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let Ok(name) = std::str::from_utf8(name) else { return };
    let payload = payload.strip_prefix(b"\n").unwrap_or(payload);
    let refusals = [
        Command::parse(name, payload).err().map(|error| error.to_string()),
        Request::parse(name, payload).err().map(|error| error.to_string()),
    ];
    for reason in refusals.into_iter().flatten() {
        assert!(!reason.contains(char::is_control), "{reason:?}");
        assert!((1..=300).contains(&reason.chars().count()), "{reason:?}");
    }
});
