//! The camera: whether a person wants it, whether the switch on the box lets it be used, whether it gives frames.

use std::time::Duration;

use super::{Effect, Engine, Part};
use crate::expression::ExpressionFilter;
use crate::mood::Room;
use crate::topics::CameraState;

/// What there is to see of the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// No frames arrive.
    Dark,
    /// Frames arrive, and nobody has looked at them, or can.
    Frames,
    /// The networks look at them.
    LookedAt {
        /// From the first one on.
        since: Duration,
    },
}

impl Engine {
    /// A command; refused while the switch on the box has the camera off.
    pub(super) fn switch_camera(&mut self, on: bool, effects: &mut Vec<Effect>) -> Result<(), String> {
        if let Some(reason) = self.camera_lock.as_ref().filter(|_| on) {
            return Err(format!("the camera stays off: {reason}"));
        }
        self.switches.camera = on;
        if !on {
            self.end_preview("the camera was switched off", effects);
        }
        self.mend(Part::Camera);
        self.expression = ExpressionFilter::new(&self.config().mood);
        effects.extend([Effect::Camera(on), Effect::Keep(self.switches)]);
        Ok(())
    }

    /// The switch on the box has taken the camera away, and why it counts as off, or gives it back. What was commanded
    /// before counts again then.
    pub(super) fn lock_camera(&mut self, reason: Option<String>, effects: &mut Vec<Effect>) {
        if let Some(reason) = &reason {
            self.end_preview(reason, effects);
            self.mend(Part::Camera);
            self.expression = ExpressionFilter::new(&self.config().mood);
        }
        self.camera_lock = reason;
    }

    /// Whether it may look at all; whether it does is [`Self::camera_state`].
    pub(super) const fn camera_is_wanted(&self) -> bool {
        self.switches.camera && self.camera_lock.is_none()
    }

    pub(super) const fn gives_frames(&self) -> bool {
        !matches!(self.view, View::Dark)
    }

    pub(super) const fn camera_state(&self) -> CameraState {
        match (self.camera_is_wanted(), self.gives_frames()) {
            (false, _) => CameraState::Off,
            (true, true) => CameraState::On,
            (true, false) => CameraState::Unavailable,
        }
    }

    /// Whether somebody is there, or the box has looked for as long as it takes to say that nobody is.
    pub(super) fn is_sure_of(&self, room: &Room, now: Duration) -> bool {
        room.presence || self.can_call_it_empty().is_some_and(|from| from <= now)
    }

    /// From when on the box will have looked for as long as that takes, should it go on.
    pub(super) fn can_call_it_empty(&self) -> Option<Duration> {
        let absent = self.config().mood.absent_s.duration();
        match self.view {
            View::LookedAt { since } if self.camera_is_wanted() => Some(since.saturating_add(absent)),
            _ => None,
        }
    }

    /// Why it is off or unavailable, where that is not a person's command.
    pub(super) fn camera_reason(&self) -> Option<String> {
        match self.camera_state() {
            CameraState::On => None,
            CameraState::Off => self.camera_lock.clone(),
            CameraState::Unavailable => self.failed.get(&Part::Camera).cloned(),
        }
    }
}
