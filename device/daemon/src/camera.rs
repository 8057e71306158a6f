//! Where frames come from: a camera, or a recording that stands in for one.

mod jpeg;
pub mod latest;
mod mjpeg;
mod replay;
mod v4l2;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use moodbox_core::config::{self, Source};

/// How the bytes of a frame mean pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PixelFormat {
    /// One JPEG file.
    #[default]
    Mjpeg,
    /// Pairs of pixels as Y0 U Y1 V, limited range BT.601.
    Yuyv,
    /// Red, green and blue, a byte each.
    Rgb,
    /// Brightness, one byte.
    Grey,
}

impl PixelFormat {
    /// The bytes of one pixel, where pixels have a fixed size.
    #[must_use]
    pub fn bytes_per_pixel(self) -> Option<usize> {
        match self {
            Self::Mjpeg => None,
            Self::Yuyv => Some(2),
            Self::Rgb => Some(3),
            Self::Grey => Some(1),
        }
    }

    /// The name a person knows it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mjpeg => "MJPEG",
            Self::Yuyv => "YUYV",
            Self::Rgb => "RGB",
            Self::Grey => "GREY",
        }
    }
}

/// Most pixels of a frame that a camera is asked for: more than can be configured.
const MAX_PIXELS: usize = 1920 * 1080;

/// Most pixels that a frame may have. A damaged one from a camera must not claim more, for they take memory.
#[must_use]
pub const fn most_pixels(config: &config::Camera) -> usize {
    match config.source {
        Source::Replay(_) => replay::MAX_PIXELS,
        Source::V4l2Auto | Source::V4l2(_) => MAX_PIXELS,
    }
}

/// A frame in the camera's own memory.
#[derive(Debug, Clone, Copy)]
pub struct CapturedFrame<'a> {
    /// What was captured, without the unused rest of the buffer.
    pub data: &'a [u8],
    /// What `data` holds.
    pub format: PixelFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes from the start of one row to the start of the next; 0 for [`PixelFormat::Mjpeg`].
    pub stride: usize,
    /// Frames since the one before that the camera made and nobody could have: gaps in its sequence numbers.
    pub lost: u32,
    /// Frames since the one before that arrived damaged and were dropped.
    pub corrupt: u32,
    /// When it was captured, on the clock that [`open`] was given.
    pub at: Duration,
}

/// A frame in memory of its own, to be filled again and again.
#[derive(Debug, Clone, Default)]
pub struct OwnedFrame {
    /// As [`CapturedFrame::data`].
    pub data: Vec<u8>,
    /// As [`CapturedFrame::format`].
    pub format: PixelFormat,
    /// As [`CapturedFrame::width`].
    pub width: u32,
    /// As [`CapturedFrame::height`].
    pub height: u32,
    /// As [`CapturedFrame::stride`].
    pub stride: usize,
    /// As [`CapturedFrame::at`].
    pub at: Duration,
}

impl OwnedFrame {
    /// Becomes a copy of `frame`. Allocates only where `frame` is larger than any before.
    pub fn copy_from(&mut self, frame: &CapturedFrame<'_>) {
        self.data.clear();
        self.data.extend_from_slice(frame.data);
        self.format = frame.format;
        self.width = frame.width;
        self.height = frame.height;
        self.stride = frame.stride;
        self.at = frame.at;
    }
}

/// A source of frames, one at a time.
pub trait Camera {
    /// Waits for the next frame; `None` is the end of a recording. The frame's memory goes back to the camera with the
    /// next call.
    ///
    /// # Errors
    /// When no frame came in time, the camera went away, or the recording cannot be read. The camera is then to be
    /// opened anew.
    fn next(&mut self) -> Result<Option<CapturedFrame<'_>>, CameraError>;

    /// The camera, its format, size and rate, for a person to read.
    fn describe(&self) -> String;
}

/// Why there are no frames.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// `v4l2:auto` found none.
    #[error("no camera found: plug one in, or set camera.source to v4l2:/dev/videoN or replay:PATH")]
    NoCamera,
    /// The configured camera is not there.
    #[error("camera {} is not there: plug it in, or choose another with camera.source", .0.display())]
    NotFound(PathBuf),
    /// The file is there, but is not a video capture device.
    #[error("{} is not a camera: it does not capture video; choose another with camera.source", .0.display())]
    NotACamera(PathBuf),
    /// The user may not open it.
    #[error("camera {} may not be opened: add the user to the group video", .0.display())]
    Denied(PathBuf),
    /// Another program streams from it.
    #[error("camera {} is used by another program: close it, or choose another with camera.source", .0.display())]
    Busy(PathBuf),
    /// It was there and is gone.
    #[error("camera {} was unplugged: plug it in again", .0.display())]
    Unplugged(PathBuf),
    /// The driver stopped it and does not say why.
    #[error("camera {} stopped: unplug it and plug it in again", .0.display())]
    Stopped(PathBuf),
    /// No whole frame came in time.
    #[error("camera {} gave no frame for {} s ({corrupt} damaged ones): check its cable", .path.display(), .after.as_secs())]
    TimedOut {
        /// The camera.
        path: PathBuf,
        /// How long was waited.
        after: Duration,
        /// Frames that arrived meanwhile, damaged.
        corrupt: u32,
    },
    /// It captures, but nothing that can be read here.
    #[error("camera {} offers {offered}, but MJPG, YUYV, GREY or RGB3 is needed: choose another with camera.source", .path.display())]
    NoUsableFormat {
        /// The camera.
        path: PathBuf,
        /// Its formats, as the four letters that the kernel gives them.
        offered: String,
    },
    /// Anything else the kernel says.
    #[error("camera {}: {doing}: {source}", .path.display())]
    Io {
        /// The camera.
        path: PathBuf,
        /// What was asked of it.
        doing: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The recording cannot be opened or read.
    #[error("recording {}: {source}: check the path in camera.source", .path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The recording is there, but holds no picture.
    #[error("recording {} holds no picture: {reason}", .path.display())]
    NoPicture {
        /// The file or folder.
        path: PathBuf,
        /// What it should have held.
        reason: String,
    },
}

/// Opens the camera that the configuration names. Frames are stamped with the time since `epoch`. `starts` is called right
/// before the stream starts, so before anything is seen, and not where that is not even tried.
///
/// # Errors
/// When there is no such camera or recording, or it is of no use; see [`CameraError`].
pub fn open(config: &config::Camera, epoch: Instant, starts: impl Fn()) -> Result<Box<dyn Camera + Send>, CameraError> {
    match &config.source {
        Source::V4l2Auto => Ok(Box::new(v4l2::V4l2Camera::open_first(config.into(), epoch, &starts)?)),
        Source::V4l2(path) => Ok(Box::new(v4l2::V4l2Camera::open(path, config.into(), epoch, &starts)?)),
        Source::Replay(path) => {
            let replay = replay::Replay::open(path, config.fps.0, config.repeat, epoch)?;
            starts();
            Ok(Box::new(replay))
        }
    }
}
