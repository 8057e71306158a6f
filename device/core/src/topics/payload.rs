//! The payloads that the box publishes.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::json;
use crate::affect::Policy;
use crate::emotion::Emotion;

/// Version of the payloads: raised when a field changes its meaning, not when one is added.
pub const SCHEMA: u32 = 1;

/// Longest recommendation payload: Home Assistant records no attributes over 16 KiB, its own included.
pub const MAX_RECOMMENDATION_BYTES: usize = 15 * 1024;

/// Longest title, artist, album or reason in a payload.
const MAX_TEXT_BYTES: usize = 256;

/// Something that is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Switch {
    On,
    Off,
}

/// What the camera does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CameraState {
    /// It looks.
    On,
    /// A person has switched it off, by a command or by the switch on the box.
    Off,
    /// It is wanted but gives no pictures.
    Unavailable,
}

/// The mood of the room and the switches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    /// The name of an [`Emotion`], `mixed` or `absent`.
    pub mood: &'static str,
    /// Whether no mood is likely enough to be believed.
    pub unsure: bool,
    /// The expression seen now, which the light shows.
    pub expression: Option<Emotion>,
    /// Number of faces seen now.
    pub faces: usize,
    /// Whether somebody is there.
    pub presence: bool,
    /// Whether nobody is seen, but nobody can say that the room is empty: the camera does not look, or has not for as long as
    /// that takes. Left out where it is false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub presence_unknown: bool,
    /// Valence that the mood stands for, -1..1.
    #[serde(serialize_with = "two_decimals")]
    pub valence: f32,
    /// Arousal that the mood stands for, -1..1.
    #[serde(serialize_with = "two_decimals")]
    pub arousal: f32,
    /// What the music shall do with the mood.
    pub policy: Policy,
    /// What the camera does.
    pub camera: CameraState,
    /// Why it is off or unavailable, in one line; left out where it is on, or off because a person commanded it.
    #[serde(serialize_with = "shortened_if_any", skip_serializing_if = "Option::is_none")]
    pub camera_reason: Option<String>,
    /// Whether the mood light is wanted.
    pub leds: Switch,
    /// Always [`SCHEMA`].
    pub schema: u32,
}

/// A track as others see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrackPayload {
    /// What a player plays, [`super::MAX_URI_BYTES`] at most.
    pub uri: String,
    /// Title of the recording.
    #[serde(serialize_with = "shortened")]
    pub title: String,
    /// Who performs it.
    #[serde(serialize_with = "shortened")]
    pub artist: String,
    /// The album it is on; empty when not known.
    #[serde(serialize_with = "shortened")]
    pub album: String,
    /// Its first genre; empty when not known.
    #[serde(serialize_with = "shortened")]
    pub genre: String,
    /// How pleasant it is, -1..1.
    #[serde(serialize_with = "two_decimals")]
    pub valence: f32,
    /// How activating it is, -1..1.
    #[serde(serialize_with = "two_decimals")]
    pub arousal: f32,
    /// How well it fits; comparable within one recommendation.
    #[serde(serialize_with = "two_decimals")]
    pub score: f32,
    /// Why it is here, in a sentence for a person.
    #[serde(serialize_with = "shortened")]
    pub why: String,
}

/// The songs that fit, best first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommendation {
    /// Differs from that of the recommendation before.
    pub id: String,
    /// The mood it was made for, as in [`State::mood`].
    pub mood: &'static str,
    /// The policy it was made with.
    pub policy: Policy,
    /// Why there is a new one, in a sentence for a person.
    #[serde(serialize_with = "shortened")]
    pub reason: String,
    /// Best first.
    pub tracks: Vec<TrackPayload>,
}

impl Recommendation {
    /// JSON of at most [`MAX_RECOMMENDATION_BYTES`]: the last tracks are left out when all are too long together.
    pub(super) fn bounded_json(&self) -> Vec<u8> {
        let whole = json(self);
        if whole.len() <= MAX_RECOMMENDATION_BYTES {
            return whole;
        }
        let without_tracks = json(&Self { tracks: Vec::new(), ..self.clone() }).len();
        let mut room = MAX_RECOMMENDATION_BYTES.saturating_sub(without_tracks);
        let fitting = self.tracks.iter().take_while(|track| {
            let needed = json(*track).len() + ",".len();
            let fits = needed <= room;
            room = room.saturating_sub(needed);
            fits
        });
        let tracks = fitting.cloned().collect();
        json(&Self { tracks, ..self.clone() })
    }
}

/// How a player finds a track; empty texts when there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TrackNames {
    /// Title of the recording.
    #[serde(serialize_with = "shortened")]
    pub title: String,
    /// Who performs it.
    #[serde(serialize_with = "shortened")]
    pub artist: String,
    /// The album it is on.
    #[serde(serialize_with = "shortened")]
    pub album: String,
    /// What a player plays.
    pub uri: String,
}

