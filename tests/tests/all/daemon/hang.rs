//! A part that hangs: the watchdog is not fed any more, by nobody, and the service manager may start the box again.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use moodbox_tests::listener::PATIENCE;
use moodbox_tests::programs::{program, repository};
use serde_json::json;

use super::Home;

/// How often systemd wants to hear from the box, in microseconds; the box speaks twice as often.
const WATCHDOG_US: &str = "2000000";
/// Longer than that by far.
const SILENCE: Duration = Duration::from_secs(6);

/// The next thing that the service manager is told; nothing when it is told nothing.
fn told(manager: &UnixDatagram) -> Option<String> {
    let mut word = [0; 256];
    manager.recv(&mut word).ok().map(|length| String::from_utf8_lossy(&word[..length]).into_owned())
}

fn is_fed(manager: &UnixDatagram) {
    let deadline = Instant::now() + PATIENCE;
    while told(manager).is_none_or(|word| !word.contains("WATCHDOG=1")) {
        assert!(Instant::now() < deadline, "nobody feeds the watchdog");
    }
}

#[test]
fn a_camera_that_hangs_starves_the_watchdog() {
    let notified = tempfile::tempdir().unwrap();
    let socket = notified.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(SILENCE)).unwrap();
    let make_pipe = |folder: &std::path::Path| {
        assert!(Command::new("mkfifo").arg(folder.join("video.mjpeg")).status().unwrap().success());
    };
    let mut home = Home::run(
        "replay:FOLDER/video.mjpeg",
        "",
        |before| make_pipe(before.folder),
        |_| {
            let mut command = Command::new(program("moodboxd"));
            command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", WATCHDOG_US).env_remove("WATCHDOG_PID");
            command
        },
    );
    let portrait = fs::read(repository().join("host-tools/demo/faces/collins.jpg")).unwrap();
    let mut camera = OpenOptions::new().write(true).open(home.folder.path().join("video.mjpeg")).unwrap();
    camera.write_all(&portrait).unwrap();
    home.state("camera", "on");
    is_fed(&manager);
    // No frame comes any more, and the thread that reads them waits for ever.
    let deadline = Instant::now() + PATIENCE;
    while told(&manager).is_some() {
        assert!(Instant::now() < deadline, "something feeds the watchdog while the camera hangs");
    }
    // The rest works, and does not feed it.
    home.command("leds", "OFF");
    home.listener.until("/state", |state| state.json()["leds"] == "off");
    assert_eq!(home.ask("diagnose", &json!({}))["status"], "ok");
    assert_eq!(told(&manager), None);
    camera.write_all(&portrait).unwrap();
    is_fed(&manager);
}
