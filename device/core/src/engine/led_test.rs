//! The test of the LEDs: each channel in its turn, so that a person sees which is wired how.

use std::time::Duration;

use crate::led::TestLight;

/// How long each step is shown.
const STEP: Duration = Duration::from_secs(1);

/// A test that somebody has started.
#[derive(Debug)]
pub(super) struct LedTest {
    began: Duration,
}

impl LedTest {
    pub(super) const fn begin(now: Duration) -> Self {
        Self { began: now }
    }

    fn step(&self, now: Duration) -> u32 {
        (now.saturating_sub(self.began).as_millis() / STEP.as_millis()) as u32
    }

    /// What is lit now; nothing when the test is over.
    pub(super) fn light(&self, now: Duration) -> Option<TestLight> {
        TestLight::STEPS.get(self.step(now) as usize).copied()
    }

    /// When that changes.
    pub(super) fn next_deadline(&self, now: Duration) -> Option<Duration> {
        self.light(now).map(|_| self.began + STEP * (self.step(now) + 1))
    }
}
