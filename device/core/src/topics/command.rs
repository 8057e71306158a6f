//! What is accepted over MQTT: nothing but what is listed here.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::piece::{MAX_PIECE_BYTES, Piece};
use crate::affect::Policy;
use crate::emotion::{Emotion, Named};
use crate::personal::{Evidence, LOOK_BACK};

/// Longest payload of a command or request.
pub const MAX_COMMAND_BYTES: usize = 4096;

/// Longest uri of a track.
pub const MAX_URI_BYTES: usize = 1024;

/// Longest transaction of a request.
const MAX_TRANSACTION_BYTES: usize = 64;

/// What a person or an automation may ask the box to do.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// Why a command was refused; the text says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CommandError(String);

impl Command {
    /// The names of all commands, the last part of their topics.
    pub const NAMES: [&str; 9] = ["camera", "leds", "policy", "choose", "next", "like", "skip", "correct", "recommend"];

    /// Reads the command `name`, the last part of its topic, from its payload. White space around the payload is ignored.
    ///
    /// # Errors
    /// When the name is not among [`Self::NAMES`], or the payload is over [`MAX_COMMAND_BYTES`], is not UTF-8, or is
    /// not what the command takes.
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
            _ => refuse(format!("no command is called {}; known are {}", quoted(name), Self::NAMES.join(", "))),
        }
    }
}

/// A question that is answered on `response/<name>`.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Chosen by who asks, and given back with the answer.
    pub transaction: String,
    /// What is asked.
    pub kind: RequestKind,
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum RequestKind {
    /// The configuration in use.
    ConfigGet,
    /// What the face before the camera showed just now.
    CalibrateLook {
        /// The last so much of the time, 1 to 5 s.
        over: Duration,
    },
    /// Read faces with what was learnt from these.
    CalibrateSet(Evidence),
    /// Read faces as the classifier does, and forget what was learnt.
    CalibrateReset,
    /// Take a piece of a new catalogue.
    LibraryPut(Piece),
}

