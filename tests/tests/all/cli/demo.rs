//! `moodbox demo` without a terminal: one pass through the recording, told in lines.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use moodbox_tests::programs::{program, repository};
use serde_json::Value;

use super::{Done, file, frame_at, moodbox, typed};

/// One pass as JSON, made once for all tests.
fn pass() -> &'static [Value] {
    static PASS: OnceLock<Vec<Value>> = OnceLock::new();
    PASS.get_or_init(|| {
        let done = typed("demo --json");
        let lines = done.json();
        done.well();
        lines
    })
}

/// The parts of the recording in which one thing holds: start, end, people, expression.
fn segments() -> Vec<(f64, f64, u64, Option<String>)> {
    let text = fs::read(repository().join("host-tools/demo/evening.json")).unwrap();
    let evening: Value = serde_json::from_slice(&text).unwrap();
    let read = |segment: &Value| {
        let number = |key: &str| segment[key].as_f64().unwrap();
        let expression = segment["expression"].as_str().map(ToOwned::to_owned);
        (number("from_s"), number("to_s"), segment["people"].as_u64().unwrap(), expression)
    };
    evening["segments"].as_array().unwrap().iter().map(read).collect()
}

/// What is shown in the last frame before a time.
fn shown_before(time: f64) -> &'static Value {
    pass().iter().take_while(|line| line["at_s"].as_f64().unwrap() < time).last().unwrap()
}

#[test]
fn a_line_has_what_is_seen_and_what_is_made_of_it() {
    let keys = "at_s faces expression mood unsure confidence light recommendation";
    for line in pass() {
        let found: BTreeSet<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(found, keys.split(' ').collect(), "{line}");
    }
    let times: Vec<_> = pass().iter().map(|line| line["at_s"].as_f64().unwrap()).collect();
    assert!(times.is_sorted());
}

#[test]
fn the_people_who_are_there_are_counted() {
    for (_, to, people, _) in segments() {
        assert_eq!(shown_before(to)["faces"], people, "before {to} s");
    }
}

#[test]
fn the_expression_that_is_held_is_read() {
    for (from, to, _, expression) in segments() {
        let Some(expression) = expression else { continue };
        assert_eq!(shown_before(to)["expression"], expression.as_str(), "from {from} to {to} s");
    }
}

#[test]
fn the_mood_becomes_what_is_held() {
    for (from, to, _, expression) in segments() {
        let Some(expression) = expression else { continue };
        let within = pass().iter().filter(|line| (from..to).contains(&line["at_s"].as_f64().unwrap()));
        // A line is told when something changes, which may have been before.
        let shown = within.chain([shown_before(to)]);
        let moods: BTreeSet<_> = shown.filter_map(|line| line["mood"].as_str()).collect();
        assert!(moods.contains(expression.as_str()), "{expression} from {from} to {to} s: {moods:?}");
    }
}

#[test]
fn three_moods_are_shown() {
    let sure = pass().iter().filter(|line| line["unsure"] == false && line["mood"] != "absent");
    let moods: BTreeSet<_> = sure.filter_map(|line| line["mood"].as_str()).collect();
    assert!(moods.len() >= 3, "{moods:?}");
}

#[test]
fn the_lines_for_a_person_name_songs() {
    let text = typed("demo --plain").well();
    assert!(text.lines().next().unwrap().starts_with("  0.00 s  faces 0  expression none "), "{text}");
    assert!(text.contains("the room looks happy: songs that reflect it"), "{text}");
    assert!(text.contains('\u{266a}'), "{text}");
}

#[test]
fn other_pictures_can_be_shown() {
    let folder = tempfile::tempdir().unwrap();
    for second in 10..20 {
        file(folder.path(), &format!("{second}.jpg"), frame_at(second));
    }
    let source = format!("replay:{}", folder.path().display());
    let done = moodbox(&["demo", "--json", "--source", &source]);
    assert_eq!(done.json().last().unwrap()["expression"], "happy");
    done.well();
}