impl From<&TrackPayload> for TrackNames {
    fn from(track: &TrackPayload) -> Self {
        Self {
            title: track.title.clone(),
            artist: track.artist.clone(),
            album: track.album.clone(),
            uri: track.uri.clone(),
        }
    }
}

/// Something that happened, for automations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event_type", rename_all = "snake_case")]
pub enum Event {
    /// The room is in another mood.
    MoodChanged {
        /// The new one, as in [`State::mood`].
        mood: &'static str,
        /// The first track that fits it.
        #[serde(flatten)]
        track: TrackNames,
    },
    /// There is a new list.
    Recommended {
        /// The mood it was made for.
        mood: &'static str,
        /// Its first track.
        #[serde(flatten)]
        track: TrackNames,
    },
    /// A person chose a track, or asked for the next.
    Chosen {
        /// The track.
        #[serde(flatten)]
        track: TrackNames,
    },
    /// Somebody came, or the last one left.
    Presence {
        /// Whether somebody is there.
        presence: bool,
    },
    /// Something does not work.
    Problem {
        /// Which part: `camera`, `models`, `broker`, `leds` or `config`.
        part: &'static str,
        /// What is wrong and what to do, in one line.
        #[serde(serialize_with = "shortened")]
        message: String,
    },
}

impl Event {
    /// All values of `event_type`.
    pub const TYPES: [&str; 5] = ["mood_changed", "recommended", "chosen", "presence", "problem"];
}

/// How the box itself is doing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostics {
    /// Frames analysed a second, over the last minute.
    #[serde(serialize_with = "one_decimal")]
    pub fps: f32,
    /// Median time of a frame from the camera to the faces, in ms.
    #[serde(serialize_with = "one_decimal")]
    pub frame_ms_p50: f32,
    /// 95th percentile of the same, in ms.
    #[serde(serialize_with = "one_decimal")]
    pub frame_ms_p95: f32,
    /// Frames analysed since the start.
    pub inferences: u64,
    /// Frames that newer ones replaced, or that the camera lost.
    pub dropped: u64,
    /// Frames that could not be decoded.
    pub corrupt: u64,
    /// Mean brightness of the last frame, 0..1; nothing while the camera gives none.
    #[serde(serialize_with = "two_decimals_if_known")]
    pub light: Option<f32>,
    /// Resident memory in MB.
    #[serde(serialize_with = "one_decimal")]
    pub rss_mb: f32,
    /// Temperature of the processor in degrees Celsius, where there is a sensor.
    #[serde(serialize_with = "one_decimal_if_known")]
    pub temperature_c: Option<f32>,
    /// Whether heat or low voltage slows the processor down, where the board tells.
    pub throttled: Option<bool>,
    /// Seconds since the start.
    pub uptime_s: u64,
    /// Version of moodbox.
    pub version: String,
    /// The networks in use: name and the first digits of the sha256.
    pub models: BTreeMap<String, String>,
}

/// The answer to a request, or to a command that was refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Response {
    /// That of the request; null when it could not be read or the answer is to a command.
    pub transaction: Option<String>,
    /// How it went.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How a request went.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Ok {
        /// What was asked for.
        data: serde_json::Value,
    },
    /// It was refused.
    Error {
        /// What is wrong and what would be right, in one line.
        error: String,
    },
}

impl Response {
    /// It was done.
    #[must_use]
    pub fn ok(transaction: String, data: serde_json::Value) -> Self {
        Self { transaction: Some(transaction), outcome: Outcome::Ok { data } }
    }

    /// It was refused.
    #[must_use]
    pub fn error(transaction: Option<String>, error: String) -> Self {
        Self { transaction, outcome: Outcome::Error { error } }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(crate) fn two_decimals<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    // As a double it has these decimals also where JSON is made of a value, which knows doubles alone.
    serializer.serialize_f64((f64::from(rounded(*value, 100.0)) * 100.0).round() / 100.0)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn one_decimal<S: Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f32(rounded(*value, 10.0))
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn one_decimal_if_known<S: Serializer>(value: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|v| rounded(v, 10.0)).serialize(serializer)
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn two_decimals_if_known<S: Serializer>(value: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|v| rounded(v, 100.0)).serialize(serializer)
}

/// The nearest multiple of `1 / steps`; 0 for a value that is not finite, which JSON cannot say.
fn rounded(value: f32, steps: f32) -> f32 {
    let rounded = (value * steps).round() / steps;
    // Adding 0 turns -0 into 0.
    if rounded.is_finite() { rounded + 0.0 } else { 0.0 }
}

/// At most [`MAX_TEXT_BYTES`], so that no odd tag in a music file makes a payload that a listener refuses.
fn shortened<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    const ELLIPSIS: char = '\u{2026}';
    if text.len() <= MAX_TEXT_BYTES {
        return serializer.serialize_str(text);
    }
    let room = MAX_TEXT_BYTES - ELLIPSIS.len_utf8();
    let kept = text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= room).map(|(_, c)| c);
    serializer.collect_str(&kept.chain([ELLIPSIS]).collect::<String>())
}

