//! Against the decoder that decodes everything, and pictures made bit by bit.

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use proptest::prelude::*;

use super::*;
use crate::jpeg::Decoder;

/// A scene with edges, waves and colours, compressed as cameras do.
fn jpeg(width: u32, height: u32, quality: u8) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let (fx, fy) = (x as f32, y as f32);
        let disc = (fx - 60.0).hypot(fy - 50.0) < 30.0;
        let waves = 60.0 * (fx / 7.0).sin() * (fy / 11.0).cos();
        let base = if disc { [220.0, 170.0, 140.0] } else { [70.0 + fx / 4.0, 110.0, 150.0 - fy / 5.0] };
        Rgb(base.map(|v: f32| (v + waves * if disc { 0.3 } else { 1.0 }).clamp(0.0, 255.0) as u8))
    });
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&picture).unwrap();
    bytes
}

/// Frames of the demo's recording, whose colours have half of its resolution.
fn recorded() -> Vec<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../host-tools/demo/evening.mjpeg");
    let bytes = std::fs::read(path).unwrap();
    // It holds no thumbnails, so that each end marker ends a frame.
    let ends = bytes.windows(2).enumerate().filter(|(_, pair)| *pair == [0xff, 0xd9]).map(|(i, _)| i + 2);
    let ends: Vec<_> = std::iter::once(0).chain(ends).step_by(60).collect();
    let frame = |start: usize| {
        let end = bytes[start..].windows(2).position(|pair| pair == [0xff, 0xd9]).unwrap();
        bytes[start..start + end + 2].to_vec()
    };
    ends[..ends.len() - 1].iter().map(|start| frame(*start)).collect()
}

/// Mean difference of brightness and colour from those of whole pixels, averaged over `shrink` x `shrink` of them.
fn difference(ours: &Frame<'_>, theirs: &Frame<'_>, shrink: usize, within: &BBox) -> f32 {
    let (mut sum, mut count) = (0.0, 0.0);
    for y in within.y as usize..(within.y + within.h) as usize {
        for x in (within.x as usize..(within.x + within.w) as usize).step_by(2) {
            // A pair, for it has one colour.
            let mean = |frame: &Frame<'_>, shrink: usize, c: usize| {
                let pixels = (0..2 * shrink).flat_map(|i| (0..shrink).map(move |k| (i, k)));
                let values = pixels.map(|(i, k)| f32::from(frame.rgb(x * shrink + i, y * shrink + k)[c]));
                values.sum::<f32>() / (2 * shrink * shrink) as f32
            };
            for c in 0..3 {
                sum += (mean(ours, 1, c) - mean(theirs, shrink, c)).abs();
                count += 1.0;
            }
        }
    }
    sum / count
}

#[test]
fn what_is_decoded_is_what_a_decoder_of_everything_sees() {
    let mut pictures = recorded();
    assert!(pictures.len() > 3);
    pictures.extend([jpeg(160, 128, 75), jpeg(200, 98, 95)]);
    let (mut coded, mut decoder) = (Coded::default(), Decoder::new(1 << 20));
    for bytes in &pictures {
        coded.load(bytes, 1 << 20).unwrap();
        let theirs = decoder.decode(bytes).unwrap();
        let (width, height) = coded.size();
        assert_eq!((width, height), (theirs.width(), theirs.height()));
        let half = BBox { x: 0.0, y: 0.0, w: (width / 2) as f32, h: (height / 2) as f32 };
        let off = difference(&coded.small(), &theirs, 2, &half);
        assert!(off < 2.0, "{off} at half of the size");
        for (x, y, side) in [(40.0, 30.0, 33.0), (0.0, 0.0, 60.0), (90.0, 41.0, 50.0)] {
            let bbox = BBox { x, y, w: side, h: side };
            let (frame, place) = coded.crop(&bbox, 48);
            assert_eq!(place, bbox);
            let off = difference(&frame, &theirs, 1, &bbox);
            assert!(off < 2.5, "{off} around ({x}, {y})");
        }
    }
}

