//! What is accepted over MQTT: nothing but what is listed here.

use serde::Deserialize;

use super::reading::{CommandError, from_json, quoted, refuse, text, within};
use crate::affect::Policy;
use crate::config::{AnalysisRate, Bounded, FacePx, Seconds};
use crate::emotion::Emotion;

/// Longest uri of a track.
pub const MAX_URI_BYTES: usize = 1024;

/// What a person or an automation may ask the box to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Switch the camera on or off.
    Camera(bool),
    /// Switch the mood light on or off.
    Leds(bool),
    /// What the music shall do with the mood.
    Policy(Policy),
    /// This track was chosen; more of the same kind shall follow.
    Choose {
        /// The uri of a track of the catalogue.
        uri: String,
    },
    /// The next track of the list.
    Next {
        /// The uri of the track to go on to, where a player has gone on by itself; the first of the list where left out.
        uri: Option<String>,
    },
    /// The chosen track is liked.
    Like,
    /// The track that plays is not wanted.
    Skip {
        /// As for [`Self::Next`].
        uri: Option<String>,
    },
    /// The mood is really this one.
    Correct(Emotion),
    /// Make a new list now.
    Recommend,
    /// Hold the mood for this time after the last face was seen.
    HoldTime(Seconds),
    /// Look for faces of this side and larger, in pixels.
    MinFace(FacePx),
    /// Brightness of the mood light at full confidence, in percent.
    Brightness(Bounded<0, 100>),
    /// Analyse at most so many frames a second.
    AnalysisRate(AnalysisRate),
    /// Show the colours of the mood light one after the other.
    LedTest,
    /// End, to be started again by whatever has started the box.
    Restart,
}

impl Command {
    /// The names of all commands, the last part of their topics.
    pub const NAMES: [&str; 15] = [
        "camera",
        "leds",
        "policy",
        "choose",
        "next",
        "like",
        "skip",
        "correct",
        "recommend",
        "hold_time",
        "min_face",
        "brightness",
        "analysis_rate",
        "led_test",
        "restart",
    ];

    /// Reads the command `name`, the last part of its topic, from its payload. White space around the payload is ignored.
    ///
    /// # Errors
    /// When the name is not among [`Self::NAMES`], or the payload is over [`super::MAX_COMMAND_BYTES`], is not UTF-8, or
    /// is not what the command takes.
    pub fn parse(name: &str, payload: &[u8]) -> Result<Self, CommandError> {
        let text = text(payload)?;
        match name {
            "camera" => on_or_off(text).map(Self::Camera),
            "leds" => on_or_off(text).map(Self::Leds),
            "policy" => choice(text, &Policy::ALL.map(Policy::name)).map(Self::Policy),
            "choose" => uri(text).map(|uri| Self::Choose { uri }),
            "next" => uri_or_nothing(text).map(|uri| Self::Next { uri }),
            "like" => nothing(text).map(|()| Self::Like),
            "skip" => uri_or_nothing(text).map(|uri| Self::Skip { uri }),
            "correct" => choice(text, &Emotion::ALL.map(Emotion::name)).map(Self::Correct),
            "recommend" => nothing(text).map(|()| Self::Recommend),
            "hold_time" => seconds(text).map(Self::HoldTime),
            "min_face" => whole(text).map(Self::MinFace),
            "brightness" => whole(text).map(Self::Brightness),
            "analysis_rate" => whole(text).map(Self::AnalysisRate),
            "led_test" => nothing(text).map(|()| Self::LedTest),
            "restart" => nothing(text).map(|()| Self::Restart),
            _ => refuse(format!("no command is called {}; known are {}", quoted(name), Self::NAMES.join(", "))),
        }
    }
}

fn on_or_off(text: &str) -> Result<bool, CommandError> {
    match text {
        "ON" => Ok(true),
        "OFF" => Ok(false),
        _ => refuse(format!("must be ON or OFF, not {}", quoted(text))),
    }
}