impl RequestKind {
    /// The names of all requests, the last part of their topics.
    pub const NAMES: [&str; 5] = ["config.get", "calibrate.look", "calibrate.set", "calibrate.reset", "library.put"];
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct RequestError {
    /// The transaction to answer with, as far as it could be read.
    pub transaction: Option<String>,
    /// What is wrong and what would be right.
    pub reason: CommandError,
}

impl Request {
    /// Reads the request `name`, the last part of its topic, from its payload: JSON with a `transaction` of at most 64
    /// bytes, what the request takes besides, and nothing else.
    ///
    /// # Errors
    /// When there is no request of this name, or the payload is over [`MAX_COMMAND_BYTES`] ([`MAX_PIECE_BYTES`] for a
    /// piece) or not such JSON.
    pub fn parse(name: &str, payload: &[u8]) -> Result<Self, RequestError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Plain {
            transaction: String,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Look {
            transaction: String,
            seconds: f32,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Set {
            transaction: String,
            shown: BTreeMap<Emotion, Named>,
        }
        let read = match name {
            "calibrate.look" => fields(payload, "{\"transaction\": \"...\", \"seconds\": 4}")
                .map(|Look { transaction, seconds }| (transaction, look(seconds))),
            "calibrate.set" => {
                fields(payload, "{\"transaction\": \"...\", \"shown\": {\"happy\": {\"angry\": 0.01, ...}, ...}}")
                    .map(|Set { transaction, shown }| (transaction, set(shown)))
            }
            "library.put" => piece(payload),
            _ => fields(payload, "{\"transaction\": \"...\"}")
                .map(|Plain { transaction }| (transaction, without_fields(name))),
        };
        let checked =
            read.and_then(|(transaction, kind)| Ok((within("transaction", transaction, MAX_TRANSACTION_BYTES)?, kind)));
        let (transaction, kind) = checked.map_err(|reason| RequestError { transaction: None, reason })?;
        match kind {
            Ok(kind) => Ok(Self { transaction, kind }),
            Err(reason) => Err(RequestError { transaction: Some(transaction), reason }),
        }
    }
}

fn fields<'a, T: Deserialize<'a>>(payload: &'a [u8], form: &str) -> Result<T, CommandError> {
    from_json(text(payload)?, form)
}

fn look(seconds: f32) -> Result<RequestKind, CommandError> {
    let longest = LOOK_BACK.as_secs_f32();
    if (1.0..=longest).contains(&seconds) {
        Ok(RequestKind::CalibrateLook { over: Duration::from_secs_f32(seconds) })
    } else {
        refuse(format!("seconds must be from 1 to {longest}, not {seconds}"))
    }
}

fn set(shown: BTreeMap<Emotion, Named>) -> Result<RequestKind, CommandError> {
    if shown.is_empty() {
        return refuse("shown must not be empty; calibrate.reset forgets what was learnt".to_owned());
    }
    let held = shown.into_iter().map(|(emotion, Named(said))| (emotion, said));
    Ok(RequestKind::CalibrateSet(Evidence::guided(held)))
}

fn without_fields(name: &str) -> Result<RequestKind, CommandError> {
    match name {
        "config.get" => Ok(RequestKind::ConfigGet),
        "calibrate.reset" => Ok(RequestKind::CalibrateReset),
        _ => {
            let known = RequestKind::NAMES.join(", ");
            refuse(format!("no request is called {}; known are {known}", quoted(name)))
        }
    }
}

fn piece(payload: &[u8]) -> Result<(String, Result<RequestKind, CommandError>), CommandError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Put {
        transaction: String,
        sha256: String,
        size: u64,
        offset: u64,
        text: String,
    }
    const FORM: &str = r#"{"transaction": "...", "sha256": "...", "size": 0, "offset": 0, "text": "..."}"#;
    let Put { transaction, sha256, size, offset, text } = from_json(text_within(payload, MAX_PIECE_BYTES)?, FORM)?;
    let piece = Piece { sha256, size, offset, text };
    Ok((transaction, piece.check().map(|()| RequestKind::LibraryPut(piece)).map_err(CommandError)))
}

fn refuse<T>(reason: String) -> Result<T, CommandError> {
    Err(CommandError(reason))
}

fn text(payload: &[u8]) -> Result<&str, CommandError> {
    text_within(payload, MAX_COMMAND_BYTES)
}

fn text_within(payload: &[u8], longest: usize) -> Result<&str, CommandError> {
    if payload.len() > longest {
        return refuse(format!("a payload has at most {longest} bytes, not {}", payload.len()));
    }
    match std::str::from_utf8(payload) {
        Ok(text) => Ok(text.trim()),
        Err(error) => refuse(format!("the payload must be UTF-8 text; byte {} is not", error.valid_up_to() + 1)),
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

fn from_json<'a, T: Deserialize<'a>>(text: &'a str, form: &str) -> Result<T, CommandError> {
    serde_json::from_str(text).or_else(|error| refuse(format!("must be {form}: {}", one_line(&error.to_string()))))
}

fn within(what: &str, value: String, longest: usize) -> Result<String, CommandError> {
    match value.len() {
        0 => refuse(format!("{what} must not be empty")),
        bytes if bytes > longest => refuse(format!("{what} has at most {longest} bytes, not {bytes}")),
        _ => Ok(value),
    }
}

/// Longest piece of somebody else's text in a message, in characters as they are shown.
const LONGEST_QUOTE: usize = 40;

/// Text of others, short and with nothing that a terminal would act on.
fn quoted(text: &str) -> String {
    let whole = format!("{text:?}");
    // Two of them are the quotation marks.
    if whole.chars().nth(LONGEST_QUOTE + 2).is_none() {
        return whole;
    }
    let mut room = LONGEST_QUOTE;
    let fits = |c: &char| {
        let shown = c.escape_debug().count();
        let fits = shown <= room;
        room = room.saturating_sub(shown);
        fits
    };
    format!("{:?}...", text.chars().take_while(fits).collect::<String>())
}

/// The reasons of the JSON reader may quote an unknown field, whatever it holds.
fn one_line(reason: &str) -> String {
    let shown = reason.chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.take(4 * LONGEST_QUOTE).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::emotion::Probabilities;

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
                r#"no command is called "reboot"; known are camera, leds, policy, choose, next, like, skip, correct, recommend"#,
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

    #[test]
    fn the_configuration_can_be_asked_for() {
        let request = Request { transaction: "a1".to_owned(), kind: RequestKind::ConfigGet };
        assert_eq!(Request::parse("config.get", br#"{"transaction":"a1"}"#), Ok(request));
    }

    fn row() -> String {
        let each = Emotion::ALL.map(|e| format!("\"{e}\":{}", if e == Emotion::Sad { 0.4 } else { 0.1 }));
        format!("{{{}}}", each.join(","))
    }

    #[test]
    fn a_calibration_can_be_asked_for() {
        let parse = |name, fields: &str| {
            Request::parse(name, format!("{{\"transaction\":\"a1\"{fields}}}").as_bytes()).map(|request| request.kind)
        };
        let over = Duration::from_millis(2500);
        assert_eq!(parse("calibrate.look", ",\"seconds\":2.5"), Ok(RequestKind::CalibrateLook { over }));
        assert_eq!(parse("calibrate.reset", ""), Ok(RequestKind::CalibrateReset));
        let said = Probabilities::normalised([0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.1]).unwrap();
        let shown = format!(",\"shown\":{{\"happy\":{},\"sad\":{}}}", row(), row());
        let evidence = Evidence::guided([(Emotion::Happy, said), (Emotion::Sad, said)]);
        assert_eq!(parse("calibrate.set", &shown), Ok(RequestKind::CalibrateSet(evidence)));
    }

    #[test]
    fn a_calibration_that_makes_no_sense_is_refused() {
        let form = "must be {\"transaction\": \"...\", \"shown\": {\"happy\": {\"angry\": 0.01, ...}, ...}}: ";
        let six = row().replace("\"sad\":0.4,", "");
        let negative = row().replace("0.4", "-0.4");
        for (name, fields, reason) in [
            ("calibrate.look", "\"seconds\":0.5".to_owned(), "seconds must be from 1 to 5, not 0.5".to_owned()),
            ("calibrate.look", "\"seconds\":1e30".to_owned(), "seconds must be from 1 to 5, not 1".to_owned()),
            ("calibrate.set", "\"shown\":{}".to_owned(), "shown must not be empty; calibrate.reset forgets".to_owned()),
            ("calibrate.set", "\"shown\":[]".to_owned(), format!("{form}invalid type")),
            ("calibrate.set", format!("\"shown\":{{\"glad\":{}}}", row()), format!("{form}unknown variant")),
            ("calibrate.set", format!("\"shown\":{{\"sad\":{six}}}"), format!("{form}probabilities must be seven")),
            ("calibrate.set", format!("\"shown\":{{\"sad\":{negative}}}"), format!("{form}probabilities must be")),
            (
                "calibrate.reset",
                "\"seconds\":1".to_owned(),
                "must be {\"transaction\": \"...\"}: unknown field".to_owned(),
            ),
        ] {
            let payload = format!("{{\"transaction\":\"a1\",{fields}}}");
            let told = Request::parse(name, payload.as_bytes()).unwrap_err().to_string();
            assert!(told.starts_with(&reason), "{fields}: {told}");
        }
    }

    #[test]
    fn a_piece_of_a_catalogue_is_read() {
        let piece = Piece { sha256: "0a".repeat(32), size: 9, offset: 3, text: "abc\n".to_owned() };
        let parse = |piece: &Piece| {
            let mut payload = serde_json::to_value(piece).unwrap();
            payload["transaction"] = "a1".into();
            Request::parse("library.put", payload.to_string().as_bytes())
        };
        let read = Request { transaction: "a1".to_owned(), kind: RequestKind::LibraryPut(piece.clone()) };
        assert_eq!(parse(&piece), Ok(read));
        for (wrong, reason) in [
            (Piece { sha256: "../../etc/passwd".to_owned(), ..piece.clone() }, "sha256 must be 64 hexadecimal digits"),
            (Piece { sha256: "0A".repeat(32), ..piece.clone() }, "sha256 must be 64 hexadecimal digits"),
            (Piece { size: 0, ..piece.clone() }, "size must be from 1 to 536870912, not 0"),
            (Piece { size: u64::MAX, ..piece.clone() }, "size must be from 1 to"),
            (Piece { offset: 6, ..piece.clone() }, "the piece goes beyond the size"),
            (Piece { offset: u64::MAX, ..piece.clone() }, "the piece goes beyond the size"),
        ] {
            let error = parse(&wrong).unwrap_err();
            assert_eq!(error.transaction.as_deref(), Some("a1"));
            assert!(error.to_string().starts_with(reason), "{error}");
        }
        let long = Piece { size: MAX_PIECE_BYTES as u64, offset: 0, text: "x".repeat(MAX_PIECE_BYTES), ..piece };
        assert!(parse(&long).unwrap_err().to_string().starts_with("a payload has at most 49152 bytes"));
    }

    #[test]
    fn a_refused_request_keeps_its_transaction() {
        let error = Request::parse("shell", br#"{"transaction":"a1"}"#).unwrap_err();
        assert_eq!(error.transaction.as_deref(), Some("a1"));
        assert_eq!(
            error.to_string(),
            r#"no request is called "shell"; known are config.get, calibrate.look, calibrate.set, calibrate.reset, library.put"#
        );
        let error = Request::parse("config.get", br#"{"transaction":"a1","file":"/etc/shadow"}"#).unwrap_err();
        assert_eq!(error.transaction, None);
        let long = format!(r#"{{"transaction":"{}"}}"#, "t".repeat(65));
        let error = Request::parse("config.get", long.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "transaction has at most 64 bytes, not 65");
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
                prop_assert!((1..=300).contains(&reason.chars().count()), "{reason:?}");
            }
        }

        #[test]
        fn any_uri_of_a_catalogue_can_be_chosen(uri in "[^\\p{Cc}]{1,200}") {
            let payload = serde_json::json!({ "uri": uri }).to_string();
            prop_assert_eq!(Command::parse("choose", payload.as_bytes()), Ok(Command::Choose { uri }));
        }
    }
}
