//! How soon the next frame is analysed: the more goes on the sooner, and later on a board that suffers.

use std::time::{Duration, Instant};

use moodbox_core::config;
use moodbox_vision::Activity;

use crate::health::Machine;

/// How often the board is asked how it is.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// Degrees Celsius from which a board is hot, and under which it no longer is. At 80 a Raspberry Pi lowers its clock.
const HOT_C: f32 = 75.0;
const COOL_C: f32 = 70.0;

/// The rate at which frames are analysed.
#[derive(Debug)]
pub struct Pace {
    /// Frames a second while the room is empty, and while something changes.
    idle: f32,
    changing: f32,
    machine: Machine,
    asked: Option<Instant>,
    suffers: bool,
}

impl Pace {
    /// The pace of these settings on this machine.
    #[must_use]
    pub fn new(settings: &config::Vision, machine: Machine) -> Self {
        let mut pace = Self { idle: 1.0, changing: 1.0, machine, asked: None, suffers: false };
        pace.configure(settings);
        pace
    }

    /// Goes by other settings from now on.
    pub fn configure(&mut self, settings: &config::Vision) {
        self.changing = settings.fps.0 as f32;
        self.idle = self.changing.min(settings.idle_fps.0 as f32);
    }

    /// The time from the start of one analysis to that of the next. A room in which people go on as before lies half way
    /// between an empty one and one that changes; a board that is hot, or whose clock is lowered, does half.
    #[must_use]
    pub fn interval(&mut self, activity: Activity, now: Instant) -> Duration {
        if self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= ASK_EVERY) {
            self.asked = Some(now);
            let limit = if self.suffers { COOL_C } else { HOT_C };
            let is_hot = self.machine.temperature_c().is_some_and(|celsius| celsius >= limit);
            self.suffers = is_hot || self.machine.throttled() == Some(true);
        }
        let fps = match activity {
            Activity::Idle => self.idle,
            Activity::Present => f32::midpoint(self.idle, self.changing),
            Activity::Changing => self.changing,
        };
        Duration::from_secs_f32(if self.suffers { 2.0 } else { 1.0 } / fps)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    const TEMPERATURE: &str = "sys/class/thermal/thermal_zone0/temp";
    const THROTTLED: &str = "sys/devices/platform/soc/soc:firmware/get_throttled";

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn pace(root: &Path, fps: u32, idle_fps: u32) -> Pace {
        let settings = config::Vision {
            fps: config::Bounded(fps),
            idle_fps: config::Bounded(idle_fps),
            ..config::Vision::default()
        };
        Pace::new(&settings, Machine::new(root))
    }

    #[test]
    fn the_more_goes_on_the_sooner() {
        let root = tempfile::tempdir().unwrap();
        let intervals = |fps, idle_fps| {
            let mut pace = pace(root.path(), fps, idle_fps);
            [Activity::Idle, Activity::Present, Activity::Changing]
                .map(|activity| pace.interval(activity, Instant::now()).as_millis())
        };
        assert_eq!(intervals(5, 2), [500, 285, 200]);
        assert_eq!(intervals(1, 30), [1000, 1000, 1000], "an empty room is never looked at more often");
    }

    #[test]
    fn a_hot_or_throttled_board_does_half_until_it_is_cool() {
        let root = tempfile::tempdir().unwrap();
        let mut pace = pace(root.path(), 10, 1);
        let start = Instant::now();
        let story = [
            ("60000", "0", 100),
            ("75000", "0", 200),
            // Neither hot enough to begin nor cool enough to end.
            ("72000", "0", 200),
            ("69000", "0", 100),
            ("69000", "4", 200),
            // What happened since the start, in the high bits, is over.
            ("69000", "50000", 100),
        ];
        for (k, (temperature, throttled, wanted)) in story.into_iter().enumerate() {
            write(root.path(), TEMPERATURE, temperature);
            write(root.path(), THROTTLED, throttled);
            let now = start + ASK_EVERY * k as u32;
            assert_eq!(pace.interval(Activity::Changing, now).as_millis(), wanted, "{temperature} {throttled}");
        }
    }
}
