//! What others say: commands, requests, and that Home Assistant has started.

use std::time::Duration;

use serde_json::json;

use super::led_test::LedTest;
use super::playlist::Turn;
use super::{Effect, Engine};
use crate::mood::Room;
use crate::personal::Evidence;
use crate::topics::{Command, Event as Announcement, Incoming, Request, RequestKind, Response};

impl Engine {
    pub(super) fn hear(&mut self, topic: &str, payload: &[u8], now: Duration, effects: &mut Vec<Effect>) {
        match self.topics.incoming(topic) {
            Some(Incoming::HomeAssistant) if payload == b"online" => self.voice.introduce_soon(now),
            Some(Incoming::Command(name)) => {
                let name = name.to_owned();
                let done = Command::parse(&name, payload)
                    .map_err(|e| e.to_string())
                    .and_then(|command| self.obey(command, now, effects));
                if let Err(reason) = done {
                    effects.push(Effect::Warn(format!("command {name}: {reason}")));
                    let response = Response::error(None, reason);
                    self.voice.say(self.topics.response(&name, &response), effects);
                }
            }
            Some(Incoming::Request(name)) => {
                let response = match Request::parse(name, payload) {
                    Ok(Request { transaction, .. }) if !self.transactions.remember(name, &transaction) => {
                        let reason = "this transaction was answered before; ask with one of its own".to_owned();
                        Some(Response::error(Some(transaction), reason))
                    }
                    Ok(Request { transaction, kind }) => self.answer(transaction, kind, now, effects),
                    Err(error) => Some(Response::error(error.transaction, error.reason.to_string())),
                };
                if let Some(response) = response {
                    self.voice.say(self.topics.response(name, &response), effects);
                }
            }
            Some(Incoming::HomeAssistant) | None => {}
        }
    }

    /// A retained message is no command of now: it would come again with every connection.
    pub(super) fn refuse_retained(&self, topic: &str, effects: &mut Vec<Effect>) {
        effects.push(Effect::Warn(format!("ignored a retained message on {topic:?}; send it without the retain flag")));
        if let Some(Incoming::Command(name) | Incoming::Request(name)) = self.topics.incoming(topic) {
            let reason = "retained messages are ignored; send it without the retain flag".to_owned();
            self.voice.say(self.topics.response(name, &Response::error(None, reason)), effects);
        }
    }

    /// The answer; nothing where it comes later.
    fn answer(
        &mut self,
        transaction: String,
        kind: RequestKind,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) -> Option<Response> {
        Some(match kind {
            RequestKind::ConfigGet => self.config_get(transaction),
            RequestKind::ConfigSet(changes) => return self.config_set(transaction, &changes, now, effects),
            RequestKind::ConfigCheck(changes) => self.config_check(transaction, &changes),
            RequestKind::ConfigTrial => self.config_trial(transaction, now),
            RequestKind::Diagnose => self.diagnose(transaction, now),
            RequestKind::Restart => {
                effects.push(Effect::Restart);
                Response::ok(transaction, json!({}))
            }
            RequestKind::HistoryGet(query) => {
                Self::ask_for_history(transaction, query, effects);
                return None;
            }
            RequestKind::WatchStart => self.watch_start(transaction, now),
            RequestKind::PreviewStart => self.preview_start(transaction, now, effects),
            RequestKind::PreviewStop => self.preview_stop(transaction, effects),
            RequestKind::CalibrateLook { over } => self.calibrate_look(transaction, over, now),
            RequestKind::CalibrateSet(evidence) => {
                self.calibrate("calibrate.set", transaction, evidence, effects);
                return None;
            }
            RequestKind::CalibrateReset => {
                self.calibrate("calibrate.reset", transaction, Evidence::default(), effects);
                return None;
            }
            RequestKind::LibraryPut(piece) => return self.take_piece(transaction, piece, effects),
        })
    }

    fn obey(&mut self, command: Command, now: Duration, effects: &mut Vec<Effect>) -> Result<(), String> {
        let room = self.mood.room(now);
        match command {
            Command::Camera(on) => self.switch_camera(on, effects)?,
            Command::Leds(on) => {
                self.switches.leds = on;
                effects.push(Effect::Keep(self.switches));
            }
            Command::Policy(policy) => {
                self.switches.policy = Some(policy);
                effects.push(Effect::Keep(self.switches));
                self.playlist.forget_the_choice();
                if room.presence {
                    self.recommend(&room, now, effects);
                }
            }
            Command::Correct(emotion) => {
                self.mood.correct(emotion, now);
                effects.push(Effect::Remember(self.playlist.correct(now)));
                self.learn(emotion, now, effects);
            }
            Command::Recommend => {
                self.playlist.forget_the_choice();
                self.recommend(&room, now, effects);
            }
            Command::Like => effects.push(Effect::Remember(self.playlist.like(now)?)),
            Command::Choose { uri } => {
                let feedback = self.playlist.play(&uri, Turn::Chosen, &room, now).map_err(|e| e.to_string())?;
                effects.push(Effect::Remember(feedback));
                self.announce_playing(&room, effects);
            }
            Command::HoldTime(time) => {
                // As it was written: a single as a double has digits that nobody wrote.
                let written = (f64::from(time.0) * 1e3).round() / 1e3;
                self.set("hold_time", "mood.hold_s", json!(written), now, effects)?;
            }
            Command::MinFace(side) => self.set("min_face", "vision.min_face_px", json!(side), now, effects)?,
            Command::AnalysisRate(fps) => self.set("analysis_rate", "vision.fps", json!(fps), now, effects)?,
            Command::Brightness(percent) => {
                let share = f64::from(percent.0) / 100.0;
                self.set("brightness", "leds.brightness", json!(share), now, effects)?;
            }
            Command::LedTest => self.led_test = Some(LedTest::begin(now)),
            Command::Restart => effects.push(Effect::Restart),
            Command::Next { uri } => {
                self.playlist.check(uri.as_deref())?;
                self.next(uri, &room, now, effects)?;
            }
            Command::Skip { uri } => {
                self.playlist.check(uri.as_deref())?;
                effects.extend(self.playlist.skip(now)?.map(Effect::Remember));
                self.next(uri, &room, now, effects)?;
            }
        }
        Ok(())
    }

    /// On to this song, or the first of the list; where there is no list yet, one is made.
    fn next(
        &mut self,
        uri: Option<String>,
        room: &Room,
        now: Duration,
        effects: &mut Vec<Effect>,
    ) -> Result<(), String> {
        if self.playlist.recommendation().is_none() {
            self.playlist.reflect(room, self.policy(room.mood), now);
        }
        let uri = uri.unwrap_or_else(|| self.playlist.first_names().uri);
        if uri.is_empty() {
            return Err("there is no song to go on to: the catalogue is empty".to_owned());
        }
        effects.push(Effect::Remember(self.playlist.play(&uri, Turn::Next, room, now).map_err(|e| e.to_string())?));
        if !self.playlist.follows_a_choice() {
            self.playlist.go_on(room, self.policy(room.mood), now);
        }
        self.announce_playing(room, effects);
        Ok(())
    }

    fn announce_playing(&mut self, room: &Room, effects: &mut Vec<Effect>) {
        let Some(track) = self.playlist.playing() else { return };
        let event = Announcement::Chosen { track: track.into() };
        let now = self.topics.now(Some(track));
        self.voice.say(now, effects);
        self.voice.say(self.topics.event(&event), effects);
        self.publish_list(room, effects);
    }
}
