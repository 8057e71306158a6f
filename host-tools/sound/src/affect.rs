//! Where listeners would probably put a recording on the valence-arousal plane.

use crate::Sound;

/// How far a guess can be trusted, 0..1. Features of this kind correlate with what listeners say of arousal by about .53
/// and of valence by about .35; a place is as good as the weaker of the two.
pub const CONFIDENCE: f32 = 0.35;

/// A guess from the sound alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guess {
    /// -1 unpleasant to 1 pleasant.
    pub valence: f32,
    /// -1 calm to 1 excited.
    pub arousal: f32,
}

/// Middle and spread of each feature over recorded music, to bring them to one scale. Only their ratio matters to a
/// library, which is ranked within itself.
const LOUDNESS: (f32, f32) = (-14.0, 5.0);
const ONSET_RATE: (f32, f32) = (4.0, 1.5);
const LOG_TEMPO: (f32, f32) = (6.9, 0.4);
const LOG_CENTROID: (f32, f32) = (9.8, 0.8);
const MAJORNESS: (f32, f32) = (0.0, 0.15);

fn standardised(value: f32, (middle, spread): (f32, f32)) -> f32 {
    ((value - middle) / spread).clamp(-2.0, 2.0)
}

impl Sound {
    /// A linear guess with the signs that studies agree on (Gabrielsson & Lindström, "The role of structure in the musical
    /// expression of emotions", 2010; Eerola, Lartillot & Toiviainen, ISMIR 2009): loud, dense, bright and fast is
    /// exciting; major and lively is pleasant. The weights are judgement. Two standard deviations reach the edge.
    #[must_use]
    pub fn affect(&self) -> Guess {
        let loudness = standardised(self.loudness, LOUDNESS);
        let density = standardised(self.onset_rate, ONSET_RATE);
        let brightness = standardised(self.centroid.max(1.0).log2(), LOG_CENTROID);
        let speed = self.tempo.map_or(0.0, |tempo| standardised(tempo.log2(), LOG_TEMPO));
        let major = self.majorness.map_or(0.0, |majorness| standardised(majorness, MAJORNESS));
        Guess {
            valence: (0.5 * major + 0.2 * speed + 0.2 * density + 0.1 * brightness) / 2.0,
            arousal: (0.4 * loudness + 0.25 * density + 0.25 * brightness + 0.1 * speed) / 2.0,
        }
    }
}
