//! Sound files whose content is known because they were made for a test.

use std::f32::consts::TAU;

/// Samples a second in every file.
const RATE: u32 = 22_050;

/// A WAV file of one channel and 16 bits.
#[must_use]
pub fn wav(samples: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|s| ((s * 32_767.0) as i16).to_le_bytes()).collect();
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + data.len() as u32).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&(2 * RATE).to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&(data.len() as u32).to_le_bytes());
    file.extend_from_slice(&data);
    file
}

/// The same with tags in front of it, as ID3v2.4 frames in a chunk of their own; `frames` are ids and texts.
#[must_use]
pub fn tagged_wav(samples: &[f32], frames: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (id, text) in frames {
        body.extend_from_slice(id.as_bytes());
        body.extend_from_slice(&synchsafe(text.len() as u32 + 1));
        // No flags; UTF-8.
        body.extend_from_slice(&[0, 0, 3]);
        body.extend_from_slice(text.as_bytes());
    }
    let mut tag = b"ID3\x04\0\0".to_vec();
    tag.extend_from_slice(&synchsafe(body.len() as u32));
    tag.extend_from_slice(&body);
    if tag.len() % 2 == 1 {
        // Chunks are padded to an even length.
        tag.push(0);
    }
    let mut file = wav(samples);
    file.extend_from_slice(b"id3 ");
    file.extend_from_slice(&(tag.len() as u32).to_le_bytes());
    file.extend_from_slice(&tag);
    let size = file.len() as u32 - 8;
    file[4..8].copy_from_slice(&size.to_le_bytes());
    file
}

/// A number in seven bits a byte.
fn synchsafe(number: u32) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (number >> shift & 0x7f) as u8)
}

/// So many seconds of a chord of these frequencies, struck so many times a minute.
#[must_use]
pub fn chord(frequencies: &[f32], beats_a_minute: f32, seconds: f32) -> Vec<f32> {
    let sample = |i: u32| {
        let t = i as f32 / RATE as f32;
        let level = 0.8 * (-8.0 * (t % (60.0 / beats_a_minute))).exp() / frequencies.len() as f32;
        level * frequencies.iter().map(|f| (TAU * f * t).sin()).sum::<f32>()
    };
    (0..(seconds * RATE as f32) as u32).map(sample).collect()
}
