//! Every command and request with input of every wrong kind: each is refused with a reason, and nothing is done.

use moodbox_core::topics::{Command, MAX_COMMAND_BYTES, MAX_PIECE_BYTES, RequestKind};
use serde_json::{Value, json};

use super::Home;

/// Payloads that no command takes: wrong type, range, size, encoding, and fields that nobody knows.
fn wrong_for_commands() -> Vec<Vec<u8>> {
    let texts = [
        "null",
        "true",
        "-1",
        "1e400",
        "NaN",
        "0x10",
        "on",
        "[]",
        "[[",
        "{",
        "\"ON\"",
        "{\"uri\":1}",
        "{\"uri\":\"a\",\"more\":1}",
        "{\"uri\":\"a\",\"uri\":\"b\"}",
        "\u{0}",
        "\u{202e}NO",
        "ON OFF",
    ];
    let mut wrong: Vec<_> = texts.map(|text| text.as_bytes().to_vec()).to_vec();
    wrong.extend([vec![0xff, 0xfe], vec![b'9'; MAX_COMMAND_BYTES], vec![b' '; MAX_COMMAND_BYTES + 1]]);
    wrong
}

/// Payloads that no request takes, and the transaction that their answer has.
fn wrong_for_requests() -> Vec<(Vec<u8>, Value)> {
    let long = "t".repeat(65);
    let texts = [
        (String::new(), Value::Null),
        ("null".to_owned(), Value::Null),
        ("{}".to_owned(), Value::Null),
        ("[\"a\"]".to_owned(), Value::Null),
        ("{\"transaction\":".to_owned(), Value::Null),
        ("{\"transaction\":7}".to_owned(), Value::Null),
        ("{\"transaction\":\"\"}".to_owned(), Value::Null),
        (format!("{{\"transaction\":\"{long}\"}}"), Value::Null),
        ("{\"transaction\":\"a\",\"nobody\":1}".to_owned(), json!("a")),
        ("{\"transaction\":\"b\",\"set\":[],\"seconds\":\"1\",\"shown\":1,\"sha256\":2}".to_owned(), json!("b")),
        (format!("{{\"transaction\":\"c\",\"x\":{}", "[".repeat(2000)), Value::Null),
    ];
    let mut wrong: Vec<_> = texts.map(|(text, transaction)| (text.into_bytes(), transaction)).to_vec();
    wrong.push((b"{\"transaction\":\"\xff\"}".to_vec(), Value::Null));
    wrong.push((vec![b' '; MAX_PIECE_BYTES + 1], Value::Null));
    wrong
}

impl Home {
    /// What an answer says, after whatever was asked was refused with a reason on one line.
    fn told(&mut self, name: &str, transaction: &Value, what: &str) -> String {
        let told = self.listener.next(&format!("/response/{name}")).json();
        assert_eq!((&told["transaction"], &told["status"]), (transaction, &json!("error")), "{name} {what}: {told}");
        let reason = told["error"].as_str().unwrap().to_owned();
        assert!(!reason.is_empty() && !reason.contains(char::is_control), "{name} {what}: {reason:?}");
        reason
    }

    /// The state, settings and configuration as they are now.
    fn as_it_is(&mut self) -> Value {
        let told = self.ask("diagnose", &json!({}))["data"].clone();
        let config = self.ask("config.get", &json!({}))["data"].clone();
        let kept = ["camera", "leds", "policy"].map(|key| told["state"][key].clone());
        json!([kept, told["settings"], told["set"], told["songs"], told["calibrated"], config])
    }
}

#[test]
fn no_wrong_input_does_anything() {
    let mut home = Home::with("replay:FOLDER/nobody-home.jpg", "");
    home.state("camera", "unavailable");
    let before = home.as_it_is();
    for name in Command::NAMES {
        let topic = format!("moodbox/test/cmd/{name}");
        for payload in wrong_for_commands() {
            home.listener.publish(&topic, payload.clone(), false);
            home.told(name, &Value::Null, &String::from_utf8_lossy(&payload));
        }
        home.listener.publish(&topic, "ON", true);
        assert!(home.told(name, &Value::Null, "retained").starts_with("retained messages are ignored"), "{name}");
        home.listener.publish(&topic, "", true);
    }
    for name in RequestKind::NAMES.into_iter().chain(["shell", "config.delete"]) {
        let topic = format!("moodbox/test/request/{name}");
        for (payload, transaction) in wrong_for_requests() {
            home.listener.publish(&topic, payload.clone(), false);
            home.told(name, &transaction, &String::from_utf8_lossy(&payload));
        }
        home.listener.publish(&topic, "{\"transaction\":\"retained\"}", true);
        assert!(home.told(name, &Value::Null, "retained").starts_with("retained messages are ignored"), "{name}");
        home.listener.publish(&topic, "", true);
    }
    assert_eq!(home.as_it_is(), before);
    // Each was answered once, and nothing happened besides.
    home.listener.publish("end", "", false);
    let rest = home.listener.all_until(|message| message.topic == "end");
    let surprises = rest.iter().filter(|m| m.topic.contains("/response/") || m.topic.ends_with("/now"));
    assert_eq!(surprises.map(|m| m.text.as_str()).filter(|text| *text != "{}").collect::<Vec<_>>(), [""; 0]);
}
