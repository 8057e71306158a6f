//! What a person sets from Home Assistant: at once, said back, and kept.

use std::fs;

use serde_json::{Value, json};

use super::{Home, smile};

impl Home {
    fn settings(&mut self, wanted: &Value) {
        self.listener.until("/settings", |settings| settings.json() == *wanted);
    }

    fn faces(&mut self, count: u32) {
        self.listener.until("/state", |state| state.json()["faces"] == count);
    }
}

#[test]
fn settings_are_said_back_and_kept_over_a_restart() {
    let mut home = Home::with(&smile(), "[mood]\nhold_s = 20.0\n[leds]\nbrightness = 0.333");
    home.settings(&json!({ "hold_time": 20.0, "min_face": 60, "brightness": 33, "analysis_rate": 5 }));
    for (name, value) in [("hold_time", "33.5"), ("min_face", "48"), ("brightness", "0"), ("analysis_rate", "9")] {
        home.command(name, value);
    }
    let set = json!({ "hold_time": 33.5, "min_face": 48, "brightness": 0, "analysis_rate": 9 });
    home.settings(&set);
    let config = home.ask("config.get", &json!({}))["data"].clone();
    assert_eq!(
        (&config["mood"]["hold_s"], &config["vision"]["min_face_px"], &config["leds"]["brightness"]),
        (&json!(33.5), &json!(48), &json!(0.0))
    );
    home.restart();
    home.settings(&set);
    // The file is as its owner wrote it.
    assert_eq!(fs::read_to_string(home.folder.path().join("moodbox.toml")).unwrap(), home.config);
}

#[test]
fn the_smallest_face_counts_from_the_next_frame_on() {
    let mut home = Home::with_a_smile();
    home.faces(1);
    home.command("min_face", "400");
    home.faces(0);
    home.command("min_face", "60");
    home.faces(1);
}

#[test]
fn the_bounds_that_home_assistant_knows_follow_the_configuration() {
    let mut home = Home::with_a_smile();
    let longest = |listener: &mut moodbox_tests::listener::Listener, wanted: f64| {
        listener.until("/config", |config| config.json()["cmps"]["hold_time"]["max"] == wanted);
    };
    longest(&mut home.listener, 119.9);
    let told = home.ask("config.set", &json!({ "set": { "mood.absent_s": 60, "device.name": "Kitchen" } }));
    assert_eq!(told["data"]["after_restart"], json!([]));
    longest(&mut home.listener, 59.9);
    home.command("hold_time", "60");
    let told = home.listener.next("/response/hold_time").json();
    assert_eq!(told["error"], "mood.hold_s: hold_s (60) must be less than absent_s (60)");
}

#[test]
fn settings_that_cannot_be_used_give_way_to_the_last_good_ones() {
    let mut home = Home::with_a_smile();
    home.listens();
    home.command("hold_time", "30");
    home.listener.until("/settings", |settings| settings.json()["hold_time"] == 30.0);
    home.command("hold_time", "31");
    home.listener.until("/settings", |settings| settings.json()["hold_time"] == 31.0);
    let file = home.folder.path().join("store/settings.json");
    home.daemon.signal("TERM");
    home.listener.until("/availability", |message| message.text == "offline");
    let kept: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(kept, json!({ "version": 1, "set": { "mood.hold_s": 31.0 } }));
    fs::write(&file, "{\"version\":1,").unwrap();
    home.start_again();
    home.daemon.says("settings.json: EOF");
    home.listener.until("/settings", |settings| settings.json()["hold_time"] == 30.0);
}

#[test]
fn what_cannot_be_kept_counts_until_the_next_start_and_is_said() {
    let mut home = Home::prepared(&smile(), "", |before| {
        fs::write(before.folder.join("store"), "a file where a folder should be").unwrap();
    });
    home.listens();
    home.command("brightness", "10");
    home.listener.until("/settings", |settings| settings.json()["brightness"] == 10);
    let told = home.listener.next("/response/brightness").json();
    assert!(told["error"].as_str().unwrap().starts_with("it counts until the next start only: "), "{told}");
    let told = home.ask("config.set", &json!({ "set": { "leds.brightness": 0.2 } }));
    assert!(told["error"].as_str().unwrap().starts_with("it counts until the next start only: "), "{told}");
}

#[test]
fn a_box_that_is_asked_to_restart_answers_and_ends() {
    let mut home = Home::with_a_smile();
    home.listens();
    assert_eq!(home.ask("restart", &json!({}))["status"], "ok");
    home.listener.until("/availability", |message| message.text == "offline");
    home.start_again();
    home.listens();
    home.command("restart", "PRESS");
    let (status, log) = home.daemon.ended();
    assert_eq!(status.code(), Some(0), "{log:#?}");
}
