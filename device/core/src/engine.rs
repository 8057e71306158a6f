//! The box as a state machine: what happens goes in as an [`Event`], what shall be done comes out as [`Effect`]s.
//!
//! The engine holds everything that the box publishes. After a lost connection, or when Home Assistant starts, it says it
//! all again from its own state; nothing is queued while nobody listens.

mod calibration;
mod camera;
mod configuration;
mod event;
mod hearing;
mod heat;
mod history;
mod led_test;
mod library;
mod playlist;
mod preview;
mod shown;
mod transactions;
mod trial;
mod trying;
mod voice;
mod watching;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::affect::Policy;
use crate::config::{Config, Configuration, Labels};
use crate::emotion::Emotion;
use crate::expression::ExpressionFilter;
use crate::face::{SeenFace, Size};
use crate::hass;
use crate::led::LedPattern;
use crate::mood::{Confusion, MoodFilter, Room, RoomMood};
use crate::music::{Catalogue, Memory, Recommender, default_policy};
use crate::personal::{Evidence, Personal};
use crate::topics::{Diagnostics, Event as Announcement, Topics};
use camera::View;
pub use configuration::Asker;
pub use event::{Effect, Event, Part};
use history::Chronicle;
pub use history::Recalled;
use led_test::LedTest;
pub use library::{Received, Stored};
use playlist::Playlist;
use preview::Preview;
use transactions::Transactions;
use trial::Probation;
pub use trial::{Outcome, Trial, Trials};
use voice::Voice;
use watching::Watch;

/// How far the room must move on the valence-arousal plane before the songs follow.
const NEW_LIST_DISTANCE: f32 = 0.3;

/// What a person may switch, and what outlives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switches {
    /// Whether the camera may be used.
    pub camera: bool,
    /// Whether the LEDs may shine; the camera-on light is not asked.
    pub leds: bool,
    /// The policy that was chosen; `None` leaves it to the configuration.
    pub policy: Option<Policy>,
}

impl Default for Switches {
    fn default() -> Self {
        Self { camera: true, leds: true, policy: None }
    }
}

/// What the engine needs to know of its surroundings.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The configuration.
    pub config: Configuration,
    /// The topics of this box.
    pub topics: Topics,
    /// How Home Assistant lists it.
    pub device: hass::Device,
    /// How the classifier errs.
    pub confusion: Confusion,
    /// The songs.
    pub catalogue: Catalogue,
    /// What listeners did with them before.
    pub memory: Memory,
    /// Time since 1970 at which the engine's own time is 0.
    pub started: Duration,
    /// As they were left.
    pub switches: Switches,
    /// As they were left, with this start counted.
    pub trials: Trials,
    /// What was learnt of the faces before this box, by the classifier in use.
    pub evidence: Evidence,
    /// Decides what no rule decides.
    pub seed: u64,
}

/// The rules of the box.
#[derive(Debug)]
pub struct Engine {
    configuration: Configuration,
    /// What the camera and the LEDs were opened with.
    started_with: Configuration,
    topics: Topics,
    device: hass::Device,
    labels: Labels,
    confusion: Confusion,
    transactions: Transactions,
    led_test: Option<LedTest>,
    preview: Option<Preview>,
    chronicle: Chronicle,
    watch: Option<Watch>,
    switches: Switches,
    personal: Personal,
    expression: ExpressionFilter,
    mood: MoodFilter,
    playlist: Playlist,
    voice: Voice,
    view: View,
    /// Why the switch on the box keeps the camera off, if it does.
    camera_lock: Option<String>,
    /// What does not work, and why.
    failed: BTreeMap<Part, String>,
    /// Whether the broker refuses the box, where it does not work.
    refused: bool,
    /// What has worked since the start, or since it was set anew.
    proved: BTreeSet<Part>,
    trial: Probation,
    /// The figures that were last measured.
    measured: Option<Diagnostics>,
    /// Whether the machine is spared, for heat or want of power.
    slowed: bool,
    /// What was last acted upon.
    known: Room,
    /// Whether somebody is there, as was last told.
    told_of_presence: bool,
    light: Option<LedPattern>,
}

impl Engine {
    /// The engine, and what shall be done at the very start.
    #[must_use]
    pub fn new(setting: Setting, now: Duration) -> (Self, Vec<Effect>) {
        let Setting { config: configuration, topics, device, confusion, .. } = setting;
        let Setting { catalogue, memory, started, switches, trials, evidence, seed, .. } = setting;
        let config = configuration.in_force();
        let complaint = trials.untold().map(Effect::Warn);
        let labels = config.vision.labels;
        let mood = MoodFilter::new(&config.mood, &confusion);
        let recommender = Recommender::new(catalogue, seed).remembering(memory);
        let mut engine = Self {
            personal: Personal::new(evidence, confusion),
            expression: ExpressionFilter::new(&config.mood),
            known: mood.room(now),
            told_of_presence: false,
            mood,
            playlist: Playlist::new(recommender, config.music.list_length.0 as usize, started),
            voice: Voice::new(seed),
            view: View::Dark,
            camera_lock: None,
            failed: BTreeMap::new(),
            refused: false,
            // They fail at once where they do.
            proved: BTreeSet::from([Part::Leds]),
            trial: Probation::new(trials, now),
            measured: None,
            slowed: false,
            light: None,
            transactions: Transactions::default(),
            led_test: None,
            preview: None,
            chronicle: Chronicle::default(),
            watch: None,
            started_with: configuration.clone(),
            configuration,
            topics,
            device,
            labels,
            confusion,
            switches,
        };
        let mut effects = vec![Effect::Camera(switches.camera)];
        effects.extend(complaint);
        engine.settle(now, &mut effects);
        (engine, effects)
    }