#[test]
fn songs_of_ones_own_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "uri,title,artist,valence,arousal\na:1,One,Somebody,0.5,0.5\na:2,Two,Somebody,9,0.5\n";
    let library = file(folder.path(), "songs.csv", rows);
    let picture = file(folder.path(), "smile.jpg", frame_at(15));
    let source = format!("replay:{picture}");
    let Done { code, lines, .. } = moodbox(&["demo", "--plain", "--source", &source, "--library", &library]);
    assert_eq!(code, Some(0));
    assert_eq!(lines, [format!("moodbox: {library}: line 3: valence 9 is outside -1..1")]);
    let none = folder.path().join("none.csv").display().to_string();
    let told = moodbox(&["demo", "--plain", "--library", &none]).refused(2);
    assert!(told.contains(&none), "{told}");
}

#[test]
fn a_recording_that_is_not_there_ends_the_demo_with_a_reason() {
    for (source, reason) in [
        (
            "replay:/nowhere/evening.mjpeg",
            "recording /nowhere/evening.mjpeg: No such file or directory (os error 2): check the path in camera.source",
        ),
        ("v4l2:/dev/video99", "camera /dev/video99 is not there: plug it in, or choose another with camera.source"),
    ] {
        assert_eq!(typed(&format!("demo --plain --source {source}")).refused(2), format!("moodbox: {reason}"));
    }
}

#[test]
fn a_demo_that_is_asked_to_end_does_and_leaves_nothing_behind() {
    let (pictures, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let picture = file(pictures.path(), "0.jpg", frame_at(15));
    // More than it has seen when it is asked.
    for number in 1..5000 {
        fs::hard_link(&picture, pictures.path().join(format!("{number}.jpg"))).unwrap();
    }
    let source = format!("replay:{}", pictures.path().display());
    let left = || fs::read_dir(temporary.path()).unwrap().count();
    for (signal, manner) in [("-INT", "--plain"), ("-TERM", "--json")] {
        let mut demo = Command::new(program("moodbox"))
            .args(["demo", manner, "--source", &source])
            .env("TMPDIR", temporary.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(demo.stdout.take().unwrap());
        said.read_line(&mut String::new()).unwrap();
        assert_eq!(left(), 1, "{manner}");
        assert!(Command::new("kill").args([signal, &demo.id().to_string()]).status().unwrap().success());
        assert_eq!((demo.wait().unwrap().code(), left()), (Some(0), 0), "{signal} {manner}");
    }
}

#[test]
fn an_evening_is_lived_through_and_follows_the_mood() {
    let evening = typed("demo --evening --json");
    let mut songs = evening.json();
    let summary = songs.pop().unwrap();
    assert!(songs.len() >= 60, "{} songs", songs.len());
    assert!(songs.iter().all(|song| song["track"]["why"].as_str().is_some_and(|why| !why.is_empty())));
    assert!(songs.iter().any(|song| song["how"] == "chosen"));
    assert!(songs.is_sorted_by_key(|song| song["at_s"].as_u64()));
    let figure = |name: &str| summary[name].as_f64().unwrap();
    assert!(figure("mood_right") > 0.6, "{summary}");
    assert!(figure("changes") >= 4.0 && figure("changes_seen") >= figure("changes") - 1.0, "{summary}");
    assert!(figure("distance") < 0.8 * figure("distance_by_chance"), "{summary}");
    assert_eq!(typed("demo --evening --json --seed 1").stdout, evening.stdout);
    assert_ne!(typed("demo --evening --json --seed 2").stdout, evening.stdout);
    let text = typed("demo --evening").well();
    assert!(text.lines().last().unwrap().starts_with("next song of the same family"), "{text}");
    let told = |what: &str| text.lines().filter(|line| line.contains(what)).count() as u64;
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(told("  The listener feels "), count("changes") + 1);
    assert_eq!(told("  The box sees it, "), count("changes_seen"));
    assert_eq!((told(" \u{266a} "), told("      skipped")), (count("songs"), count("skips")));
}
