//! The capture thread: keeps the camera open while it is wanted, and its light lit for exactly as long, and puts its frames
//! into the mailbox.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moodbox_core::config;
use tracing::info;

use crate::camera::latest::{Closed, Latest};
use crate::camera::{self, Camera, CameraError, OwnedFrame};
use crate::lamp::Lamp;
use crate::systemd::{BEAT, Pulse};

/// Pauses between two attempts to open a camera that does not work.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A camera that has given frames for so long is a good one. One that breaks off sooner is opened more seldom.
const HELD: Duration = Duration::from_secs(60);

/// Whether the camera is wanted; shared with the thread that captures.
#[derive(Debug, Default)]
pub struct Wanted {
    wish: Mutex<Wish>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, Default)]
struct Wish {
    /// By command.
    wanted: bool,
    /// By the switch on the box, which no command is above.
    forbidden: bool,
    ended: bool,
    /// How often any of this was set.
    times: u32,
}

impl Wish {
    const fn is_on(self) -> bool {
        self.wanted && !self.forbidden && !self.ended
    }
}

impl Wanted {
    /// Turns the camera on or off.
    pub fn set(&self, on: bool) {
        self.change(|wish| wish.wanted = on);
    }

    /// Keeps the camera off whatever else is set, or no longer.
    pub fn forbid(&self, forbidden: bool) {
        self.change(|wish| wish.forbidden = forbidden);
    }

    /// Ends the thread.
    pub fn never_again(&self) {
        self.change(|wish| wish.ended = true);
    }

    fn change(&self, change: impl FnOnce(&mut Wish)) {
        let mut wish = self.lock();
        change(&mut wish);
        wish.times = wish.times.wrapping_add(1);
        self.changed.notify_all();
    }

    /// Whether the end comes within a time.
    pub fn ends_within(&self, time: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), time, |wish| !wish.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }

    fn lock(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is to be open now.
    pub fn is_on(&self) -> bool {
        self.lock().is_on()
    }

    /// Waits until it is on; false when it never will be.
    fn wait(&self, pulse: &Pulse) -> bool {
        loop {
            pulse.beat();
            let waited = self.changed.wait_timeout_while(self.lock(), BEAT, |wish| !wish.is_on() && !wish.ended);
            let wish = *waited.unwrap_or_else(PoisonError::into_inner).0;
            if wish.ended || wish.is_on() {
                return !wish.ended;
            }
        }
    }

    /// Waits for a time, or until it is no longer on.
    fn pause(&self, time: Duration) {
        // What it says is looked at by the next call.
        drop(self.changed.wait_timeout_while(self.lock(), time, |wish| wish.is_on()));
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
    /// It is closed, as it was asked to be.
    Closed,
}

/// Which errors are news.
#[derive(Debug, Default)]
struct Told {
    was_unplugged: bool,
    /// How often the wish had been set by then.
    times: u32,
}

impl Told {
    /// Takes in that the camera has failed; returns whether that is to be told. That it is not there is no news of one that was
    /// unplugged, until somebody sets the switch again: why it does not work is forgotten with that.
    fn takes_in(&mut self, error: &CameraError, times: u32) -> bool {
        let is_missing = matches!(error, CameraError::NoCamera | CameraError::NotFound(_));
        let is_known = self.was_unplugged && is_missing && self.times == times;
        self.was_unplugged = matches!(error, CameraError::Unplugged(_)) || (self.was_unplugged && is_missing);
        self.times = times;
        !is_known
    }
}

/// Runs until the camera is never wanted again, or a recording has ended; then closes the mailbox.
pub fn run(config: &config::Camera, epoch: Instant, shared: &Shared, lamp: &Lamp, tell: impl Fn(News)) {
    let mut pause = FIRST_PAUSE;
    let mut told = Told::default();
    let mut gives_frames_since: Option<Instant> = None;
    while shared.wanted.wait(&shared.pulse) {
        let streamed = camera::open(config, epoch, || lamp.camera_opens()).and_then(|mut camera| {
            info!("camera: {}", camera.describe());
            stream(camera.as_mut(), config.every_frame(), shared, || {
                gives_frames_since = Some(Instant::now());
                told = Told::default();
                tell(News::Up);
            })
        });
        // Here it is closed, however it ended.
        lamp.camera_closed();
        match streamed {
            Ok(End::Switched) => tell(News::Closed),
            Ok(End::Recording) => break,
            Err(error) => {
                if told.takes_in(&error, shared.wanted.lock().times) {
                    tell(News::Down(error));
                }
                if gives_frames_since.take().is_some_and(|since| since.elapsed() >= HELD) {
                    pause = FIRST_PAUSE;
                }
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
        shared.pulse.beat();
        let Some(frame) = camera.next()? else { return Ok(End::Recording) };
        shared.lost.fetch_add(frame.lost.into(), Ordering::Relaxed);
        shared.corrupt.fetch_add(frame.corrupt.into(), Ordering::Relaxed);
        owned.copy_from(&frame);
        if is_first {
            started();
            is_first = false;
        }
        let put = if every_frame {
            // Vision takes the time that it takes, and has a pulse of its own.
            shared.pulse.rest();
            shared.frames.put_when_taken(&mut owned)
        } else {
            shared.frames.put(&mut owned)
        };
        if let Err(Closed) = put {
            return Ok(End::Switched);
        }
    }
    Ok(End::Switched)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::switch::{self, Position};

    #[test]
    fn that_an_unplugged_camera_is_not_there_is_told_after_each_word_about_the_switch() {
        let wanted = Wanted::default();
        let mut told = Told::default();
        let mut is_told = |error: CameraError| told.takes_in(&error, wanted.lock().times);
        let missing = || CameraError::NotFound(PathBuf::from("/dev/video0"));
        wanted.set(true);
        assert!(is_told(CameraError::Unplugged(PathBuf::from("/dev/video0"))));
        assert!(!is_told(missing()) && !is_told(CameraError::NoCamera));
        // The same word once more, or the switch on the box: the engine has forgotten why.
        wanted.set(true);
        assert!(is_told(missing()) && !is_told(missing()));
        wanted.forbid(false);
        assert!(is_told(missing()) && !is_told(missing()));
        assert!(is_told(CameraError::Busy(PathBuf::from("/dev/video0"))));
    }

    #[test]
    fn a_look_at_the_switch_is_no_word_about_it() {
        let wanted = Wanted::default();
        let mut told = Told::default();
        let mut is_told = |error: CameraError| told.takes_in(&error, wanted.lock().times);
        let missing = || CameraError::NotFound(PathBuf::from("/dev/video0"));
        let mut look = switch::follow(&wanted, |_| ());
        look(Position::On);
        assert!(is_told(CameraError::Unplugged(PathBuf::from("/dev/video0"))));
        look(Position::On);
        assert!(!is_told(missing()));
        look(Position::Off("the switch on the box is off".to_owned()));
        look(Position::On);
        assert!(is_told(missing()) && !is_told(missing()));
    }
}
