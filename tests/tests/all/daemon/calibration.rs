//! Personal calibration: the tool, the box, and what outlives a restart.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use moodbox_tests::listener::{Message, PATIENCE};
use moodbox_tests::mosquitto::{Mosquitto, free_port};
use moodbox_tests::programs::{lines_of, program};
use serde_json::{Value, json};

use super::{Home, smile};

/// The words that reach a box called `test`.
fn words(port: u16, more: &str) -> Vec<String> {
    let words = format!("calibrate --broker mqtt://127.0.0.1:{port} --id test {more}");
    words.split_whitespace().map(ToOwned::to_owned).collect()
}

fn calibrate(port: u16, more: &str) -> Output {
    assert_cmd::Command::new(program("moodbox")).args(words(port, more)).timeout(PATIENCE).output().unwrap()
}

/// The one line of a command that ended with `code` and printed nothing.
fn refusal(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(code), &b""[..]), "{stderr}");
    let [line] = lines_of(&stderr)[..] else { panic!("{stderr}") };
    line.to_owned()
}

impl Home {
    /// Waits until the box hears what it is asked.
    pub(super) fn listens(&mut self) {
        self.listener.until("/availability", |message| message.text == "online");
    }

    pub(super) fn ask(&mut self, request: &str, fields: &Value) -> Value {
        let mut payload = fields.clone();
        let transaction = self.transaction();
        payload["transaction"] = json!(transaction);
        self.listener.publish(&format!("moodbox/test/request/{request}"), payload.to_string(), false);
        let ours = |answer: &Message| answer.json()["transaction"] == transaction.as_str();
        self.listener.until(&format!("/response/{request}"), ours).json()
    }

    /// What the classifier says of the face, and what the box reads, once it has seen one for a second.
    fn look(&mut self) -> (Value, Value) {
        loop {
            let answer = self.ask("calibrate.look", &json!({ "seconds": 2 }));
            if answer["status"] == "ok" {
                return (answer["data"]["said"].clone(), answer["data"]["read"].clone());
            }
            self.listener.publish("tick", "", false);
            self.listener.next("tick");
        }
    }

    fn reads_as_the_classifier_does(&mut self) -> bool {
        let (said, read) = self.look();
        said == read
    }

    fn calibration(&self) -> Option<Value> {
        let file = fs::read(self.folder.path().join("store/calibration.json")).ok()?;
        Some(serde_json::from_slice(&file).unwrap())
    }
}

#[test]
fn a_guided_minute_is_learnt_kept_and_forgotten_again() {
    let mut home = Home::with_a_smile();
    home.listens();
    assert!(home.reads_as_the_classifier_does());
    assert_eq!(home.calibration(), None);
    let output = calibrate(home.broker.port(), "--ready 0 --hold 1 --json");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let bias: Vec<f64> = report["bias"].as_object().unwrap().values().map(|b| b.as_f64().unwrap()).collect();
    assert!(
        bias.len() == 7 && bias.iter().sum::<f64>().abs() < 1e-3 && bias.iter().all(|b| b.abs() <= 1.0),
        "{bias:?}"
    );
    // The picture smiles whatever is asked for, so that a smile is worth less than before.
    assert!(report["bias"]["happy"].as_f64().unwrap() < 0.0, "{report}");
    let happy = &report["expressions"]["happy"];
    assert!(happy["after"].as_f64().unwrap() < happy["before"].as_f64().unwrap(), "{report}");
    assert_eq!(report["expressions"].as_object().unwrap().len(), 5);

    assert!(!home.reads_as_the_classifier_does());
    home.restart();
    assert!(!home.reads_as_the_classifier_does(), "it was forgotten over a restart");
    let kept = home.calibration().unwrap();
    assert_eq!((&kept["version"], kept.as_object().unwrap().len()), (&json!(1), 3), "{kept}");

    let output = calibrate(home.broker.port(), "--reset");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "The box has forgotten what it had learnt.\n");
    assert!(home.reads_as_the_classifier_does());
    home.restart();
    assert!(home.reads_as_the_classifier_does());
    assert_eq!(home.calibration(), None);
}

