//! What systemd is told, and the watchdog: it is fed by progress only, so that a hang of the camera's driver or of a
//! network ends in a restart.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tracing::debug;

/// Longest time that one frame may take to capture, or to analyse, before it counts as a hang.
const STUCK: Duration = Duration::from_secs(15);

/// Says that the daemon runs.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that the daemon is about to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Half the time within which systemd wants to hear from us, if it does.
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

/// Says that all is well, unless a thread is stuck.
pub fn feed_watchdog<'a>(threads: impl IntoIterator<Item = &'a Pulse>) {
    if threads.into_iter().any(Pulse::is_stuck) {
        return;
    }
    tell(&[NotifyState::Watchdog]);
}

/// The folder that systemd makes for the daemon while it runs (`RuntimeDirectory`), if it does.
#[must_use]
pub fn runtime_folder() -> Option<PathBuf> {
    std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from)
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        debug!("systemd cannot be told: {error}");
    }
}

/// Whether a thread is at work on one thing, and since when.
#[derive(Debug)]
pub struct Pulse {
    epoch: Instant,
    /// Milliseconds from the epoch, plus one; 0 while the thread waits for something to do.
    busy_since: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { epoch: Instant::now(), busy_since: AtomicU64::new(0) }
    }
}

impl Pulse {
    /// Does a piece of work that must end in time.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.busy_since.store(self.now(), Ordering::Relaxed);
        let result = work();
        self.busy_since.store(0, Ordering::Relaxed);
        result
    }

    fn is_stuck(&self) -> bool {
        let since = self.busy_since.load(Ordering::Relaxed);
        since != 0 && self.now().saturating_sub(since) > STUCK.as_millis() as u64
    }

    fn now(&self) -> u64 {
        self.epoch.elapsed().as_millis() as u64 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_does_not_end_is_noticed() {
        let pulse = Pulse { epoch: Instant::now().checked_sub(2 * STUCK).unwrap(), busy_since: AtomicU64::new(0) };
        assert!(!pulse.is_stuck(), "a thread that waits is not stuck");
        pulse.during(|| assert!(!pulse.is_stuck(), "nor is one that has just begun"));
        pulse.busy_since.store(1, Ordering::Relaxed);
        assert!(pulse.is_stuck());
    }
}
