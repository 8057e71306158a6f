//! The kernel's video nodes: a safe face on their ioctls and mapped buffers.

use std::fs::{File, OpenOptions};
use std::io;
use std::marker::PhantomData;
use std::mem;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::time::Duration;

use v4l::v4l_sys as sys;
use v4l::v4l2::{self, vidioc};

use crate::camera::CameraError;

use super::layout::Layout;
use super::mode::{FourCc, Mode, Wanted, nearest_step};

const CAPTURE: u32 = sys::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;
const MMAP: u32 = sys::v4l2_memory_V4L2_MEMORY_MMAP;

/// An ioctl and the struct that it takes.
struct Request<T> {
    code: vidioc::_IOC_TYPE,
    takes: PhantomData<T>,
}

impl<T> Request<T> {
    /// Does not compile where the size that is part of the code is not the struct's.
    const fn new(code: vidioc::_IOC_TYPE) -> Self {
        assert!((code >> 16) as usize & 0x3fff == size_of::<T>());
        Self { code, takes: PhantomData }
    }
}

const QUERYCAP: Request<sys::v4l2_capability> = Request::new(vidioc::VIDIOC_QUERYCAP);
const ENUM_FMT: Request<sys::v4l2_fmtdesc> = Request::new(vidioc::VIDIOC_ENUM_FMT);
const ENUM_FRAMESIZES: Request<sys::v4l2_frmsizeenum> = Request::new(vidioc::VIDIOC_ENUM_FRAMESIZES);
const ENUM_FRAMEINTERVALS: Request<sys::v4l2_frmivalenum> = Request::new(vidioc::VIDIOC_ENUM_FRAMEINTERVALS);
const S_FMT: Request<sys::v4l2_format> = Request::new(vidioc::VIDIOC_S_FMT);
const S_PARM: Request<sys::v4l2_streamparm> = Request::new(vidioc::VIDIOC_S_PARM);
const REQBUFS: Request<sys::v4l2_requestbuffers> = Request::new(vidioc::VIDIOC_REQBUFS);
const QUERYBUF: Request<sys::v4l2_buffer> = Request::new(vidioc::VIDIOC_QUERYBUF);
const QBUF: Request<sys::v4l2_buffer> = Request::new(vidioc::VIDIOC_QBUF);
const DQBUF: Request<sys::v4l2_buffer> = Request::new(vidioc::VIDIOC_DQBUF);
const STREAMON: Request<u32> = Request::new(vidioc::VIDIOC_STREAMON);
const STREAMOFF: Request<u32> = Request::new(vidioc::VIDIOC_STREAMOFF);

/// A struct of videodev2.h with nothing set.
fn zeroed<T: Copy>() -> T {
    // SAFETY: called for the structs of the requests above only: integers, raw pointers, and arrays and unions of them,
    // for all of which zero bytes are a value.
    unsafe { mem::zeroed() }
}

/// An open video node.
pub(super) struct Device {
    pub(super) path: PathBuf,
    file: File,
}

/// Who a camera is.
pub(super) struct Identity {
    /// The name that its maker gave it.
    pub(super) card: String,
    /// Whether it gives frames by itself, without a pipeline that another program sets up.
    pub(super) stand_alone: bool,
}

