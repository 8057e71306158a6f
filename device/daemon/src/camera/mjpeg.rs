//! Motion JPEG in a file: JPEGs one after the other.

use std::io::{self, BufRead, ErrorKind, Seek};

use super::jpeg::{EOI, SOI, SOS, is_restart, stands_alone};

/// The largest frame that is read; a 1920x1080 webcam frame has well under 1 MiB.
const MAX_FRAME: usize = 8 << 20;

/// Reads frame by frame.
///
/// Frames are told apart by their structure, not by the end marker alone: a thumbnail inside a frame has one of its own.
/// What lies between frames is skipped. A frame that was cut in its headers can take the next one with it.
pub(super) struct FrameReader<R> {
    input: R,
    /// The start marker of the next frame was read already: it stood where the one before should have gone on.
    started: bool,
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// A frame.
    Frame,
    /// The beginning of a frame that is cut, too large or no JPEG. The next read looks for another.
    Damaged,
    /// The end of the file.
    End,
}

/// Why a frame was not read.
enum Flaw {
    Damaged,
    Io(io::Error),
}

impl From<io::Error> for Flaw {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::UnexpectedEof { Self::Damaged } else { Self::Io(error) }
    }
}

impl<R: BufRead> FrameReader<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, started: false }
    }

    /// Reads the next frame into `frame`.
    pub(super) fn read(&mut self, frame: &mut Vec<u8>) -> io::Result<Read> {
        if !self.started && !self.skip_to_start()? {
            return Ok(Read::End);
        }
        self.started = false;
        frame.clear();
        frame.extend([0xFF, SOI]);
        match self.read_rest(frame) {
            Ok(()) => Ok(Read::Frame),
            Err(Flaw::Damaged) => Ok(Read::Damaged),
            Err(Flaw::Io(error)) => Err(error),
        }
    }

    /// Reads past the next start marker; whether there is one.
    fn skip_to_start(&mut self) -> io::Result<bool> {
        let mut last = 0;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            for (at, &byte) in buffer.iter().enumerate() {
                if last == 0xFF && byte == SOI {
                    self.input.consume(at + 1);
                    return Ok(true);
                }
                last = byte;
            }
            let len = buffer.len();
            self.input.consume(len);
        }
    }

    /// Reads from behind the start marker to the end marker.
    fn read_rest(&mut self, frame: &mut Vec<u8>) -> Result<(), Flaw> {
        let mut marker = self.read_marker(frame)?;
        let mut has_data = false;
        loop {
            marker = match marker {
                EOI if has_data => return Ok(()),
                EOI => return Err(Flaw::Damaged),
                SOI => {
                    self.started = true;
                    return Err(Flaw::Damaged);
                }
                SOS => {
                    has_data = true;
                    self.read_segment(frame)?;
                    self.read_scan(frame)?
                }
                marker if stands_alone(marker) => self.read_marker(frame)?,
                _ => {
                    self.read_segment(frame)?;
                    self.read_marker(frame)?
                }
            };
        }
    }

    fn read_byte(&mut self) -> Result<u8, Flaw> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    /// Reads the marker that must stand here, without the fill bytes that may stand before it.
    fn read_marker(&mut self, frame: &mut Vec<u8>) -> Result<u8, Flaw> {
        if self.read_byte()? != 0xFF {
            return Err(Flaw::Damaged);
        }
        match self.read_after_ff()? {
            0 => Err(Flaw::Damaged),
            marker => {
                push(frame, &[0xFF, marker])?;
                Ok(marker)
            }
        }
    }

    /// The first byte that is not 0xFF.
    fn read_after_ff(&mut self) -> Result<u8, Flaw> {
        loop {
            let byte = self.read_byte()?;
            if byte != 0xFF {
                return Ok(byte);
            }
        }
    }

    /// Reads a segment: two bytes of length, which counts itself, and what it says.
    fn read_segment(&mut self, frame: &mut Vec<u8>) -> Result<(), Flaw> {
        let length = [self.read_byte()?, self.read_byte()?];
        push(frame, &length)?;
        let mut left = usize::from(u16::from_be_bytes(length)).checked_sub(2).ok_or(Flaw::Damaged)?;
        while left > 0 {
            let buffer = self.input.fill_buf()?;
            let part = left.min(buffer.len());
            if part == 0 {
                return Err(Flaw::Damaged);
            }
            push(frame, &buffer[..part])?;
            self.input.consume(part);
            left -= part;
        }
        Ok(())
    }

    /// Reads entropy-coded data, and the marker that ends it.
    fn read_scan(&mut self, frame: &mut Vec<u8>) -> Result<u8, Flaw> {
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Err(Flaw::Damaged);
            }
            let Some(at) = buffer.iter().position(|&byte| byte == 0xFF) else {
                let len = buffer.len();
                push(frame, buffer)?;
                self.input.consume(len);
                continue;
            };
            push(frame, &buffer[..at])?;
            self.input.consume(at + 1);
            let marker = self.read_after_ff()?;
            push(frame, &[0xFF, marker])?;
            if marker != 0 && !is_restart(marker) {
                return Ok(marker);
            }
        }
    }
}

