//! The daemon's life: builds the parts, carries events to the engine and effects to the parts, and ends them all. The
//! only file that spawns and joins.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use moodbox_core::config::{Broker, Config};
use moodbox_core::emotion::Emotion;
use moodbox_core::engine::{Effect, Engine, Event, Part, Setting};
use moodbox_core::face::SeenFace;
use moodbox_core::hass::Device;
use moodbox_core::led::{LedPattern, Levels};
use moodbox_core::mood::{Confusion, Room, RoomMood};
use moodbox_core::music::{Catalogue, ImportError};
use moodbox_core::topics::{Diagnostics, Publication, Recommendation, Topics};
use moodbox_models::{Models, ModelsError};
use moodbox_vision::model::ModelError;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep_until};
use tracing::{debug, info, warn};

use crate::broker::{BrokerError, Embedded};
use crate::capture::{self, News, Shared};
use crate::health::{FrameTimes, Machine};
use crate::identity;
use crate::leds::{self, Leds};
use crate::mqtt::{self, MqttEvent, SettingsError};
use crate::sight::{self, Pace, Picture, Sighting};
use crate::store::Store;
use crate::systemd::{self, Pulse};

/// Events that may wait for the engine; it needs microseconds for one.
const INBOX: usize = 16;
/// Publications that may wait for the connection: everything said after a connect, and a minute of changes.
const OUTBOX: usize = 128;
/// Time between two looks at the LEDs while they breathe or blink.
const LED_FRAME: Duration = Duration::from_millis(33);
/// Time between two diagnostics.
const MEASURE: Duration = Duration::from_secs(60);

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The broker inside the daemon.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The settings of the connection.
    #[error(transparent)]
    Mqtt(#[from] SettingsError),
    /// The file with the songs cannot be read.
    #[error("music.catalogue: cannot read {path}: {source}", path = path.display())]
    CatalogueFile {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file with the songs holds none.
    #[error("music.catalogue: {path}: {source}", path = path.display())]
    Catalogue {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: ImportError,
    },
}

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

/// What the threads say.
enum Said {
    Camera(News),
    Seen(Sighting),
    Blind(String),
}

/// Runs the box until `stop` is ready or a recording that does not repeat has ended. Every analysed frame is shown to
/// `watcher`.
///
/// # Errors
/// When a part without which the box is useless cannot start.
pub async fn run(
    config: Config,
    stop: impl Future<Output = ()>,
    watcher: Option<mpsc::Sender<Glimpse>>,
) -> Result<(), StartError> {
    let epoch = Instant::now();
    let root = Path::new("/");
    let catalogue = read_catalogue(config.music.catalogue.as_deref())?;
    let id = config.device.id.clone().unwrap_or_else(|| identity::device_id(root));
    let topics = Topics::new(&config.mqtt.base_topic, &config.mqtt.discovery_prefix, id.as_str());
    let embedded = match config.mqtt.broker {
        Broker::Embedded => Some(Embedded::start(config.mqtt.embedded_port.0 as u16).await?),
        Broker::Remote { .. } => None,
    };
    let port = embedded.as_ref().map_or(0, |broker| broker.address().port());
    let broker = match &config.mqtt.broker {
        Broker::Embedded => format!("mqtt://127.0.0.1:{port}"),
        remote @ Broker::Remote { .. } => remote.to_string(),
    };
    let settings = mqtt::Settings::new(&config.mqtt, topics.clone(), port)?;
    let models = load_models(config.vision.models.as_deref());
    let store = Store::new(&config.store.folder);
    let switches = store.switches().unwrap_or_else(|error| {
        warn!("{error}; all switches are as after the first start");
        None
    });
    info!("box {} with models {}, broker {broker}", id.as_str(), fingerprint(&models));

    let setting = Setting {
        topics,
        device: Device {
            name: config.device.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: identity::board(root),
        },
        confusion: confusion(&models),
        catalogue,
        switches: switches.unwrap_or_default(),
        seed: u64::from(std::process::id()),
        config: config.clone(),
    };
    let (engine, first) = Engine::new(setting, Duration::ZERO);
    let (publications, outbox) = mpsc::channel(OUTBOX);
    let (heard_in, heard) = mpsc::channel(INBOX);
    let connection = mqtt::spawn(settings, outbox, heard_in);
    let (said_in, said) = mpsc::channel(INBOX);
    let shared = Arc::new(Shared::default());
    let sight_pulse = Arc::new(Pulse::default());
    let mut house = House {
        engine,
        epoch,
        shared: Arc::clone(&shared),
        recorded: config.camera.every_frame().then_some(Duration::ZERO),
        publications: Some(publications),
        store,
        leds: Lamp::new(&config),
        times: FrameTimes::default(),
        measured: (Duration::ZERO, 0),
        models: fingerprint(&models),
        machine: Machine::new(root),
        broker,
        watcher,
    };
    house.act(first);
    if let Err(error) = &models {
        house.tell(Event::Failed(Part::Models, error.to_string()));
    }

    let capture = {
        let (config, shared, say) = (config.camera.clone(), Arc::clone(&shared), said_in.clone());
        thread::spawn(move || {
            capture::run(&config, epoch, &shared, |news| drop(say.blocking_send(Said::Camera(news))));
        })
    };
    let sight = {
        let pace = Pace {
            fps: (!config.camera.every_frame()).then_some(config.vision.fps.0),
            watched: house.watcher.is_some(),
        };
        let (settings, shared, pulse) = (config.vision.clone(), Arc::clone(&shared), Arc::clone(&sight_pulse));
        thread::spawn(move || {
            let say = |seen: Result<Sighting, ModelError>| {
                let said = seen.map_or_else(|e| Said::Blind(e.to_string()), Said::Seen);
                said_in.blocking_send(said).is_ok()
            };
            let Ok(models) = models else { return };
            if let Err(error) = sight::run(&models, &settings, pace, &shared, &pulse, say) {
                drop(said_in.blocking_send(Said::Blind(error.to_string())));
            }
        })
    };

    systemd::ready();
    house.live(said, heard, stop, &sight_pulse).await;
    systemd::stopping();

    shared.wanted.never_again();
    shared.frames.close();
    house.leds.off();
    // Closing the outbox asks the connection to say that the box is offline and to end.
    house.publications = None;
    if connection.await.is_err() {
        warn!("the connection's task has failed");
    }
    if let Some(broker) = embedded {
        broker.stop().await;
    }
    for (name, thread) in [("capture", capture), ("vision", sight)] {
        if thread.join().is_err() {
            warn!("the {name} thread has failed");
        }
    }
    Ok(())
}

/// The engine and everything that its effects act upon.
struct House {
    engine: Engine,
    epoch: Instant,
    shared: Arc<Shared>,
    /// The time in a recording that runs as fast as it can, whose frames are the only clock.
    recorded: Option<Duration>,
    publications: Option<mpsc::Sender<Publication>>,
    store: Store,
    leds: Lamp,
    times: FrameTimes,
    /// When the last diagnostics were made, and how many frames there were then.
    measured: (Duration, u64),
    models: String,
    machine: Machine,
    broker: String,
    watcher: Option<mpsc::Sender<Glimpse>>,
}

impl House {
    async fn live(
        &mut self,
        mut said: mpsc::Receiver<Said>,
        mut heard: mpsc::Receiver<MqttEvent>,
        stop: impl Future<Output = ()>,
        sight_pulse: &Pulse,
    ) {
        tokio::pin!(stop);
        let mut measure = steady(MEASURE);
        let mut led_frame = steady(LED_FRAME);
        let mut watchdog = steady(systemd::watchdog_interval().unwrap_or(MEASURE));
        loop {
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
                () = sleep_until(deadline.unwrap_or_else(tokio::time::Instant::now)), if deadline.is_some() => {
                    self.tell(Event::Tick);
                }
                _ = led_frame.tick(), if !self.leds.is_steady() => self.shine(),
                _ = measure.tick() => {
                    let diagnostics = self.measure();
                    self.tell(Event::Measured(diagnostics));
                }
                _ = watchdog.tick() => systemd::feed_watchdog(&[&self.shared.pulse, sight_pulse]),
            }
        }
    }

    fn now(&self) -> Duration {
        self.recorded.unwrap_or_else(|| self.epoch.elapsed())
    }

    async fn take(&mut self, said: Said) {
        match said {
            Said::Camera(News::Up) => self.tell(Event::CameraUp),
            Said::Camera(News::Down(error)) => self.tell(Event::Failed(Part::Camera, error.to_string())),
            Said::Blind(reason) => self.tell(Event::Failed(Part::Models, reason)),
            Said::Seen(sighting) => {
                self.times.push(sighting.took);
                if let Some(time) = &mut self.recorded {
                    *time = sighting.at.max(*time);
                }
                self.tell(Event::Seen(sighting.faces.clone()));
                self.show(sighting).await;
            }
        }
    }

    fn hear(&mut self, event: MqttEvent) {
        self.tell(match event {
            MqttEvent::Connected => Event::Connected,
            MqttEvent::Lost { reason } => Event::Disconnected(reason),
            MqttEvent::Message { topic, payload } => Event::Message { topic, payload },
        });
    }

    fn tell(&mut self, event: Event) {
        let effects = self.engine.on(event, self.now());
        self.act(effects);
    }

    fn act(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Publish(publication) => {
                    if let Some(Err(error)) = self.publications.as_ref().map(|p| p.try_send(publication)) {
                        debug!("not published: {error}");
                    }
                }
                Effect::Light(pattern) => {
                    self.leds.pattern = pattern;
                    self.shine();
                }
                Effect::Camera(on) => self.shared.wanted.set(on),
                Effect::Keep(switches) => {
                    if let Err(error) = self.store.keep_switches(&switches) {
                        warn!("{error}; the switch will be forgotten at the next start");
                    }
                }
                Effect::Warn(text) => warn!("{text}"),
            }
        }
    }

    fn shine(&mut self) {
        match self.leds.shine(self.epoch.elapsed()) {
            Lit::Same => {}
            Lit::Again => self.tell(Event::Works(Part::Leds)),
            Lit::Dark(reason) => self.tell(Event::Failed(Part::Leds, reason)),
        }
    }

    fn measure(&mut self) -> Diagnostics {
        let (now, frames) = (self.epoch.elapsed(), self.times.frames());
        let (then, before) = std::mem::replace(&mut self.measured, (now, frames));
        let seconds = (now - then).as_secs_f32();
        Diagnostics {
            fps: if seconds > 0.0 { (frames - before) as f32 / seconds } else { 0.0 },
            frame_ms_p50: self.times.percentile_ms(0.5),
            frame_ms_p95: self.times.percentile_ms(0.95),
            inferences: frames,
            dropped: self.shared.frames.dropped() + self.shared.lost.load(Ordering::Relaxed),
            corrupt: self.shared.corrupt.load(Ordering::Relaxed),
            rss_mb: self.machine.resident_mb().unwrap_or(0.0),
            temperature_c: self.machine.temperature_c(),
            throttled: self.machine.throttled(),
            uptime_s: now.as_secs(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            models: BTreeMap::from([("set".to_owned(), self.models.clone())]),
        }
    }

    async fn show(&mut self, sighting: Sighting) {
        let Some(watcher) = &self.watcher else { return };
        let now = self.now();
        let glimpse = Glimpse {
            picture: sighting.picture,
            at: now,
            faces: sighting.faces,
            room: self.engine.room(now),
            expression: self.engine.expression(),
            light: self.leds.pattern,
            recommendation: self.engine.recommendation().cloned(),
            broker: self.broker.clone(),
        };
        if watcher.send(glimpse).await.is_err() {
            self.watcher = None;
        }
    }
}

