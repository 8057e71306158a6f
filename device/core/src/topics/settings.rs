//! What a person has set, in the units of the commands that set it.

use serde::Serialize;

use super::payload::two_decimals;
use crate::config::Config;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_payload() {
        let text = serde_json::to_string(&Settings::from(&Config::default())).unwrap();
        assert_eq!(text, r#"{"hold_time":10.0,"min_face":60,"brightness":80,"analysis_rate":5}"#);
    }
}
