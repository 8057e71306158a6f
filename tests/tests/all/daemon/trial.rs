//! What is set from afar proves itself, or the box goes back: with the tool, a real broker, and restarts as systemd does.

use std::fs;
use std::process::{Child, Command, Stdio};

use moodbox_tests::programs::program;
use serde_json::{Value, json};

use super::{Home, smile};

impl Home {
    /// Starts `moodbox config` with these words, for this box.
    pub(super) fn tool(&self, words: &[&str]) -> Child {
        self.tool_for("test", words)
    }

    /// The same for another box.
    pub(super) fn tool_for(&self, id: &str, words: &[&str]) -> Child {
        let broker = format!("mqtt://127.0.0.1:{}", self.broker.port());
        let mut tool = Command::new(program("moodbox"));
        tool.arg("config").args(words).args(["--broker", &broker, "--id", id]);
        tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A file for the tool; its path.
    pub(super) fn file(&self, text: &str) -> String {
        let path = self.folder.path().join("pushed.toml");
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Waits until the box has ended because it was asked to, and starts it again.
    pub(super) fn comes_back(&mut self) {
        self.listener.until("/availability", |message| message.text == "offline");
        self.start_again();
        self.listener.until("/availability", |message| message.text == "online");
    }
}

/// Exit code, stdout and stderr.
pub(super) fn done(tool: Child) -> (Option<i32>, String, String) {
    let output = tool.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_camera_that_is_not_there_is_taken_back() {
    let mut home = Home::with_a_smile();
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    let file = home.file("[camera]\nsource = \"v4l2:/dev/video99\"\n[mood]\nhold_s = 20\n");
    let tool = home.tool(&["push", &file]);
    home.comes_back();
    home.listener.until("/state", |state| state.json()["camera"] == "unavailable");
    home.daemon.says("the new configuration was taken back: camera: camera /dev/video99 is not there");
    let event = home.listener.until("/event", |event| event.json()["part"] == "config").json();
    assert!(event["message"].as_str().unwrap().starts_with("the new configuration was taken back: camera: "));
    home.comes_back();
    let (code, stdout, stderr) = done(tool);
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.starts_with("moodbox: taken back: camera: camera /dev/video99 is not there"), "{stderr}");
    assert!(stderr.ends_with("; the box has what it had before\n") && stderr.lines().count() == 1, "{stderr}");
    home.listener.until("/state", |state| state.json()["camera"] == "on");
    let config = home.ask("config.get", &json!({}))["data"].clone();
    assert_eq!((&config["camera"]["source"], &config["mood"]["hold_s"]), (&json!(smile()), &json!(10.0)));
}

#[test]
fn a_box_that_dies_with_it_starts_twice_and_then_without_it() {
    let mut home = Home::with_a_smile();
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    let told = home.ask("config.set", &json!({ "set": { "camera.source": "v4l2:/dev/video99" } }));
    assert_eq!(
        told["data"],
        json!({
            "set": { "camera.source": "v4l2:/dev/video99" }, "after_restart": ["camera.source"], "trial_s": 6.0
        })
    );
    for _ in 0..3 {
        home.daemon.signal("KILL");
        home.listener.until("/availability", |message| message.text == "offline");
        home.start_again();
        home.listener.until("/availability", |message| message.text == "online");
    }
    home.daemon.says("the new configuration was taken back: the box ended by itself");
    home.listener.until("/event", |event| event.json()["part"] == "config");
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    let last = home.ask("config.trial", &json!({}))["data"].clone();
    assert_eq!((&last["trial"], &last["last"]["outcome"]), (&Value::Null, &json!("taken_back")));
}

#[test]
fn what_the_box_comes_up_with_is_taken() {
    let mut home = Home::with_a_smile();
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    let (code, stdout, stderr) = done(home.tool(&["set", "vision.min_face_px=48", "mood.hold_s=20"]));
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "taken: mood.hold_s, vision.min_face_px\n", ""));
    // Through a restart, which the tool asks for.
    let tool = home.tool(&["set", "camera.fps=8", "--json"]);
    home.comes_back();
    let (code, stdout, _) = done(tool);
    let said: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, said), (Some(0), json!({ "keys": ["camera.fps"], "outcome": "taken", "why": null })));
    assert_eq!(done(home.tool(&["get", "camera.fps"])), (Some(0), "8\n".to_owned(), String::new()));
    let back = done(home.tool(&["set", "mood.hold_s="]));
    assert_eq!(back, (Some(0), "taken: mood.hold_s\n".to_owned(), String::new()));
    let (_, all, _) = done(home.tool(&["get", "mood"]));
    assert!(all.contains("mood.hold_s = 10.0\n") && all.contains("mood.pooling = \"pooled\"\n"), "{all}");
}

#[test]
fn a_file_is_compared_with_the_box_key_by_key() {
    let mut home = Home::with_a_smile();
    home.listens();
    let same = home.file("[mood]\nhold_s = 10\nenter = 0.6\n");
    assert_eq!(done(home.tool(&["diff", &same])), (Some(0), String::new(), String::new()));
    let (code, stdout, _) = done(home.tool(&["push", &same]));
    assert_eq!((code, stdout.as_str()), (Some(0), "the box has all of this already\n"));

    let other = home.file("[mood]\nhold_s = 20\n[mqtt]\nbroker = \"mqtt://elsewhere\"\n");
    let (code, stdout, stderr) = done(home.tool(&["diff", &other]));
    assert_eq!(code, Some(1), "{stderr}");
    insta::assert_snapshot!(stdout.replace(&home.broker.port().to_string(), "PORT"));
    assert_eq!(stderr, "moodbox: 2 keys differ; `moodbox config push` brings the box in line\n");
    let (code, _, stderr) = done(home.tool(&["push", &other]));
    let told = format!(
        "moodbox: box test: {other}: cannot be set from afar and is another on the box: mqtt.broker; set it in \
         /etc/moodbox/moodbox.toml there, or leave it out here\n"
    );
    assert_eq!((code, stderr), (Some(2), told));
    assert_eq!(done(home.tool(&["get", "mood.hold_s"])).1, "10.0\n");

    let (code, _, stderr) = done(home.tool(&["set", "mood.hold_s=300"]));
    let told = "moodbox: box test: it refuses: mood.hold_s: hold_s (300) must be less than absent_s (120)\n";
    assert_eq!((code, stderr.as_str()), (Some(1), told));
}
