//! A recording in place of a camera: an image, a folder of images or a Motion JPEG file.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use image::{ImageReader, Limits};
use moodbox_vision::jpeg::is_whole;

use super::mjpeg::{FrameReader, Read};
use super::{Camera, CameraError, CapturedFrame, OwnedFrame, PixelFormat, jpeg};

/// The rate that a replay as fast as possible counts as: what a Raspberry Pi 4 analyses, so that the moods take the
/// course that they take live.
const NOMINAL_FPS: u32 = 4;

/// The largest image file that is read, in bytes.
const MAX_FILE: u64 = 32 << 20;

/// The largest image that is decoded: pixels a side, and bytes in memory. A photo of 36 megapixels fits.
const MAX_SIDE: u32 = 8192;
const MAX_DECODED: u64 = 128 << 20;
pub(super) const MAX_PIXELS: usize = MAX_DECODED as usize / 3;

/// A recording that is played.
pub(super) struct Replay {
    path: PathBuf,
    recording: Recording,
    /// The frame that was read last.
    frame: OwnedFrame,
    /// Damaged frames that were skipped on the way to `frame`, while that waits to be handed out.
    ready: Option<u32>,
    /// Frames read, with the damaged ones.
    count: u32,
    /// Whether there was a good frame since the start of the recording was last passed.
    any: bool,
    /// Frames a second; 0 is as fast as they are asked for.
    fps: u32,
    repeat: bool,
    epoch: Instant,
    /// When the next frame is to be shown.
    due: Option<Instant>,
}

enum Recording {
    Images { files: Vec<PathBuf>, next: usize },
    Mjpeg(FrameReader<BufReader<File>>),
}

impl Replay {
    /// Opens a recording and reads its first frame.
    pub(super) fn open(path: &Path, fps: u32, repeat: bool, epoch: Instant) -> Result<Self, CameraError> {
        let mut replay = Self {
            path: path.to_owned(),
            recording: Recording::open(path)?,
            frame: OwnedFrame::default(),
            ready: None,
            count: 0,
            any: false,
            fps,
            repeat,
            epoch,
            due: None,
        };
        replay.ready = replay.advance()?;
        Ok(replay)
    }

    /// Reads the next good frame; how many damaged ones came before it, or `None` at the end.
    fn advance(&mut self) -> Result<Option<u32>, CameraError> {
        let mut damaged = 0;
        loop {
            let read = self.recording.read(&mut self.frame).map_err(|source| unreadable(&self.path, source))?;
            match read {
                Read::Frame => {
                    self.count = self.count.saturating_add(1);
                    self.any = true;
                    return Ok(Some(damaged));
                }
                Read::Damaged => {
                    self.count = self.count.saturating_add(1);
                    damaged += 1;
                }
                Read::End if !self.any => {
                    return Err(CameraError::NoPicture {
                        path: self.path.clone(),
                        reason: self.recording.what_it_lacks(),
                    });
                }
                Read::End if !self.repeat => return Ok(None),
                Read::End => {
                    self.any = false;
                    self.recording.rewind().map_err(|source| unreadable(&self.path, source))?;
                }
            }
        }
    }

    /// Waits until the frame is due; when that is.
    fn pace(&mut self) -> Duration {
        if self.fps == 0 {
            return Duration::from_secs(1) * self.count.saturating_sub(1) / NOMINAL_FPS;
        }
        let period = Duration::from_secs(1) / self.fps;
        let now = Instant::now();
        // Whoever comes late by more than a frame gets no burst to catch up with: a camera would not give one either.
        let due = self.due.filter(|&due| due + period > now).unwrap_or(now);
        thread::sleep(due.saturating_duration_since(now));
        self.due = Some(due + period);
        self.epoch.elapsed()
    }
}

