//! What the box keeps of the days.

use std::time::Instant;

use moodbox_tests::listener::PATIENCE;
use serde_json::{Value, json};

use super::{Home, smile};

impl Home {
    /// The moods that were noted in all time, and nothing where the box did not look.
    fn moods(&mut self) -> Vec<Value> {
        let told = self.ask("history.get", &json!({ "from": 0, "to": 4_000_000_000_u64 }));
        assert_eq!(told["data"]["more"], false, "{told}");
        told["data"]["moments"].as_array().unwrap().iter().map(|moment| moment["mood"].clone()).collect()
    }

    /// The same, once the last of them is this. The disk has what is published a moment later.
    pub(super) fn noted(&mut self, last: &Value) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let moods = self.moods();
            if moods.last() == Some(last) {
                return moods;
            }
            assert!(Instant::now() < deadline, "{last} in {moods:?}");
        }
    }
}

#[test]
fn the_moods_of_a_day_outlive_a_restart() {
    let mut home = Home::with(&smile(), "");
    home.state("mood", "happy");
    let noted = home.noted(&json!("happy"));
    home.restart();
    home.state("mood", "happy");
    let after = home.noted(&json!("happy"));
    assert_eq!(after[..noted.len()], noted);
    // Between them the box did not run.
    assert!(after[noted.len()..].contains(&Value::Null), "{after:?}");
    // Another part of the time is another answer.
    let told = home.ask("history.get", &json!({ "from": 1, "to": 2 }));
    assert_eq!(told["data"], json!({ "moments": [], "more": false }));
}

#[test]
fn a_history_that_cannot_be_read_is_said_so() {
    let mut home = Home::prepared(&smile(), "", |preparation| {
        std::fs::create_dir_all(preparation.folder.join("store/history.jsonl")).unwrap();
    });
    home.state("camera", "on");
    home.daemon.says("history.jsonl: Is a directory");
    let told = home.ask("history.get", &json!({ "from": 0, "to": 9 }));
    assert!(told["error"].as_str().unwrap().contains("history.jsonl"), "{told}");
}
