//! The vision thread: takes the newest frame and says who is in it.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use moodbox_core::config;
use moodbox_core::face::{SeenFace, Size};
use moodbox_core::topics::PreviewFrame;
use moodbox_models::Models;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::model::ModelError;
use moodbox_vision::pixels::Pixels;
use moodbox_vision::{Activity, Tracker};
use tracing::debug;

use crate::camera::latest::Closed;
use crate::camera::{OwnedFrame, PixelFormat};
use crate::capture::Shared;
use crate::pace::Pace;
use crate::picture::Picture;
use crate::systemd::{BEAT, Pulse};

/// Pixels in a row of the picture on the terminal of this computer, about.
const WATCHED_WIDTH: usize = 160;

/// Pixels in a row of the picture for who aims the camera, about.
const PREVIEW_WIDTH: usize = 320;

/// Shortest time between two pictures for who aims the camera.
const PREVIEW_PAUSE: Duration = Duration::from_millis(180);

/// What was seen in one frame.
#[derive(Debug)]
pub struct Sighting {
    /// The faces, best first.
    pub faces: Vec<SeenFace>,
    /// How large the frame is.
    pub frame: Size,
    /// How much goes on in the room.
    pub activity: Activity,
    /// Mean brightness of the frame, 0..1, where it is one of a sequence.
    pub light: Option<f32>,
    /// When the frame was captured.
    pub at: Duration,
    /// What decoding and analysis took.
    pub took: Duration,
    /// The frame, small, where somebody at this computer watches.
    pub picture: Option<Picture>,
    /// The frame, small, for who aims the camera.
    pub preview: Option<PreviewFrame>,
}

/// How frames are looked at, whatever the settings say.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Whether all frames are, each for itself.
    pub every_frame: bool,
    /// Whether small copies are made.
    pub watched: bool,
    /// The largest frame that is decoded.
    pub most_pixels: usize,
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
    let mut tracker = Tracker::new(models, settings)?;
    let mut decoder = Decoder::new(manner.most_pixels);
    let mut owned = OwnedFrame::default();
    let mut pace = Pace::new(settings);
    let mut pictured: Option<Instant> = None;
    // With settings that the networks cannot be set up for nothing is seen until there are others.
    let mut is_set_up = true;
    loop {
        pulse.beat();
        match shared.frames.take_within(&mut owned, BEAT) {
            Ok(true) => pulse.beat(),
            Ok(false) => continue,
            Err(Closed) => break,
        }
        if let Some(settings) = shared.vision.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let configured = tracker.configure(models, &settings);
            is_set_up = configured.is_ok();
            if configured.is_err_and(|error| !tell(Err(error.into()))) {
                break;
            }
            pace = Pace::new(&settings);
        }
        if !is_set_up {
            continue;
        }
        let clock = Instant::now();
        let aimed = shared.preview.load(Ordering::Relaxed);
        let wants_preview = aimed && pictured.is_none_or(|at| at.elapsed() >= PREVIEW_PAUSE);
        let pictures = Pictures { watched: manner.watched, aimed, preview: wants_preview };
        let seen = look(&mut tracker, &mut decoder, &owned, manner.every_frame, pictures);
        if wants_preview {
            pictured = Some(clock);
        }
        let sighting = match seen {
            Ok(Some(sighting)) => Ok(Sighting { took: clock.elapsed(), ..sighting }),
            Ok(None) => {
                shared.corrupt.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            Err(error) => Err(error.into()),
        };
        let activity = sighting.as_ref().map_or(Activity::Changing, |sighting: &Sighting| sighting.activity);
        if !tell(sighting) {
            break;
        }
        let interval = pace.interval(activity);
        if let Some(rest) = interval.checked_sub(clock.elapsed()).filter(|_| !manner.every_frame) {
            thread::sleep(rest);
        }
    }
    Ok(())
}

/// Which small copies of a frame are wanted.
#[derive(Clone, Copy)]
struct Pictures {
    watched: bool,
    /// Whether somebody aims the camera.
    aimed: bool,
    /// Whether who aims it is to get one of this frame.
    preview: bool,
}

/// `None` where the frame is damaged.
fn look(
    tracker: &mut Tracker,
    decoder: &mut Decoder,
    owned: &OwnedFrame,
    every_frame: bool,
    pictures: Pictures,
) -> Result<Option<Sighting>, ModelError> {
    let (width, height) = (owned.width as usize, owned.height as usize);
    let plain = |format| {
        Frame::new(&owned.data, format, width, height, owned.stride).map(Pixels::Plain).map_err(|e| e.to_string())
    };
    let pixels = match owned.format {
        PixelFormat::Mjpeg => decoder.open(&owned.data).map_err(|e| e.to_string()),
        PixelFormat::Yuyv => plain(Format::Yuyv),
        PixelFormat::Rgb => plain(Format::Rgb),
        PixelFormat::Grey => plain(Format::Grey),
    };
    let mut pixels = match pixels {
        Ok(pixels) => pixels,
        Err(reason) => {
            debug!("frame dropped: {reason}");
            return Ok(None);
        }
    };
    let picture = pictures.watched.then(|| Picture::of(&pixels, WATCHED_WIDTH));
    // Frames that do not come at the pace of life are no sequence.
    let (faces, activity, light) = if every_frame {
        (tracker.vision().analyse(&mut pixels)?.faces, Activity::Changing, None)
    } else {
        let sight = tracker.track(&mut pixels, owned.at)?;
        // Whoever aims the camera wants to see it move.
        (sight.faces, if pictures.aimed { Activity::Changing } else { sight.activity }, Some(sight.light))
    };
    let preview = pictures.preview.then(|| preview(&pixels, faces)).flatten();
    let (width, height) = pixels.size();
    let size = Size { width: width as u32, height: height as u32 };
    Ok(Some(Sighting {
        faces: faces.to_vec(),
        frame: size,
        activity,
        light,
        at: owned.at,
        took: Duration::ZERO,
        picture,
        preview,
    }))
}

/// `None` where the frame makes no JPEG.
fn preview(pixels: &Pixels<'_>, faces: &[SeenFace]) -> Option<PreviewFrame> {
    let picture = Picture::of(pixels, PREVIEW_WIDTH);
    let (width, height) = pixels.size();
    Some(PreviewFrame {
        jpeg: picture.jpeg().ok()?,
        width: width as u32,
        height: height as u32,
        light: (picture.light() * 1000.0).round() / 1000.0,
        faces: faces.iter().map(Into::into).collect(),
    })
}
