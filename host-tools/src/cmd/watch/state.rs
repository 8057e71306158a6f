//! What is known of a watched box: what it says and what somebody presses come in, what is shown and what to do come out.

use std::collections::VecDeque;

use moodbox_core::affect::{Affect, Policy};
use moodbox_core::emotion::{Emotion, Probabilities};
use moodbox_core::mood::RoomMood;
use moodbox_core::topics::Faces;
use serde::Deserialize;
use serde_json::Value;

use crate::song::Song;

/// Places of the mood that are drawn as its trail: some minutes of a lively room.
const TRAIL: usize = 120;

/// Problems that are shown; a box has four parts that can fail.
const MOST_PROBLEMS: usize = 8;

/// What the box calls a configuration that it has taken back among its problems. It is told once, and not listed with the parts
/// that do not work.
const CONFIG: &str = "config";

/// A box as it is known here.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Why there is no connection to the broker, where there is none.
    pub(super) lost: Option<String>,
    /// Whether the box is there; nothing until it was heard.
    pub(super) online: Option<bool>,
    pub(super) room: Option<Room>,
    /// How sure the mood is, in percent.
    pub(super) confidence: Option<u8>,
    /// Brightness of the light, in percent.
    pub(super) brightness: Option<u8>,
    pub(super) faces: Option<Faces>,
    pub(super) list: Option<List>,
    /// What plays.
    pub(super) playing: Option<Song>,
    pub(super) figures: Option<Figures>,
    /// What does not work, and why.
    pub(super) problems: Vec<Problem>,
    /// Where the mood was, the oldest first.
    pub(super) trail: VecDeque<Affect>,
    /// A line about what was just done, or that the box is late; it stands where problems do, and gives way to new ones.
    pub(super) notice: Option<String>,
}

/// The state that a box publishes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Room {
    pub(super) mood: RoomMood,
    #[serde(default)]
    pub(super) unsure: bool,
    #[serde(default)]
    pub(super) expression: Option<Emotion>,
    #[serde(default)]
    pub(super) faces: usize,
    #[serde(default)]
    pub(super) presence: bool,
    #[serde(default)]
    pub(super) valence: f32,
    #[serde(default)]
    pub(super) arousal: f32,
    pub(super) policy: Policy,
    /// `on`, `off` or `unavailable`.
    pub(super) camera: String,
    #[serde(default)]
    pub(super) camera_reason: Option<String>,
    #[serde(default)]
    pub(super) leds: String,
}

/// The songs that fit, and why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct List {
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) tracks: Vec<Song>,
}

/// How the box itself is doing.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Figures {
    pub(super) fps: f32,
    #[serde(default)]
    pub(super) frame_ms_p95: f32,
    #[serde(default)]
    pub(super) temperature_c: Option<f32>,
    #[serde(default)]
    pub(super) throttled: Option<bool>,
    #[serde(default)]
    pub(super) rss_mb: f32,
    #[serde(default)]
    pub(super) uptime_s: u64,
    #[serde(default)]
    pub(super) version: String,
}

/// Something that does not work.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Problem {
    pub(super) part: String,
    pub(super) message: String,
}

impl Problem {
    /// Whether the box says, when it is asked, that it is over.
    fn passes(&self) -> bool {
        self.part != CONFIG
    }
}

/// What a message has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Whether the box is there.
    Availability,
    State,
    Confidence,
    List,
    Playing,
    Figures,
    Brightness,
    Faces,
    /// What does not work.
    Problems,
    /// What the box refused.
    Refused,
}

impl State {
    /// The broker is there again.
    pub(super) fn connected(&mut self) {
        self.lost = None;
    }

    /// The broker is away, for this reason; the box, if it was known, is not there until it says so again.
    pub(super) fn lose(&mut self, reason: String) {
        self.lost = Some(reason);
        self.online = self.online.map(|_| false);
        self.faces = None;
    }

    /// Whether the box hears what it is told.
    pub(super) fn listens(&self) -> bool {
        self.lost.is_none() && self.online == Some(true)
    }

    /// Whether the box may say, when it is asked, that something works again.
    pub(super) fn may_mend(&self) -> bool {
        self.problems.iter().any(Problem::passes)
    }

