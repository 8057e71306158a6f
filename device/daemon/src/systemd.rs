//! What systemd is told, and the watchdog: it is fed by progress only, so that a hang of the camera's driver or of a
//! network ends in a restart.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tracing::debug;

/// Longest time between two beats of a thread: one frame may take as long to capture, or to analyse, before that counts as
/// a hang.
const STUCK: Duration = Duration::from_secs(15);

/// The same for a thread that writes to the disk: a worn card may hold a flush up for many seconds, and a whole library is
/// flushed at once.
const DISK_STUCK: Duration = Duration::from_secs(40);

/// Longest time that a thread waits without a beat.
pub const BEAT: Duration = Duration::from_secs(5);

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

/// Whether a thread gets on: it has to say so again and again, whatever it does or waits for.
#[derive(Debug)]
pub struct Pulse {
    epoch: Instant,
    /// Longest time between two beats.
    limit: Duration,
    /// Milliseconds from the epoch to the last beat, plus one; 0 while none is to be expected.
    beat: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { epoch: Instant::now(), limit: STUCK, beat: AtomicU64::new(0) }
    }
}

impl Pulse {
    /// That of a thread which writes to the disk.
    #[must_use]
    pub fn of_a_disk() -> Self {
        Self { limit: DISK_STUCK, ..Self::default() }
    }

    /// The thread gets on; the next beat is to come within 15 s, where it writes to the disk within 40 s.
    pub fn beat(&self) {
        self.beat.store(self.now(), Ordering::Relaxed);
    }

    /// No beat is to be expected any more, until there is one.
    pub fn rest(&self) {
        self.beat.store(0, Ordering::Relaxed);
    }

    /// Does something that must come to an end; nothing is to be expected before and after it.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.beat();
        let done = work();
        self.rest();
        done
    }

    fn is_stuck(&self) -> bool {
        let beat = self.beat.load(Ordering::Relaxed);
        beat != 0 && self.now().saturating_sub(beat) > self.limit.as_millis() as u64
    }

    fn now(&self) -> u64 {
        self.epoch.elapsed().as_millis() as u64 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made half a minute ago.
    fn old(pulse: Pulse) -> Pulse {
        Pulse { epoch: Instant::now().checked_sub(2 * STUCK).unwrap(), ..pulse }
    }

    #[test]
    fn a_thread_that_does_not_get_on_is_noticed() {
        let pulse = old(Pulse::default());
        assert!(!pulse.is_stuck(), "one that has not begun is not stuck");
        pulse.beat.store(1, Ordering::Relaxed);
        assert!(pulse.is_stuck());
        pulse.beat();
        assert!(!pulse.is_stuck());
        pulse.beat.store(1, Ordering::Relaxed);
        pulse.rest();
        assert!(!pulse.is_stuck(), "nor is one that has ended");
    }

    #[test]
    fn no_version_passes_its_trial_before_a_hang_would_have_ended_it() {
        let seconds = |text: &str, name: &str| {
            let number = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            Duration::from_secs(number.parse().unwrap())
        };
        let trial = include_str!("../../../deploy/deb/trial");
        let watchdog = seconds(include_str!("../../../systemd/moodboxd.service"), "WatchdogSec=");
        let holds = seconds(trial, "holds_s=");
        assert!(holds > STUCK.max(DISK_STUCK) + watchdog, "{holds:?}");
        assert!(seconds(trial, "trial_s=") > holds);
    }

    #[test]
    fn a_disk_may_take_its_time_but_not_for_ever() {
        let pulse = old(Pulse::of_a_disk());
        pulse.during(|| {
            pulse.beat.store(1, Ordering::Relaxed);
            assert!(!pulse.is_stuck(), "half a minute is a slow disk");
        });
        let hung = Pulse { epoch: pulse.epoch.checked_sub(2 * STUCK).unwrap(), ..pulse };
        assert!(!hung.is_stuck(), "what has ended is not stuck");
        hung.during(|| {
            hung.beat.store(1, Ordering::Relaxed);
            assert!(hung.is_stuck(), "a minute is too long");
        });
    }
}
