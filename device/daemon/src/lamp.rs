//! The LED thread: shows the newest pattern, and moves it while it breathes or blinks. A driver may take its time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moodbox_core::config;
use moodbox_core::led::{CameraLight, LedPattern, Levels};
use moodbox_core::mood::RoomMood;

use crate::leds::{self, LedError, Leds};

/// Time between two looks at a pattern that moves.
const STEP: Duration = Duration::from_millis(33);

/// What is shown before the start and after the end.
pub const DARK: LedPattern = LedPattern {
    mood: RoomMood::Absent,
    confidence: 0.0,
    unsure: false,
    fault: None,
    camera: CameraLight::Off,
    lights_on: false,
    brightness: 0.0,
    test: None,
};

/// The pattern to show; shared with the thread that shows it.
#[derive(Debug)]
pub struct Lamp {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy)]
struct State {
    pattern: LedPattern,
    is_new: bool,
    ended: bool,
}

impl Default for Lamp {
    fn default() -> Self {
        Self { state: Mutex::new(State { pattern: DARK, is_new: true, ended: false }), changed: Condvar::new() }
    }
}

impl Lamp {
    /// Shows this from now on.
    pub fn show(&self, pattern: LedPattern) {
        let mut state = self.lock();
        state.pattern = pattern;
        state.is_new = true;
        self.changed.notify_all();
    }

    /// Turns the LEDs off and ends the thread.
    pub fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a new pattern, or, where the present one moves, for its next step.
    fn next(&self, is_steady: bool) -> State {
        let waits = |state: &mut State| !state.is_new && !state.ended;
        let mut state = if is_steady {
            self.changed.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner)
        } else {
            let waited = self.changed.wait_timeout_while(self.lock(), STEP, waits);
            waited.unwrap_or_else(PoisonError::into_inner).0
        };
        state.is_new = false;
        *state
    }
}

/// News of the LEDs, when it changes.
#[derive(Debug)]
pub enum News {
    /// They can be lit.
    Lit,
    /// They cannot; the error says why.
    Dark(LedError),
}

/// Runs until the lamp is ended.
pub fn run(config: &config::Leds, lamp: &Lamp, tell: impl Fn(News)) {
    let mut leds = match leds::open(config) {
        Ok(leds) => leds,
        Err(error) => return tell(News::Dark(error)),
    };
    let epoch = Instant::now();
    let mut is_steady = true;
    let mut shown = None;
    let mut is_dark = false;
    loop {
        let State { pattern, ended, .. } = lamp.next(is_steady);
        let pattern = if ended { DARK } else { pattern };
        is_steady = pattern.is_steady();
        let levels = pattern.levels_at(epoch.elapsed());
        if shown != Some(levels) {
            shown = Some(levels);
            is_dark = report(leds.as_mut(), levels, is_dark, &tell);
        }
        if ended {
            return;
        }
    }
}

/// Shows levels; says when that begins or ceases to fail, and returns whether it fails.
fn report(leds: &mut (dyn Leds + Send), levels: Levels, was_dark: bool, tell: &impl Fn(News)) -> bool {
    match leds.show(levels) {
        Ok(()) => {
            if was_dark {
                tell(News::Lit);
            }
            false
        }
        Err(error) => {
            if !was_dark {
                tell(News::Dark(error));
            }
            true
        }
    }
}
