//! Decodes a sound file for [`moodbox_sound`]; nothing else here knows the decoders.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use moodbox_sound::{RATE, Sound};
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use super::guard::guarded;
use super::trouble::Trouble;

/// Longest part of a recording that is listened to, from its start, in seconds: a mix of hours is like its first minutes.
const LONGEST: u32 = 180;

/// Damaged packets after which a file is not a recording with a scratch but none at all.
const MAX_DAMAGED: u32 = 100;

/// What came of listening.
pub(super) enum Heard {
    Sound(Box<Sound>),
    /// It was asked to stop.
    Stopped,
}

/// Listens to a file until it has heard enough or `stop` is set. An error is one line for a person.
pub(super) fn listen(path: &Path, stop: &AtomicBool) -> Result<Heard, Trouble> {
    let Some((samples, rate)) = guarded(|| decode(path, stop))? else { return Ok(Heard::Stopped) };
    match moodbox_sound::listen(&samples, rate) {
        Some(sound) => Ok(Heard::Sound(Box::new(sound))),
        None => Err(format!("has less than {} s of sound to listen to", moodbox_sound::SHORTEST).into()),
    }
}

/// The mean of the channels, at about [`RATE`]; nothing when it was asked to stop.
fn decode(path: &Path, stop: &AtomicBool) -> Result<Option<(Vec<f32>, u32)>, Trouble> {
    let damaged = |error: Error| {
        let met = if let Error::IoError(met) = &error { Some(met) } else { None };
        Trouble::met_by_a_reader(met, || format!("cannot be listened to: {error}"))
    };
    let file = File::open(path).map_err(|error| Trouble::Unreadable(error.to_string()))?;
    let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
    let probe = symphonia::default::get_probe();
    let mut format =
        probe.probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default()).map_err(damaged)?;
    let track = format.default_track(TrackType::Audio).ok_or("cannot be listened to: it has no sound")?;
    let (id, parameters) = (track.id, track.codec_params.as_ref().and_then(|parameters| parameters.audio()));
    let parameters = parameters.ok_or("cannot be listened to: its sound is not described")?;
    if parameters.codec == CODEC_ID_OPUS {
        return Err("cannot be listened to: Opus is not supported, only its tags are".into());
    }
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(damaged)?;
    let mut mono = Mono::default();
    let mut interleaved: Vec<f32> = Vec::new();
    let mut scratches = 0;
    while !mono.is_enough() {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // Some readers say so at the end of a file that was cut off; what is there can be listened to.
            Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(damaged(error)),
        };
        if packet.track_id != id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(buffer) => {
                let (rate, channels) = (buffer.spec().rate(), buffer.spec().channels().count());
                buffer.copy_to_vec_interleaved(&mut interleaved);
                mono.add(&interleaved, channels, rate);
            }
            Err(Error::DecodeError(_) | Error::IoError(_)) if scratches < MAX_DAMAGED => scratches += 1,
            Err(error) => return Err(damaged(error)),
        }
    }
    Ok(Some((mono.samples, mono.rate)))
}

/// Samples as they come, mixed down and thinned.
#[derive(Default)]
struct Mono {
    samples: Vec<f32>,
    /// Rate of `samples`.
    rate: u32,
    /// Frames that make one sample: their mean is a coarse but sufficient low-pass.
    thinning: u32,
    sum: f32,
    summed: u32,
}

impl Mono {
    fn add(&mut self, interleaved: &[f32], channels: usize, rate: u32) {
        if self.thinning == 0 {
            self.thinning = ((rate as f32 / RATE as f32).round() as u32).max(1);
            self.rate = rate / self.thinning;
        }
        for frame in interleaved.chunks_exact(channels.max(1)) {
            self.sum += frame.iter().sum::<f32>() / frame.len() as f32;
            self.summed += 1;
            if self.summed == self.thinning {
                let mean = self.sum / self.summed as f32;
                // A damaged file may decode to anything.
                self.samples.push(if mean.is_finite() { mean.clamp(-8.0, 8.0) } else { 0.0 });
                (self.sum, self.summed) = (0.0, 0);
            }
        }
    }

    fn is_enough(&self) -> bool {
        self.rate > 0 && self.samples.len() as u64 >= u64::from(self.rate) * u64::from(LONGEST)
    }
}
