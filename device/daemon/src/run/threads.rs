//! The threads: capture, vision, LEDs, the switch and disk. The only file that spawns and joins them.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use moodbox_core::config::{Config, Overrides};
use moodbox_core::engine::{Asker, Event, Recalled, Stored, Switches, Trials};
use moodbox_core::history::{Moment, Query};
use moodbox_core::music::Feedback;
use moodbox_core::personal::Evidence;
use moodbox_core::topics::Piece;
use moodbox_models::{Models, ModelsError};
use tokio::sync::mpsc;
use tracing::warn;

use crate::camera::{self, latest::Latest};
use crate::capture::{self, Shared};
use crate::lamp::{self, Lamp};
use crate::library::Library;
use crate::sight::{self, Manner, Sighting};
use crate::store::{FeedbackLog, HistoryLog, Store};
use crate::switch;
use crate::systemd::Pulse;

/// News that may wait for the engine.
const INBOX: usize = 16;

/// Lines of the logs that may wait for the disk; people press a button now and then.
const LINES: usize = 64;

/// Tasks that may wait for the disk; who sets them waits for each answer.
const TASKS: usize = 8;

/// Time after which switches that could not be written are tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// What the disk does for somebody who waits for the answer.
pub(super) enum Task {
    /// Put a piece of a catalogue with the others.
    Store { transaction: String, piece: Piece },
    /// Keep what was set over the network.
    KeepOverrides(Overrides, Asker),
    /// Keep what was learnt of faces.
    KeepEvidence(Evidence, Asker),
    /// Keep whether that has proved itself. Nobody waits for it.
    KeepTrials(Trials),
    /// Look into the history.
    Recall { transaction: String, query: Query },
}

/// A line of a log.
pub(super) enum Line {
    /// What a listener did.
    Deed(Feedback),
    /// What the mood of the room became.
    Moment(Moment),
}

impl Task {
    /// The answer of a disk that does not do it, where somebody waits for one.
    pub(super) fn refused(self, reason: &str) -> Option<Event> {
        let reason = reason.to_owned();
        match self {
            Self::Store { transaction, .. } => Some(Event::Stored(Stored { transaction, outcome: Err(reason) })),
            Self::KeepOverrides(_, asker) | Self::KeepEvidence(_, asker) => Some(Event::Kept(asker, Err(reason))),
            Self::KeepTrials(_) => None,
            Self::Recall { transaction, .. } => Some(Event::Recalled(Recalled { transaction, outcome: Err(reason) })),
        }
    }
}

/// What the threads say.
pub(super) enum Said {
    Camera(capture::News),
    Leds(lamp::News),
    Switch(switch::Position),
    Seen(Sighting),
    /// What became of a piece of a catalogue.
    Stored(Stored),
    /// Whether the disk has kept what was set.
    Kept(Asker, Result<(), String>),
    /// What was found in the history.
    Recalled(Recalled),
    /// Nothing can be seen in frames, and why.
    Blind(String),
}

/// What is kept on the disk.
pub(super) struct Disk {
    pub(super) store: Store,
    pub(super) log: FeedbackLog,
    pub(super) library: Library,
    /// The configuration's file as it was read, which what is kept must go with.
    pub(super) file: Config,
}