impl<R: Seek> FrameReader<R> {
    /// Goes back to the start of the file.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.started = false;
        self.input.rewind()
    }
}

fn push(frame: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Flaw> {
    if frame.len() + bytes.len() > MAX_FRAME {
        return Err(Flaw::Damaged);
    }
    frame.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read as _};

    use moodbox_vision::jpeg::is_whole;
    use proptest::prelude::*;

    use super::*;
    use crate::camera::jpeg::tests::{sample, with_thumbnail};

    /// The frames of a file and how many of them were damaged, read through a buffer of `capacity` bytes.
    fn split(bytes: &[u8], capacity: usize) -> (Vec<Vec<u8>>, usize) {
        let mut reader = FrameReader::new(BufReader::with_capacity(capacity, bytes));
        let (mut frames, mut damaged, mut frame) = (Vec::new(), 0, Vec::new());
        loop {
            match reader.read(&mut frame).unwrap() {
                Read::Frame => frames.push(frame.clone()),
                Read::Damaged => damaged += 1,
                Read::End => return (frames, damaged),
            }
        }
    }

    #[test]
    fn a_thumbnail_does_not_end_its_frame() {
        let frames = [with_thumbnail(&sample(64, 48, 1)), sample(64, 48, 2)];
        assert_eq!(split(&frames.concat(), 4096), (frames.to_vec(), 0));
    }

    #[test]
    fn a_cut_frame_costs_no_other() {
        let (first, second, third) = (sample(64, 48, 1), sample(64, 48, 2), sample(64, 48, 3));
        for keep in [second.len() / 2, second.len() - 1, second.len() - 2] {
            let file = [first.as_slice(), &second[..keep], &third].concat();
            assert_eq!(split(&file, 4096), (vec![first.clone(), third.clone()], 1), "of the second {keep} bytes");
        }
    }

    #[test]
    fn a_frame_cut_at_the_end_of_the_file_is_damaged() {
        let frame = sample(64, 48, 1);
        assert_eq!(split(&frame[..frame.len() - 1], 4096), (vec![], 1));
        assert_eq!(split(&frame[..2], 4096), (vec![], 1));
        assert_eq!(split(&[], 4096), (vec![], 0));
        assert_eq!(split(&[0xFF, SOI, 0xFF, EOI], 4096), (vec![], 1), "no picture");
    }

    #[test]
    fn what_is_no_jpeg_holds_no_frame() {
        assert_eq!(split(b"\x89PNG\r\n\x1a\n and so on", 4096), (vec![], 0));
        assert_eq!(split(&vec![0xFF; 100_000], 4096), (vec![], 0));
    }

    #[test]
    fn a_frame_without_end_is_refused_before_it_fills_the_memory() {
        let mut endless = sample(64, 48, 1);
        endless.truncate(endless.len() - 2);
        endless.resize(MAX_FRAME + 1, 0x55);
        let good = sample(64, 48, 2);
        let mut reader = FrameReader::new(endless.as_slice().chain(&*good));
        let mut frame = Vec::new();
        assert_eq!(reader.read(&mut frame).unwrap(), Read::Damaged);
        assert!(frame.capacity() <= 2 * MAX_FRAME);
        assert_eq!(reader.read(&mut frame).unwrap(), Read::Frame);
        assert_eq!(frame, good);
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in(
            frames in prop::collection::vec((1u32..40, 1u32..40, any::<u8>(), any::<bool>(), "[ -~]{0,20}"), 0..6),
            capacity in 1usize..300,
        ) {
            let mut file = Vec::new();
            let mut expected = Vec::new();
            for (width, height, seed, thumbnail, between) in frames {
                let jpeg = sample(width, height, seed);
                let jpeg = if thumbnail { with_thumbnail(&jpeg) } else { jpeg };
                file.extend(&jpeg);
                file.extend(between.bytes());
                expected.push(jpeg);
            }
            prop_assert_eq!(split(&file, capacity), (expected, 0));
        }

        #[test]
        fn no_file_is_too_odd(
            seed in any::<u8>(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![Just(0xFF), Just(SOI), any::<u8>()]), 0..40),
            capacity in 1usize..300,
        ) {
            let mut file = [sample(40, 30, seed), with_thumbnail(&sample(30, 40, seed))].concat();
            for (index, byte) in edits {
                let at = index.index(file.len());
                file[at] = byte;
            }
            let (frames, _) = split(&file, capacity);
            prop_assert!(frames.iter().all(|frame| is_whole(frame)));
            prop_assert!(frames.iter().map(Vec::len).sum::<usize>() <= file.len());
        }
    }
}
