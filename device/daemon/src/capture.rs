//! The capture thread: keeps the camera open while it is wanted, and puts its frames into the mailbox.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moodbox_core::config;
use tracing::info;

use crate::camera::latest::{Closed, Latest};
use crate::camera::{self, Camera, CameraError, OwnedFrame};
use crate::systemd::Pulse;

/// Pauses between two attempts to open a camera that does not work.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Whether the camera is wanted; shared with the thread that captures.
#[derive(Debug, Default)]
pub struct Wanted {
    wish: Mutex<Wish>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Wish {
    #[default]
    Off,
    On,
    Never,
}

impl Wanted {
    /// Turns the camera on or off.
    pub fn set(&self, on: bool) {
        let mut wish = self.lock();
        if *wish != Wish::Never {
            *wish = if on { Wish::On } else { Wish::Off };
        }
        self.changed.notify_all();
    }

    /// Ends the thread.
    pub fn never_again(&self) {
        *self.lock() = Wish::Never;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_on(&self) -> bool {
        *self.lock() == Wish::On
    }

    /// Waits until it is on; false when it never will be.
    fn wait(&self) -> bool {
        let wish = self.changed.wait_while(self.lock(), |w| *w == Wish::Off);
        *wish.unwrap_or_else(PoisonError::into_inner) == Wish::On
    }

    /// Waits for a time, or until it is no longer on.
    fn pause(&self, time: Duration) {
        // What it says is looked at by the next call.
        drop(self.changed.wait_timeout_while(self.lock(), time, |w| *w == Wish::On));
    }
}

/// What the thread shares with others.
#[derive(Debug, Default)]
pub struct Shared {
    /// Whether the camera is wanted.
    pub wanted: Wanted,
    /// Its newest frame.
    pub frames: Latest<OwnedFrame>,
    /// Frames that the camera made and nobody could have.
    pub lost: AtomicU64,
    /// Frames that arrived damaged.
    pub corrupt: AtomicU64,
    /// For the watchdog.
    pub pulse: Pulse,
    /// Whether somebody aims the camera and wants small pictures.
    pub preview: AtomicBool,
    /// Settings that vision shall go by from the next frame on.
    pub vision: Mutex<Option<config::Vision>>,
}

/// News of the camera.
#[derive(Debug)]
pub enum News {
    /// It gives frames.
    Up,
    /// It does not; the error says why.
    Down(CameraError),
}

/// Runs until the camera is never wanted again, or a recording has ended; then closes the mailbox.
pub fn run(config: &config::Camera, epoch: Instant, shared: &Shared, tell: impl Fn(News)) {
    let mut pause = FIRST_PAUSE;
    while shared.wanted.wait() {
        let opened = shared.pulse.during(|| camera::open(config, epoch));
        let streamed = opened.and_then(|mut camera| {
            info!("camera: {}", camera.describe());
            stream(camera.as_mut(), config.every_frame(), shared, || {
                pause = FIRST_PAUSE;
                tell(News::Up);
            })
        });
        match streamed {
            Ok(End::Switched) => {}
            Ok(End::Recording) => break,
            Err(error) => {
                tell(News::Down(error));
                shared.wanted.pause(pause);
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
        }
    }
    shared.frames.close();
}

/// Why a stream ended without an error.
enum End {
    /// Somebody switched the camera off, or nobody takes frames any more.
    Switched,
    /// There is no more.
    Recording,
}

fn stream(
    camera: &mut dyn Camera,
    every_frame: bool,
    shared: &Shared,
    mut started: impl FnMut(),
) -> Result<End, CameraError> {
    let mut owned = OwnedFrame::default();
    let mut is_first = true;
    while shared.wanted.is_on() {
        let Some(frame) = shared.pulse.during(|| camera.next())? else { return Ok(End::Recording) };
        shared.lost.fetch_add(frame.lost.into(), Ordering::Relaxed);
        shared.corrupt.fetch_add(frame.corrupt.into(), Ordering::Relaxed);
        owned.copy_from(&frame);
        if is_first {
            started();
            is_first = false;
        }
        let put = if every_frame { shared.frames.put_when_taken(&mut owned) } else { shared.frames.put(&mut owned) };
        if let Err(Closed) = put {
            return Ok(End::Switched);
        }
    }
    Ok(End::Switched)
}
