//! `moodbox watch`: a box as somebody at a terminal sees and commands it, and in lines where there is no terminal.

use moodbox_tests::json_lines::JsonLines;
use moodbox_tests::programs::program;
use serde_json::{Value, json};

use super::Home;
use crate::terminal::{LEAVE, Terminal};

/// The words that watch a box called `test`.
fn words(home: &Home) -> String {
    format!("watch --id test --broker mqtt://127.0.0.1:{}", home.broker.port())
}

#[test]
fn somebody_at_a_terminal_sees_the_box_and_commands_it() {
    let mut home = Home::with_a_smile();
    home.state("mood", "happy");
    let mut terminal = Terminal::start(&format!("{} {}", program("moodbox").display(), words(&home)), 24, 80);
    terminal.until("online");
    // The caption of an outline.
    terminal.until("1 happy");
    terminal.press("d");
    home.listener.until("/state", |state| state.json()["leds"] == "off");
    terminal.until("light off");
    terminal.press("p");
    home.listener.until("/state", |state| state.json()["policy"] == "lift");
    let list = home.listener.until("/recommendation", |list| list.json()["policy"] == "lift").json();
    terminal.until("policy lift");
    // The list is drawn before somebody chooses from it.
    terminal.until(list["tracks"][1]["title"].as_str().unwrap());
    terminal.press("cj\r");
    home.listener.until("/now", |now| now.json()["uri"] == list["tracks"][1]["uri"]);
    terminal.press("v");
    home.listener.until("/state", |state| state.json()["camera"] == "off");
    terminal.until("the camera is off");
    terminal.press("?");
    terminal.until("it is not wanted; on to the next");
    terminal.press("xq");
    let (code, text) = terminal.ended();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.rfind(LEAVE) > text.rfind("it is not wanted"), "{text}");
}

/// Waits until the box says this on a topic.
fn hears(watch: &JsonLines, topic: &str, payload: impl Fn(&Value) -> bool) {
    watch.until(|line| line["topic"] == topic && payload(&line["payload"]));
}

#[test]
fn box_and_broker_may_go_and_come_back() {
    let mut home = Home::with_a_smile();
    home.state("mood", "happy");
    let watch = JsonLines::of(words(&home).split(' '));
    let smiles = |faces: &Value| faces["faces"][0]["emotions"]["happy"].as_f64() > Some(0.5);
    hears(&watch, "faces", smiles);
    home.restart();
    hears(&watch, "availability", |word| *word == json!("offline"));
    hears(&watch, "availability", |word| *word == json!("online"));
    // The new one knows of nobody who watches, and is asked again.
    hears(&watch, "faces", smiles);
    home.broker.kill();
    watch.until(|line| line["broker"] == "lost");
    home.broker.restart();
    watch.until(|line| line["broker"] == "back");
    hears(&watch, "faces", smiles);
}

#[test]
fn faces_are_outlines_and_come_only_while_somebody_watches() {
    let mut home = Home::with_a_smile();
    home.state("mood", "happy");
    home.command("leds", "OFF");
    let before = home
        .listener
        .all_until(|message| message.topic.ends_with("/state") && message.text.contains("\"leds\":\"off\""));
    assert!(before.iter().all(|message| !message.topic.ends_with("/faces")));
    assert_eq!(home.ask("watch.start", &json!({}))["data"], json!({ "seconds": 60 }));
    let told = home.listener.until("/faces", |told| told.json()["faces"] != json!([]));
    assert!(!told.retained);
    let faces = told.json();
    let keys: Vec<_> = faces["faces"][0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["box", "emotions", "person", "score", "sharp"]);
}

#[test]
fn somebody_at_a_terminal_reads_that_a_configuration_was_taken_back() {
    let mut home = Home::with_a_smile();
    home.listener.until("/state", |state| state.json()["faces"] == 1);
    let mut terminal = Terminal::start(&format!("{} {}", program("moodbox").display(), words(&home)), 24, 80);
    terminal.until("online");
    home.ask("config.set", &json!({ "set": { "camera.source": "v4l2:/dev/video99" } }));
    home.ask("restart", &json!({}));
    home.comes_back();
    home.listener.until("/event", |event| event.json()["part"] == "config");
    home.comes_back();
    // What the box says is wrong once it has its camera again, which is nothing, is known here before the light.
    home.listener.until("/response/diagnose", |answer| answer.json()["data"]["problems"] == json!([]));
    home.command("leds", "OFF");
    terminal.until("light off");
    terminal.until("config: the new configuration was taken back");
    terminal.press("q");
    assert_eq!(terminal.ended().0, Some(0));
}
