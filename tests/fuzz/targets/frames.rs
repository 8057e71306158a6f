//! What a camera hands over: a Motion JPEG stream, and pixels whose size is not what was said. Each frame that is taken can be
//! decoded or is refused, and the cascade looks at it up to its last pixel.
#![no_main]

// The daemon's own files, without the daemon and its hundred crates.
#[path = "../../../device/daemon/src/camera/jpeg.rs"]
mod jpeg;
#[expect(dead_code, reason = "nothing is played twice")]
#[path = "../../../device/daemon/src/camera/mjpeg.rs"]
mod mjpeg;
#[path = "../support/networks.rs"]
mod networks;

use std::io::{BufReader, Cursor};

use libfuzzer_sys::fuzz_target;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::jpeg::{Decoder, is_whole};
use moodbox_vision::pixels::Pixels;

use mjpeg::{FrameReader, Read};

/// As the daemon does.
const MAX_PIXELS: usize = 1920 * 1080;

fuzz_target!(|bytes: &[u8]| {
    match bytes {
        [b'm', stream @ ..] => motion_jpeg(stream),
        [letter, w, w2, h, h2, s, s2, pixels @ ..] => {
            let format = [Format::Yuyv, Format::Grey, Format::Rgb][usize::from(*letter) % 3];
            let number = |low: &u8, high: &u8| usize::from(u16::from_le_bytes([*low, *high]));
            let (width, height, stride) = (number(w, w2), number(h, h2), number(s, s2));
            if let Ok(frame) = Frame::new(pixels, format, width, height, stride) {
                assert!(frame.width() * frame.height() <= pixels.len());
                look(frame);
            }
        }
        _ => {}
    }
});

fn motion_jpeg(stream: &[u8]) {
    let mut reader = FrameReader::new(BufReader::with_capacity(97, Cursor::new(stream)));
    let mut frame = Vec::new();
    let mut decoder = Decoder::new(MAX_PIXELS);
    loop {
        match reader.read(&mut frame).expect("memory can be read") {
            Read::End => break,
            Read::Damaged => {}
            Read::Frame => {
                assert!(is_whole(&frame) && frame.len() <= stream.len());
                let told = jpeg::size(&frame);
                // What is far larger than its bytes takes long and finds nothing new.
                if told.is_some_and(|(width, height)| width * height > 1 << 18) {
                    continue;
                }
                if let Ok(picture) = decoder.open(&frame) {
                    let (width, height) = picture.size();
                    assert!(width * height <= MAX_PIXELS);
                    look(picture);
                }
            }
        }
    }
    // A camera's buffer goes to the decoder as it is.
    if jpeg::size(stream).is_none_or(|(width, height)| width * height <= 1 << 18) {
        let _ = decoder.open(stream);
    }
}

fn look<'a>(pixels: impl Into<Pixels<'a>>) {
    // Every eleventh value says that a face is there.
    let outputs: Vec<i8> = (0..=u8::MAX).map(|n| if n % 11 == 0 { i8::MAX } else { n as i8 }).collect();
    networks::detect(pixels, &outputs, None);
}
