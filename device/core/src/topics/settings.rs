//! What a person has set, in the units of the commands that set it.

use std::ops::RangeInclusive;

use serde::Serialize;

use super::payload::two_decimals;
use crate::config::{Config, Seconds};

/// Each field is what the command of its name takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Settings {
    /// Time the mood is held after the last face was seen, in seconds.
    #[serde(serialize_with = "two_decimals")]
    pub hold_time: f32,
    /// Side of the smallest face looked for, in pixels.
    pub min_face: u32,
    /// Brightness of the mood light at full confidence, in percent.
    pub brightness: u8,
    /// Most frames analysed a second.
    pub analysis_rate: u32,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        Self {
            hold_time: config.mood.hold_s.0,
            min_face: config.vision.min_face_px.0,
            brightness: (config.leds.brightness.0 * 100.0).round() as u8,
            analysis_rate: config.vision.fps.0,
        }
    }
}

/// What a setting takes: from the least to the greatest in such steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Limit {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The step.
    pub step: f64,
}

/// What each of the [`Settings`] takes in a box with this configuration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as in Settings")]
pub struct Limits {
    pub hold_time: Limit,
    pub min_face: Limit,
    pub brightness: Limit,
    pub analysis_rate: Limit,
}

impl From<&Config> for Limits {
    fn from(config: &Config) -> Self {
        let whole = |range: RangeInclusive<u32>| Limit {
            min: f64::from(*range.start()),
            max: f64::from(*range.end()),
            step: 1.0,
        };
        Self {
            hold_time: hold_time(config),
            min_face: whole(config.vision.min_face_px.range()),
            brightness: whole(0..=100),
            analysis_rate: whole(config.vision.fps.range()),
        }
    }
}

/// The mood is held for less time than after which the room counts as empty.
fn hold_time(config: &Config) -> Limit {
    let tenths = |seconds: Seconds| (f64::from(seconds.0) / 0.1).round();
    let shortest = tenths(Seconds::SHORTEST);
    let longest = (tenths(config.mood.absent_s) - 1.0).max(shortest);
    Limit { min: shortest / 10.0, max: longest / 10.0, step: 0.1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_payload() {
        let text = serde_json::to_string(&Settings::from(&Config::default())).unwrap();
        assert_eq!(text, r#"{"hold_time":10.0,"min_face":60,"brightness":80,"analysis_rate":5}"#);
    }
}
