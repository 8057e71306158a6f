//! The threads: capture, vision, LEDs and disk. The only file that spawns and joins them.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use moodbox_core::config::Config;
use moodbox_core::engine::Switches;
use moodbox_models::{Models, ModelsError};
use tokio::sync::mpsc;
use tracing::warn;

use crate::camera::latest::Latest;
use crate::capture::{self, Shared};
use crate::lamp::{self, Lamp};
use crate::sight::{self, Pace, Sighting};
use crate::store::Store;
use crate::systemd::Pulse;

/// News that may wait for the engine.
const INBOX: usize = 16;

/// What the threads say.
pub(super) enum Said {
    Camera(capture::News),
    Leds(lamp::News),
    Seen(Sighting),
    /// Nothing can be seen in frames, and why.
    Blind(String),
}

/// The threads, and what they share with the rest.
pub(super) struct Threads {
    pub(super) shared: Arc<Shared>,
    pub(super) lamp: Arc<Lamp>,
    /// Switches for the disk.
    pub(super) switches: Arc<Latest<Switches>>,
    sight_pulse: Arc<Pulse>,
    handles: [(&'static str, JoinHandle<()>); 4],
}

impl Threads {
    /// Starts them all. What they say ends when a recording has ended.
    pub(super) fn start(
        config: &Config,
        epoch: Instant,
        models: Result<Models, ModelsError>,
        store: Store,
        watched: bool,
    ) -> (Self, mpsc::Receiver<Said>) {
        let (say, said) = mpsc::channel(INBOX);
        let shared = Arc::new(Shared::default());
        let lamp = Arc::new(Lamp::default());
        let switches = Arc::new(Latest::default());
        let sight_pulse = Arc::new(Pulse::default());
        let handles = [
            ("LED", light(config, Arc::clone(&lamp), &say)),
            ("store", keep(store, Arc::clone(&switches))),
            ("capture", capture(config, epoch, Arc::clone(&shared), say.clone())),
            ("vision", see(config, models, watched, Arc::clone(&shared), Arc::clone(&sight_pulse), say)),
        ];
        (Self { shared, lamp, switches, sight_pulse, handles }, said)
    }

    /// What the watchdog looks at.
    pub(super) fn pulses(&self) -> [&Pulse; 2] {
        [&self.shared.pulse, &self.sight_pulse]
    }

    /// Ends and joins them. Whoever receives what they say must have ceased to.
    pub(super) fn end(self) {
        self.shared.wanted.never_again();
        self.shared.frames.close();
        self.lamp.end();
        self.switches.close();
        for (name, thread) in self.handles {
            if thread.join().is_err() {
                warn!("the {name} thread has failed");
            }
        }
    }
}

fn capture(config: &Config, epoch: Instant, shared: Arc<Shared>, say: mpsc::Sender<Said>) -> JoinHandle<()> {
    let config = config.camera.clone();
    thread::spawn(move || {
        // Nobody listens at the end.
        capture::run(&config, epoch, &shared, |news| drop(say.blocking_send(Said::Camera(news))));
    })
}

fn see(
    config: &Config,
    models: Result<Models, ModelsError>,
    watched: bool,
    shared: Arc<Shared>,
    pulse: Arc<Pulse>,
    say: mpsc::Sender<Said>,
) -> JoinHandle<()> {
    let settings = config.vision.clone();
    let fps = (!config.camera.every_frame()).then_some(settings.fps.0);
    thread::spawn(move || {
        let tell = |seen: Result<Sighting, _>| match seen {
            Ok(sighting) => say.blocking_send(Said::Seen(sighting)).is_ok(),
            Err(error) => say.blocking_send(Said::Blind(format!("{error:#}"))).is_ok(),
        };
        let ended = models
            .map_err(anyhow::Error::from)
            .and_then(|models| sight::run(&models, &settings, Pace { fps, watched }, &shared, &pulse, &tell));
        if let Err(error) = ended {
            tell(Err(error));
        }
    })
}

/// The LEDs hold no sender: their thread runs to the very end and must not keep what is said from ending.
fn light(config: &Config, lamp: Arc<Lamp>, say: &mpsc::Sender<Said>) -> JoinHandle<()> {
    let (config, say) = (config.leds.clone(), say.downgrade());
    thread::spawn(move || {
        lamp::run(&config, &lamp, |news| {
            if let Some(say) = say.upgrade() {
                drop(say.blocking_send(Said::Leds(news)));
            }
        });
    })
}

fn keep(store: Store, switches: Arc<Latest<Switches>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut newest = Switches::default();
        while switches.take(&mut newest).is_ok() {
            if let Err(error) = store.keep_switches(&newest) {
                warn!("{error}; the switch will be forgotten at the next start");
            }
        }
    })
}
