//! What a recording sounds like, from its samples alone.
//!
//! Every part is a pure function with a published formula: loudness as broadcasters measure it, onsets and tempo from the
//! rise of energy in mel bands, major or minor from the pitch classes, brightness from the spectrum, and the colour of the
//! sound as mel-frequency cepstral coefficients. [`Sound::affect`] guesses from these where listeners would put the
//! recording on the valence-arousal plane; it says itself how weak that guess is.

mod affect;
mod frames;
mod key;
mod loudness;
mod rhythm;
mod spectrum;

pub use affect::{CONFIDENCE, Guess};
pub use frames::TIMBRE;

/// Rate to which recordings are brought before they are analysed, in Hz; all that is measured lies below half of it.
pub const RATE: u32 = 22_050;

/// Shortest recording that says anything, in seconds.
pub const SHORTEST: f32 = 3.0;

/// What was heard in a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// Integrated loudness of the channels' mean, in LUFS.
    pub loudness: f32,
    /// Notes and beats that begin, in a second.
    pub onset_rate: f32,
    /// Beats a minute; nothing where there is no beat.
    pub tempo: Option<f32>,
    /// Where the middle of the spectrum's energy lies, in Hz.
    pub centroid: f32,
    /// How far its energy lies around that, in Hz (standard deviation).
    pub spread: f32,
    /// Above 0 for major and below for minor, at most 2 and mostly under .3; nothing where no key is heard.
    pub majorness: Option<f32>,
    /// Means of the mel-frequency cepstral coefficients 1 to 12.
    pub timbre: [f32; TIMBRE],
}

/// Listens to mono samples of -1..1 at `rate` Hz. Nothing where there are too few, or where all is silence.
#[must_use]
pub fn listen(samples: &[f32], rate: u32) -> Option<Sound> {
    if rate == 0 || (samples.len() as f32) < SHORTEST * rate as f32 {
        return None;
    }
    let loudness = loudness::integrated(samples, rate)?;
    let frames = frames::Frames::of(samples, rate)?;
    Some(Sound {
        loudness,
        onset_rate: rhythm::onset_rate(&frames.flux, frames.per_second),
        tempo: rhythm::tempo(&frames.flux, frames.per_second),
        centroid: frames.centroid,
        spread: frames.spread,
        majorness: key::majorness(samples, rate),
        timbre: frames.timbre,
    })
}
