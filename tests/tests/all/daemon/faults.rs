//! Parts that fail while the rest works on.

use std::fs;
use std::process::Command;

use moodbox_tests::programs::{program, recording, repository};
use serde_json::{Value, json};

use super::{Home, smile};

impl Home {
    /// What is published about a part that does not work.
    fn problem(&mut self, part: &str) -> String {
        let wanted = |event: &Value| event["event_type"] == "problem" && event["part"] == part;
        let event = self.listener.until("/event", |event| wanted(&event.json())).json();
        assert_eq!(event.as_object().unwrap().len(), 3, "{event}");
        let message = event["message"].as_str().unwrap();
        assert!(!message.contains('\n'), "{message}");
        message.to_owned()
    }

    fn still_obeys(&mut self) {
        self.listener.next("/availability");
        self.command("leds", "OFF");
        self.listener.until("/state", |state| state.json()["leds"] == "off");
    }
}

#[test]
fn a_camera_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.jpg"), "milk, bread").unwrap();
    fs::write(folder.path().join("cut.mjpeg"), b"\xff\xd8\xff\xe0").unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let here = folder.path().display();
    for (source, reason) in [
        ("v4l2:/dev/video99".to_owned(), "camera /dev/video99 is not there: plug it in"),
        ("v4l2:/dev/null".to_owned(), "/dev/null is not a camera"),
        ("replay:/nowhere/evening.mjpeg".to_owned(), "recording /nowhere/evening.mjpeg: No such file"),
        (format!("replay:{here}/notes.jpg"), "recording FOLDER/notes.jpg: "),
        (format!("replay:{here}/cut.mjpeg"), "recording FOLDER/cut.mjpeg holds no picture: "),
        (format!("replay:{here}/empty"), "recording FOLDER/empty holds no picture: there is no .jpg"),
    ] {
        let mut home = Home::with(&source, "");
        let told = home.problem("camera").replace(&here.to_string(), "FOLDER");
        assert!(told.starts_with(reason), "{source}: {told}");
        let state = home.listener.next("/state").json();
        assert_eq!((&state["camera"], &state["mood"]), (&json!("unavailable"), &json!("absent")));
        home.still_obeys();
        home.daemon.stop();
    }
}

#[test]
fn a_recording_that_appears_later_is_played() {
    let mut home = Home::with("replay:FOLDER/later.jpg", "");
    home.problem("camera");
    fs::copy(repository().join("host-tools/demo/faces/collins.jpg"), home.folder.path().join("later.jpg")).unwrap();
    home.listener.until("/state", |state| state.json()["camera"] == "on");
    home.listener.until("/state", |state| state.json()["mood"] == "happy");
}

#[test]
fn damaged_frames_are_left_out() {
    let mut home = Home::prepared("replay:FOLDER/damaged.mjpeg", "fps = 60\nrepeat = false", |before| {
        let mut bytes = fs::read(recording()).unwrap();
        // Zeros over a part of the picture in every second frame, and the last one cut.
        let starts: Vec<_> = (1..bytes.len()).filter(|&i| bytes[i - 1..=i] == [0xff, 0xd8]).collect();
        for start in starts.iter().step_by(2) {
            bytes[start + 2000..start + 4000].fill(0);
        }
        bytes.truncate(bytes.len() - 3000);
        fs::write(before.folder.join("damaged.mjpeg"), bytes).unwrap();
    });
    home.listener.until("/state", |state| state.json()["mood"] == "happy");
    let (status, log) = home.daemon.ended();
    assert_eq!(status.code(), Some(0), "{log:#?}");
}

#[test]
fn what_cannot_be_kept_is_said_and_the_box_runs() {
    let mut home = Home::prepared(&super::smile(), "", |before| {
        fs::write(before.folder.join("store"), "a file where a folder should be").unwrap();
    });
    home.daemon.says("store/switches.json");
    // Somebody may have switched it off before.
    home.listener.until("/state", |state| state.json()["camera"] == "off");
    home.command("camera", "ON");
    home.listener.until("/state", |state| state.json()["camera"] == "on");
    home.daemon.says("will be forgotten at the next start");
    home.daemon.stop();
}

#[test]
fn damaged_switches_are_named_and_replaced() {
    let mut home = Home::prepared(&super::smile(), "", |before| {
        let store = before.folder.join("store");
        fs::create_dir(&store).unwrap();
        fs::write(store.join("switches.json"), "{\"camera\":").unwrap();
    });
    let line = home.daemon.says("store/switches.json");
    assert!(line.contains("the camera is off until it is switched on"), "{line}");
    home.listener.until("/state", |state| state.json()["camera"] == "off");
    home.command("camera", "ON");
    home.still_obeys();
    home.daemon.stop();
    let kept = fs::read(home.folder.path().join("store/switches.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&kept).unwrap()["leds"], false);
}

#[test]
fn lights_that_cannot_be_lit_are_named() {
    let mut home = Home::with(&super::smile(), "[leds]\ndriver = \"gpiochip\"\nchip = \"/dev/gpiochip99\"");
    let told = home.problem("leds");
    assert!(told.contains("/dev/gpiochip99"), "{told}");
    home.listener.until("/state", |state| state.json()["mood"] == "happy");
    home.daemon.stop();
}

#[test]
fn a_log_that_cannot_be_written_changes_nothing() {
    let onto_a_full_disk = |_: &_| {
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$0" "$@" 2>/dev/full"#]).arg(program("moodboxd"));
        command
    };
    let mut home = Home::run(&smile(), "", |_| {}, onto_a_full_disk);
    home.listener.until("/state", |state| state.json()["mood"] == "happy");
    home.still_obeys();
    home.daemon.stop();
}
