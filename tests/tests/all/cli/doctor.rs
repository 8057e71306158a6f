//! `moodbox doctor` where less is there than it needs.

use moodbox_tests::listener::PATIENCE;
use moodbox_tests::mosquitto::Mosquitto;
use moodbox_tests::programs::program;

#[test]
fn what_was_found_is_said_also_without_ssh() {
    let (broker, empty) = (Mosquitto::start(), tempfile::tempdir().unwrap());
    let output = assert_cmd::Command::new(program("moodbox"))
        .args(["doctor", "--ssh", "pi@box", "--broker", &format!("mqtt://127.0.0.1:{}", broker.port())])
        .env("PATH", empty.path())
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{shown}");
    let words: Vec<_> =
        shown.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(words, ["ok broker", "fail box", "fail ssh"], "{shown}");
    assert!(shown.contains("install OpenSSH's client"), "{shown}");
}
