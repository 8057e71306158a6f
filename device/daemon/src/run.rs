//! The daemon's life: carries events to the engine and effects to the parts.

mod outbox;
mod start;
mod threads;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::TrySendError;
use std::time::{Duration, Instant};

use moodbox_core::emotion::Emotion;
use moodbox_core::engine::{Effect, Engine, Event, Part, Switches};
use moodbox_core::face::SeenFace;
use moodbox_core::history::{Moment, Sight};
use moodbox_core::led::LedPattern;
use moodbox_core::mood::Room;
use moodbox_core::topics::{Diagnostics, Recommendation};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep_until};
use tracing::{info, warn};

use crate::health::{FrameTimes, Machine};
use crate::mqtt::MqttEvent;
use crate::picture::Picture;
use crate::switch::Position;
use crate::viewer::ViewerNews;
use crate::{capture, clock, lamp, systemd};
use outbox::Outbox;
pub use start::{StartError, read_catalogue, run};
use threads::{Line, Said, Task, Threads};

/// Time between two diagnostics.
const MEASURE: Duration = Duration::from_secs(60);

/// A look at the box, for somebody at this computer.
#[derive(Debug, Clone)]
pub struct Glimpse {
    /// The frame, small.
    pub picture: Option<Picture>,
    /// Time since the start, or in the recording.
    pub at: Duration,
    /// Who is in the frame.
    pub faces: Vec<SeenFace>,
    /// The mood.
    pub room: Room,
    /// The expression that the light shows.
    pub expression: Option<Emotion>,
    /// The light.
    pub light: LedPattern,
    /// The songs.
    pub recommendation: Option<Recommendation>,
    /// Where the broker listens, such as `mqtt://127.0.0.1:1883`.
    pub broker: String,
}

/// The engine and everything that its effects act upon.
struct House {
    engine: Engine,
    epoch: Instant,
    threads: Threads,
    /// The time in a recording that runs as fast as it can, whose frames are the only clock.
    recorded: Option<Duration>,
    publications: Outbox,
    light: LedPattern,
    times: FrameTimes,
    /// When the last diagnostics were made, and how many frames there were then.
    measured: (Duration, u64),
    /// Mean brightness of the last frame, 0..1.
    room_light: Option<f32>,
    models: String,
    machine: Machine,
    broker: String,
    watcher: Option<mpsc::Sender<Glimpse>>,
    /// Who has come to the socket.
    viewer: Option<mpsc::Sender<Vec<u8>>>,
    /// Whether somebody asked for a restart.
    restarts: bool,
}

impl House {
    async fn live(
        &mut self,
        mut said: mpsc::Receiver<Said>,
        mut heard: mpsc::Receiver<MqttEvent>,
        mut viewers: mpsc::Receiver<ViewerNews>,
        stop: impl Future<Output = ()>,
    ) {
        tokio::pin!(stop);
        let mut measure = steady(MEASURE);
        let mut watchdog = steady(systemd::watchdog_interval().unwrap_or(MEASURE));
        while !self.restarts {
            // A recording that runs as fast as it can brings its own time; there is nothing to wait for.
            let deadline = self.engine.next_deadline(self.now()).filter(|_| self.recorded.is_none());
            let deadline = deadline.map(|at| (self.epoch + at).into());
            tokio::select! {
                () = &mut stop => break,
                what = said.recv() => match what {
                    Some(what) => self.take(what).await,
                    None => break,
                },
                Some(event) = heard.recv() => self.hear(event),
                Some(news) = viewers.recv() => self.meet(news),
                () = sleep_until(deadline.unwrap_or_else(tokio::time::Instant::now)), if deadline.is_some() => {
                    self.tell(Event::Tick);
                }
                _ = measure.tick() => {
                    let diagnostics = self.measure();
                    self.tell(Event::Measured(diagnostics));
                    self.tell_the_time();
                }
                _ = watchdog.tick() => systemd::feed_watchdog(self.threads.pulses()),
            }
        }
    }

    fn now(&self) -> Duration {
        self.recorded.unwrap_or_else(|| self.epoch.elapsed())
    }

    async fn take(&mut self, said: Said) {
        match said {
            Said::Camera(capture::News::Up) => self.tell(Event::CameraUp),
            Said::Camera(capture::News::Down(error)) => {
                self.room_light = None;
                self.tell(Event::Failed(Part::Camera, error.to_string()));
            }
            Said::Camera(capture::News::Closed) => {
                self.room_light = None;
                self.tell(Event::CameraClosed);
            }
            Said::Switch(Position::On) => self.tell(Event::CameraLock(None)),
            Said::Switch(Position::Off(reason)) => self.tell(Event::CameraLock(Some(reason))),
            Said::Leds(lamp::News::Lit) => self.tell(Event::Works(Part::Leds)),
            Said::Leds(lamp::News::Dark(error)) => self.tell(Event::Failed(Part::Leds, error.to_string())),
            Said::Stored(stored) => self.tell(Event::Stored(stored)),
            Said::Kept(asker, outcome) => self.tell(Event::Kept(asker, outcome)),
            Said::Recalled(recalled) => self.tell(Event::Recalled(recalled)),
            Said::Blind(reason) => self.tell(Event::Failed(Part::Models, reason)),
            Said::Seen(sighting) => {
                self.times.push(sighting.took);
                self.room_light = sighting.light;
                if let Some(time) = &mut self.recorded {
                    *time = sighting.at.max(*time);
                }
                let for_watcher = self.watcher.as_ref().map(|_| sighting.faces.clone());
                self.tell(Event::Seen(sighting.faces, sighting.frame));
                if let Some(frame) = sighting.preview {
                    self.tell(Event::Pictured(frame));
                }
                if let Some(faces) = for_watcher {
                    self.show(faces, sighting.picture).await;
                }
            }
        }
    }