impl Camera for Replay {
    fn next(&mut self) -> Result<Option<CapturedFrame<'_>>, CameraError> {
        let ready = match self.ready.take() {
            Some(damaged) => Some(damaged),
            None => self.advance()?,
        };
        let Some(corrupt) = ready else { return Ok(None) };
        let at = self.pace();
        let OwnedFrame { data, format, width, height, stride, .. } = &self.frame;
        Ok(Some(CapturedFrame {
            data,
            format: *format,
            width: *width,
            height: *height,
            stride: *stride,
            lost: 0,
            corrupt,
            at,
        }))
    }

    fn describe(&self) -> String {
        let rate = match self.fps {
            0 => "as fast as possible".to_owned(),
            fps => format!("at {fps} fps"),
        };
        let times = if self.repeat { "over and over" } else { "once" };
        format!("recording {}, {rate}, {times}", self.path.display())
    }
}

impl Recording {
    fn open(path: &Path) -> Result<Self, CameraError> {
        let is_folder = fs::metadata(path).map_err(|source| unreadable(path, source))?.is_dir();
        if is_folder {
            let files = images_in(path).map_err(|source| unreadable(path, source))?;
            return Ok(Self::Images { files, next: 0 });
        }
        if has_extension(path, &["mjpeg", "mjpg"]) {
            let file = File::open(path).map_err(|source| unreadable(path, source))?;
            return Ok(Self::Mjpeg(FrameReader::new(BufReader::with_capacity(64 << 10, file))));
        }
        Ok(Self::Images { files: vec![path.to_owned()], next: 0 })
    }

    fn read(&mut self, frame: &mut OwnedFrame) -> io::Result<Read> {
        match self {
            Self::Mjpeg(reader) => match reader.read(&mut frame.data)? {
                Read::Frame => Ok(as_mjpeg(frame)),
                other => Ok(other),
            },
            Self::Images { files, next } => {
                let Some(file) = files.get(*next) else { return Ok(Read::End) };
                *next += 1;
                match read_image(file, frame) {
                    Ok(()) => Ok(Read::Frame),
                    // A lone file's error is the recording's.
                    Err(reason) if files.len() > 1 => {
                        tracing::warn!("image {} is left out: {reason}", file.display());
                        Ok(Read::Damaged)
                    }
                    Err(reason) => Err(reason),
                }
            }
        }
    }

    fn rewind(&mut self) -> io::Result<()> {
        match self {
            Self::Images { next, .. } => *next = 0,
            Self::Mjpeg(reader) => reader.rewind()?,
        }
        Ok(())
    }

    /// What would have made a picture of it.
    fn what_it_lacks(&self) -> String {
        match self {
            Self::Mjpeg(_) => "there is no whole JPEG frame of at most 8 MiB in it".to_owned(),
            Self::Images { files, .. } if files.is_empty() => "there is no .jpg, .jpeg or .png file in it".to_owned(),
            Self::Images { .. } => "none of the images in it can be read".to_owned(),
        }
    }
}

/// The images in a folder, sorted by name.
fn images_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if has_extension(&path, &["jpg", "jpeg", "png"]) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|found| extensions.iter().any(|wanted| found.eq_ignore_ascii_case(wanted)))
}

/// Reads a file into `frame`: a JPEG as it is, anything else decoded.
fn read_image(path: &Path, frame: &mut OwnedFrame) -> io::Result<()> {
    frame.data.clear();
    // One byte more than may be, to notice it; the size in the folder does not tell for a pipe.
    let read = File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut frame.data)?;
    if read as u64 > MAX_FILE {
        return Err(invalid(format!("it is larger than {} MiB", MAX_FILE >> 20)));
    }
    if frame.data.starts_with(&[0xFF, jpeg::SOI]) {
        return match as_mjpeg(frame) {
            Read::Frame => Ok(()),
            _ => Err(invalid("the JPEG is cut or damaged".to_owned())),
        };
    }
    let mut reader = ImageReader::new(Cursor::new(&frame.data)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| invalid(error.to_string()))?.into_rgb8();
    (frame.width, frame.height) = image.dimensions();
    frame.format = PixelFormat::Rgb;
    frame.stride = frame.width as usize * 3;
    frame.data = image.into_raw();
    Ok(())
}

