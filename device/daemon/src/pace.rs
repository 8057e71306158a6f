//! How soon the next frame is analysed: the more goes on the sooner.

use std::time::Duration;

use moodbox_core::config;
use moodbox_vision::Activity;

/// The rates at which frames are analysed, in frames a second.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// While the room is empty.
    idle: f32,
    /// While something changes.
    changing: f32,
}

impl Pace {
    /// The pace of these settings.
    #[must_use]
    pub fn new(settings: &config::Vision) -> Self {
        let changing = settings.fps.0 as f32;
        Self { idle: changing.min(settings.idle_fps.0 as f32), changing }
    }

    /// The time from the start of one analysis to that of the next. A room in which people go on as before lies half way
    /// between an empty one and one that changes.
    #[must_use]
    pub fn interval(self, activity: Activity) -> Duration {
        let fps = match activity {
            Activity::Idle => self.idle,
            Activity::Present => f32::midpoint(self.idle, self.changing),
            Activity::Changing => self.changing,
        };
        Duration::from_secs_f32(1.0 / fps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_goes_on_the_sooner() {
        let intervals = |fps, idle_fps| {
            let settings = config::Vision {
                fps: config::Bounded(fps),
                idle_fps: config::Bounded(idle_fps),
                ..config::Vision::default()
            };
            [Activity::Idle, Activity::Present, Activity::Changing]
                .map(|activity| Pace::new(&settings).interval(activity).as_millis())
        };
        assert_eq!(intervals(5, 2), [500, 285, 200]);
        assert_eq!(intervals(1, 30), [1000, 1000, 1000], "an empty room is never looked at more often");
    }
}
