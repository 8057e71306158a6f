//! The camera's picture, for somebody who mounts the box and looks at what it sees: only when asked for, for a short time,
//! on a way that nobody can listen in on, and shown by the camera's light.

use std::time::Duration;

use serde_json::json;

use super::{Effect, Engine};
use crate::config::{self, Bounded};
use crate::face::SeenFace;
use crate::topics::{CameraState, Look, PreviewFrame, Response};

/// Longest time for which the picture is shown.
const LONGEST: Duration = Duration::from_secs(120);

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Viewer {
    /// Who asked over the broker.
    Broker,
    /// Who came to the socket on the box itself.
    Socket,
}

/// A preview that runs.
#[derive(Debug)]
pub(super) struct Preview {
    viewer: Viewer,
    until: Duration,
}

impl Preview {
    /// When it ends by itself.
    pub(super) const fn ends(&self) -> Duration {
        self.until
    }
}

impl Engine {
    /// Somebody asks over the broker.
    pub(super) fn preview_start(&mut self, transaction: String, now: Duration, effects: &mut Vec<Effect>) -> Response {
        if !self.config().mqtt.broker.is_private() {
            let reason = "the connection to the broker is not encrypted, and pictures go over no other; \
                          use mqtts, or `moodbox aim --ssh`";
            return Response::error(Some(transaction), reason.to_owned());
        }
        match self.begin_preview(Viewer::Broker, now, effects) {
            Ok(()) => Response::ok(transaction, json!({ "seconds": LONGEST.as_secs() })),
            Err(reason) => Response::error(Some(transaction), reason),
        }
    }

    pub(super) fn preview_stop(&mut self, transaction: String, effects: &mut Vec<Effect>) -> Response {
        self.end_preview("it was asked to end", effects);
        Response::ok(transaction, json!({}))
    }

    /// Somebody has come to the socket, or left it.
    pub(super) fn viewer(&mut self, came: bool, now: Duration, effects: &mut Vec<Effect>) {
        if !came {
            if self.preview.as_ref().is_some_and(|preview| preview.viewer == Viewer::Socket) {
                self.end_preview("whoever looked has gone", effects);
            }
        } else if let Err(ended) = self.begin_preview(Viewer::Socket, now, effects) {
            effects.push(Effect::ShowViewer(Look::Ended { ended }.line()));
            effects.push(Effect::DismissViewer);
        }
    }

    /// The connection over which somebody looks has broken.
    pub(super) fn lose_viewer(&mut self, effects: &mut Vec<Effect>) {
        if self.preview.as_ref().is_some_and(|preview| preview.viewer == Viewer::Broker) {
            self.end_preview("the connection has broken", effects);
        }
    }

    fn begin_preview(&mut self, viewer: Viewer, now: Duration, effects: &mut Vec<Effect>) -> Result<(), String> {
        if let Some(Preview { until, .. }) = self.preview {
            let left = until.saturating_sub(now).as_secs() + 1;
            return Err(format!("somebody looks through the camera already, for {left} s at most"));
        }
        match (self.camera_state(), self.camera_reason()) {
            (CameraState::On, _) => {}
            (CameraState::Off, None) => return Err("the camera is off; switch it on first".to_owned()),
            (CameraState::Off, Some(reason)) => return Err(format!("the camera is off: {reason}")),
            (CameraState::Unavailable, None) => return Err("the camera gives no picture yet; try again".to_owned()),
            (CameraState::Unavailable, Some(reason)) => return Err(format!("the camera gives no picture: {reason}")),
        }
        self.preview = Some(Preview { viewer, until: now + LONGEST });
        effects.push(Effect::Warn("somebody looks through the camera, to aim it; its light blinks".to_owned()));
        effects.extend([Effect::Preview(true), Effect::Vision(self.vision_settings())]);
        Ok(())
    }

    /// Nobody looks any more, for this reason.
    pub(super) fn end_preview(&mut self, reason: &str, effects: &mut Vec<Effect>) {
        let Some(Preview { viewer, .. }) = self.preview.take() else { return };
        effects.push(Effect::Warn(format!("nobody looks through the camera any more: {reason}")));
        effects.extend([Effect::Preview(false), Effect::Vision(self.vision_settings())]);
        self.show(viewer, &Look::Ended { ended: reason.to_owned() }, effects);
        if viewer == Viewer::Socket {
            effects.push(Effect::DismissViewer);
        }
    }

    fn show(&self, viewer: Viewer, look: &Look, effects: &mut Vec<Effect>) {
        match viewer {
            Viewer::Broker => self.voice.say(self.topics.preview(look), effects),
            Viewer::Socket => effects.push(Effect::ShowViewer(look.line())),
        }
    }

    pub(super) fn end_preview_in_time(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if self.preview.as_ref().is_some_and(|preview| preview.until <= now) {
            self.end_preview("the two minutes are over", effects);
        }
    }

    /// A frame goes to whoever looks; one that comes too late goes nowhere.
    pub(super) fn picture(&mut self, frame: PreviewFrame, now: Duration, effects: &mut Vec<Effect>) {
        // While the camera counts as away its light is dark, and what is not shown by the light is shown to nobody.
        let Some(Preview { viewer, until }) = self.preview.as_ref().filter(|_| self.gives_frames()) else {
            return;
        };
        let seconds_left = until.saturating_sub(now).as_secs_f32().ceil() as u32;
        let look = Look::Frame { frame, min_face: self.config().vision.min_face_px.0, seconds_left };
        self.show(*viewer, &look, effects);
    }

    /// How frames are looked at: with somebody who aims the camera, for faces that are too far away, too; half as often by a
    /// machine that is to be spared.
    pub(super) fn vision_settings(&self) -> config::Vision {
        // Other labels wait for a restart.
        let mut settings = config::Vision { labels: self.labels, ..self.config().vision.clone() };
        if self.preview.is_some() {
            settings.min_face_px = Bounded::LOWEST;
        }
        if self.slowed {
            for rate in [&mut settings.fps, &mut settings.idle_fps] {
                rate.0 = (rate.0 / 2).max(1);
            }
        }
        settings
    }

    /// Faces that are looked for only because somebody aims the camera say nothing about the mood.
    pub(super) fn without_far_faces(&self, faces: &mut Vec<SeenFace>) {
        if self.preview.is_some() {
            let smallest = self.config().vision.min_face_px.0 as f32;
            faces.retain(|seen| seen.face.bbox.w.max(seen.face.bbox.h) >= smallest);
        }
    }
}