/// What the LEDs show before the start and after the end.
const DARK: LedPattern = LedPattern {
    mood: RoomMood::Absent,
    confidence: 0.0,
    unsure: false,
    fault: None,
    camera_on: false,
    lights_on: false,
    brightness: 0.0,
};

/// The LEDs and what they show.
struct Lamp {
    leds: Result<Box<dyn Leds + Send>, String>,
    pattern: LedPattern,
    shown: Option<Levels>,
    is_dark: bool,
}

/// What came of an attempt to light the LEDs.
enum Lit {
    /// As before.
    Same,
    /// They did not work, and do.
    Again,
    /// They have just stopped working.
    Dark(String),
}

impl Lamp {
    fn new(config: &Config) -> Self {
        let leds = leds::open(&config.leds).map_err(|e| e.to_string());
        Self { leds, pattern: DARK, shown: None, is_dark: false }
    }

    fn is_steady(&self) -> bool {
        self.leds.is_err() || self.pattern.is_steady()
    }

    fn shine(&mut self, now: Duration) -> Lit {
        let levels = self.pattern.levels_at(now);
        if self.shown == Some(levels) {
            return Lit::Same;
        }
        self.shown = Some(levels);
        let lit = match &mut self.leds {
            Ok(leds) => leds.show(levels).map_err(|e| e.to_string()),
            Err(reason) => Err(reason.clone()),
        };
        match lit {
            Ok(()) if self.is_dark => {
                self.is_dark = false;
                Lit::Again
            }
            Err(reason) if !self.is_dark => {
                self.is_dark = true;
                Lit::Dark(reason)
            }
            Ok(()) | Err(_) => Lit::Same,
        }
    }

