//! Builds the parts of the box and ends them.

use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

use moodbox_core::config::{Broker, Config, Configuration, Labels};
use moodbox_core::engine::{Engine, Setting, Switches, Trials};
use moodbox_core::hass::Device;
use moodbox_core::mood::Confusion;
use moodbox_core::music::{Catalogue, ImportError, Memory};
use moodbox_core::personal::Evidence;
use moodbox_core::topics::Topics;
use moodbox_models::Models;
use moodbox_vision::fer;
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::outbox::Outbox;
use super::threads::{Disk, Threads};
use super::{Glimpse, House};
use crate::broker::{BrokerError, Embedded};
use crate::health::{FrameTimes, Machine};
use crate::lamp::DARK;
use crate::library::Library;
use crate::mqtt::{self, SettingsError};
use crate::store::{FeedbackLog, Store};
use crate::{clock, identity, systemd, viewer};

/// Messages that may wait for the engine; it needs microseconds for one.
const INBOX: usize = 16;
/// The socket for aiming the camera, in the folder that systemd makes for the daemon.
const VIEWER_SOCKET: &str = "preview.sock";

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The broker inside the daemon.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The settings of the connection.
    #[error(transparent)]
    Mqtt(#[from] SettingsError),
    /// The machine has no room for them.
    #[error("cannot start a thread: {0}; see the limits of the service")]
    Threads(#[source] std::io::Error),
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

/// Runs the box until `stop` is ready or a recording that does not repeat has ended. Every analysed frame is shown to
/// `watcher`.
///
/// # Errors
/// When a part without which the box is useless cannot start.
pub async fn run(
    file: Config,
    stop: impl Future<Output = ()>,
    watcher: Option<mpsc::Sender<Glimpse>>,
) -> Result<(), StartError> {
    let epoch = Instant::now();
    let root = Path::new("/");
    let models = file.vision.models.as_deref().map_or_else(Models::built_in, Models::read);
    let fingerprint = models.as_ref().map_or_else(|_| "none".to_owned(), Models::fingerprint);
    let store = Store::new(&file.store.folder, &fingerprint);
    let (configuration, trials) = configuration(&store, &file);
    let config = configuration.in_force().clone();
    let store = store.by(config.vision.labels);
    let library = Library::new(&config.store.folder);
    let catalogue = match config.music.catalogue.as_deref() {
        None => sent_catalogue(&library),
        named => read_catalogue(named)?,
    };
    let id = config.device.id.clone().unwrap_or_else(|| identity::device_id(root));
    let topics = Topics::new(&config.mqtt.base_topic, &config.mqtt.discovery_prefix, id.as_str());
    let embedded = match config.mqtt.broker {
        Broker::Embedded => Some(Embedded::start(config.mqtt.embedded_port.0 as u16).await?),
        Broker::Remote { .. } => None,
    };
    let port = embedded.as_ref().map_or(0, |broker| broker.address().port());
    let settings = mqtt::Settings::new(&config.mqtt, topics.clone(), port)?;
    let broker = settings.broker().to_owned();
    let Kept { switches, log, memory, evidence } = Kept::read(&store, models.is_ok());
    info!("box {} with models {fingerprint}, broker {broker}", id.as_str());

    let setting = Setting {
        topics,
        device: Device { version: env!("CARGO_PKG_VERSION").to_owned(), model: identity::board(root) },
        confusion: confusion(models.as_ref().ok(), config.vision.labels),
        catalogue,
        memory,
        started: clock::since_1970(),
        switches,
        trials,
        evidence,
        seed: u64::from(std::process::id()),
        config: configuration,
    };
    let (engine, first) = Engine::new(setting, Duration::ZERO);
    let (publications, outbox) = Outbox::new();
    let (heard_in, heard) = mpsc::channel(INBOX);
    let connection = mqtt::spawn(settings, outbox, heard_in);
    let (viewer_news, viewers) = mpsc::channel(1);
    if let Some(folder) = systemd::runtime_folder()
        && let Err(error) = viewer::serve(&folder.join(VIEWER_SOCKET), viewer_news)
    {
        warn!("{error}; nobody can aim the camera over SSH");
    }
    let disk = Disk { store, log, library, file };
    let (threads, said) =
        Threads::start(&config, epoch, models, disk, watcher.is_some()).map_err(StartError::Threads)?;
    let mut house = House {
        engine,
        epoch,
        threads,
        recorded: config.camera.every_frame().then_some(Duration::ZERO),
        publications,
        light: DARK,
        times: FrameTimes::default(),
        measured: (Duration::ZERO, 0),
        room_light: None,
        models: fingerprint,
        machine: Machine::new(root),
        broker,
        watcher,
        viewer: None,
        restarts: false,
    };
    house.act(first);

    systemd::ready();
    house.live(said, heard, viewers, stop).await;
    systemd::stopping();

    // With the house goes the outbox; that asks the connection to say that the box is offline and to end.
    house.end();
    if connection.await.is_err() {
        warn!("the connection's task has failed");
    }
    if let Some(broker) = embedded {
        broker.stop().await;
    }
    Ok(())
}

/// What the box remembers beside its configuration.
struct Kept {
    switches: Switches,
    log: FeedbackLog,
    memory: Memory,
    evidence: Evidence,
}

impl Kept {
    /// What cannot be read is warned of and done without.
    fn read(store: &Store, has_models: bool) -> Self {
        let switches = store.switches().unwrap_or_else(|error| {
            warn!(
                "{error}; the camera is off until it is switched on, the other switches are as after the first start"
            );
            // Somebody may have switched it off.
            Some(Switches { camera: false, ..Switches::default() })
        });
        let (log, memory, damaged) = store.feedback();
        match damaged {
            Ok(0) => {}
            Ok(lines) => warn!("the log of likes and skips has {lines} damaged lines, which are passed over"),
            Err(error) => warn!("{error}; likes and skips of before are not known"),
        }
        // Without models nothing is read, and a calibration that fits them when they are back shall still be there.
        let evidence = if has_models { store.evidence() } else { Ok(None) };
        let evidence = evidence.unwrap_or_else(|error| {
            warn!("{error}; faces are read without personal calibration");
            None
        });
        Self { switches: switches.unwrap_or_default(), log, memory, evidence: evidence.unwrap_or_default() }
    }
}

/// The configuration to start with, and whether it has proved itself.
fn configuration(store: &Store, file: &Config) -> (Configuration, Trials) {
    let (configuration, trials, troubles) = store.start(file);
    for error in troubles {
        warn!("{error}; what was set before counts");
    }
    (configuration, trials)
}

fn confusion(models: Option<&Models>, labels: Labels) -> Confusion {
    let answer = models.and_then(|models| fer::answer(models, labels));
    answer.and_then(|answer| Confusion::try_from(answer.confusion).ok()).unwrap_or_default()
}

/// The songs that were sent to the box, or the demo catalogue.
fn sent_catalogue(library: &Library) -> Catalogue {
    let sent = library.catalogue().unwrap_or_else(|error| {
        warn!("{error}; the demo catalogue stands in until a library is sent again");
        None
    });
    sent.unwrap_or_else(Catalogue::demo)
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
