//! The vision thread: takes the newest frame and says who is in it.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use moodbox_core::config;
use moodbox_core::face::SeenFace;
use moodbox_models::Models;
use moodbox_vision::Vision;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::model::ModelError;
use tracing::debug;

use crate::camera::{OwnedFrame, PixelFormat};
use crate::capture::Shared;
use crate::systemd::Pulse;

/// Most pixels of a frame: more than any camera mode that can be configured.
const MAX_PIXELS: usize = 1920 * 1080;

/// What was seen in one frame.
#[derive(Debug)]
pub struct Sighting {
    /// The faces, best first.
    pub faces: Vec<SeenFace>,
    /// When the frame was captured.
    pub at: Duration,
    /// What decoding and analysis took.
    pub took: Duration,
    /// The frame, small, where somebody at this computer watches.
    pub picture: Option<Picture>,
}

/// A small copy of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Red, green and blue, row by row.
    pub rgb: Vec<u8>,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width of the frame that it shows.
    pub frame_width: usize,
    /// Height of the frame that it shows.
    pub frame_height: usize,
}

impl Picture {
    /// Every n-th pixel of a frame, about 160 in a row.
    fn of(frame: &Frame<'_>) -> Self {
        let step = (frame.width() / 160).max(1);
        let (width, height) = (frame.width() / step, frame.height() / step);
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| frame.rgb(x * step, y * step)));
        Self { rgb: pixels.collect(), width, height, frame_width: frame.width(), frame_height: frame.height() }
    }
}

/// How frames are looked at, whatever the settings say.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Whether all frames are, one after the other.
    pub every_frame: bool,
    /// Whether small copies are made.
    pub watched: bool,
}

/// Runs until the mailbox is closed. `tell` says whether anybody still listens.
///
/// # Errors
/// When a network cannot be loaded.
pub fn run(
    models: &Models,
    settings: &config::Vision,
    manner: Manner,
    shared: &Shared,
    pulse: &Pulse,
    tell: &impl Fn(anyhow::Result<Sighting>) -> bool,
) -> anyhow::Result<()> {
    let mut vision = Vision::new(models, settings)?;
    let mut decoder = Decoder::new(MAX_PIXELS);
    let mut owned = OwnedFrame::default();
    let mut fps = settings.fps.0;
    while shared.frames.take(&mut owned).is_ok() {
        if let Some(settings) = shared.vision.lock().unwrap_or_else(PoisonError::into_inner).take() {
            vision = pulse.during(|| Vision::new(models, &settings))?;
            fps = settings.fps.0;
        }
        let clock = Instant::now();
        let seen = pulse.during(|| look(&mut vision, &mut decoder, &owned, manner.watched));
        let sighting = match seen {
            Ok(Some(sighting)) => Ok(Sighting { took: clock.elapsed(), ..sighting }),
            Ok(None) => {
                shared.corrupt.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            Err(error) => Err(error.into()),
        };
        if !tell(sighting) {
            break;
        }
        let shortest = Duration::from_secs(1) / fps.max(1);
        if let Some(rest) = shortest.checked_sub(clock.elapsed()).filter(|_| !manner.every_frame) {
            thread::sleep(rest);
        }
    }
    Ok(())
}

/// `None` where the frame is damaged.
fn look(
    vision: &mut Vision,
    decoder: &mut Decoder,
    owned: &OwnedFrame,
    watched: bool,
) -> Result<Option<Sighting>, ModelError> {
    let (width, height) = (owned.width as usize, owned.height as usize);
    let plain = |format| Frame::new(&owned.data, format, width, height, owned.stride).map_err(|e| e.to_string());
    let frame = match owned.format {
        PixelFormat::Mjpeg => decoder.decode(&owned.data).map_err(|e| e.to_string()),
        PixelFormat::Yuyv => plain(Format::Yuyv),
        PixelFormat::Rgb => plain(Format::Rgb),
        PixelFormat::Grey => plain(Format::Grey),
    };
    let frame = match frame {
        Ok(frame) => frame,
        Err(reason) => {
            debug!("frame dropped: {reason}");
            return Ok(None);
        }
    };
    let picture = watched.then(|| Picture::of(&frame));
    let faces = vision.analyse(&frame)?.faces.to_vec();
    Ok(Some(Sighting { faces, at: owned.at, took: Duration::ZERO, picture }))
}
