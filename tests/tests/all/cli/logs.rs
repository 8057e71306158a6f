//! `moodbox logs` on a machine that is this one, where `ssh` and `journalctl` are scripts.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use moodbox_tests::listener::PATIENCE;
use moodbox_tests::programs::{lines_of, program};
use tempfile::TempDir;

use super::Done;
use crate::terminal::Terminal;

/// What is asked of the machine is done here; the first connection asks nothing.
const SSH: &str = "#!/bin/sh\necho \"$*\" >>\"$CALLS\"\nfor last; do :; done\nexec sh -c \"$last\"\n";

/// As much of the journal as `-n` says; with `-f` for as long as who asked is there.
const JOURNALCTL: &str = "#!/bin/sh
follow=
while [ $# -gt 0 ]; do
  if [ \"$1\" = -n ]; then lines=$2; fi
  if [ \"$1\" = -f ]; then follow=\"-f --pid=$PPID\"; fi
  shift
done
if [ \"$lines\" = all ]; then exec cat \"$JOURNAL\"; fi
exec tail $follow -n \"$lines\" \"$JOURNAL\"
";

/// A machine whose journal holds these lines.
fn machine(journal: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    script("ssh", SSH);
    script("journalctl", JOURNALCTL);
    script("sudo", "#!/bin/sh\nexit 1\n");
    fs::write(folder.path().join("journal"), journal).unwrap();
    folder
}

/// `moodbox logs` with these words, of this machine.
fn command(machine: &TempDir, words: &str) -> Command {
    let mut command = Command::new(program("moodbox"));
    let path = std::env::var("PATH").unwrap();
    command
        .args(["logs", "--ssh", "pi@box"])
        .args(words.split_whitespace())
        .env("PATH", format!("{}:{path}", machine.path().display()))
        .env("JOURNAL", machine.path().join("journal"))
        .env("CALLS", machine.path().join("calls"));
    command
}

/// Runs `moodbox logs` with these words where the journal holds these lines.
fn logs(journal: &str, words: &str) -> Done {
    let machine = machine(journal);
    let output = assert_cmd::Command::from_std(command(&machine, words)).timeout(PATIENCE).output().unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        lines: lines_of(&String::from_utf8(output.stderr).unwrap()).into_iter().map(ToOwned::to_owned).collect(),
    }
}

/// Three warnings, and what a box says afterwards for days.
fn journal() -> String {
    let line = |minute: usize, said: &str| format!("2026-11-25T12:{minute:02}:00+00:00 box moodboxd[7]: {said}\n");
    let warnings = (1..4).map(|number| line(number, &format!(" WARN camera: trouble {number}")));
    let others = (0..500).map(|number| line(10, &format!(" INFO mqtt: connected {number}")));
    warnings.chain(others).collect()
}

#[test]
fn the_latest_warnings_are_found_behind_what_came_later() {
    assert_eq!(
        logs(&journal(), "--level warn -n 2").well(),
        "2026-11-25T12:02:00+00:00 warn  camera: trouble 2\n2026-11-25T12:03:00+00:00 warn  camera: trouble 3\n"
    );
    let latest = logs(&journal(), "-n 1").well();
    assert_eq!(latest, "2026-11-25T12:10:00+00:00 info  mqtt: connected 499\n");
}

#[test]
fn that_nothing_is_so_important_is_said() {
    let done = logs(&journal(), "--level error");
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
    assert_eq!(done.lines, ["moodbox: pi@box: the journal has no line of level error or above"]);
}

#[test]
fn who_ends_it_leaves_no_connection_and_no_folder_behind() {
    for signal in ["-INT", "-TERM"] {
        let machine = machine(&journal());
        let mut following =
            command(&machine, "--follow -n 1").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut said, mut line) = (BufReader::new(following.stdout.take().unwrap()), String::new());
        said.read_line(&mut line).unwrap();
        assert!(line.contains("connected 499"), "{line}");
        let calls = || fs::read_to_string(machine.path().join("calls")).unwrap();
        let socket = calls().split_once("ControlPath=").unwrap().1.split_whitespace().next().unwrap().to_owned();
        let folder = Path::new(&socket).parent().unwrap();
        assert!(folder.exists());
        assert!(Command::new("kill").args([signal, &following.id().to_string()]).status().unwrap().success());
        let ended = following.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap().as_str()), (Some(0), ""), "{signal}");
        assert!(!folder.exists(), "{signal}");
        let last = calls().lines().last().unwrap().to_owned();
        assert!(last.ends_with("-O exit pi@box"), "{signal}: {last}");
    }
}

#[test]
fn ctrl_c_is_the_end_of_following_though_ssh_hears_it_too() {
    let machine = machine(&journal());
    let here = machine.path().display();
    let settings = format!("PATH={here}:$PATH JOURNAL={here}/journal CALLS={here}/calls");
    let words = "logs --ssh pi@box --follow -n 1";
    let mut terminal = Terminal::start(&format!("env {settings} {} {words}", program("moodbox").display()), 24, 80);
    terminal.until("connected 499");
    terminal.press("\x03");
    let (code, text) = terminal.ended();
    assert_eq!((code, text.contains("moodbox: ")), (Some(0), false), "{text}");
    assert!(fs::read_to_string(machine.path().join("calls")).unwrap().ends_with("-O exit pi@box\n"));
}