fn choice<T: std::str::FromStr>(text: &str, known: &[&str]) -> Result<T, CommandError> {
    text.parse().or_else(|_| refuse(format!("must be one of {}, not {}", known.join(", "), quoted(text))))
}

/// A button: Home Assistant sends `PRESS`, a person nothing or an object without fields.
fn nothing(text: &str) -> Result<(), CommandError> {
    match text {
        "" | "PRESS" | "{}" => Ok(()),
        _ => refuse(format!("takes no payload (or PRESS), not {}", quoted(text))),
    }
}

/// A button that a player may say more with.
fn uri_or_nothing(text: &str) -> Result<Option<String>, CommandError> {
    match nothing(text) {
        Err(_) if text.starts_with('{') => uri(text).map(Some),
        pressed => pressed.map(|()| None),
    }
}

fn uri(text: &str) -> Result<String, CommandError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fields {
        uri: String,
    }
    let uri = within("uri", from_json::<Fields>(text, "{\"uri\": \"...\"}")?.uri, MAX_URI_BYTES)?;
    if uri.chars().any(char::is_control) {
        return refuse(format!("uri must not hold control characters: {}", quoted(&uri)));
    }
    Ok(uri)
}

fn whole<const MIN: u32, const MAX: u32>(text: &str) -> Result<Bounded<MIN, MAX>, CommandError> {
    let Ok(number) = text.parse::<i64>() else {
        return refuse(format!("must be a whole number from {MIN} to {MAX}, not {}", quoted(text)));
    };
    Bounded::try_from(number).or_else(|error| refuse(error.to_string()))
}

