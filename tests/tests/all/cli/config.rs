//! `moodbox config` with files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use moodbox_tests::programs::program;
use serde_json::json;

use super::{file, moodbox, typed};

const COMMENTED: &str =
    "# Ours.\n[mood]\n# How long?\nhold_s = 10   # as long as a song\n\n[leds] # the lamp\nred = 17\n";

#[test]
fn keys_of_a_file_are_set_and_its_comments_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.toml", COMMENTED);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let words = ["config", "set", "mood.hold_s=20", "leds.brightness=0.5", "music.policy=lift", "--file", &path];
    assert_eq!(moodbox(&words).well(), format!("{path}: set\n"));
    insta::assert_snapshot!(fs::read_to_string(&path).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let get = |more: &[&str]| moodbox(&[&["config", "get", "--file", &path], more].concat());
    assert_eq!(get(&["mood.hold_s"]).well(), "20.0\n");
    assert_eq!(get(&["music"]).well(), "music.catalogue = none\nmusic.list_length = 10\nmusic.policy = \"lift\"\n");
    assert_eq!(get(&["music.policy", "--json"]).json(), [json!({ "music.policy": "lift" })]);
    // Back to the default.
    assert_eq!(moodbox(&["config", "set", "music.policy=", "--file", &path]).well(), format!("{path}: set\n"));
    assert_eq!(get(&["music.policy"]).well(), "\n");
}

#[test]
fn what_would_be_wrong_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.toml", COMMENTED);
    for (setting, told) in [
        ("mood.hold_s=300", format!("{path}: line 4: hold_s: hold_s (300) must be less than absent_s (120)")),
        ("leds.red=27", format!("{path}: line 7: red: red and green are both on pin 27; each light needs its own")),
        (
            "mood.hold=3",
            "no key is called mood.hold; did you mean mood.hold_s? `moodbox config reference` lists all".to_owned(),
        ),
        ("mood.hold_s", "\"mood.hold_s\" must be KEY=VALUE, such as mood.hold_s=20".to_owned()),
    ] {
        assert_eq!(moodbox(&["config", "set", setting, "--file", &path]).refused(2), format!("moodbox: {told}"));
        assert_eq!(fs::read_to_string(&path).unwrap(), COMMENTED);
    }
    let both = moodbox(&["config", "get", "--file", &path, "--broker", "mqtt://a", "--id", "a"]).refused(2);
    assert!(both.contains("cannot be used with"), "{both}");
    let neither = typed("config get mood").refused(2);
    assert!(neither.contains("--broker <URL>"), "{neither}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn without_a_terminal_nothing_is_edited() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.toml", COMMENTED);
    let line = moodbox(&["config", "edit", &path]).refused(2);
    assert_eq!(line, format!("moodbox: there is nobody to edit {path}; `moodbox config set --file` needs no terminal"));
}

/// Edits a file with an editor that writes these texts in turn, and a person who says so when asked again: exit code and
/// what the terminal shows.
fn edit(folder: &Path, path: &str, texts: &[&str], answers: &str) -> (Option<i32>, String) {
    let here = folder.display();
    let _ = fs::remove_file(folder.join("count"));
    let editor = format!("#!/bin/sh\necho >> {here}/count\ncp {here}/text$(wc -l < {here}/count) \"$1\"\n");
    edit_with(&editor, folder, path, texts, answers)
}