    /// Takes in a message on the topic with this last part; says what it has changed, if anything. What cannot be read, as
    /// another version of the box may write it, changes nothing.
    pub(super) fn hear(&mut self, part: &str, payload: &[u8]) -> Option<Change> {
        match part {
            "availability" => {
                let online = payload == b"online";
                if !online {
                    self.faces = None;
                }
                let changed = replace(&mut self.online, Some(online));
                if changed && online {
                    self.notice = None;
                }
                changed.then_some(Change::Availability)
            }
            "state" => self.see(serde_json::from_slice(payload).ok()?),
            "confidence" => replace(&mut self.confidence, Some(percent(payload)?)).then_some(Change::Confidence),
            "settings" => {
                let settings: Value = serde_json::from_slice(payload).ok()?;
                let brightness = settings["brightness"].as_f64()?.clamp(0.0, 100.0) as u8;
                replace(&mut self.brightness, Some(brightness)).then_some(Change::Brightness)
            }
            "recommendation" => {
                let list = serde_json::from_slice(payload).ok()?;
                replace(&mut self.list, Some(list)).then_some(Change::List)
            }
            "now" if payload == b"{}" => replace(&mut self.playing, None).then_some(Change::Playing),
            "now" => {
                let song = serde_json::from_slice(payload).ok()?;
                replace(&mut self.playing, Some(song)).then_some(Change::Playing)
            }
            "diagnostics" => {
                let figures = serde_json::from_slice(payload).ok()?;
                replace(&mut self.figures, Some(figures)).then_some(Change::Figures)
            }
            "faces" => {
                let faces = serde_json::from_slice(payload).ok()?;
                replace(&mut self.faces, Some(faces)).then_some(Change::Faces)
            }
            "event" => {
                let event: Value = serde_json::from_slice(payload).ok()?;
                let problem: Problem = serde_json::from_value(event).ok()?;
                let mut problems = self.problems.clone();
                problems.retain(|known| known.part != problem.part);
                problems.push(problem);
                self.suffer(problems)
            }
            _ => self.answered(part.strip_prefix("response/")?, serde_json::from_slice(payload).ok()?),
        }
    }

    fn see(&mut self, room: Room) -> Option<Change> {
        if room.camera != "on" || room.faces == 0 {
            self.faces = None;
        }
        if room.presence {
            let place = Affect::new(room.valence, room.arousal);
            if self.trail.back() != Some(&place) {
                self.trail.push_back(place);
            }
            if self.trail.len() > TRAIL {
                self.trail.pop_front();
            }
        } else {
            self.trail.clear();
        }
        replace(&mut self.room, Some(room)).then_some(Change::State)
    }

    fn answered(&mut self, name: &str, mut answer: Value) -> Option<Change> {
        if let Some(reason) = answer["error"].as_str() {
            self.notice = Some(format!("the box refuses {name}: {reason}"));
            return Some(Change::Refused);
        }
        let mut problems = self.problems.clone();
        match name {
            "diagnose" => {
                let failed: Vec<Problem> = serde_json::from_value(answer.pointer_mut("/data/problems")?.take()).ok()?;
                problems.retain(|problem| !problem.passes());
                problems.extend(failed.into_iter().filter(Problem::passes));
            }
            // Whoever has set it has seen to what was taken back before.
            "config.set" => problems.retain(Problem::passes),
            _ => return None,
        }
        self.suffer(problems)
    }

    fn suffer(&mut self, mut problems: Vec<Problem>) -> Option<Change> {
        // In the same order whether the box was asked or has told it by itself.
        problems.sort_by_key(Problem::passes);
        problems.truncate(MOST_PROBLEMS);
        if problems.iter().any(|problem| !self.problems.contains(problem)) {
            self.notice = None;
        }
        replace(&mut self.problems, problems).then_some(Change::Problems)
    }

    /// What the faces show together: the mean over those that can be read.
    pub(super) fn expression(&self) -> Option<Probabilities> {
        let readable: Vec<_> = self.faces.as_ref()?.faces.iter().filter(|face| face.sharp).collect();
        let sum = readable.iter().fold([0.0; 7], |mut sum, face| {
            for (total, p) in sum.iter_mut().zip(face.emotions.0.as_array()) {
                *total += p;
            }
            sum
        });
        Probabilities::normalised(sum).ok()
    }
}

/// Whether the value is another one now.
fn replace<T: PartialEq>(value: &mut T, new: T) -> bool {
    let changed = *value != new;
    *value = new;
    changed
}

fn percent(payload: &[u8]) -> Option<u8> {
    std::str::from_utf8(payload).ok()?.trim().parse().ok().filter(|percent| *percent <= 100)
}
