//! What the camera tells the kernel about itself (USB 2.0 chapter 9; USB Video Class 1.0, chapter 3).

use crate::picture::{HEIGHT, WIDTH};

/// A time between frames, in units of 100 ns.
pub const FPS_30: u32 = 333_333;
/// 15 frames a second.
pub const FPS_15: u32 = 666_666;
/// 5 frames a second.
pub const FPS_5: u32 = 2_000_000;

/// The most that the camera sends in a microframe: three packets of 1,024 bytes.
pub const MICROFRAME: u32 = 3072;

/// A size in which the camera can send a format, and how often.
pub struct Frame {
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// From the shortest.
    pub intervals: &'static [u32],
}

impl Frame {
    /// The most bytes that one takes.
    pub fn bytes(&self) -> u32 {
        u32::from(self.width) * u32::from(self.height) * 2
    }
}

/// The formats that the camera has at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// MJPEG and YUYV.
    All,
    /// A small size of YUYV alone.
    Raw,
    /// A format that few programs read alone.
    Odd,
}

impl Offer {
    /// By the word of the command.
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "all" => Self::All,
            "raw" => Self::Raw,
            "odd" => Self::Odd,
            _ => return None,
        })
    }

    /// The sizes of a format by its number, from 1.
    pub fn sizes(self, format: u8) -> &'static [Frame] {
        match (self, format) {
            (Self::All, 2) => YUYV,
            (Self::All, _) => MJPEG,
            (Self::Raw | Self::Odd, _) => SMALL,
        }
    }

    /// Whether a format, by its number, is MJPEG.
    pub fn is_mjpeg(self, format: u8) -> bool {
        self == Self::All && format != 2
    }

    /// How many formats there are.
    pub fn formats(self) -> u8 {
        if self == Self::All { 2 } else { 1 }
    }
}

/// MJPEG, format 1.
pub const MJPEG: &[Frame] = &[Frame { width: WIDTH, height: HEIGHT, intervals: &[FPS_30, FPS_15, FPS_5] }];

/// YUYV, format 2: slow at the full size, as a camera is on a bus that raw frames fill.
pub const YUYV: &[Frame] = &[
    Frame { width: WIDTH, height: HEIGHT, intervals: &[FPS_5] },
    Frame { width: WIDTH / 2, height: HEIGHT / 2, intervals: &[FPS_15, FPS_5] },
];

/// The one size of a camera that has but one.
const SMALL: &[Frame] = &[Frame { width: WIDTH / 2, height: HEIGHT / 2, intervals: &[FPS_15, FPS_5] }];

/// The 16 bytes by which USB knows YUY2 and M420.
const YUY2_GUID: &[u8; 16] = b"YUY2\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71";
const M420_GUID: &[u8; 16] = b"M420\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71";

/// The device: class 0xEF/2/1 (it groups its interfaces), vendor and product numbers that nobody has.
pub fn device() -> Vec<u8> {
    vec![18, 1, 0, 2, 0xEF, 2, 1, 64, 0x09, 0x12, 0x0C, 0xCA, 0, 1, 1, 2, 3, 1]
}

/// The texts: maker, product, serial number.
pub fn string(index: u8) -> Option<Vec<u8>> {
    let text = match index {
        0 => return Some(vec![4, 3, 0x09, 0x04]),
        1 => "moodbox",
        2 => "Rig camera",
        3 => "RIG0001",
        _ => return None,
    };
    let mut descriptor = vec![0, 3];
    descriptor.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    descriptor[0] = descriptor.len() as u8;
    Some(descriptor)
}

/// The configuration: one interface to control the camera, one to stream from it.
pub fn configuration(offer: Offer) -> Vec<u8> {
    let association = [8, 11, 0, 2, 14, 3, 0, 0];
    let control_interface = [9, 4, 0, 0, 0, 14, 1, 0, 0];
    let idle_stream = [9, 4, 1, 0, 0, 14, 2, 0, 0];
    let running_stream = [9, 4, 1, 1, 1, 14, 2, 0, 0];
    // 0x1400: 1,024 bytes, three times a microframe; isochronous, asynchronous, in every microframe.
    let endpoint = [7, 5, 0x81, 5, 0x00, 0x14, 1];
    let mut all = vec![9, 2, 0, 0, 2, 1, 0, 0x80, 250];
    all.extend(association);
    all.extend(control_interface);
    all.extend(control());
    all.extend(idle_stream);
    all.extend(streaming(offer));
    all.extend(running_stream);
    all.extend(endpoint);
    with_total(all, 2)
}

/// A sensor whose picture goes to the bus.
fn control() -> Vec<u8> {
    let mut all = vec![13, 0x24, 1, 0x00, 0x01, 0, 0, 0x00, 0x6C, 0xDC, 0x02, 1, 1];
    let sensor = [18, 0x24, 2, 1, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0];
    let output = [9, 0x24, 3, 2, 0x01, 0x01, 0, 1, 0];
    all.extend(sensor);
    all.extend(output);
    with_total(all, 5)
}

/// The formats.
fn streaming(offer: Offer) -> Vec<u8> {
    let mut all = vec![13 + offer.formats(), 0x24, 1, offer.formats(), 0, 0, 0x81, 0, 2, 0, 0, 0, 1];
    all.extend((0..offer.formats()).map(|_| 0));
    for format in 1..=offer.formats() {
        let sizes = offer.sizes(format);
        let count = sizes.len() as u8;
        if offer.is_mjpeg(format) {
            all.extend([11, 0x24, 6, format, count, 1, 1, 0, 0, 0, 0]);
            all.extend((1..).zip(sizes).flat_map(|(index, size)| frame(7, index, size)));
        } else {
            all.extend([27, 0x24, 4, format, count]);
            all.extend(if offer == Offer::Odd { M420_GUID } else { YUY2_GUID });
            all.extend([16, 1, 0, 0, 0, 0]);
            all.extend((1..).zip(sizes).flat_map(|(index, size)| frame(5, index, size)));
        }
    }
    with_total(all, 4)
}

fn frame(subtype: u8, index: u8, frame: &Frame) -> Vec<u8> {
    let bits = |interval: u32| (u64::from(frame.bytes()) * 8 * 10_000_000 / u64::from(interval)) as u32;
    let (shortest, longest) = (frame.intervals[0], frame.intervals[frame.intervals.len() - 1]);
    let mut all = vec![0, 0x24, subtype, index, 0];
    all.extend(frame.width.to_le_bytes());
    all.extend(frame.height.to_le_bytes());
    for word in [bits(longest), bits(shortest), frame.bytes(), shortest] {
        all.extend(word.to_le_bytes());
    }
    all.push(frame.intervals.len() as u8);
    all.extend(frame.intervals.iter().flat_map(|interval| interval.to_le_bytes()));
    all[0] = all.len() as u8;
    all
}

/// Fills in the length of all that belongs together.
fn with_total(mut all: Vec<u8>, at: usize) -> Vec<u8> {
    let total = (all.len() as u16).to_le_bytes();
    all[at..at + 2].copy_from_slice(&total);
    all
}