/// The threads, and what they share with the rest.
pub(super) struct Threads {
    pub(super) shared: Arc<Shared>,
    pub(super) lamp: Arc<Lamp>,
    /// Lines for the logs.
    pub(super) lines: SyncSender<Line>,
    /// The switches that the disk shall keep.
    pub(super) switches: Arc<Latest<Option<Switches>>>,
    /// What the disk does and answers.
    pub(super) tasks: SyncSender<Task>,
    sight_pulse: Arc<Pulse>,
    switch_pulse: Arc<Pulse>,
    disk_pulses: [Arc<Pulse>; 3],
    capture: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts them all. What they say ends when a recording has ended.
    ///
    /// # Errors
    /// When the machine has no room for another thread.
    pub(super) fn start(
        config: &Config,
        epoch: Instant,
        models: Result<Models, ModelsError>,
        disk: Disk,
        watched: bool,
    ) -> io::Result<(Self, mpsc::Receiver<Said>)> {
        let (say, said) = mpsc::channel(INBOX);
        let shared = Arc::new(Shared::default());
        let lamp = Arc::new(Lamp::default());
        let switches = Arc::new(Latest::default());
        let sight_pulse = Arc::new(Pulse::default());
        let switch_pulse = Arc::new(Pulse::default());
        let (lines, written) = sync_channel(LINES);
        let history = disk.store.history();
        let disk_pulses = [(); 3].map(|()| Arc::new(Pulse::of_a_disk()));
        let [work_pulse, keep_pulse, write_pulse] = disk_pulses.clone();
        let (tasks, disk_thread) = work(disk.library, disk.store.clone(), disk.file, work_pulse, &say)?;
        let mut others = vec![
            light(config, Arc::clone(&lamp), &say)?,
            disk_thread,
            keep(disk.store, Arc::clone(&switches), keep_pulse)?,
            write(disk.log, history, written, write_pulse)?,
        ];
        if let Some(line) = config.camera.switch_pin {
            // Until it says otherwise.
            shared.wanted.forbid(true);
            let (chip, pulse) = (config.leds.chip.clone(), Arc::clone(&switch_pulse));
            others.push(switch(chip, line.0, Arc::clone(&shared), pulse, &say)?);
        }
        let capture = capture(config, epoch, Arc::clone(&shared), Arc::clone(&lamp), say.clone())?;
        others.push(see(config, models, watched, Arc::clone(&shared), Arc::clone(&sight_pulse), say)?);
        Ok((
            Self { shared, lamp, lines, switches, tasks, sight_pulse, switch_pulse, disk_pulses, capture, others },
            said,
        ))
    }

    /// What the watchdog looks at.
    pub(super) fn pulses(&self) -> impl Iterator<Item = &Pulse> {
        let others = [&self.shared.pulse, &self.sight_pulse, &self.lamp.pulse, &self.switch_pulse];
        others.into_iter().chain(self.disk_pulses.iter().map(AsRef::as_ref))
    }

    /// Ends and joins them. Whoever receives what they say must have ceased to.
    pub(super) fn end(self) {
        self.shared.wanted.never_again();
        self.shared.frames.close();
        drop(self.lines);
        self.switches.close();
        drop(self.tasks);
        // The camera's light is on until the camera is closed.
        join(self.capture);
        self.lamp.end();
        self.others.into_iter().for_each(join);
    }
}

/// With a name, by which tools know the thread.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

fn join(handle: JoinHandle<()>) {
    let name = handle.thread().name().unwrap_or_default().to_owned();
    if handle.join().is_err() {
        warn!("the {name} thread has failed");
    }
}

fn capture(
    config: &Config,
    epoch: Instant,
    shared: Arc<Shared>,
    lamp: Arc<Lamp>,
    say: mpsc::Sender<Said>,
) -> io::Result<JoinHandle<()>> {
    let config = config.camera.clone();
    spawn("capture", move || {
        // Nobody listens at the end.
        capture::run(&config, epoch, &shared, &lamp, |news| drop(say.blocking_send(Said::Camera(news))));
        shared.pulse.rest();
    })
}

/// Like the LEDs this holds no sender: it runs to the very end.
fn switch(
    chip: PathBuf,
    line: u32,
    shared: Arc<Shared>,
    pulse: Arc<Pulse>,
    say: &mpsc::Sender<Said>,
) -> io::Result<JoinHandle<()>> {
    let say = say.downgrade();
    spawn("switch", move || {
        switch::run(&chip, line, &shared.wanted, &pulse, |position| {
            if let Some(say) = say.upgrade() {
                drop(say.blocking_send(Said::Switch(position)));
            }
        });
        pulse.rest();
    })
}

fn see(
    config: &Config,
    models: Result<Models, ModelsError>,
    watched: bool,
    shared: Arc<Shared>,
    pulse: Arc<Pulse>,
    say: mpsc::Sender<Said>,
) -> io::Result<JoinHandle<()>> {
    let settings = config.vision.clone();
    let most_pixels = camera::most_pixels(&config.camera);
    let manner = Manner { every_frame: config.camera.every_frame(), watched, most_pixels };
    spawn("vision", move || {
        let tell = |seen: Result<Sighting, _>| match seen {
            Ok(sighting) => say.blocking_send(Said::Seen(sighting)).is_ok(),
            Err(error) => say.blocking_send(Said::Blind(format!("{error:#}"))).is_ok(),
        };
        let ended = models
            .map_err(anyhow::Error::from)
            .and_then(|models| sight::run(&models, &settings, manner, &shared, &pulse, &tell));
        if let Err(error) = ended {
            tell(Err(error));
        }
        pulse.rest();
    })
}