#[test]
fn a_large_box_is_cropped_from_the_small_picture() {
    let mut coded = Coded::default();
    coded.load(&jpeg(160, 128, 75), 1 << 20).unwrap();
    let (frame, place) = coded.crop(&BBox { x: 20.0, y: 10.0, w: 100.0, h: 98.0 }, 48);
    assert_eq!((frame.width(), frame.height()), (80, 64));
    assert_eq!(place, BBox { x: 10.0, y: 5.0, w: 50.0, h: 49.0 });
    assert!(!coded.is_whole.contains(&true), "and nothing else is decoded");
}

/// A picture of units of 16 x 16 pixels, a bit at a time: brightness that differs by `steps` from unit to unit, no colour, and
/// a restart marker after each unit. It brings no Huffman code.
fn by_hand(units: u8, steps: &[i32]) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    bytes.extend([8; 64]);
    bytes.extend([0xff, 0xc0, 0, 17, 8, 0, 16, 0, 16 * units, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
    bytes.extend([0xff, 0xdd, 0, 4, 0, 1]);
    bytes.extend([0xff, 0xda, 0, 12, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
    for (unit, step) in steps.iter().enumerate() {
        // T.81, tables K.3 to K.6: a difference of 4 bits is 101, none is 00; the end of a block 1010, of colour 00.
        assert!((8..16).contains(step));
        let mut bits = format!("101{step:04b}1010");
        bits.push_str(&"001010".repeat(3));
        bits.push_str(&"0000".repeat(2));
        while bits.len() % 8 > 0 {
            bits.push('1');
        }
        for byte in bits.as_bytes().chunks(8) {
            let byte = byte.iter().fold(0, |byte, bit| 2 * byte + (bit - b'0'));
            bytes.push(byte);
            if byte == 0xff {
                bytes.push(0);
            }
        }
        if unit + 1 < steps.len() {
            bytes.extend([0xff, 0xd0 + unit as u8 % 8]);
        }
    }
    bytes.extend([0xff, 0xd9]);
    bytes
}

#[test]
fn restart_markers_and_missing_codes_are_understood() {
    let steps = [8, 15, 11];
    let mut coded = Coded::default();
    coded.load(&by_hand(3, &steps), 1 << 20).unwrap();
    let frame = coded.small();
    for (unit, step) in steps.into_iter().enumerate() {
        // The step times the quantisation over 8, from the middle on.
        for got in frame.rgb(8 * unit + 3, 5) {
            assert!((i32::from(got) - (128 + step)).abs() <= 1, "{got} in unit {unit}");
        }
    }
    assert!(matches!(coded.load(&by_hand(4, &steps), 1 << 20), Err(Refused::Damaged(_))), "a unit is missing");
    assert!(matches!(coded.load(&by_hand(2, &steps), 1 << 20), Err(Refused::Damaged(_))), "one too many");
}

#[test]
fn what_is_cut_short_is_refused() {
    let bytes = jpeg(160, 128, 75);
    let mut decoder = Decoder::new(1 << 20);
    for length in (0..bytes.len()).step_by(7) {
        assert!(decoder.open(&bytes[..length]).is_err(), "{length} bytes");
        let mut closed = bytes[..length].to_vec();
        closed.extend([0xff, 0xd9]);
        assert!(decoder.open(&closed).is_err(), "{length} bytes with an end marker");
    }
    assert!(decoder.open(&bytes).is_ok());
}

proptest! {
    #[test]
    fn damage_is_refused_or_looked_at_to_the_last_pixel(hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = jpeg(64, 48, 60);
        for (place, byte) in hits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let mut coded = Coded::default();
        if coded.load(&bytes, 1 << 20).is_ok() {
            let (width, height) = coded.size();
            let bbox = BBox { x: -9.0, y: -9.0, w: width as f32 + 99.0, h: height as f32 + 99.0 };
            let last = |frame: Frame<'_>| frame.rgb(frame.width() - 1, frame.height() - 1);
            last(coded.small());
            last(coded.around(&bbox));
        }
    }
}
