//! `moodbox remove`: nothing stays at the broker of a box that is gone.

use std::process::{Command, Stdio};

use moodbox_tests::listener::{Listener, PATIENCE};
use moodbox_tests::programs::program;
use serde_json::Value;

use super::Home;
use crate::terminal::Terminal;

impl Home {
    /// `moodbox remove`: exit code, stdout and stderr.
    fn remove(&self, words: &str) -> (Option<i32>, String, String) {
        let output = assert_cmd::Command::new(program("moodbox"))
            .args(["remove", "--broker", &format!("mqtt://127.0.0.1:{}", self.broker.port())])
            .args(words.split_whitespace())
            .timeout(PATIENCE)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// Topics of what the broker has kept, whoever it is of.
    fn kept(&self) -> Vec<String> {
        let mut late = Listener::on(self.broker.port());
        late.publish("end", "", false);
        let all = late.all_until(|message| message.topic == "end");
        all.into_iter().filter(|message| message.retained).map(|message| message.topic).collect()
    }
}

#[test]
fn a_box_that_is_gone_is_forgotten_and_its_neighbour_is_not() {
    let mut home = Home::with_a_smile();
    home.listener.until("/state", |state| state.json()["mood"] == "happy");
    home.listener.next("/diagnostics");
    home.listener.until("/card", |card| card.text.contains(">happy</text>"));
    // What others left there, and what belongs to others.
    home.listener.publish("moodbox/test/cmd/camera", "OFF", true);
    for topic in ["moodbox/test2/state", "homeassistant/device/moodbox_test2/config"] {
        home.listener.publish(topic, "{}", true);
    }
    home.listener.next("moodbox_test2/config");
    let (code, stdout, stderr) = home.remove("test --yes");
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert_eq!(stderr, "moodbox: box test is online and would come back; stop it first, or say --even-online\n");

    home.daemon.signal("KILL");
    home.listener.until("/availability", |message| message.text == "offline");
    let (code, stdout, stderr) = home.remove("test");
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert_eq!(stderr, "moodbox: there is nobody to ask; say --yes to remove box test\n");
    assert_eq!(home.kept().len(), 12);

    let (code, stdout, stderr) = home.remove("test --yes --json");
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    let done: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&done["id"], done["cleared"].as_array().unwrap().len()), (&"test".into(), 10), "{done}");
    let mut left = home.kept();
    left.sort();
    assert_eq!(left, ["homeassistant/device/moodbox_test2/config", "moodbox/test2/state"]);

    let (code, _, stderr) = home.remove("test --yes");
    assert_eq!(code, Some(1));
    assert!(stderr.ends_with("has kept nothing of a box test; is this its id?\n"), "{stderr}");
}

#[test]
fn a_box_that_is_online_is_removed_when_told_so() {
    let mut home = Home::with_a_smile();
    home.listener.next("/diagnostics");
    let (code, stdout, _) = home.remove("test --yes --even-online");
    assert_eq!(code, Some(0));
    assert!(stdout.contains("has forgotten box test: "), "{stdout}");
    home.listener.until("homeassistant/device/moodbox_test/config", |message| message.text.is_empty());
}

/// `script` gives the tool a terminal, as a person has it.
#[test]
fn a_person_is_asked() {
    for (answer, code) in [("n\n", 1), ("y\n", 0)] {
        let mut home = Home::with("replay:FOLDER/nobody-home.jpg", "");
        home.listener.publish("moodbox/old/state", "{}", true);
        home.listener.next("moodbox/old/state");
        let words = format!("remove old --broker mqtt://127.0.0.1:{}", home.broker.port());
        let tool = format!("{} {words}", program("moodbox").display());
        let mut asked = Command::new("script")
            .args(["--quiet", "--return", "--command", &tool, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(asked.stdin.as_mut().unwrap(), answer.as_bytes()).unwrap();
        let output = asked.wait_with_output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{shown}");
        assert!(shown.contains("Remove it? [y/N]"), "{shown}");
        assert_eq!(home.kept().contains(&"moodbox/old/state".to_owned()), code == 1);
    }
}

/// A broker that has closed the connection meanwhile, as it does after a minute or two, is one that was restarted.
#[test]
fn a_person_may_think_for_long() {
    let mut home = Home::with("replay:FOLDER/nobody-home.jpg", "");
    home.listener.publish("moodbox/old/state", "{}", true);
    let words = format!("remove old --broker mqtt://127.0.0.1:{}", home.broker.port());
    let mut terminal = Terminal::start(&format!("{} {words}", program("moodbox").display()), 24, 80);
    terminal.until("Remove it? [y/N]");
    home.broker.kill();
    home.broker.restart();
    terminal.press("y\r");
    let (code, shown) = terminal.ended();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("has forgotten box old"), "{shown}");
}
