//! `moodbox demo`: the whole box on this computer, with the daemon's own code and its own broker.

mod evening;
mod lines;
mod screen;

use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use anyhow::{Context, anyhow};
use moodbox_core::config::{Bounded, Broker, Config, Source};
use moodbox_core::music::Catalogue;
use moodboxd::camera;
use moodboxd::run::{self, Glimpse, StartError};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use crate::ending::Ending;
use crate::failure::Failure;
use crate::library;

/// The recording that comes with the program, and its rate in frames a second.
const RECORDING: &[u8] = include_bytes!("../../demo/evening.mjpeg");
const RECORDED_FPS: u32 = 4;

/// What to look at.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox demo --evening")]
pub(crate) struct Arguments {
    /// Live through an evening of four hours in seconds, with simulated people and no picture: what is played, why, and
    /// how it follows the mood.
    #[arg(long, conflicts_with_all = ["camera", "source", "plain"])]
    evening: bool,
    /// Decides what happens in that evening.
    #[arg(long, default_value_t = 1, requires = "evening")]
    seed: u64,
    /// Look through this computer's webcam instead of at the recording.
    #[arg(long, conflicts_with = "source")]
    camera: bool,
    /// Look at this instead: `v4l2:/dev/videoN` or `replay:PATH`.
    #[arg(long)]
    source: Option<Source>,
    /// A CSV or JSON file with tracks; the demo catalogue where it is left out.
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,
    /// Print lines instead of drawing on the terminal, and do not wait for time to pass.
    #[arg(long)]
    plain: bool,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    // A box writes of unusable songs to a log. Nobody sees that here.
    let songs = arguments.library.as_deref().map(library::read_file).transpose()?;
    if arguments.evening {
        return evening::run(songs.unwrap_or_else(Catalogue::demo), arguments.seed, json);
    }
    let draw = !json && !arguments.plain && io::stdout().is_terminal();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    // Heard before there is a folder that must not stay behind.
    let mut ending = runtime.block_on(async { Ending::new() })?;
    // Removed when the demo ends: the recording, and what the daemon wants to remember.
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let config = configure(arguments, folder.path(), draw)?;
    // A box goes on without its camera, and writes of that to a log, too.
    camera::open(&config.camera, Instant::now(), || {}).map_err(|e| anyhow!(e))?;
    let (show, glimpses) = mpsc::channel(1);
    let (stop, stopped) = oneshot::channel::<()>();
    let daemon = thread::spawn(move || -> Result<(), StartError> {
        // Whoever watches hears of its end by that of the glimpses.
        let stopped = async {
            tokio::select! {
                // Whether the sender says stop or is gone makes no difference.
                _ = stopped => {}
                () = ending.asked() => {}
            }
        };
        runtime.block_on(run::run(config, stopped, Some(show)))
    });
    let watched = watch(glimpses, draw, json);
    drop(stop);
    let ended = daemon.join().map_err(|_| anyhow!("the daemon failed"))?;
    ended.map_err(|e| anyhow!(e))?;
    watched.map_err(Failure::from)
}

fn watch(glimpses: mpsc::Receiver<Glimpse>, draw: bool, json: bool) -> io::Result<()> {
    if draw { screen::run(glimpses) } else { lines::run(glimpses, json) }
}

/// A box that changes nothing on this computer: its broker takes a free port on the loopback interface, it lights no
/// pins and keeps its state in a folder that goes away.
fn configure(arguments: &Arguments, folder: &std::path::Path, draw: bool) -> anyhow::Result<Config> {
    let mut config = Config::default();
    config.mqtt.broker = Broker::Embedded;
    config.mqtt.embedded_port = Bounded(0);
    folder.clone_into(&mut config.store.folder);
    config.music.catalogue.clone_from(&arguments.library);
    config.camera.source = match (&arguments.source, arguments.camera) {
        (Some(source), _) => source.clone(),
        (None, true) => Source::V4l2Auto,
        (None, false) => {
            let path = folder.join("evening.mjpeg");
            fs::write(&path, RECORDING).with_context(|| format!("cannot write {}", path.display()))?;
            Source::Replay(path)
        }
    };
    if matches!(config.camera.source, Source::Replay(_)) {
        config.camera.fps = Bounded(if draw { RECORDED_FPS } else { 0 });
        config.camera.repeat = draw;
    }
    Ok(config)
}
