//! Questions to the box and its answers.

use serde_json::{Value, json};

use super::Home;

impl Home {
    fn refused(&mut self, request: &str, fields: &Value) -> String {
        let told = self.ask(request, fields);
        assert_eq!((&told["status"], told.get("data")), (&json!("error"), None), "{fields}");
        told["error"].as_str().unwrap().to_owned()
    }

    fn config(&mut self) -> Value {
        self.ask("config.get", &json!({}))["data"].clone()
    }
}

#[test]
fn a_configuration_is_set_wholly_or_not_at_all() {
    let mut home = Home::with_a_smile();
    home.listens();
    let before = home.config();
    for (set, reason) in [
        (json!({ "mood.hold_s": 20, "vision.fps": 31 }), "vision.fps: must be a whole number from 1 to 30, not 31"),
        (json!({ "mood.hold_s": 20, "mood.holds": 1 }), "mood.holds: cannot be set over the network; known are mood.("),
        (json!({ "mood.hold_s": 20, "camera.switch_pin": 5 }), "camera.switch_pin: cannot be set over the network"),
        (json!({ "mood.hold_s": 20, "mqtt.broker": "mqtt://h" }), "mqtt.broker: cannot be set over the network"),
        (json!({ "mood.hold_s": 20, "mood.absent_s": 15 }), "mood.hold_s: hold_s (20) must be less than absent_s (15)"),
        (json!({ "mood.hold_s": "20" }), "mood.hold_s: invalid type: string \"20\", expected a number"),
    ] {
        for request in ["config.check", "config.set"] {
            let told = home.refused(request, &json!({ "set": set }));
            assert!(told.starts_with(reason), "{set}: {told}");
        }
    }
    let set = json!({ "mood.hold_s": 20, "camera.fps": 15, "music.policy": "soothe" });
    let expected = json!({ "set": set, "after_restart": ["camera.fps"], "trial_s": 6.0 });
    assert_eq!(home.ask("config.check", &json!({ "set": set }))["data"], expected);
    assert_eq!(home.config(), before);
    assert_eq!(home.ask("config.set", &json!({ "set": set }))["data"], expected);
    let after = home.config();
    assert_eq!((&after["mood"]["hold_s"], &after["camera"]["fps"]), (&json!(20.0), &json!(15)));
    home.state("policy", "soothe");
    home.restart();
    assert_eq!(home.config(), after);
    // Null gives a key back to the file.
    let back = json!({ "mood.hold_s": null, "camera.fps": null, "music.policy": null });
    assert_eq!(home.ask("config.set", &json!({ "set": back }))["data"]["set"], json!({}));
    assert_eq!(home.config(), before);
}

#[test]
fn a_transaction_is_answered_once() {
    let mut home = Home::with_a_smile();
    home.listens();
    let mut ask = |hold: u32| {
        let payload = json!({ "transaction": "same", "set": { "mood.hold_s": hold } }).to_string();
        home.listener.publish("moodbox/test/request/config.set", payload, false);
        home.listener.next("/response/config.set").json()
    };
    assert_eq!(ask(20)["status"], "ok");
    let again = ask(30);
    assert_eq!((&again["transaction"], &again["status"]), (&json!("same"), &json!("error")));
    assert_eq!(again["error"], "this transaction was answered before; ask with one of its own");
    assert_eq!(home.config()["mood"]["hold_s"], 20.0);
}

#[test]
fn a_diagnosis_says_how_the_box_is_and_what_is_wrong() {
    let mut home = Home::with("replay:FOLDER/nobody-home.jpg", "");
    home.state("camera", "unavailable");
    let told = home.ask("diagnose", &json!({}));
    let data = told["data"].as_object().unwrap();
    let keys: Vec<_> = data.keys().map(String::as_str).collect();
    assert_eq!(keys, ["calibrated", "diagnostics", "problems", "set", "settings", "songs", "state"]);
    assert_eq!((&data["problems"][0]["part"], &data["songs"]), (&json!("camera"), &json!(475)));
    assert!(data["problems"][0]["message"].as_str().unwrap().contains("nobody-home.jpg"), "{told}");
    assert_eq!(data["diagnostics"]["version"], env!("CARGO_PKG_VERSION"));
}
