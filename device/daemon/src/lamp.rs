//! The LED thread: shows the newest pattern, and moves it while it breathes or blinks. A driver may take its time.
//!
//! The light beside the camera is not the pattern's to switch: whoever opens the camera does, before the first frame.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moodbox_core::config;
use moodbox_core::led::{CameraLight, LedPattern, Levels};
use moodbox_core::mood::RoomMood;

use crate::leds::{self, LedError, Leds};
use crate::systemd::{BEAT, Pulse};

/// Time between two looks at a pattern that moves.
const STEP: Duration = Duration::from_millis(33);

/// Time between two attempts at LEDs that cannot be had.
const PAUSE: Duration = Duration::from_secs(5);

/// What is shown before the start and after the end.
pub const DARK: LedPattern = LedPattern {
    mood: RoomMood::Absent,
    confidence: 0.0,
    unsure: false,
    fault: None,
    camera: CameraLight::Steady,
    lights_on: false,
    brightness: 0.0,
    test: None,
};

/// What to show; shared with the thread that shows it.
#[derive(Debug)]
pub struct Lamp {
    state: Mutex<State>,
    changed: Condvar,
    /// For the watchdog.
    pub pulse: Pulse,
}

#[derive(Debug, Clone, Copy)]
struct State {
    pattern: LedPattern,
    camera_open: bool,
    /// Changes of the two so far, and how many of them are shown.
    changes: u64,
    shown: u64,
    ended: bool,
}

impl Default for Lamp {
    fn default() -> Self {
        let state = State { pattern: DARK, camera_open: false, changes: 1, shown: 0, ended: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), pulse: Pulse::default() }
    }
}

impl Lamp {
    /// Shows this from now on.
    pub fn show(&self, pattern: LedPattern) {
        self.change(|state| state.pattern = pattern);
    }

    /// Lights the camera's light, and waits until it shines, or cannot because the LEDs do not work. Where the LED thread
    /// hangs this never ends, and no frame is taken.
    pub fn camera_opens(&self) {
        let change = self.change(|state| state.camera_open = true);
        let waits = |state: &mut State| state.shown < change && !state.ended;
        drop(self.changed.wait_while(self.lock(), waits));
    }

    /// The camera is closed: its light goes out.
    pub fn camera_closed(&self) {
        self.change(|state| state.camera_open = false);
    }

    /// Turns the LEDs off and ends the thread.
    pub fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> u64 {
        let mut state = self.lock();
        change(&mut state);
        state.changes += 1;
        self.changed.notify_all();
        state.changes
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change, for at most a time.
    fn next(&self, longest: Duration) -> State {
        self.pulse.beat();
        let waits = |state: &mut State| state.shown == state.changes && !state.ended;
        let waited = self.changed.wait_timeout_while(self.lock(), longest, waits);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// These changes are shown, or cannot be.
    fn done(&self, changes: u64) {
        self.lock().shown = changes;
        self.changed.notify_all();
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
    let Some(mut leds) = open(config, lamp, &tell) else { return };
    let epoch = Instant::now();
    // The first look is at what there was before the LEDs could be had.
    let mut longest = Duration::ZERO;
    let mut shown = None;
    let mut is_dark = false;
    loop {
        let State { mut pattern, mut camera_open, changes, ended, .. } = lamp.next(longest);
        if ended {
            (pattern, camera_open) = (DARK, false);
        }
        longest = if pattern.is_steady() { BEAT } else { STEP };
        let mut levels = pattern.levels_at(epoch.elapsed());
        if !camera_open {
            levels.camera = 0.0;
        }
        // What could not be shown is tried again.
        if shown != Some(levels) || is_dark {
            shown = Some(levels);
            is_dark = report(leds.as_mut(), levels, is_dark, &tell);
        }
        lamp.done(changes);
        if ended {
            return;
        }
    }
}

/// Opens the LEDs, as soon as that can be done; nothing where the lamp is ended before. Whoever has their pins may let go.
fn open(config: &config::Leds, lamp: &Lamp, tell: &impl Fn(News)) -> Option<Box<dyn Leds + Send>> {
    let mut is_dark = false;
    loop {
        match leds::open(config) {
            Ok(leds) => {
                if is_dark {
                    tell(News::Lit);
                }
                return Some(leds);
            }
            Err(error) => {
                if !is_dark {
                    tell(News::Dark(error));
                }
                is_dark = true;
            }
        }
        let retry = Instant::now() + PAUSE;
        while let Some(left) = retry.checked_duration_since(Instant::now()) {
            let State { changes, ended, .. } = lamp.next(left);
            lamp.done(changes);
            if ended {
                return None;
            }
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use moodbox_core::config::LedDriver;

    use super::*;

    #[test]
    fn lights_that_cannot_be_had_keep_nobody_from_the_camera() {
        let lamp = Lamp::default();
        let config = config::Leds { driver: LedDriver::Gpiochip, chip: "/dev/null".into(), ..config::Leds::default() };
        let (told, heard) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| run(&config, &lamp, |news| told.send(news).unwrap()));
            assert!(matches!(heard.recv(), Ok(News::Dark(LedError::NotAChip(_)))));
            lamp.camera_opens();
            lamp.end();
        });
        assert!(heard.try_recv().is_err(), "it is said once");
    }

    #[test]
    fn nobody_waits_for_lights_that_are_out_for_good() {
        let lamp = Lamp::default();
        thread::scope(|scope| {
            let waits = scope.spawn(|| lamp.camera_opens());
            lamp.end();
            waits.join().unwrap();
        });
    }
}