#[test]
fn who_stops_half_way_leaves_the_box_as_it_was() {
    let mut home = Home::with_a_smile();
    home.listens();
    home.look();
    // Long enough that it is half way still when a busy machine comes to stop it.
    let words = words(home.broker.port(), "--ready 0 --hold 5");
    let mut tool = Command::new(program("moodbox")).args(words).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(tool.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(stderr.any(|line| line == "Hold it: smile"));
    let pid = tool.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(!tool.wait().unwrap().success());
    assert!(home.reads_as_the_classifier_does());
    assert_eq!(home.calibration(), None);
}

#[test]
fn a_correction_is_learnt_from() {
    let mut home = Home::with_a_smile();
    home.listens();
    home.look();
    home.command("correct", "surprise");
    let (said, read) = home.look();
    let of = |emotions: &Value, name: &str| emotions[name].as_f64().unwrap();
    assert!(of(&read, "surprise") > of(&said, "surprise") && of(&read, "happy") < of(&said, "happy"), "{said} {read}");
    home.daemon.stop();
    assert!(fs::exists(home.folder.path().join("store/calibration.json")).unwrap());
}

#[test]
fn a_damaged_calibration_is_set_aside_and_the_box_runs() {
    let mut home = Home::prepared(&smile(), "", |before| {
        let store = before.folder.join("store");
        fs::create_dir(&store).unwrap();
        fs::write(store.join("calibration.json"), "{\"version\":1,\"shown\":[[").unwrap();
    });
    let told = home.daemon.says("calibration.json");
    home.listens();
    assert!(
        told.ends_with("set aside as calibration.set-aside.json; faces are read without personal calibration"),
        "{told}"
    );
    assert!(home.reads_as_the_classifier_does());
    assert!(home.folder.path().join("store/calibration.set-aside.json").exists());
    home.daemon.stop();
}

#[test]
fn a_calibration_counts_for_the_labels_it_was_made_with() {
    let mut home = Home::with_a_smile();
    home.listens();
    let (by_label, _) = home.look();
    home.command("correct", "surprise");
    assert!(!home.reads_as_the_classifier_does());
    let mut take = |labels: Value| {
        let told = home.ask("config.set", &json!({ "set": { "vision.labels": labels } }));
        assert_eq!(told["data"]["after_restart"], json!(["vision.labels"]), "{told}");
        home.restart();
        home.look()
    };
    let (said, read) = take(json!("ferplus"));
    assert!(said == read && said != by_label && said["happy"].as_f64().unwrap() > 0.5, "{said} {by_label}");
    let (said, read) = take(Value::Null);
    assert!(said != read, "{said}");
    home.daemon.stop();
}

#[test]
fn nobody_to_look_at_is_a_finding() {
    let mut home = Home::with("replay:FOLDER/nobody-home.jpg", "");
    home.listens();
    let output = calibrate(home.broker.port(), "--ready 0 --hold 1");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b""[..]), "{stderr}");
    let last = "moodbox: a sharp face, and no other, was seen for 0.0 s of 1.0 s; \
                one person must look at the camera; nothing was changed";
    assert_eq!(stderr.lines().last(), Some(last));
}

#[test]
fn a_box_or_broker_that_does_not_answer_is_named() {
    let port = free_port();
    let told = format!("moodbox: nothing listens at mqtt://127.0.0.1:{port}; is the broker running?");
    assert_eq!(refusal(&calibrate(port, "--reset"), 3), told);
    let broker = Mosquitto::start();
    let port = broker.port();
    let told =
        format!("moodbox: box test does not answer on mqtt://127.0.0.1:{port}; is it running, and is this its id?");
    assert_eq!(refusal(&calibrate(port, "--reset"), 3), told);
}