impl Device {
    pub(super) fn open(path: &Path) -> Result<Self, CameraError> {
        match OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path) {
            Ok(file) => Ok(Self { path: path.to_owned(), file }),
            Err(error) => Err(explain(path, "open", error)),
        }
    }

    fn ioctl<T>(&self, request: &Request<T>, argument: &mut T) -> io::Result<()> {
        loop {
            // SAFETY: the kernel reads and writes one T (the request's code carries its size, which is checked when
            // compiled), and follows no pointer in it: single-plane mapped buffers have none.
            let result = unsafe { v4l2::ioctl(self.file.as_raw_fd(), request.code, ptr::from_mut(argument).cast()) };
            match result {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// As [`Device::ioctl`], with the error for a person.
    fn ask<T>(&self, request: &Request<T>, argument: &mut T, doing: &'static str) -> Result<(), CameraError> {
        self.ioctl(request, argument).map_err(|error| self.explain(doing, error))
    }

    fn explain(&self, doing: &'static str, error: io::Error) -> CameraError {
        explain(&self.path, doing, error)
    }

    /// Who it is, if it captures video into mapped memory. A webcam has a second node, for metadata, that does not.
    pub(super) fn identity(&self) -> Result<Identity, CameraError> {
        let mut capability = zeroed::<sys::v4l2_capability>();
        self.ioctl(&QUERYCAP, &mut capability).map_err(|error| match error.raw_os_error() {
            Some(libc::ENOTTY | libc::EINVAL) => CameraError::NotACamera(self.path.clone()),
            _ => self.explain("identify", error),
        })?;
        // `capabilities` is what the whole device can do, `device_caps` what this node of it can.
        let can = match capability.capabilities & sys::V4L2_CAP_DEVICE_CAPS {
            0 => capability.capabilities,
            _ => capability.device_caps,
        };
        let needed = sys::V4L2_CAP_VIDEO_CAPTURE | sys::V4L2_CAP_STREAMING;
        if can & needed != needed {
            return Err(CameraError::NotACamera(self.path.clone()));
        }
        // The Pi's image processor passes for a camera, but only works on what another node is fed with.
        let stand_alone = can & sys::V4L2_CAP_IO_MC == 0 && text(&capability.driver) != "bcm2835-isp";
        Ok(Identity { card: text(&capability.card), stand_alone })
    }

    /// Calls `read` for every entry of one of the kernel's lists.
    fn each<T>(&self, request: &Request<T>, entry: impl Fn(u32) -> T, mut read: impl FnMut(&T)) {
        // No device has as many; a driver that never says "no more" must not hold the box.
        for index in 0..1000 {
            let mut item = entry(index);
            if self.ioctl(request, &mut item).is_err() {
                break;
            }
            read(&item);
        }
    }

    /// All that it offers; of a range of sizes, the one nearest to what is wanted.
    pub(super) fn modes(&self, wanted: Wanted) -> Vec<Mode> {
        let mut fourccs = Vec::new();
        let format = |index| sys::v4l2_fmtdesc { index, type_: CAPTURE, ..zeroed() };
        self.each(&ENUM_FMT, format, |format| fourccs.push(FourCc(format.pixelformat)));
        let mut modes = Vec::new();
        for fourcc in fourccs {
            let mut sizes = Vec::new();
            let size = |index| sys::v4l2_frmsizeenum { index, pixel_format: fourcc.0, ..zeroed() };
            self.each(&ENUM_FRAMESIZES, size, |size| sizes.push(size_of_entry(size, wanted)));
            if sizes.is_empty() {
                sizes.push((wanted.width, wanted.height));
            }
            modes.extend(sizes.into_iter().map(|(width, height)| Mode {
                fourcc,
                width,
                height,
                fps: self.greatest_rate(fourcc, width, height),
            }));
        }
        modes
    }

    fn greatest_rate(&self, fourcc: FourCc, width: u32, height: u32) -> Option<f32> {
        let mut greatest: Option<f32> = None;
        let entry = |index| sys::v4l2_frmivalenum { index, pixel_format: fourcc.0, width, height, ..zeroed() };
        self.each(&ENUM_FRAMEINTERVALS, entry, |interval| {
            // SAFETY: a union of integers, and `type_` says which member was filled.
            let shortest = unsafe {
                match interval.type_ {
                    sys::v4l2_frmivaltypes_V4L2_FRMIVAL_TYPE_DISCRETE => interval.__bindgen_anon_1.discrete,
                    _ => interval.__bindgen_anon_1.stepwise.min,
                }
            };
            greatest = rate(shortest).into_iter().chain(greatest).reduce(f32::max);
        });
        greatest
    }

    /// Sets the format; what the driver made of it.
    pub(super) fn set_format(&self, mode: Mode) -> Result<Layout, CameraError> {
        let mut format = sys::v4l2_format { type_: CAPTURE, ..zeroed() };
        format.fmt.pix = sys::v4l2_pix_format {
            width: mode.width,
            height: mode.height,
            pixelformat: mode.fourcc.0,
            field: sys::v4l2_field_V4L2_FIELD_NONE,
            ..zeroed()
        };
        self.ask(&S_FMT, &mut format, "set the format")?;
        // SAFETY: a union of integers, of which the driver filled `pix`, as `type_` is CAPTURE.
        let pix = unsafe { format.fmt.pix };
        let fourcc = FourCc(pix.pixelformat);
        Layout::new(fourcc, pix.width, pix.height, pix.bytesperline).ok_or_else(|| CameraError::NoUsableFormat {
            path: self.path.clone(),
            offered: format!("{fourcc} {}x{} in rows of {} bytes", pix.width, pix.height, pix.bytesperline),
        })
    }

    /// Asks for a rate; what the driver settles for. A camera with one fixed rate refuses, and is none the worse.
    pub(super) fn set_rate(&self, fps: u32) -> Option<f32> {
        let mut parameters = sys::v4l2_streamparm { type_: CAPTURE, ..zeroed() };
        parameters.parm.capture.timeperframe = sys::v4l2_fract { numerator: 1, denominator: fps };
        self.ioctl(&S_PARM, &mut parameters).ok()?;
        // SAFETY: a union of integers, of which the driver filled `capture`, as `type_` is CAPTURE.
        rate(unsafe { parameters.parm.capture.timeperframe })
    }

    /// Starts to capture into `buffers` buffers.
    pub(super) fn stream(self, buffers: u32) -> Result<Stream, CameraError> {
        let mut request = sys::v4l2_requestbuffers { count: buffers, type_: CAPTURE, memory: MMAP, ..zeroed() };
        self.ask(&REQBUFS, &mut request, "reserve memory for frames")?;
        let map = |index| {
            let mut buffer = description(index);
            self.ask(&QUERYBUF, &mut buffer, "find the memory for frames")?;
            // SAFETY: a union of integers and pointers, of which the driver filled `offset`, as `memory` is MMAP.
            let offset = unsafe { buffer.m.offset };
            Mapping::new(&self.file, buffer.length as usize, offset)
                .map_err(|error| self.explain("map the memory for frames", error))
        };
        let mappings = (0..request.count).map(map).collect::<Result<_, _>>()?;
        let stream = Stream { device: self, mappings };
        for index in 0..request.count {
            stream.device.ask(&QBUF, &mut description(index), "hand a buffer over")?;
        }
        stream.device.ask(&STREAMON, &mut { CAPTURE }, "start")?;
        Ok(stream)
    }
}

/// A device that captures.
pub(super) struct Stream {
    pub(super) device: Device,
    mappings: Vec<Mapping>,
}

/// A buffer that the driver has filled, and does not touch until it is given back with [`Stream::queue`].
pub(super) struct Filled {
    index: u32,
    used: u32,
    /// The driver's count of frames, with those that it lost.
    pub(super) sequence: u32,
    /// Whether the driver says that the data is damaged.
    pub(super) damaged: bool,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    /// There may be a frame.
    Ready,
    /// The driver has an error to tell.
    Error,
    /// Nothing came in time.
    TimedOut,
}

impl Stream {
    /// How many buffers the driver gave.
    pub(super) fn buffers(&self) -> usize {
        self.mappings.len()
    }

    /// Waits for a filled buffer.
    pub(super) fn wait(&self, timeout: Duration) -> Result<Wake, CameraError> {
        let mut poll = libc::pollfd { fd: self.device.file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // Rounded up, so that the end of a wait is not a row of waits of 0 ms.
        let milliseconds = timeout.as_millis() as libc::c_int + 1;
        // SAFETY: one pollfd, which lives through the call.
        match unsafe { libc::poll(&raw mut poll, 1, milliseconds) } {
            0 => Ok(Wake::TimedOut),
            1 if poll.revents & (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) != 0 => Ok(Wake::Error),
            1 => Ok(Wake::Ready),
            _ => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => Ok(Wake::Ready),
                error => Err(self.device.explain("wait for a frame", error)),
            },
        }
    }

    /// Takes a filled buffer, if there is one.
    pub(super) fn dequeue(&self) -> Result<Option<Filled>, CameraError> {
        let mut buffer = description(0);
        match self.device.ioctl(&DQBUF, &mut buffer) {
            Ok(()) => Ok(Some(Filled {
                index: buffer.index,
                used: buffer.bytesused,
                sequence: buffer.sequence,
                damaged: buffer.flags & sys::V4L2_BUF_FLAG_ERROR != 0,
            })),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(self.device.explain("take a frame", error)),
        }
    }

    /// The frame in a buffer.
    pub(super) fn bytes<'a>(&'a self, filled: &'a Filled) -> &'a [u8] {
        let Some(mapping) = self.mappings.get(filled.index as usize) else { return &[] };
        let used = mapping.len.min(filled.used as usize);
        // SAFETY: mapped for `len` bytes as long as `self` lives. The driver writes to queued buffers only; a `Filled`
        // comes from `dequeue` alone, is neither Clone nor Copy, and `queue` takes it by value, so this buffer is not
        // queued while the slice borrows its `Filled`. A `Filled` never leaves the camera whose stream it is of.
        unsafe { std::slice::from_raw_parts(mapping.start.as_ptr(), used) }
    }

    /// Gives a buffer back to be filled again.
    #[expect(clippy::needless_pass_by_value, reason = "a buffer given back must not be read any more")]
    pub(super) fn queue(&self, filled: Filled) -> Result<(), CameraError> {
        self.device.ask(&QBUF, &mut description(filled.index), "hand a buffer back")
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Fails when the camera is gone, and then there is nothing to stop.
        let _ = self.device.ioctl(&STREAMOFF, &mut { CAPTURE });
    }
}

/// A buffer of the driver, mapped into this process.
struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to the process, not to the thread that made it.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(file: &File, len: usize, offset: u32) -> io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice overlaps nothing.
        let start = unsafe {
            v4l2::mmap(ptr::null_mut(), len, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), offset.into())?
        };
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, len })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `new` with this length; slices borrow the stream that owns it, so none is left. It cannot
        // fail with an address that mmap gave.
        let _ = unsafe { v4l2::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// Names a buffer to the kernel.
fn description(index: u32) -> sys::v4l2_buffer {
    sys::v4l2_buffer { index, type_: CAPTURE, memory: MMAP, ..zeroed() }
}

/// The size in an entry of the kernel's list; of a range, the one nearest to what is wanted.
fn size_of_entry(entry: &sys::v4l2_frmsizeenum, wanted: Wanted) -> (u32, u32) {
    if entry.type_ == sys::v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE {
        // SAFETY: a union of integers, and `type_` says that this member was filled.
        let size = unsafe { entry.__bindgen_anon_1.discrete };
        return (size.width, size.height);
    }
    // SAFETY: as above, for the two other types.
    let range = unsafe { entry.__bindgen_anon_1.stepwise };
    (
        nearest_step(wanted.width, range.min_width, range.max_width, range.step_width),
        nearest_step(wanted.height, range.min_height, range.max_height, range.step_height),
    )
}

/// Frames a second, of the time for one.
fn rate(interval: sys::v4l2_fract) -> Option<f32> {
    (interval.numerator > 0 && interval.denominator > 0)
        .then(|| interval.denominator as f32 / interval.numerator as f32)
}

/// A string of the kernel: up to the first NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn explain(path: &Path, doing: &'static str, source: io::Error) -> CameraError {
    let path = path.to_owned();
    match source.raw_os_error() {
        Some(libc::ENOENT) => CameraError::NotFound(path),
        Some(libc::EACCES | libc::EPERM) => CameraError::Denied(path),
        Some(libc::EBUSY) => CameraError::Busy(path),
        Some(libc::ENODEV | libc::ENXIO) => CameraError::Unplugged(path),
        _ => CameraError::Io { path, doing, source },
    }
}