/// Describes the JPEG in `frame`.
fn as_mjpeg(frame: &mut OwnedFrame) -> Read {
    let Some((width, height)) = jpeg::size(&frame.data).filter(|_| is_whole(&frame.data)) else {
        return Read::Damaged;
    };
    frame.format = PixelFormat::Mjpeg;
    (frame.width, frame.height, frame.stride) = (width, height, 0);
    Read::Frame
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

fn unreadable(path: &Path, source: io::Error) -> CameraError {
    CameraError::Unreadable { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};
    use tempfile::TempDir;

    use super::*;
    use crate::camera::jpeg::tests::{sample, with_thumbnail};

    /// A folder with these files.
    fn folder(files: &[(&str, &[u8])]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, data) in files {
            fs::write(folder.path().join(name), data).unwrap();
        }
        folder
    }

    fn png(image: &RgbImage) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, image::ImageFormat::Png).unwrap();
        out.into_inner()
    }

    /// A replay as fast as possible.
    fn play(path: &Path, repeat: bool) -> Result<Replay, CameraError> {
        Replay::open(path, 0, repeat, Instant::now())
    }

    /// All frames of a replay that ends, each with what was skipped before it.
    fn all(mut replay: Replay) -> Vec<(Vec<u8>, u32)> {
        let mut frames = Vec::new();
        while let Some(frame) = replay.next().unwrap() {
            frames.push((frame.data.to_vec(), frame.corrupt));
        }
        frames
    }

    fn refusal(path: &Path) -> String {
        let error = play(path, true).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(!error.contains('\n'), "{error:?} is more than a line");
        error.replace(&path.display().to_string(), "PATH")
    }

    #[test]
    fn a_folder_is_shown_in_the_order_of_the_names_and_jpegs_as_they_are() {
        let (a, b) = (sample(40, 30, 1), sample(40, 30, 2));
        let folder = folder(&[("b.JPG", &b), ("a.jpeg", &a), ("notes.txt", b"no picture"), (".hidden", b"")]);
        let replay = play(folder.path(), false).unwrap();
        assert_eq!(all(replay), [(a, 0), (b, 0)]);
    }

    #[test]
    fn what_is_no_jpeg_is_decoded() {
        let image = RgbImage::from_fn(5, 3, |x, y| Rgb([x as u8, y as u8, 200]));
        let folder = folder(&[("image.png", &png(&image))]);
        let mut replay = play(&folder.path().join("image.png"), false).unwrap();
        let frame = replay.next().unwrap().unwrap();
        assert_eq!((frame.format, frame.width, frame.height, frame.stride), (PixelFormat::Rgb, 5, 3, 15));
        assert_eq!(frame.data, image.as_raw().as_slice());
        assert!(replay.next().unwrap().is_none());
        assert!(replay.next().unwrap().is_none(), "the end stays the end");
    }

    #[test]
    fn a_file_is_what_it_holds_and_not_what_it_is_called() {
        let jpeg = sample(40, 30, 1);
        let folder = folder(&[("image.png", &jpeg)]);
        let mut replay = play(&folder.path().join("image.png"), false).unwrap();
        let frame = replay.next().unwrap().unwrap();
        assert_eq!((frame.format, frame.width, frame.height, frame.stride), (PixelFormat::Mjpeg, 40, 30, 0));
        assert_eq!(frame.data, jpeg);
    }

    #[test]
    fn motion_jpeg_is_shown_frame_by_frame_and_damaged_ones_are_counted() {
        let frames: Vec<_> = (0..3).map(|seed| sample(40, 30, seed)).collect();
        let file = [&frames[0], &frames[1][..700], &frames[2]].concat();
        let folder = folder(&[("film.mjpeg", &file)]);
        let replay = play(&folder.path().join("film.mjpeg"), false).unwrap();
        assert_eq!(all(replay), [(frames[0].clone(), 0), (frames[2].clone(), 1)]);
    }

    #[test]
    fn a_repeated_recording_starts_again() {
        let frames: Vec<_> = (0..2).map(|seed| sample(40, 30, seed)).collect();
        let folder = folder(&[("film.mjpg", &frames.concat()), ("one.jpg", &frames[0]), ("two.jpg", &frames[1])]);
        fs::create_dir(folder.path().join("empty")).unwrap();
        for path in [folder.path().join("film.mjpg"), folder.path().to_owned()] {
            let mut replay = play(&path, true).unwrap();
            for round in 0..7 {
                assert_eq!(replay.next().unwrap().unwrap().data, frames[round % 2], "{} {round}", path.display());
            }
        }
    }

    #[test]
    fn as_fast_as_possible_the_frames_are_a_quarter_second_apart() {
        let folder = folder(&[("one.jpg", &sample(40, 30, 1))]);
        let mut replay = play(&folder.path().join("one.jpg"), true).unwrap();
        let times: Vec<_> = (0..4).map(|_| replay.next().unwrap().unwrap().at.as_millis()).collect();
        assert_eq!(times, [0, 250, 500, 750]);
    }

    #[test]
    fn at_a_rate_no_frame_comes_early() {
        let folder = folder(&[("one.jpg", &sample(40, 30, 1))]);
        let epoch = Instant::now();
        let mut replay = Replay::open(&folder.path().join("one.jpg"), 60, true, epoch).unwrap();
        for n in 0..5 {
            assert!(replay.next().unwrap().unwrap().at >= n * Duration::from_secs(1) / 60);
        }
    }

    #[test]
    fn images_that_cannot_be_read_are_left_out() {
        let good = sample(40, 30, 1);
        let huge = format!("\u{89}PNG\r\n\u{1a}\n{}", "x".repeat(100));
        let folder = folder(&[("1.jpg", &good[..300]), ("2.png", huge.as_bytes()), ("3.jpg", b""), ("4.jpg", &good)]);
        fs::create_dir(folder.path().join("5.jpg")).unwrap();
        assert_eq!(all(play(folder.path(), false).unwrap()), [(good, 3)]);
    }

    #[test]
    fn what_cannot_be_shown_is_refused_in_one_line() {
        let folder = folder(&[
            ("empty.mjpeg", b""),
            ("text.mjpeg", b"not a film"),
            ("text.jpg", b"not a picture"),
            ("cut.jpg", &with_thumbnail(&sample(40, 30, 1))[..1000]),
        ]);
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("nothing")).unwrap();
        assert_eq!(
            refusal(&path("missing")),
            "recording PATH: No such file or directory (os error 2): check the path in camera.source"
        );
        assert_eq!(
            refusal(&path("nothing")),
            "recording PATH holds no picture: there is no .jpg, .jpeg or .png file in it"
        );
        for film in ["empty.mjpeg", "text.mjpeg"] {
            assert_eq!(
                refusal(&path(film)),
                "recording PATH holds no picture: there is no whole JPEG frame of at most 8 MiB in it"
            );
        }
        assert_eq!(
            refusal(&path("cut.jpg")),
            "recording PATH: the JPEG is cut or damaged: check the path in camera.source"
        );
        assert_eq!(
            refusal(&path("text.jpg")),
            "recording PATH: The image format could not be determined: check the path in camera.source"
        );
        assert_eq!(refusal(folder.path()), "recording PATH holds no picture: none of the images in it can be read");
    }

    #[test]
    fn an_image_too_large_to_decode_is_refused_before_it_is() {
        let wide = png(&RgbImage::new(MAX_SIDE + 1, 1));
        let folder = folder(&[("wide.png", &wide)]);
        let refusal = refusal(&folder.path().join("wide.png"));
        assert!(refusal.starts_with("recording PATH: ") && refusal.contains("exceed"), "{refusal}");
    }
}