/// The same with an editor that is this script; the texts are beside it as `text1` and so on.
fn edit_with(script: &str, folder: &Path, path: &str, texts: &[&str], answers: &str) -> (Option<i32>, String) {
    for (number, text) in texts.iter().enumerate() {
        fs::write(folder.join(format!("text{}", number + 1)), text).unwrap();
    }
    let editor = folder.join("editor");
    fs::write(&editor, script).unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let tool = format!("{} config edit {path}", program("moodbox").display());
    let mut asked = Command::new("script")
        .args(["--quiet", "--return", "--command", &tool, "/dev/null"])
        .env("EDITOR", &editor)
        .env_remove("VISUAL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(asked.stdin.as_mut().unwrap(), answers.as_bytes()).unwrap();
    let output = asked.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn an_editor_does_not_leave_an_error_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.toml", COMMENTED);
    let good = COMMENTED.replace("10   #", "20   #");
    let wrong = COMMENTED.replace("hold_s = 10", "holds = 10");
    let (code, shown) = edit(folder.path(), &path, &[&wrong, &good], "y\n");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains(&format!("{path}: line 4: holds: unknown key `holds`; did you mean `hold_s`?")), "{shown}");
    assert!(shown.contains("Edit it again? [Y/n]") && shown.contains(&format!("{path}: ok")), "{shown}");
    assert_eq!(fs::read_to_string(&path).unwrap(), good);
    let (code, shown) = edit(folder.path(), &path, &[&wrong], "n\n");
    assert_eq!((code, fs::read_to_string(&path).unwrap()), (Some(1), good), "{shown}");
    assert!(shown.contains(&format!("moodbox: {path} is as it was: line 4: ")), "{shown}");
    // What was written is not lost.
    let (_, copy) = shown.split_once("what you wrote is in ").unwrap();
    assert_eq!(fs::read_to_string(copy.trim()).unwrap(), wrong);
    fs::remove_file(copy.trim()).unwrap();
    // A file that is not there begins with every key, each explained.
    let new = folder.path().join("new.toml").display().to_string();
    let (code, shown) = edit(folder.path(), &new, &["[mood]\nhold_s = 5\n"], "");
    assert_eq!((code, fs::read_to_string(&new).unwrap().as_str()), (Some(0), "[mood]\nhold_s = 5\n"), "{shown}");
}

#[test]
fn what_was_written_is_not_lost_however_the_editor_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.toml", COMMENTED);
    let here = folder.path().display();
    let wrong = COMMENTED.replace("hold_s = 10", "holds = 10");
    // It writes the first time and is left with an error the second.
    let script = format!("#!/bin/sh\n[ ! -e {here}/once ] || exit 3\n: >{here}/once\ncp {here}/text1 \"$1\"\n");
    let (code, shown) = edit_with(&script, folder.path(), &path, &[&wrong], "y\n");
    assert_eq!(code, Some(2), "{shown}");
    let (told, copy) = shown.split_once("; what you wrote is in ").unwrap();
    assert!(told.ends_with("ended with exit status: 3; nothing was changed"), "{told}");
    assert_eq!(fs::read_to_string(copy.trim()).unwrap(), wrong);
    fs::remove_file(copy.trim()).unwrap();
    // One that saves in another encoding can be told another.
    let script = "#!/bin/sh\nprintf '[device]\\nname = \"K\\374che\"\\n' >\"$1\"\n";
    let (code, shown) = edit_with(script, folder.path(), &path, &[], "n\n");
    assert_eq!(code, Some(1), "{shown}");
    let (told, copy) = shown.split_once("; what you wrote is in ").unwrap();
    assert!(told.contains("a.toml: not in UTF-8, in which the editor should save it"), "{told}");
    assert!(fs::read(copy.trim()).unwrap().contains(&0xfc));
    fs::remove_file(copy.trim()).unwrap();
    // Where nothing was written nothing is left.
    let (code, shown) = edit_with("#!/bin/sh\nexit 3\n", folder.path(), &path, &[], "");
    assert_eq!((code, shown.contains("what you wrote")), (Some(2), false), "{shown}");
    assert_eq!(fs::read_to_string(&path).unwrap(), COMMENTED);
}

#[test]
fn what_somebody_else_writes_meanwhile_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "a.toml", COMMENTED);
    let [mine, theirs] = ["20", "30"].map(|hold_s| COMMENTED.replace("10   #", &format!("{hold_s}   #")));
    fs::write(folder.path().join("theirs"), &theirs).unwrap();
    let editor = format!("#!/bin/sh\ncp {0}/text1 \"$1\"\ncp {0}/theirs {path}\n", folder.path().display());
    let (code, shown) = edit_with(&editor, folder.path(), &path, &[&mine], "");
    assert_eq!((code, fs::read_to_string(&path).unwrap()), (Some(1), theirs), "{shown}");
    let (told, copy) = shown.split_once("; what you wrote is in ").unwrap();
    assert_eq!(told.trim(), format!("moodbox: {path} was changed by somebody else meanwhile, and stays so"));
    assert_eq!(fs::read_to_string(copy.trim()).unwrap(), mine);
    fs::remove_file(copy.trim()).unwrap();
}

#[test]
fn every_key_can_be_looked_up() {
    let page = typed("config reference").well();
    assert!(page.contains("| `hold_s` | Time the mood is held after the last face was seen. | `10` | s | "), "{page}");
    let keys = typed("config reference --json").json();
    let hold = keys[0].as_array().unwrap().iter().find(|key| key["key"] == "mood.hold_s").unwrap();
    assert_eq!((&hold["settable"], &hold["after_restart"]), (&json!(true), &json!(false)));
}