/// What can be done without a camera; with one, on a real kernel, it is the rig that does it.
#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted = Wanted { width: 640, height: 480, fps: 10 };

    #[test]
    fn what_is_no_camera_is_refused_whatever_is_asked_of_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [Path::new("/dev/null"), Path::new("/dev/zero"), file.path()] {
            let device = Device::open(path).unwrap();
            assert!(matches!(device.identity(), Err(CameraError::NotACamera(_))), "{}", path.display());
            assert!(device.modes(WANTED).is_empty());
            assert_eq!(device.set_rate(10), None);
            let mode = Mode { fourcc: FourCc(0), width: 640, height: 480, fps: None };
            assert!(matches!(device.set_format(mode), Err(CameraError::Io { doing: "set the format", .. })));
            assert!(matches!(device.stream(4), Err(CameraError::Io { doing: "reserve memory for frames", .. })));
        }
        assert!(matches!(Device::open(Path::new("/dev/video-none")), Err(CameraError::NotFound(_))));
    }

    #[test]
    fn a_frame_is_never_more_than_what_is_mapped() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [7; 5000]).unwrap();
        let device = Device::open(file.path()).unwrap();
        let mappings = vec![Mapping::new(&device.file, 5000, 0).unwrap()];
        let stream = Stream { device, mappings };
        for (index, used, length) in [(0, 4000, 4000), (0, 5000, 5000), (0, u32::MAX, 5000), (1, 4000, 0)] {
            let filled = Filled { index, used, sequence: 0, damaged: false };
            assert_eq!(stream.bytes(&filled), vec![7; length]);
            assert!(stream.queue(filled).is_err());
        }
        assert_eq!(stream.wait(Duration::ZERO).unwrap(), Wake::Ready);
        assert!(stream.dequeue().is_err());
        assert!(Mapping::new(&stream.device.file, 0, 0).is_err());
    }

    #[test]
    fn an_entry_of_a_list_is_a_size_or_a_range_of_them() {
        let mut entry = zeroed::<sys::v4l2_frmsizeenum>();
        entry.type_ = sys::v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE;
        entry.__bindgen_anon_1.discrete = sys::v4l2_frmsize_discrete { width: 320, height: 240 };
        assert_eq!(size_of_entry(&entry, WANTED), (320, 240));
        entry.type_ = sys::v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_STEPWISE;
        entry.__bindgen_anon_1.stepwise = sys::v4l2_frmsize_stepwise {
            min_width: 16,
            max_width: 600,
            step_width: 8,
            min_height: 16,
            max_height: 1000,
            step_height: 8,
        };
        assert_eq!(size_of_entry(&entry, WANTED), (600, 480));
    }
}
