//! Whoever reads the output may stop at any time, as in `moodbox recommend | head -1`.

use std::fs::File;
use std::process::{Command, Stdio};

use moodbox_tests::programs::{lines_of, program, repository};

/// Exit code and stderr of `moodbox` whose output goes there.
fn writing_to(stdout: impl Into<Stdio>, words: &[&str]) -> (Option<i32>, Vec<String>) {
    let child = Command::new(program("moodbox")).args(words).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), lines_of(&stderr).into_iter().map(ToOwned::to_owned).collect())
}

/// Everything that prints; an empty file is a valid configuration.
fn commands() -> Vec<Vec<String>> {
    let root = repository();
    let portrait = root.join("host-tools/demo/faces/collins.jpg").display().to_string();
    let faces = root.join("host-tools/demo/faces").display().to_string();
    let words = |text: &str| text.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>();
    vec![
        words("recommend --mood happy -n 1000"),
        words("recommend --mood happy --json"),
        words(&format!("analyze {portrait}")),
        words(&format!("analyze --json {portrait}")),
        words(&format!("bench --rounds 1 --frames {faces}")),
        words("demo --plain"),
        words("demo --json"),
        words("config check /dev/null"),
        words("config check --json /dev/null"),
        words("--help"),
    ]
}

#[test]
fn a_reader_that_goes_is_no_error() {
    for words in commands() {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(writing_to(writer, &words), (Some(0), vec![]), "{words:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    for words in commands() {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        if words == ["--help"] {
            continue;
        }
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (code, lines) = writing_to(full, &words);
        assert_eq!((code, lines.len()), (Some(2), 1), "{words:?}: {lines:#?}");
        assert!(lines[0].contains("No space left on device"), "{words:?}: {lines:#?}");
    }
}

#[test]
fn words_that_nobody_can_read_change_nothing() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for (words, code) in [(&["recommend", "--mood", "glad"][..], 2), (&["analyze", "/nowhere.jpg"], 2)] {
        let status = Command::new(program("moodbox")).args(words).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{words:?}");
    }
}