/// The LEDs hold no sender: their thread runs to the very end and must not keep what is said from ending.
fn light(config: &Config, lamp: Arc<Lamp>, say: &mpsc::Sender<Said>) -> io::Result<JoinHandle<()>> {
    let (config, say) = (config.leds.clone(), say.downgrade());
    spawn("leds", move || {
        lamp::run(&config, &lamp, |news| {
            if let Some(say) = say.upgrade() {
                drop(say.blocking_send(Said::Leds(news)));
            }
        });
        lamp.pulse.rest();
    })
}

/// Like the LEDs this holds no sender: it runs to the very end.
fn work(
    mut library: Library,
    store: Store,
    file: Config,
    pulse: Arc<Pulse>,
    say: &mpsc::Sender<Said>,
) -> io::Result<(SyncSender<Task>, JoinHandle<()>)> {
    let (sender, tasks) = sync_channel(TASKS);
    let say = say.downgrade();
    let thread = spawn("disk", move || {
        // Why the disk does not know what is on trial, if so, which has to be before that is tried.
        let mut on_trial = Ok(());
        for task in tasks {
            let done = pulse.during(|| match task {
                Task::Store { transaction, piece } => {
                    let outcome = library.take(&piece).map_err(|error| error.to_string());
                    Some(Said::Stored(Stored { transaction, outcome }))
                }
                Task::KeepOverrides(overrides, asker) => {
                    let keep = || store.keep_overrides(&overrides, &file).map_err(|error| error.to_string());
                    let outcome = std::mem::replace(&mut on_trial, Ok(())).and_then(|()| keep());
                    Some(Said::Kept(asker, outcome))
                }
                Task::KeepEvidence(evidence, asker) => {
                    let outcome = store.keep_evidence(&evidence).map_err(|error| error.to_string());
                    Some(Said::Kept(asker, outcome))
                }
                Task::KeepTrials(trials) => {
                    let kept = store.keep_trials(&trials).map_err(|error| error.to_string());
                    if let Err(error) = &kept {
                        warn!("{error}; a restart would not know how a configuration on trial fares");
                    }
                    // That one has ended keeps nobody from setting the next thing.
                    on_trial = if trials.running.is_some() { kept } else { Ok(()) };
                    None
                }
                Task::Recall { transaction, query } => {
                    let outcome = store.recall(query).map_err(|error| error.to_string());
                    Some(Said::Recalled(Recalled { transaction, outcome }))
                }
            });
            if let (Some(done), Some(say)) = (done, say.upgrade()) {
                drop(say.blocking_send(done));
            }
        }
    })?;
    Ok((sender, thread))
}

fn keep(store: Store, mailbox: Arc<Latest<Option<Switches>>>, pulse: Arc<Pulse>) -> io::Result<JoinHandle<()>> {
    spawn("store", move || {
        let (mut newest, mut written, mut trouble) = (None, None, None);
        while mailbox.take_within(&mut newest, AGAIN).is_ok() {
            let Some(switches) = newest.filter(|_| newest != written) else { continue };
            match pulse.during(|| store.keep_switches(&switches)) {
                Ok(()) => (written, trouble) = (newest, None),
                Err(error) => {
                    let error = Some(error.to_string());
                    if let Some(text) = error.as_ref().filter(|_| error != trouble) {
                        warn!("{text}; until it can be written, the switch will be forgotten at the next start");
                    }
                    trouble = error;
                    // The file may have been replaced all the same.
                    written = None;
                }
            }
        }
    })
}

fn write(
    mut feedback: FeedbackLog,
    mut history: HistoryLog,
    lines: Receiver<Line>,
    pulse: Arc<Pulse>,
) -> io::Result<JoinHandle<()>> {
    spawn("logs", move || {
        for line in lines {
            pulse.during(|| match line {
                Line::Deed(deed) => {
                    if let Err(error) = feedback.append(&deed) {
                        warn!("{error}; this like, skip or choice will be forgotten at the next start");
                    }
                }
                Line::Moment(moment) => {
                    if let Err(error) = history.append(&moment) {
                        warn!("{error}; the history has a gap");
                    }
                }
            });
        }
    })
}
