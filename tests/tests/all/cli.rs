//! `moodbox` as a person types it.

mod aim;
mod analyze;
mod bench;
mod config;
mod connection;
mod demo;
mod doctor;
mod eval;
mod eval_music;
mod help;
mod history;
mod library;
mod logs;
mod output;
mod recommend;
mod screen;
mod setup;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use moodbox_tests::listener::PATIENCE;
use moodbox_tests::programs::{lines_of, program, recording};
use serde_json::Value;

/// How a command ended.
struct Done {
    code: Option<i32>,
    stdout: String,
    /// What was written to stderr.
    lines: Vec<String>,
}

impl Done {
    /// What was printed by a command that went well and had no complaint.
    fn well(self) -> String {
        assert_eq!((self.code, &self.lines[..]), (Some(0), &[][..]), "{}", self.stdout);
        self.stdout
    }

    /// The only line on stderr of a command that ended with `code` and printed nothing.
    fn refused(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{:#?}", self.lines);
        let [line] = &self.lines[..] else { panic!("{:#?}", self.lines) };
        line.clone()
    }

    /// The objects that were printed, one a line.
    fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs `moodbox` with these words.
fn moodbox<S: AsRef<OsStr>>(words: &[S]) -> Done {
    // The library of the person who runs the tests is not their business.
    let nowhere = std::env::temp_dir().join("moodbox-tests-nobody");
    let output = assert_cmd::Command::new(program("moodbox"))
        .args(words)
        .env("XDG_DATA_HOME", nowhere)
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        lines: lines_of(&stderr).into_iter().map(ToOwned::to_owned).collect(),
    }
}

/// Runs `moodbox` with words that are parted by blanks.
fn typed(words: &str) -> Done {
    moodbox(&words.split_whitespace().collect::<Vec<_>>())
}

/// The frame of the demo recording at a time, as a JPEG file.
fn frame_at(seconds: usize) -> Vec<u8> {
    const FPS: usize = 4;
    let bytes = fs::read(recording()).unwrap();
    let mut starts = (1..bytes.len()).filter(|&i| bytes[i - 1..=i] == [0xff, 0xd8]).map(|i| i - 1).skip(seconds * FPS);
    let (start, end) = (starts.next().unwrap(), starts.next().unwrap_or(bytes.len()));
    bytes[start..end].to_vec()
}

/// A file of this content; its path as text.
fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn without_words_it_says_how_to_use_it() {
    for words in ["", "eval", "library", "config"] {
        let done = typed(words);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""));
        assert!(done.lines.iter().any(|line| line.starts_with("Usage: moodbox")), "{:#?}", done.lines);
    }
    assert_eq!(typed("--version").well(), format!("moodbox {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_words_are_refused() {
    for words in [
        "sing",
        "--loud",
        "analyze",
        "analyze --min-face 5 x.jpg",
        "bench",
        "bench --frames . --threads 9",
        "bench --frames . --rounds 0",
        "eval fer",
        "eval faces",
        "eval faces boxes.json --min-face 5",
        "recommend",
        "recommend --mood jolly",
        "recommend --mood mixed",
        "recommend --mood Happy",
        "recommend --mood happy --policy cheer",
        "recommend --mood happy -n 0",
        "recommend --mood happy -n 2000",
        "recommend --mood happy -n -1",
        "recommend --after x --policy lift",
        "library scan",
        "library import",
        "library show",
        "library push",
        "library push --broker http://home --id box",
        "play",
        "play --mpd localhost",
        "play --mpd secret@localhost --broker mqtt://localhost --id a",
        "play --mpd localhost: --broker mqtt://localhost --id a",
        "remove",
        "remove box",
        "remove Box --broker mqtt://home",
        "remove box --broker embedded",
        "ui",
        "ui --broker embedded",
        "ui --broker mqtt://localhost --port 70000",
        "demo --source webcam",
        "demo --camera --source v4l2:auto",
        "calibrate",
        "calibrate --broker mqtt://localhost",
        "calibrate --broker localhost --id a",
        "calibrate --broker embedded --id a",
        "calibrate --broker mqtt://user:secret@localhost --id a",
        "calibrate --broker mqtt://localhost --id Kitchen",
        "calibrate --broker mqtt://localhost --id a --hold 9",
        "calibrate --broker mqtt://localhost --id a --reset --hold 2",
        "config check",
    ] {
        let line = typed(words).refused(2);
        assert!(line.starts_with("moodbox: ") && line.ends_with("; see --help"), "{words}: {line}");
    }
    assert_eq!(
        [typed("recommend"), typed("recommend --mod happy"), typed("recommend --mood jolly")]
            .map(|done| done.refused(2)),
        [
            "moodbox: the following required arguments were not provided: --mood <MOOD>; see --help",
            "moodbox: unexpected argument '--mod' found; tip: a similar argument exists: '--mood'; see --help",
            "moodbox: invalid value 'jolly' for '--mood <MOOD>': no mood is called \"jolly\"; known are angry, disgust, fear, \
             happy, neutral, sad, surprise; see --help",
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_its_option() {
    for (words, option) in [
        ("play --mpd localhost --broker mqtt://localhost --id a --mpd-password-file", "--mpd-password-file"),
        ("remove a --broker mqtt://localhost --username me --password-file", "--password-file"),
        ("calibrate --broker mqtts://localhost --id a --ca-file", "--ca-file"),
    ] {
        let line = typed(&format!("{words} /no/such/file")).refused(2);
        assert_eq!(
            line,
            format!("moodbox: {option}: cannot read /no/such/file: No such file or directory (os error 2)")
        );
    }
}

#[test]
fn a_password_that_others_can_read_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "password", "secret\n");
    let doctor = || typed(&format!("doctor --broker mqtt://127.0.0.1:1 --username me --password-file {path}")).lines;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let told = format!("moodbox: --password-file: everybody on this machine can read {path}; chmod 600 {path}");
    assert_eq!(doctor()[0], told);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(doctor().iter().all(|line| !line.contains("can read")));
}

#[test]
fn a_configuration_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(folder.path(), "good.toml", "[camera]\nfps = 5\n");
    let bad = file(folder.path(), "bad.toml", "[camera]\nfps = 500\n");
    let none = folder.path().join("none.toml").display().to_string();
    let check = |path: &str, more: &[&str]| moodbox(&[&["config", "check", path], more].concat());
    assert_eq!(check(&good, &[]).well(), format!("{good}: ok\n"));
    let reason = "must be a whole number from 0 to 60, not 500";
    assert_eq!(check(&bad, &[]).refused(1), format!("moodbox: {bad}: line 2: fps: {reason}"));
    let told = format!("moodbox: cannot read {none}: No such file or directory (os error 2)");
    assert_eq!(check(&none, &[]).refused(2), told);
    assert_eq!(check(&none, &["--json"]).refused(2), told);
    assert_eq!(check(&good, &["--json"]).json(), [serde_json::json!({ "file": good, "ok": true })]);
    let report = check(&bad, &["--json"]);
    assert_eq!(report.code, Some(1));
    let expected = serde_json::json!({ "file": bad, "ok": false, "line": 2, "key": "fps", "reason": reason });
    assert_eq!(report.json(), [expected]);
}
