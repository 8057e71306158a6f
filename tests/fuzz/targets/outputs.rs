//! Networks that say anything, up to numbers that are none: what comes of it are boxes in the frame and probabilities.
#![no_main]

#[path = "../support/networks.rs"]
mod networks;

use libfuzzer_sys::fuzz_target;
use moodbox_core::emotion::{COUNT, Probabilities};
use moodbox_vision::frame::{Format, Frame};

const SIDE: usize = 160;

fuzz_target!(|bytes: &[u8]| {
    let Some((scale, rest)) = bytes.split_first_chunk() else { return };
    let Some((numbers, outputs)) = rest.split_at_checked(4 * COUNT + 4) else { return };
    let mut numbers = numbers.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
    let logits = std::array::from_fn(|_| numbers.next().unwrap_or(f32::NAN));
    let temperature = numbers.next().unwrap_or(f32::NAN);
    let said = Probabilities::from_logits(logits, temperature);
    assert!((said.as_array().iter().sum::<f32>() - 1.0).abs() < 1e-3, "{said:?}");

    let outputs: Vec<i8> = outputs.iter().map(|byte| *byte as i8).collect();
    let data = vec![128; SIDE * SIDE];
    let frame = Frame::new(&data, Format::Grey, SIDE, SIDE, SIDE).expect("a frame");
    networks::detect(frame, &outputs, Some(f32::from_le_bytes(*scale)));
});
