//! Changes from afar that do not come to their end: a box that goes away, that is of another version, whose card is full, or
//! that two people work on at once. The box is real, or a real broker's client says what such a box says.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::trial::done;
use super::{Home, smile};

/// Answers the next request of this name in the place of a box called `other`.
fn answer(home: &mut Home, name: &str, status: &str, what: &(&str, Value)) -> Value {
    let request = home.listener.next(&format!("moodbox/other/request/{name}")).json();
    let answer = json!({ "transaction": request["transaction"], "status": status, what.0: what.1.clone() });
    home.listener.publish(&format!("moodbox/other/response/{name}"), answer.to_string(), false);
    request
}

/// What undoes a change of this key's value on a box.
fn undo(home: &Home, id: &str, setting: &str) -> String {
    format!("moodbox config set {setting} --broker mqtt://127.0.0.1:{} --id {id}\n", home.broker.port())
}

#[test]
fn a_box_of_another_version_is_understood_or_refuses_in_its_own_words() {
    let mut home = Home::with_a_smile();
    let file = home.file("[mood]\nhold_s = 20\n");
    let has = |hold_s: f64| ("data", json!({ "mood": { "hold_s": hold_s }, "camera": { "fps": 10 } }));
    // One from before trials.
    let tool = home.tool_for("other", &["push", &file]);
    answer(&mut home, "config.get", "ok", &has(10.0));
    let set = answer(&mut home, "config.set", "ok", &("data", json!({ "set": {}, "after_restart": [] })));
    assert_eq!(set["set"], json!({ "mood.hold_s": 20.0 }));
    let told = "set: mood.hold_s; this box is of an earlier version and does not watch over it\n";
    assert_eq!(done(tool), (Some(0), told.to_owned(), String::new()));
    // The same with what takes a restart.
    let tool = home.tool_for("other", &["set", "camera.fps=8"]);
    answer(&mut home, "config.get", "ok", &has(10.0));
    answer(&mut home, "config.set", "ok", &("data", json!({ "set": {}, "after_restart": ["camera.fps"] })));
    answer(&mut home, "restart", "ok", &("data", json!({})));
    let told =
        "set: camera.fps; the box restarts for it, but is of an earlier version and does not go back by itself\n";
    assert_eq!(done(tool), (Some(0), told.to_owned(), String::new()));
    // One that has no such key: nothing is set, whether it comes from a file or a person.
    for words in [["push", &file], ["set", "mood.hold_s=20"]] {
        let tool = home.tool_for("other", &words);
        answer(&mut home, "config.get", "ok", &("data", json!({ "mood": {} })));
        let (code, _, stderr) = done(tool);
        assert_eq!(code, Some(2));
        assert!(stderr.contains("the box does not know mood.hold_s: its version is another"), "{stderr}");
    }
    // One that has no such request.
    let tool = home.tool_for("other", &["push", &file]);
    answer(&mut home, "config.get", "error", &("error", json!("no request is called \"config.get\"")));
    let told = "moodbox: box other: it refuses: no request is called \"config.get\"\n";
    assert_eq!(done(tool), (Some(1), String::new(), told.to_owned()));
}

#[test]
fn a_tool_from_before_trials_finds_what_it_knows() {
    let mut home = Home::with_a_smile();
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    let told = home.ask("config.set", &json!({ "set": { "camera.fps": 8 } }))["data"].clone();
    assert_eq!((&told["set"], &told["after_restart"]), (&json!({ "camera.fps": 8 }), &json!(["camera.fps"])));
    assert_eq!(home.ask("restart", &json!({}))["status"], "ok");
    home.comes_back();
    // It asks no more, and the box decides all the same.
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    assert_eq!(home.ask("config.get", &json!({}))["data"]["camera"]["fps"], 8);
}