    /// Takes in an event and says what to do.
    #[must_use]
    pub fn on(&mut self, event: Event, now: Duration) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.end_preview_in_time(now, &mut effects);
        match event {
            Event::Seen(mut faces, frame) => self.see(&mut faces, frame, now, &mut effects),
            Event::Pictured(frame) => self.picture(frame, now, &mut effects),
            Event::Viewer(came) => self.viewer(came, now, &mut effects),
            Event::CameraUp => {
                if !self.gives_frames() {
                    self.view = View::Frames;
                }
                self.mend(Part::Camera);
            }
            Event::CameraClosed => {
                self.end_preview("the camera was closed", &mut effects);
                self.view = View::Dark;
            }
            Event::CameraLock(reason) => self.lock_camera(reason, &mut effects),
            Event::Failed(part, reason) => self.fail(part, &reason, &mut effects),
            Event::Works(part) => self.mend(part),
            Event::Connected => {
                self.mend(Part::Broker);
                self.voice.connect();
                self.introduce(&mut effects);
            }
            Event::Disconnected { reason, refused } => {
                self.refused = refused;
                self.lose_viewer(&mut effects);
                self.voice.disconnect();
                self.fail(Part::Broker, &reason, &mut effects);
            }
            Event::Unsaid => self.voice.introduce_soon(now),
            Event::Message { topic, payload } => self.hear(&topic, &payload, now, &mut effects),
            Event::Retained { topic } => self.refuse_retained(&topic, &mut effects),
            Event::Measured(diagnostics) => self.measure(diagnostics, &mut effects),
            Event::Clock(started) => self.playlist.set_clock(started),
            Event::Stored(stored) => self.stored(stored, now, &mut effects),
            Event::Recalled(recalled) => self.recalled(recalled, &mut effects),
            Event::Kept(asker, outcome) => self.kept(asker, outcome, &mut effects),
            Event::Tick => {}
        }
        if self.voice.introduction_due(now) {
            self.introduce(&mut effects);
        }
        self.judge(now, &mut effects);
        self.settle(now, &mut effects);
        effects
    }

    /// When [`Event::Tick`] is wanted next.
    #[must_use]
    pub fn next_deadline(&self, now: Duration) -> Option<Duration> {
        let test = self.led_test.as_ref().and_then(|test| test.next_deadline(now));
        let preview = self.preview.as_ref().map(Preview::ends);
        let note = self.chronicle.next_deadline();
        let trial = self.trial.next_deadline(self.patience());
        let empty = self.can_call_it_empty().filter(|from| *from > now);
        let all = [self.mood.next_deadline(now), self.voice.next_deadline(), test, preview, note, trial, empty];
        all.into_iter().flatten().min()
    }

    /// The configuration in force.
    #[must_use]
    pub const fn config(&self) -> &Config {
        self.configuration.in_force()
    }

    /// The mood of the room.
    #[must_use]
    pub fn room(&self, now: Duration) -> Room {
        self.mood.room(now)
    }

    /// The expression that is shown now.
    #[must_use]
    pub fn expression(&self) -> Option<Emotion> {
        self.expression.current().map(|(emotion, _)| emotion)
    }

    /// The song that plays, if any was asked for.
    #[must_use]
    pub fn playing(&self) -> Option<&crate::topics::TrackPayload> {
        self.playlist.playing()
    }

    /// The songs that are recommended now.
    #[must_use]
    pub fn recommendation(&self) -> Option<&crate::topics::Recommendation> {
        self.playlist.recommendation()
    }

    fn see(&mut self, faces: &mut Vec<SeenFace>, frame: Size, now: Duration, effects: &mut Vec<Effect>) {
        self.without_far_faces(faces);
        self.mend(Part::Models);
        // One may still come when the camera has gone.
        if self.view == View::Frames {
            self.view = View::LookedAt { since: now };
        }
        self.personal.see(faces, now);
        self.mood.observe(faces, now);
        self.expression.observe(faces, now);
        self.outline(faces, frame, now, effects);
    }

    /// Brings everything that is shown or said in line with what is known.
    fn settle(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let room = self.mood.room(now);
        self.follow_the_mood(&room, now, effects);
        if self.is_sure_of(&room, now) && room.presence != self.told_of_presence {
            self.told_of_presence = room.presence;
            let event = Announcement::Presence { presence: room.presence };
            self.voice.say(self.topics.event(&event), effects);
        }
        if room.mood != self.known.mood && room.presence {
            let event = Announcement::MoodChanged { mood: room.mood.name(), track: self.playlist.first_names() };
            self.voice.say(self.topics.event(&event), effects);
        }
        self.known = room;
        self.note(&room, now, effects);
        let state = self.state(&room, now);
        self.voice.state(&self.topics, &state, room.confidence, now, effects);
        self.voice.settings(&self.topics, self.settings(), now, effects);
        self.show_card(&room, now, effects);
        let light = self.pattern(&room, now);
        if self.light.as_ref() != Some(&light) {
            self.light = Some(light);
            effects.push(Effect::Light(light));
        }
    }

    /// A new list when somebody came, or when the room's mood has moved on.
    fn follow_the_mood(&mut self, room: &Room, now: Duration, effects: &mut Vec<Effect>) {
        self.playlist.see_the_room(self.is_sure_of(room, now).then_some(!room.presence));
        if !room.presence || self.playlist.follows_a_choice() {
            return;
        }
        // What is listed in an empty room is for nobody.
        let target = self.playlist.target().filter(|_| self.known.presence);
        let moved = target.is_none_or(|t| t.distance(room.affect) > NEW_LIST_DISTANCE);
        let otherwise = self.playlist.policy() != self.policy(room.mood);
        // A guess is no reason for other songs; but who has just come shall not wait for the first ones.
        if target.is_none() || (moved || otherwise) && !room.unsure {
            self.recommend(room, now, effects);
        }
    }

    fn recommend(&mut self, room: &Room, now: Duration, effects: &mut Vec<Effect>) {
        let policy = self.policy(room.mood);
        self.playlist.reflect(room, policy, now);
        self.publish_list(room, effects);
    }

    fn publish_list(&mut self, room: &Room, effects: &mut Vec<Effect>) {
        let Some(recommendation) = self.playlist.recommendation() else { return };
        let publication = self.topics.recommendation(recommendation);
        let event = Announcement::Recommended { mood: room.mood.name(), track: self.playlist.first_names() };
        self.voice.say(publication, effects);
        self.voice.say(self.topics.event(&event), effects);
    }

    /// The policy for a mood: a person's choice, else the configured one, else the one that suits the mood.
    fn policy(&self, mood: RoomMood) -> Policy {
        let by_mood = match mood {
            RoomMood::Emotion(emotion) => default_policy(emotion),
            RoomMood::Mixed | RoomMood::Absent => Policy::Match,
        };
        self.switches.policy.or(self.config().music.policy).unwrap_or(by_mood)
    }

    fn fail(&mut self, part: Part, reason: &str, effects: &mut Vec<Effect>) {
        if part == Part::Camera && !self.camera_is_wanted() {
            // It was switched off while it was waited for.
            self.view = View::Dark;
            return;
        }
        if part == Part::Camera {
            self.end_preview(&format!("the camera gives no picture: {reason}"), effects);
            self.view = View::Dark;
        }
        if part == Part::Models && self.gives_frames() {
            self.view = View::Frames;
        }
        if matches!(part, Part::Camera | Part::Models) {
            self.expression = ExpressionFilter::new(&self.config().mood);
        }
        let failed_before = self.failed.insert(part, reason.to_owned()).is_some();
        if failed_before {
            return;
        }
        self.announce_problem(part.name(), reason, effects);
        // The connection itself says in the log why there is none, and when it tries again.
        if part != Part::Broker {
            effects.push(Effect::Warn(format!("{}: {reason}", part.name())));
        }
        self.proved.remove(&part);
    }

    fn announce_problem(&self, part: &'static str, reason: &str, effects: &mut Vec<Effect>) {
        let event = Announcement::Problem { part, message: reason.to_owned() };
        self.voice.say(self.topics.event(&event), effects);
    }

    fn mend(&mut self, part: Part) {
        self.failed.remove(&part);
        self.proved.insert(part);
    }

    /// Everything that is kept by the broker, from the start, and what nobody could hear while there was no connection.
    fn introduce(&mut self, effects: &mut Vec<Effect>) {
        self.voice.say(self.topics.availability(true), effects);
        self.announce(effects);
        self.voice.forget();
        if let Some(recommendation) = self.playlist.recommendation() {
            self.voice.say(self.topics.recommendation(recommendation), effects);
        }
        self.voice.say(self.topics.now(self.playlist.playing()), effects);
        if let Some(diagnostics) = &self.measured {
            self.voice.say(self.topics.diagnostics(diagnostics), effects);
        }
        if let Some(reason) = self.trial.trials().untold().filter(|_| self.voice.is_connected()) {
            self.announce_problem("config", &reason, effects);
            self.trial.set_untold(false);
            effects.push(Effect::KeepTrials(self.trial.trials().clone()));
        }
        for (part, reason) in &self.failed {
            self.announce_problem(part.name(), reason, effects);
        }
    }
}