fn seconds(text: &str) -> Result<Seconds, CommandError> {
    let Ok(number) = text.parse::<f32>() else {
        return refuse(format!("must be a number of seconds, not {}", quoted(text)));
    };
    Seconds::try_from(number).or_else(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::topics::{MAX_COMMAND_BYTES, Request};

    #[test]
    fn every_command_is_read() {
        for (name, payload, expected) in [
            ("camera", "ON", Command::Camera(true)),
            ("camera", "OFF\n", Command::Camera(false)),
            ("leds", "OFF", Command::Leds(false)),
            ("policy", "lift", Command::Policy(Policy::Lift)),
            ("choose", r#"{"uri":"a/b.flac"}"#, Command::Choose { uri: "a/b.flac".to_owned() }),
            ("next", "", Command::Next { uri: None }),
            ("next", r#"{"uri":"a/b.flac"}"#, Command::Next { uri: Some("a/b.flac".to_owned()) }),
            ("like", "PRESS", Command::Like),
            ("skip", "{}", Command::Skip { uri: None }),
            ("skip", r#"{"uri":"a"}"#, Command::Skip { uri: Some("a".to_owned()) }),
            ("correct", "sad", Command::Correct(Emotion::Sad)),
            ("recommend", "PRESS", Command::Recommend),
            ("hold_time", "12.5", Command::HoldTime(Seconds(12.5))),
            ("min_face", "40", Command::MinFace(Bounded(40))),
            ("brightness", "0", Command::Brightness(Bounded(0))),
            ("analysis_rate", "30", Command::AnalysisRate(Bounded(30))),
            ("led_test", "PRESS", Command::LedTest),
            ("restart", "PRESS", Command::Restart),
        ] {
            assert_eq!(Command::parse(name, payload.as_bytes()), Ok(expected), "{name} {payload}");
        }
    }

    #[test]
    fn a_refusal_says_what_would_be_right() {
        let long = format!(r#"{{"uri":"{}"}}"#, "u".repeat(MAX_URI_BYTES + 1));
        for (name, payload, expected) in [
            ("camera", "on", r#"must be ON or OFF, not "on""#),
            ("camera", "", r#"must be ON or OFF, not """#),
            ("policy", "party", r#"must be one of match, lift, soothe, not "party""#),
            ("correct", "mixed", r#"must be one of angry, disgust, fear, happy, neutral, sad, surprise, not "mixed""#),
            ("like", r#"{"n":3}"#, r#"takes no payload (or PRESS), not "{\"n\":3}""#),
            ("next", r#"{"n":3}"#, r#"must be {"uri": "..."}: unknown field `n`, expected `uri` at line 1 column 4"#),
            (
                "like",
                "\u{1a}\u{1a}\u{1a}\u{1a}\u{1a}\u{1a}\u{1a}\u{1a}",
                r#"takes no payload (or PRESS), not "\u{1a}\u{1a}\u{1a}\u{1a}\u{1a}\u{1a}"..."#,
            ),
            ("choose", "a.flac", r#"must be {"uri": "..."}: expected value at line 1 column 1"#),
            ("choose", r#"{"uri":""}"#, "uri must not be empty"),
            ("choose", r#"{"uri":"a\u0000b"}"#, r#"uri must not hold control characters: "a\0b""#),
            ("choose", &long, "uri has at most 1024 bytes, not 1025"),
            (
                "choose",
                r#"{"uri":"a","path":"/etc"}"#,
                r#"must be {"uri": "..."}: unknown field `path`, expected `uri` at line 1 column 17"#,
            ),
            (
                "reboot",
                "",
                r#"no command is called "reboot"; known are camera, leds, policy, choose, next, like, skip, correct, recommend, hold_time, min_face, brightness, analysis_rate, led_test, restart"#,
            ),
            ("hold_time", "0", "must be from 0.1 to 86400 seconds, not 0"),
            ("hold_time", "NaN", "must be from 0.1 to 86400 seconds, not NaN"),
            ("hold_time", "10 s", r#"must be a number of seconds, not "10 s""#),
            ("min_face", "23", "must be a whole number from 24 to 400, not 23"),
            ("min_face", "60.5", r#"must be a whole number from 24 to 400, not "60.5""#),
            ("brightness", "101", "must be a whole number from 0 to 100, not 101"),
            ("brightness", "-1", "must be a whole number from 0 to 100, not -1"),
            (
                "analysis_rate",
                "99999999999999999999",
                r#"must be a whole number from 1 to 30, not "99999999999999999999""#,
            ),
        ] {
            assert_eq!(Command::parse(name, payload.as_bytes()).unwrap_err().to_string(), expected);
        }
        assert_eq!(
            Command::parse("next", &[b'a', 0xff]).unwrap_err().to_string(),
            "the payload must be UTF-8 text; byte 2 is not"
        );
        assert_eq!(
            Command::parse("next", &vec![b' '; MAX_COMMAND_BYTES + 1]).unwrap_err().to_string(),
            "a payload has at most 4096 bytes, not 4097"
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_in_one_line_goes_out(
            name in prop_oneof![prop::sample::select(&Command::NAMES[..]).prop_map(str::to_owned), any::<String>()],
            payload in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                "\\{\"(uri|transaction|\\PC{0,20})\":[\"0-9a-z\\[\\{\\\\]{0,20}\\}?".prop_map(String::into_bytes),
            ],
        ) {
            let reasons = [
                Command::parse(&name, &payload).err().map(|e| e.to_string()),
                Request::parse(&name, &payload).err().map(|e| e.to_string()),
            ];
            for reason in reasons.into_iter().flatten() {
                prop_assert!(!reason.contains(char::is_control), "{reason:?}");
                prop_assert!((1..=400).contains(&reason.chars().count()), "{reason:?}");
            }
        }

        #[test]
        fn any_uri_of_a_catalogue_can_be_chosen(uri in "[^\\p{Cc}]{1,200}") {
            let payload = serde_json::json!({ "uri": uri }).to_string();
            prop_assert_eq!(Command::parse("choose", payload.as_bytes()), Ok(Command::Choose { uri }));
        }
    }
}
