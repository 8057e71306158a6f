//! `moodbox bench`: what it reports, not how fast it is.

use std::fs;

use serde_json::Value;

use super::{Done, file, frame_at, moodbox};

fn report(done: &Done) -> Value {
    serde_json::from_str(done.stdout.lines().last().unwrap()).unwrap()
}

#[test]
fn the_report_is_the_last_line() {
    let folder = tempfile::tempdir().unwrap();
    for seconds in [1, 15, 32] {
        file(folder.path(), &format!("{seconds}.jpg"), frame_at(seconds));
    }
    let frames = folder.path().to_str().unwrap();
    let done = moodbox(&["bench", "--frames", frames, "--rounds", "2", "--json"]);
    assert_eq!(done.code, Some(0), "{:#?}", done.lines);
    let report = report(&done);
    assert_eq!((&report["frames"], &report["threads"]), (&3.into(), &1.into()));
    let positive = |value: &Value| assert!(value.as_f64().unwrap() > 0.0, "{report}");
    for key in ["p50_ms", "p95_ms", "invoke_ms", "macs"] {
        positive(&report["cold"][key]);
    }
    positive(&report["peak_rss_mb"]);
    let stages = report["stages"].as_object().unwrap();
    for name in ["decode", "pyramid", "pnet", "rnet", "onet", "fer"] {
        let stage = &stages[name];
        assert!(stage["p50_ms"].as_f64().unwrap() <= stage["p95_ms"].as_f64().unwrap(), "{report}");
    }
    // What is part of a frame takes no longer than the frame.
    let sum: f64 = stages.values().filter_map(|stage| stage["p50_ms"].as_f64()).sum();
    assert!(sum <= 3.0 * report["cold"]["p95_ms"].as_f64().unwrap(), "{report}");
    let words = moodbox(&["bench", "--frames", frames, "--rounds", "1"]).well();
    assert!(words.starts_with("3 pictures, 1 thread(s), peak memory "), "{words}");
}

/// On one picture: where others work, two threads that wait for each other take their time.
#[test]
fn two_threads_are_two() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "1.jpg", frame_at(1));
    let frames = folder.path().to_str().unwrap();
    let done = moodbox(&["bench", "--frames", frames, "--rounds", "1", "--threads", "2", "--json"]);
    assert_eq!(done.code, Some(0), "{:#?}", done.lines);
    let report = report(&done);
    assert_eq!((&report["frames"], &report["threads"]), (&1.into(), &2.into()));
}

#[test]
fn what_cannot_be_measured_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().to_str().unwrap().to_owned();
    assert_eq!(
        moodbox(&["bench", "--frames", &here]).refused(2),
        format!("moodbox: the folder {here} holds no .jpg, .jpeg or .png file")
    );
    let none = folder.path().join("none").display().to_string();
    assert!(moodbox(&["bench", "--frames", &none]).refused(2).starts_with(&format!("moodbox: cannot read {none}: ")));
    let bad = file(folder.path(), "bad.jpg", "Dear diary");
    assert_eq!(
        moodbox(&["bench", "--frames", &here]).refused(2),
        format!("moodbox: {bad} is no JPEG picture, which is what cameras send; name a folder of such alone")
    );
    file(folder.path(), "bad.jpg", [0xff, 0xd8, 0xff]);
    assert!(moodbox(&["bench", "--frames", &here]).refused(2).starts_with(&format!("moodbox: {bad}: ")));
    fs::remove_file(bad).unwrap();
}
