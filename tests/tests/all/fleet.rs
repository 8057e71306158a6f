//! `moodbox fleet` with many boxes whose rules are the real ones, on one Mosquitto.

use std::fs;
use std::process::Output;

use assert_cmd::Command;
use moodbox_tests::fleet::Fleet;
use moodbox_tests::listener::{Listener, PATIENCE};
use moodbox_tests::mosquitto::Mosquitto;
use moodbox_tests::programs::program;
use serde_json::{Value, json};

/// Runs `moodbox fleet` for these boxes.
fn moodbox(fleet: &Fleet, words: &[&str]) -> Output {
    let mut tool = Command::new(program("moodbox"));
    tool.arg("fleet").args(words).args(["--broker", &fleet.url()]).timeout(PATIENCE).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn two_hundred_boxes_take_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.toml");
    fs::write(&file, "[mood]\nhold_s = 20\n[music]\npolicy = \"lift\"\n").unwrap();
    let fleet = Fleet::of(200);
    let push = || moodbox(&fleet, &["config", "push", file.to_str().unwrap(), "--json"]);
    let output = push();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""), "{}", text(&output.stdout));
    let rows: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 200);
    for row in rows {
        assert_eq!(
            (&row["outcome"], &row["what"]),
            (&json!("ok"), &json!("taken: mood.hold_s, music.policy")),
            "{row}"
        );
    }
    let again = text(&push().stdout);
    assert_eq!(again.matches("has all of it already").count(), 200, "{again}");
    let status = moodbox(&fleet, &["status"]);
    assert_eq!(status.status.code(), Some(0), "{}", text(&status.stderr));
    let table = text(&status.stdout);
    assert_eq!((table.lines().count(), table.lines().nth(1).unwrap().split_whitespace().nth(1)), (201, Some("online")));
}

#[test]
fn the_first_failure_stops_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.toml");
    let hosts = folder.path().join("boxes.txt");
    fs::write(&file, "[mood]\nhold_s = 20\n").unwrap();
    // The second is none of ours, and is not there.
    fs::write(&hosts, "box000\nbox777\nbox001\nbox002\n").unwrap();
    let mut fleet = Fleet::of(3);
    let words = [
        "config",
        "push",
        file.to_str().unwrap(),
        "--hosts",
        hosts.to_str().unwrap(),
        "--limit",
        "1",
        "--max-failures",
        "1",
    ];
    let output = moodbox(&fleet, &words);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(text(&output.stdout));
    assert_eq!(text(&output.stderr), "moodbox: of 4 boxes 1 failed, 2 were not begun and are as they were\n");
    let output = moodbox(&fleet, &["status", "--hosts", hosts.to_str().unwrap()]);
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(1), "moodbox: 1 of 4 boxes are not online\n")
    );
    // What a box refuses fails there and nowhere else.
    fs::write(&file, "[mood]\nhold_s = 119\n").unwrap();
    fleet.listener.publish(
        "moodbox/box001/request/config.set",
        json!({ "transaction": "x", "set": { "mood.absent_s": 60 } }).to_string(),
        false,
    );
    fleet.listener.next("moodbox/box001/response/config.set");
    fs::write(&hosts, "box000\nbox001\nbox002\n").unwrap();
    let output = moodbox(&fleet, &[&words[..5], &["--max-failures", "3"]].concat());
    let table = text(&output.stdout);
    assert!(table.contains("box000  ok         taken: mood.hold_s\n"), "{table}");
    assert!(table.contains("box001  failed     it refuses: mood.hold_s: hold_s (119) must be less than"), "{table}");
}

#[test]
fn a_box_that_was_switched_off_keeps_the_file_from_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.toml");
    fs::write(&file, "[mood]\nhold_s = 20\n").unwrap();
    let mut fleet = Fleet::of(2);
    fleet.listener.publish("moodbox/attic/availability", "offline", true);
    fleet.listener.next("moodbox/attic/availability");
    let output = moodbox(&fleet, &["config", "push", file.to_str().unwrap(), "--limit", "1"]);
    assert_eq!(
        text(&output.stdout),
        "attic   not begun  it is not online\n\
         box000  ok         taken: mood.hold_s\n\
         box001  ok         taken: mood.hold_s\n"
    );
    let told = "moodbox: of 3 boxes 1 were not begun and are as they were\n";
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), told));
}

#[test]
fn what_a_box_says_does_not_write_into_the_terminal() {
    let broker = Mosquitto::start();
    let mut said = Listener::on(broker.port());
    said.publish("moodbox/evil/availability", "online\u{1b}[2J", true);
    said.publish("moodbox/evil/state", r#"{"mood":"\u001b]0;mine\u0007happy","faces":1,"camera":"on"}"#, true);
    said.until("/state", |_| true);
    let output = Command::new(program("moodbox"))
        .args(["fleet", "status", "--broker", &format!("mqtt://127.0.0.1:{}", broker.port())])
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let (shown, told) = (text(&output.stdout), text(&output.stderr));
    assert!(shown.contains("]0;minehappy") && !shown.contains(['\u{1b}', '\u{7}']), "{shown:?} {told:?}");
}

#[test]
fn a_wrong_list_or_file_is_refused_with_line_and_field_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let (good, bad) = (path("good.toml", "[mood]\nhold_s = 20\n"), path("bad.toml", "[mood]\nholds = 20\n"));
    let (list, wrong) = (path("list", "box000\n"), path("wrong", "box000 pi@a\nBox\n"));
    let option = path("option", "box000 -oProxyCommand=x\n");
    let package = path("moodbox.deb", "!<arch>\n");
    for (words, told) in [
        (
            vec!["config", "push", &bad, "--hosts", &list],
            format!("{bad}: line 2: holds: unknown key `holds`; did you mean `hold_s`?"),
        ),
        (vec!["config", "push", &good, "--hosts", &wrong], format!("{wrong}: line 2: id: \"Box\" must be 1 to 32 of")),
        (vec!["update", &package, "--hosts", &list], format!("{list}: box000: ssh: is missing; write where")),
        (
            vec!["config", "push", &good, "--hosts", &option],
            format!("{option}: line 1: ssh: \"-oProxyCommand=x\" is not the name of a machine; write USER@HOST"),
        ),
        (vec!["update", &package], "--hosts must name a file".to_owned()),
        (vec!["update", &good, "--hosts", &list], format!("{good} is no Debian package")),
        (vec!["update", "/no/such.deb", "--hosts", &list], "cannot read /no/such.deb: No such file".to_owned()),
    ] {
        // Nobody listens there, and nobody is asked.
        let output = Command::new(program("moodbox"))
            .arg("fleet")
            .args(&words)
            .args(["--broker", "mqtt://127.0.0.1:1"])
            .timeout(PATIENCE)
            .output()
            .unwrap();
        let line = text(&output.stderr);
        assert_eq!((output.status.code(), line.lines().count()), (Some(2), 1), "{line}");
        assert!(line.starts_with(&format!("moodbox: {told}")), "{line}");
    }
    let output = Command::new(program("moodbox"))
        .args(["fleet", "status", "--broker", "mqtt://127.0.0.1:1"])
        .timeout(PATIENCE)
        .output()
        .unwrap();
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(3), ""));
}
