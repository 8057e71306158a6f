//! A clock that starts in 1970, as that of a board without a battery does, and is set while the box runs: libfaketime stands
//! between the daemon and the machine's clock, and leaves the one that never jumps alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use moodbox_tests::listener::Listener;
use moodbox_tests::programs::program;
use moodbox_tests::rights;
use serde_json::{Value, json};

use super::{Daemon, Home, config, smile};
use crate::mqtt::security::broker_with_certificate;

/// The linker puts the machine's folder of libraries in the place of `$LIB`.
const FAKETIME: &str = "/usr/$LIB/faketime/libfaketimeMT.so.1";

/// The file that says which time it is.
fn dial(folder: &Path) -> PathBuf {
    folder.join("time")
}

fn set(folder: &Path, time: &str) {
    let new = folder.join("time.new");
    fs::write(&new, format!("@{time}\n")).unwrap();
    fs::rename(new, dial(folder)).unwrap();
}

/// The daemon with a clock of its own, which shows 1970.
fn with_a_clock(folder: &Path) -> Command {
    set(folder, "1970-01-01 01:00:00");
    let mut command = Command::new(program("moodboxd"));
    command.env("LD_PRELOAD", FAKETIME).env("FAKETIME_TIMESTAMP_FILE", dial(folder));
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

fn may_change_the_clock() -> bool {
    rights::may(&format!(
        "[ \"$(LD_PRELOAD='{FAKETIME}' FAKETIME='@1970-01-01 01:00:00' date +%Y 2>&1)\" = 1970 ] ||
         {{ echo 'libfaketime does not work here' >&2; exit 1; }}"
    ))
}

#[test]
fn a_clock_that_jumps_by_decades_changes_nothing() {
    if !may_change_the_clock() {
        return;
    }
    let mut home = Home::run(&smile(), "", |_| {}, with_a_clock);
    let begun = Instant::now();
    let mut observer = Listener::on(home.broker.port());
    home.listener.until("/availability", |message| message.text == "online");
    home.state("mood", "happy");
    observer.until("/availability", |message| message.text == "online");
    for time in ["2026-11-25 12:00:00", "2001-01-01 00:00:00", "2030-06-01 00:00:00"] {
        set(home.folder.path(), time);
        // A person comes and goes by what the box sees, and each is noted.
        for (switch, camera, noted) in [("OFF", "off", Value::Null), ("ON", "on", json!("happy"))] {
            home.command("camera", switch);
            home.state("camera", camera);
            home.noted(&noted);
        }
        assert_eq!(home.ask("diagnose", &json!({}))["status"], "ok");
    }
    home.listener.publish("end", "", false);
    let said = observer.all_until(|message| message.topic == "end");
    let lost: Vec<_> = said.iter().filter(|message| message.text == "offline").collect();
    assert!(lost.is_empty(), "it has lost the broker: {:#?}", home.daemon.log.try_iter().collect::<Vec<_>>());
    let states = said.iter().filter(|message| message.topic.ends_with("/state")).count();
    assert!(states as u64 <= begun.elapsed().as_secs() + 2, "{states} states: a storm");
    // The time that nobody had set is marked, and so is one that cannot be.
    let told = home.ask("history.get", &json!({ "from": 0, "to": 4_000_000_000_u64 }));
    let moments = told["data"]["moments"].as_array().unwrap();
    assert!(
        moments.iter().all(|moment| (moment["at"].as_u64() < Some(1_767_225_600)) == (moment["unset"] == true)),
        "{told}"
    );
    for (from, to) in
        [(0, 86_400), (978_307_200, 978_393_600), (1_795_000_000, 1_796_000_000), (1_906_000_000, 1_907_000_000)]
    {
        let noted = moments.iter().filter(|moment| (from..to).contains(&moment["at"].as_u64().unwrap()));
        assert!(noted.clone().any(|moment| moment["mood"] == "happy"), "between {from} and {to}: {told}");
    }
    home.daemon.stop();
}

#[test]
fn a_certificate_that_is_not_valid_yet_is_laid_to_the_clock() {
    if !may_change_the_clock() {
        return;
    }
    let broker = broker_with_certificate("IP:127.0.0.1", "-days 30");
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let trust = format!("ca_file = \"{}/ca.pem\"\nbroker = \"mqtts:", broker.folder().display());
    let text = config(here, broker.port(), &smile(), "").replace("broker = \"mqtt:", &trust);
    let daemon = Daemon::run(with_a_clock(here), here, &text);
    let line = daemon.says("next attempt in");
    assert!(line.contains("set this box's clock"), "{line}");
    daemon.stop();
}
