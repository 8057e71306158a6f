//! What is known, as it is shown and published.

use std::time::Duration;

use super::{Effect, Engine, Part};
use crate::card::{self, Card};
use crate::led::{CameraLight, Fault, LedPattern};
use crate::mood::{Room, RoomMood};
use crate::topics::{CameraState, SCHEMA, Settings, State, Switch};

impl Engine {
    pub(super) fn settings(&self) -> Settings {
        self.config().into()
    }

    /// Draws the card anew where it would look different.
    pub(super) fn show_card(&mut self, room: &Room, now: Duration, effects: &mut Vec<Effect>) {
        let recommendation = self.playlist.recommendation();
        let card = Card::of(room, self.is_sure_of(room, now), recommendation);
        if self.voice.card(&card, now) {
            let svg = card::draw(&card, recommendation);
            self.voice.say(self.topics.card(svg), effects);
        }
    }

    pub(super) fn state(&self, room: &Room, now: Duration) -> State {
        let camera = self.camera_state();
        State {
            mood: room.mood.name(),
            unsure: room.unsure,
            expression: self.expression(),
            // The mood is held for a while after the last frame; what is seen now is not.
            faces: if camera == CameraState::On { room.faces } else { 0 },
            presence: room.presence,
            presence_unknown: !self.is_sure_of(room, now),
            // An empty room is nowhere; what is believed of it is only what is believed of any.
            valence: if room.presence { room.affect.valence } else { 0.0 },
            arousal: if room.presence { room.affect.arousal } else { 0.0 },
            policy: self.policy(room.mood),
            camera,
            camera_reason: self.camera_reason(),
            leds: if self.switches.leds { Switch::On } else { Switch::Off },
            schema: SCHEMA,
        }
    }

    /// What the light shows for a part that does not work; dark LEDs cannot show anything.
    const fn fault(&self, part: Part) -> Option<Fault> {
        match part {
            Part::Camera => Some(Fault::Camera),
            Part::Models => Some(Fault::Model),
            Part::Broker if self.refused => Some(Fault::Refused),
            Part::Broker => Some(Fault::Broker),
            Part::Leds => None,
        }
    }

    /// The light follows the expression, which is quick, and falls back to the mood.
    pub(super) fn pattern(&self, room: &Room, now: Duration) -> LedPattern {
        let mood = match self.expression.current() {
            Some((emotion, _)) if room.presence => RoomMood::Emotion(emotion),
            _ => room.mood,
        };
        let confidence = self.expression.current().map_or(room.confidence, |(_, p)| p);
        LedPattern {
            mood,
            confidence,
            unsure: room.unsure,
            camera: if self.preview.is_some() { CameraLight::Blinks } else { CameraLight::Steady },
            fault: self.failed.keys().filter_map(|part| self.fault(*part)).min(),
            lights_on: self.switches.leds,
            brightness: self.config().leds.brightness.0,
            test: self.led_test.as_ref().and_then(|test| test.light(now)),
        }
    }
}
