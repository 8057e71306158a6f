//! What a test may or can not do everywhere: mount a disk, lay a cable, look over the shoulder of a program, speak IPv6.

#![expect(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::net::{Ipv6Addr, TcpListener};
use std::process::{Command, Stdio};

use crate::skipped;

/// Set where nothing may be skipped.
const REQUIRED: &str = "MOODBOX_REQUIRE_RIGHTS";

/// Whether a shell may do this; where it may not, a line that says so.
///
/// # Panics
/// When it may not and `MOODBOX_REQUIRE_RIGHTS` is set.
#[must_use]
pub fn may(script: &str) -> bool {
    let output = Command::new("sh").args(["-ec", script]).stdin(Stdio::null()).output().expect("a shell");
    if output.status.success() {
        return true;
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let why = told.lines().next().unwrap_or("no reason given");
    assert!(std::env::var_os(REQUIRED).is_none(), "{why}, and {REQUIRED} is set");
    skipped::because(why);
    false
}

/// Whether programs may be run under strace.
///
/// # Panics
/// As [`may`] does.
#[must_use]
pub fn may_trace() -> bool {
    may("strace -f -qqq -o /dev/null -e trace=openat,write true")
}

/// Whether this machine reaches itself over IPv6; where it does not, a line that says so.
#[must_use]
pub fn has_ipv6() -> bool {
    let bound = TcpListener::bind((Ipv6Addr::LOCALHOST, 0));
    if let Err(error) = &bound {
        skipped::because(&format!("this machine has no IPv6 loopback: {error}"));
    }
    bound.is_ok()
}