    fn off(&mut self) {
        self.pattern = DARK;
        self.shine(Duration::ZERO);
    }
}

fn steady(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    interval
}

fn load_models(folder: Option<&Path>) -> Result<Models, ModelsError> {
    folder.map_or_else(Models::built_in, Models::read)
}

fn fingerprint(models: &Result<Models, ModelsError>) -> String {
    models.as_ref().map_or_else(|_| "none".to_owned(), Models::fingerprint)
}

fn confusion(models: &Result<Models, ModelsError>) -> Confusion {
    let rows = models.as_ref().ok().and_then(|m| m.fer.entry.emotions.as_ref()).map(|e| e.confusion);
    rows.and_then(|rows| Confusion::try_from(rows).ok()).unwrap_or_default()
}

/// The songs of a file, or the demo catalogue. Rows that cannot be used are named in the log.
///
/// # Errors
/// When the file cannot be read or holds no song.
pub fn read_catalogue(path: Option<&Path>) -> Result<Catalogue, StartError> {
    let Some(path) = path else { return Ok(Catalogue::demo()) };
    let bytes = std::fs::read(path).map_err(|source| StartError::CatalogueFile { path: path.to_owned(), source })?;
    let import = Catalogue::import(&bytes).map_err(|source| StartError::Catalogue { path: path.to_owned(), source })?;
    for rejected in &import.rejected {
        warn!("{}: {rejected}", path.display());
    }
    Ok(import.catalogue)
}
