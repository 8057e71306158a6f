//! What may be asked over MQTT; each request is answered on `response/<name>`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::piece::{MAX_PIECE_BYTES, Piece};
use super::reading::{CommandError, from_json, quoted, refuse, text, text_within, within};
use crate::emotion::{Emotion, Named};
use crate::history::Query;
use crate::personal::{Evidence, LOOK_BACK};

/// Longest transaction of a request.
const MAX_TRANSACTION_BYTES: usize = 64;

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
    /// Set these keys of the configuration, such as `mood.hold_s`; null gives one back to the file.
    ConfigSet(Map<String, Value>),
    /// Whether these keys could be set so.
    ConfigCheck(Map<String, Value>),
    /// Whether what was set last has proved itself.
    ConfigTrial,
    /// How the box is, and what does not work.
    Diagnose,
    /// End, to be started again by whatever has started the box.
    Restart,
    /// What the mood of the room was.
    HistoryGet(Query),
    /// Say where faces are and what they show, for a minute.
    WatchStart,
    /// Show what the camera sees, for at most two minutes.
    PreviewStart,
    /// Show it no longer.
    PreviewStop,
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
    pub const NAMES: [&str; 14] = [
        "config.get",
        "config.set",
        "config.check",
        "config.trial",
        "calibrate.look",
        "calibrate.set",
        "calibrate.reset",
        "library.put",
        "history.get",
        "diagnose",
        "restart",
        "watch.start",
        "preview.start",
        "preview.stop",
    ];
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
    /// When there is no request of this name, or the payload is over [`super::MAX_COMMAND_BYTES`] ([`MAX_PIECE_BYTES`] for a
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
        struct Shown {
            transaction: String,
            shown: BTreeMap<Emotion, Named>,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Set {
            transaction: String,
            set: Map<String, Value>,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Past {
            transaction: String,
            from: u64,
            to: u64,
            #[serde(default)]
            skip: usize,
        }
        let read = match name {
            "config.set" | "config.check" => {
                fields(payload, "{\"transaction\": \"...\", \"set\": {\"mood.hold_s\": 10, ...}}")
                    .map(|Set { transaction, set }| (transaction, change(name, set)))
            }
            "calibrate.look" => fields(payload, "{\"transaction\": \"...\", \"seconds\": 4}")
                .map(|Look { transaction, seconds }| (transaction, look(seconds))),
            "calibrate.set" => {
                fields(payload, "{\"transaction\": \"...\", \"shown\": {\"happy\": {\"angry\": 0.01, ...}, ...}}")
                    .map(|Shown { transaction, shown }| (transaction, set(shown)))
            }
            "history.get" => fields(payload, "{\"transaction\": \"...\", \"from\": 0, \"to\": 0, \"skip\": 0}")
                .map(|Past { transaction, from, to, skip }| (transaction, past(Query { from, to, skip }))),
            "library.put" => piece(payload),
            _ => fields(payload, "{\"transaction\": \"...\"}")
                .map(|Plain { transaction }| (transaction, without_fields(name))),
        };
        let checked =
            read.and_then(|(transaction, kind)| Ok((within("transaction", transaction, MAX_TRANSACTION_BYTES)?, kind)));
        let (transaction, kind) =
            checked.map_err(|reason| RequestError { transaction: transaction_in(payload), reason })?;
        match kind {
            Ok(kind) => Ok(Self { transaction, kind }),
            Err(reason) => Err(RequestError { transaction: Some(transaction), reason }),
        }
    }
}