    fn hear(&mut self, event: MqttEvent) {
        self.tell(match event {
            MqttEvent::Connected => Event::Connected,
            MqttEvent::Lost { reason, refused } => Event::Disconnected { reason, refused },
            MqttEvent::Retained { topic } => Event::Retained { topic },
            MqttEvent::Message { topic, payload } => Event::Message { topic, payload },
        });
    }

    fn meet(&mut self, news: ViewerNews) {
        let came = match news {
            ViewerNews::Came(lines) => {
                self.viewer = Some(lines);
                true
            }
            ViewerNews::Left => {
                self.viewer = None;
                false
            }
        };
        self.tell(Event::Viewer(came));
    }

    /// A recording has its own time.
    fn tell_the_time(&mut self) {
        if self.recorded.is_none() {
            let clock = clock::since_1970();
            self.tell(Event::Clock(clock.saturating_sub(self.now())));
        }
    }

    fn tell(&mut self, event: Event) {
        let effects = self.engine.on(event, self.now());
        self.act(effects);
    }

    fn act(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Publish(publication) => {
                    if !self.publications.put(publication) {
                        self.tell(Event::Unsaid);
                    }
                }
                Effect::Light(pattern) => {
                    self.light = pattern;
                    self.threads.lamp.show(pattern);
                }
                Effect::Camera(on) => self.threads.shared.wanted.set(on),
                Effect::Remember(feedback) => {
                    if self.threads.lines.try_send(Line::Deed(feedback)).is_err() {
                        warn!("the disk is busy; what a listener did is not kept");
                    }
                }
                Effect::Note(sight) => self.note(sight),
                Effect::Recall { transaction, query } => self.ask_the_disk(Task::Recall { transaction, query }),
                Effect::Keep(switches) => self.keep(switches),
                Effect::KeepEvidence(evidence, asker) => self.ask_the_disk(Task::KeepEvidence(evidence, asker)),
                Effect::Store { transaction, piece } => self.ask_the_disk(Task::Store { transaction, piece }),
                Effect::KeepTrials(trials) => self.ask_the_disk(Task::KeepTrials(trials)),
                Effect::KeepOverrides(overrides, asker) => self.ask_the_disk(Task::KeepOverrides(overrides, asker)),
                Effect::Vision(settings) => {
                    let mut wish = self.threads.shared.vision.lock().unwrap_or_else(PoisonError::into_inner);
                    *wish = Some(settings);
                }
                Effect::Preview(wanted) => self.threads.shared.preview.store(wanted, Ordering::Relaxed),
                Effect::ShowViewer(line) => {
                    // Who reads slowly misses frames.
                    if let Some(viewer) = &self.viewer {
                        let _ = viewer.try_send(line);
                    }
                }
                Effect::DismissViewer => self.viewer = None,
                Effect::Restart => {
                    info!("asked to restart");
                    self.restarts = true;
                }
                Effect::Warn(text) => warn!("{text}"),
            }
        }
    }

    fn note(&mut self, sight: Option<Sight>) {
        let clock::Now { seconds, unset } = clock::Now::read(Path::new("/"));
        if self.threads.lines.try_send(Line::Moment(Moment { at: seconds, unset, sight })).is_err() {
            warn!("the disk is busy; the history has a gap");
        }
    }

    fn ask_the_disk(&mut self, task: Task) {
        if let Err(TrySendError::Full(task) | TrySendError::Disconnected(task)) = self.threads.tasks.try_send(task) {
            if let Some(answer) = task.refused("the disk is busy; try again") {
                self.tell(answer);
            } else {
                warn!("the disk is busy; a restart would not know that a configuration is on trial");
            }
        }
    }

    /// What the disk has not taken yet is replaced, so that the last word is never lost to a queue.
    fn keep(&self, switches: Switches) {
        if self.threads.switches.put(&mut Some(switches)).is_err() {
            warn!("switches are not kept over a restart: the thread that does it has ended");
        }
    }

    fn end(mut self) {
        // From here on nobody looks.
        self.note(None);
        self.threads.end();
    }

    fn measure(&mut self) -> Diagnostics {
        let (now, frames) = (self.epoch.elapsed(), self.times.frames());
        let (then, before) = std::mem::replace(&mut self.measured, (now, frames));
        let seconds = now.saturating_sub(then).as_secs_f32();
        Diagnostics {
            fps: if seconds > 0.0 { (frames - before) as f32 / seconds } else { 0.0 },
            frame_ms_p50: self.times.percentile_ms(0.5),
            frame_ms_p95: self.times.percentile_ms(0.95),
            inferences: frames,
            dropped: self.threads.shared.frames.dropped() + self.threads.shared.lost.load(Ordering::Relaxed),
            corrupt: self.threads.shared.corrupt.load(Ordering::Relaxed),
            light: self.room_light,
            rss_mb: self.machine.resident_mb().unwrap_or(0.0),
            temperature_c: self.machine.temperature_c(),
            throttled: self.machine.throttled(),
            uptime_s: now.as_secs(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            models: BTreeMap::from([("set".to_owned(), self.models.clone())]),
        }
    }

    async fn show(&mut self, faces: Vec<SeenFace>, picture: Option<Picture>) {
        let Some(watcher) = &self.watcher else { return };
        let now = self.now();
        let glimpse = Glimpse {
            picture,
            at: now,
            faces,
            room: self.engine.room(now),
            expression: self.engine.expression(),
            light: self.light,
            recommendation: self.engine.recommendation().cloned(),
            broker: self.broker.clone(),
        };
        if watcher.send(glimpse).await.is_err() {
            self.watcher = None;
        }
    }
}

fn steady(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    interval
}
