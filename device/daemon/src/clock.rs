//! The time of day, and whether it can be believed.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock that shows an earlier time was never set: 2026-01-01. A board without a battery starts in 1970.
const EARLIEST: Duration = Duration::from_secs(1_767_225_600);

/// What the machine's clock shows, with its fractions. One that stands before 1970 has not been set.
#[must_use]
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Seconds since 1970.
    pub seconds: u64,
    /// Whether nobody has set the clock since the machine was started, as far as can be told.
    pub unset: bool,
}

impl Now {
    /// What the machine's clock shows. `root` is `/` but in tests.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        Self::of(since_1970(), root)
    }

    /// systemd's time service says by a file when it has set the clock; others say nothing, and are believed.
    fn of(since_1970: Duration, root: &Path) -> Self {
        let service = root.join("run/systemd/timesync");
        let waits = service.is_dir() && !service.join("synchronized").exists();
        Self { seconds: since_1970.as_secs(), unset: since_1970 < EARLIEST || waits }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_clock_is_believed_when_it_was_set() {
        let root = tempfile::tempdir().unwrap();
        let unset = |seconds| Now::of(Duration::from_secs(seconds), root.path()).unset;
        assert!(unset(60) && !unset(1_790_000_000), "no service says anything");
        let service = root.path().join("run/systemd/timesync");
        fs::create_dir_all(&service).unwrap();
        assert!(unset(1_790_000_000), "the service has not set it yet");
        fs::write(service.join("synchronized"), "").unwrap();
        assert!(unset(60) && !unset(1_790_000_000));
    }
}