#[test]
fn a_box_that_goes_away_before_it_was_set_may_have_been_set() {
    let mut home = Home::with_a_smile();
    let tool = home.tool_for("other", &["set", "mood.hold_s=20"]);
    answer(&mut home, "config.get", "ok", &("data", json!({ "mood": { "hold_s": 10.0 } })));
    home.listener.next("moodbox/other/request/config.set");
    let told = format!(
        "moodbox: box other: it does not answer (is it running?); it may have been set; to undo that: {}",
        undo(&home, "other", "mood.hold_s=10.0")
    );
    assert_eq!(done(tool), (Some(3), String::new(), told));
}

#[test]
fn a_box_that_goes_away_after_it_was_set_is_told_of() {
    let mut home = Home::with_a_smile();
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    let tool = home.tool(&["set", "camera.fps=8"]);
    // It ends for its restart, and nobody starts it again.
    home.listener.until("/availability", |message| message.text == "offline");
    let told = format!(
        "moodbox: box test: it was set, and the box has not said since what became of it; it takes back what it does not \
         come up with; to undo it: {}",
        undo(&home, "test", "camera.fps=10")
    );
    assert_eq!(done(tool), (Some(3), String::new(), told));
    // That was the truth.
    home.start_again();
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    assert_eq!(home.ask("config.get", &json!({}))["data"]["camera"]["fps"], 8);
}

#[test]
fn a_broker_that_goes_away_is_told_of_before_anything_is_set() {
    let mut home = Home::with_a_smile();
    let tool = home.tool_for("other", &["set", "mood.hold_s=20"]);
    let request = home.listener.next("moodbox/other/request/config.get").json();
    home.broker.kill();
    let (code, stdout, stderr) = done(tool);
    let broker = format!("mqtt://127.0.0.1:{}", home.broker.port());
    assert_eq!((code, stdout.as_str(), stderr.lines().count()), (Some(3), "", 1), "{request}");
    assert!(stderr.starts_with("moodbox: box other: ") && stderr.contains(&broker), "{stderr}");
}

#[test]
fn the_second_of_two_tools_wins_and_the_first_is_told() {
    let mut home = Home::with_a_smile();
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    // Long enough for the second to begin within it, on any machine.
    home.config = home.config.replace("trial_s = 6\n", "trial_s = 60\n");
    home.restart();
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    let first = home.tool(&["set", "vision.min_face_px=48", "mood.hold_s=20"]);
    home.listener.next("moodbox/test/response/config.set");
    let second = home.tool(&["set", "vision.min_face_px=50"]);
    let told = "moodbox: taken, but somebody else has set since: vision.min_face_px = 50\n";
    assert_eq!(done(first), (Some(1), String::new(), told.to_owned()));
    assert_eq!(done(second), (Some(0), "taken: vision.min_face_px\n".to_owned(), String::new()));
    let config = home.ask("config.get", &json!({}))["data"].clone();
    assert_eq!((&config["vision"]["min_face_px"], &config["mood"]["hold_s"]), (&json!(50), &json!(20.0)));
}

#[test]
fn a_box_whose_card_is_full_says_so_and_has_its_own_again_after_a_restart() {
    // The kernel itself says that there is no room: what is written beside a file, to take its place, goes there.
    let mut home = Home::prepared(&smile(), "", |before| {
        fs::create_dir(before.folder.join("store")).unwrap();
        for file in ["settings.new", "trials.new"] {
            symlink("/dev/full", before.folder.join("store").join(file)).unwrap();
        }
    });
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    // What is on trial is not kept where the disk does not know of the trial.
    let refused_for = ["settings.json", "trials.json", "trials.json"];
    for (setting, file) in ["mood.hold_s=20", "vision.min_face_px=48", "camera.fps=8"].iter().zip(refused_for) {
        let (code, stdout, stderr) = done(home.tool(&["set", setting]));
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        assert!(stderr.starts_with("moodbox: box test: it refuses: it counts until the next start only: "), "{stderr}");
        assert!(stderr.contains(&format!("{file}: No space left on device")), "{stderr}");
    }
    home.restart();
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    let config = home.ask("config.get", &json!({}))["data"].clone();
    let has = [&config["mood"]["hold_s"], &config["vision"]["min_face_px"], &config["camera"]["fps"]];
    assert_eq!(has, [&json!(10.0), &json!(60), &json!(10)]);
}
