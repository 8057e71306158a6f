//! A camera of the kernel, captured into mapped memory.
//!
//! It stands on the ioctls of the crate `v4l`, not on its stream: that panics when a camera goes at a bad moment, hands
//! a buffer back that the kernel still owns after a time-out, and gives the whole buffer where the frame fills a part.

#[allow(unsafe_code)]
mod device;
mod layout;
mod mode;
mod nodes;

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Camera, CameraError, CapturedFrame};
use device::{Device, Filled, Identity, Stream, Wake};
use layout::Layout;
use mode::{Wanted, choose};

/// Longer than the slowest camera takes in the dark, and short enough to say within 5 s that it is gone.
const FRAME_TIMEOUT: Duration = Duration::from_secs(3);

/// One is read here, one is filled, and two take what comes while this process does not run.
const BUFFERS: u32 = 4;

/// A camera that streams.
pub(super) struct V4l2Camera {
    stream: Stream,
    card: String,
    layout: Layout,
    /// Frames a second, where the driver tells.
    fps: Option<f32>,
    /// The buffer that the last frame was handed out from.
    held: Option<Filled>,
    /// The driver's number of the last frame.
    sequence: Option<u32>,
    epoch: Instant,
}

/// What became of the frames on the way to one good one.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    lost: u32,
    corrupt: u32,
}

impl V4l2Camera {
    /// Opens the first camera that gives frames by itself.
    pub(super) fn open_first(wanted: Wanted, epoch: Instant, starts: &dyn Fn()) -> Result<Self, CameraError> {
        let mut refusal = None;
        for path in nodes::video_nodes(Path::new("/dev")) {
            let opened = Device::open(&path).and_then(|device| match device.identity()? {
                Identity { stand_alone: false, .. } => Err(CameraError::NotACamera(path)),
                identity => Self::start(device, identity, wanted, epoch, starts),
            });
            match opened {
                Ok(camera) => return Ok(camera),
                Err(CameraError::NotACamera(_)) => {}
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or(CameraError::NoCamera))
    }

    /// Opens this camera.
    pub(super) fn open(path: &Path, wanted: Wanted, epoch: Instant, starts: &dyn Fn()) -> Result<Self, CameraError> {
        let device = Device::open(path)?;
        let identity = device.identity()?;
        Self::start(device, identity, wanted, epoch, starts)
    }

    fn start(
        device: Device,
        identity: Identity,
        wanted: Wanted,
        epoch: Instant,
        starts: &dyn Fn(),
    ) -> Result<Self, CameraError> {
        let modes = device.modes(wanted);
        let Some(mode) = choose(&modes, wanted) else {
            let mut offered: Vec<String> = modes.iter().map(|mode| mode.fourcc.to_string()).collect();
            offered.dedup();
            let offered = if offered.is_empty() { "no format".to_owned() } else { offered.join(", ") };
            return Err(CameraError::NoUsableFormat { path: device.path, offered });
        };
        let layout = device.set_format(mode)?;
        let set = if wanted.fps > 0 { device.set_rate(wanted.fps) } else { None };
        starts();
        Ok(Self {
            stream: device.stream(BUFFERS)?,
            card: identity.card,
            layout,
            fps: set.or(mode.fps),
            held: None,
            sequence: None,
            epoch,
        })
    }

    /// The newest of the buffers that are filled, if any is good; the others go back. Whether any was filled.
    fn drain(&mut self, tally: &mut Tally) -> Result<(Option<Filled>, bool), CameraError> {
        let mut newest = None;
        let mut any = false;
        // Once around, however fast the camera is.
        for _ in 0..self.stream.buffers() {
            let Some(filled) = self.stream.dequeue()? else { break };
            any = true;
            let stale = if self.accepts(&filled, tally) { newest.replace(filled) } else { Some(filled) };
            if let Some(stale) = stale {
                self.stream.queue(stale)?;
            }
        }
        Ok((newest, any))
    }

    /// Whether the frame is whole, undamaged and newer than the last.
    fn accepts(&mut self, filled: &Filled, tally: &mut Tally) -> bool {
        if let Some(last) = self.sequence {
            let step = filled.sequence.wrapping_sub(last) as i32;
            // Under load uvcvideo can hand frames over out of order. A driver that does not count gives 0 for ever.
            if step < 0 {
                return false;
            }
            tally.lost = tally.lost.saturating_add((step as u32).saturating_sub(1));
        }
        self.sequence = Some(filled.sequence);
        let good = !filled.damaged && self.layout.is_whole(self.stream.bytes(filled));
        tally.corrupt = tally.corrupt.saturating_add(u32::from(!good));
        good
    }
}

impl Camera for V4l2Camera {
    fn next(&mut self) -> Result<Option<CapturedFrame<'_>>, CameraError> {
        if let Some(filled) = self.held.take() {
            self.stream.queue(filled)?;
        }
        let deadline = Instant::now() + FRAME_TIMEOUT;
        let mut tally = Tally::default();
        let filled = loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let wake = self.stream.wait(left)?;
            let (newest, any) = self.drain(&mut tally)?;
            if let Some(filled) = newest {
                break filled;
            }
            let path = || self.stream.device.path.clone();
            // The error stands, and poll(2) returns at once as long as it does: to wait again would spin.
            if wake == Wake::Error && !any {
                return Err(CameraError::Stopped(path()));
            }
            if wake == Wake::TimedOut || left.is_zero() {
                return Err(CameraError::TimedOut { path: path(), after: FRAME_TIMEOUT, corrupt: tally.corrupt });
            }
        };
        let data = self.stream.bytes(self.held.insert(filled));
        let Layout { format, width, height, stride, .. } = self.layout;
        let Tally { lost, corrupt } = tally;
        Ok(Some(CapturedFrame { data, format, width, height, stride, lost, corrupt, at: self.epoch.elapsed() }))
    }

    fn describe(&self) -> String {
        let Layout { format, width, height, .. } = self.layout;
        let rate = self.fps.map_or(String::new(), |fps| format!(" at {fps:.0} fps"));
        format!("{} ({}), {} {width}x{height}{rate}", self.card, self.stream.device.path.display(), format.name())
    }
}