/// The transaction of a request that is wrong elsewhere, so that who asked can tell which it was.
fn transaction_in(payload: &[u8]) -> Option<String> {
    if payload.len() > MAX_PIECE_BYTES {
        return None;
    }
    let transaction = serde_json::from_slice::<Value>(payload).ok()?["transaction"].as_str()?.to_owned();
    within("transaction", transaction, MAX_TRANSACTION_BYTES).ok()
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

fn change(name: &str, set: Map<String, Value>) -> Result<RequestKind, CommandError> {
    match name {
        _ if set.is_empty() => refuse("set must name a key, such as \"mood.hold_s\"".to_owned()),
        "config.set" => Ok(RequestKind::ConfigSet(set)),
        _ => Ok(RequestKind::ConfigCheck(set)),
    }
}

fn past(query: Query) -> Result<RequestKind, CommandError> {
    if query.from < query.to {
        Ok(RequestKind::HistoryGet(query))
    } else {
        refuse(format!("from ({}) must be less than to ({}), both in seconds since 1970", query.from, query.to))
    }
}

fn without_fields(name: &str) -> Result<RequestKind, CommandError> {
    match name {
        "config.get" => Ok(RequestKind::ConfigGet),
        "config.trial" => Ok(RequestKind::ConfigTrial),
        "calibrate.reset" => Ok(RequestKind::CalibrateReset),
        "diagnose" => Ok(RequestKind::Diagnose),
        "restart" => Ok(RequestKind::Restart),
        "watch.start" => Ok(RequestKind::WatchStart),
        "preview.start" => Ok(RequestKind::PreviewStart),
        "preview.stop" => Ok(RequestKind::PreviewStop),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::Probabilities;

    #[test]
    fn the_configuration_can_be_asked_for() {
        let request = Request { transaction: "a1".to_owned(), kind: RequestKind::ConfigGet };
        assert_eq!(Request::parse("config.get", br#"{"transaction":"a1"}"#), Ok(request));
    }

    #[test]
    fn keys_of_the_configuration_can_be_set() {
        let set = serde_json::json!({ "mood.hold_s": 20, "music.policy": null });
        let payload = serde_json::json!({ "transaction": "a1", "set": set }).to_string();
        let set = set.as_object().unwrap().clone();
        let parse = |name| Request::parse(name, payload.as_bytes()).map(|request| request.kind);
        assert_eq!(parse("config.set"), Ok(RequestKind::ConfigSet(set.clone())));
        assert_eq!(parse("config.check"), Ok(RequestKind::ConfigCheck(set)));
        for (name, payload, reason) in [
            ("config.set", r#"{"transaction":"a1","set":{}}"#, "set must name a key"),
            ("config.set", r#"{"transaction":"a1","set":[]}"#, "must be {\"transaction\": \"...\", \"set\": {"),
            ("config.set", r#"{"transaction":"a1"}"#, "must be {\"transaction\": \"...\", \"set\": {"),
        ] {
            let error = Request::parse(name, payload.as_bytes()).unwrap_err();
            assert_eq!(error.transaction.as_deref(), Some("a1"), "{payload}");
            assert!(error.to_string().starts_with(reason), "{error}");
        }
    }

    #[test]
    fn a_part_of_the_history_can_be_asked_for() {
        let parse = |fields: &str| {
            Request::parse("history.get", format!("{{\"transaction\":\"a1\",{fields}}}").as_bytes())
                .map(|request| request.kind)
        };
        let query = Query { from: 5, to: 9, skip: 200 };
        assert_eq!(parse("\"from\":5,\"to\":9,\"skip\":200"), Ok(RequestKind::HistoryGet(query)));
        assert_eq!(parse("\"from\":5,\"to\":9"), Ok(RequestKind::HistoryGet(Query { skip: 0, ..query })));
        let told = parse("\"from\":9,\"to\":9").unwrap_err().to_string();
        assert_eq!(told, "from (9) must be less than to (9), both in seconds since 1970");
        for wrong in
            ["\"from\":5", "\"from\":-1,\"to\":9", "\"from\":\"a\",\"to\":9", "\"from\":5,\"to\":9,\"skip\":-1"]
        {
            assert!(parse(wrong).unwrap_err().to_string().starts_with("must be {\"transaction\""), "{wrong}");
        }
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
            r#"no request is called "shell"; known are config.get, config.set, config.check, config.trial, calibrate.look, calibrate.set, calibrate.reset, library.put, history.get, diagnose, restart, watch.start, preview.start, preview.stop"#
        );
        let error = Request::parse("config.get", br#"{"transaction":"a1","file":"/etc/shadow"}"#).unwrap_err();
        assert_eq!(error.transaction.as_deref(), Some("a1"));
        let long = format!(r#"{{"transaction":"{}"}}"#, "t".repeat(65));
        let error = Request::parse("config.get", long.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "transaction has at most 64 bytes, not 65");
        assert_eq!(error.transaction, None);
        let long = vec![b' '; MAX_PIECE_BYTES + 1];
        for payload in [&b"{}"[..], b"[1]", b"{\"transaction\":7}", b"\xff", &long] {
            assert_eq!(Request::parse("restart", payload).unwrap_err().transaction, None);
        }
    }
}