#[expect(clippy::ref_option, reason = "serde passes references")]
fn shortened_if_any<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    shortened(text.as_deref().unwrap_or_default(), serializer)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn track() -> TrackPayload {
        TrackPayload {
            uri: "spotify:track:6dGnYIeXmHdcikdzNNDMm2".to_owned(),
            title: "Here Comes the Sun".to_owned(),
            artist: "The Beatles".to_owned(),
            album: "Abbey Road".to_owned(),
            genre: "rock".to_owned(),
            valence: 0.734_999,
            arousal: -0.001,
            score: 0.912_3,
            why: "as happy as the room, and calm".to_owned(),
        }
    }

    fn pretty(value: &impl Serialize) -> String {
        serde_json::to_string_pretty(value).unwrap()
    }

    #[test]
    fn state_payload() {
        assert_snapshot!(pretty(&State {
            mood: "happy",
            unsure: false,
            expression: Some(Emotion::Surprise),
            faces: 2,
            presence: true,
            presence_unknown: false,
            valence: 0.749_999,
            arousal: 0.4,
            policy: Policy::Match,
            camera: CameraState::On,
            camera_reason: None,
            leds: Switch::Off,
            schema: SCHEMA,
        }));
    }

    #[test]
    fn recommendation_payload() {
        assert_snapshot!(pretty(&Recommendation {
            id: "7".to_owned(),
            mood: "happy",
            policy: Policy::Lift,
            reason: "the mood changed to happy".to_owned(),
            tracks: vec![track()],
        }));
    }

    #[test]
    fn event_payloads() {
        let names = TrackNames::from(&track());
        let events = [
            Event::MoodChanged { mood: "absent", track: TrackNames::default() },
            Event::Recommended { mood: "happy", track: names.clone() },
            Event::Chosen { track: names },
            Event::Presence { presence: false },
            Event::Problem { part: "camera", message: "no camera found; plug one in".to_owned() },
        ];
        for (event, expected) in events.iter().zip(Event::TYPES) {
            assert_eq!(serde_json::to_value(event).unwrap()["event_type"], expected);
        }
        assert_snapshot!(pretty(&events));
    }

    #[test]
    fn diagnostics_payload() {
        assert_snapshot!(pretty(&Diagnostics {
            fps: 4.96,
            frame_ms_p50: 31.44,
            frame_ms_p95: 48.0,
            inferences: 18_000,
            dropped: 12,
            corrupt: 1,
            light: Some(0.347),
            rss_mb: 61.27,
            temperature_c: Some(51.234),
            throttled: None,
            uptime_s: 3600,
            version: "0.1.0".to_owned(),
            models: BTreeMap::from([("fer".to_owned(), "3f5a0b9c21d4".to_owned())]),
        }));
    }

    #[test]
    fn response_payloads() {
        let answers = [
            Response::ok("a1".to_owned(), serde_json::json!({ "toml": "" })),
            Response::error(None, "needs a transaction".to_owned()),
        ];
        assert_snapshot!(pretty(&answers));
    }

    #[test]
    fn numbers_that_json_cannot_say_become_zero() {
        let odd = TrackPayload { valence: f32::NAN, arousal: f32::NEG_INFINITY, ..track() };
        let value = serde_json::to_value(&odd).unwrap();
        assert_eq!((&value["valence"], &value["arousal"]), (&serde_json::json!(0.0), &serde_json::json!(0.0)));
        assert!(!serde_json::to_string(&track()).unwrap().contains("-0.0"));
    }

    proptest! {
        #[test]
        fn a_recommendation_always_fits_into_the_recorder(title in "\\PC{0,400}", uri_len in 0usize..1024, n in 0usize..51) {
            let long = TrackPayload { title, uri: "u".repeat(uri_len), ..track() };
            let recommendation = Recommendation {
                id: "1".to_owned(), mood: "sad", policy: Policy::Soothe, reason: String::new(), tracks: vec![long; n],
            };
            let bytes = recommendation.bounded_json();
            prop_assert!(bytes.len() <= MAX_RECOMMENDATION_BYTES, "{}", bytes.len());
            let kept = serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()["tracks"].as_array().unwrap().len();
            // Nine of the longest fit.
            prop_assert!(kept == n || kept >= 9, "{kept} of {n}");
        }
    }
}
