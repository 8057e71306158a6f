//! A part that hangs: the watchdog is not fed any more, by nobody, and the service manager may start the box again.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use moodbox_tests::listener::PATIENCE;
use moodbox_tests::programs::{program, repository};
use moodbox_tests::rights;
use serde_json::json;
use tempfile::TempDir;

use super::{Home, smile};

/// How often systemd wants to hear from the box, in microseconds; the box speaks twice as often.
const WATCHDOG_US: &str = "2000000";
/// Longer than that by far.
const SILENCE: Duration = Duration::from_secs(6);

/// A home whose service manager has a watchdog.
struct Watched {
    home: Home,
    manager: UnixDatagram,
    _folder: TempDir,
}

impl Watched {
    /// With a pipe `video.mjpeg` in the box's folder, which is FOLDER in the source.
    fn start(source: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("notify");
        let manager = UnixDatagram::bind(&socket).unwrap();
        manager.set_read_timeout(Some(SILENCE)).unwrap();
        let mut command = Command::new(program("moodboxd"));
        command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", WATCHDOG_US).env_remove("WATCHDOG_PID");
        let home = Home::run(
            source,
            "",
            |before| {
                let pipe = before.folder.join("video.mjpeg");
                assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
            },
            |_| command,
        );
        Self { home, manager, _folder: folder }
    }

    /// The next thing that the manager is told; nothing when it is told nothing.
    fn told(&self) -> Option<String> {
        let mut word = [0; 256];
        self.manager.recv(&mut word).ok().map(|length| String::from_utf8_lossy(&word[..length]).into_owned())
    }

    fn is_fed(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.told().is_none_or(|word| !word.contains("WATCHDOG=1")) {
            assert!(Instant::now() < deadline, "nobody feeds the watchdog");
        }
    }

    /// Nothing feeds it any more, while the rest of the box works.
    fn starves(&mut self, part: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.told().is_some() {
            assert!(Instant::now() < deadline, "something feeds the watchdog while {part} hangs");
        }
        assert_eq!(self.home.ask("diagnose", &json!({}))["status"], "ok");
        assert_eq!(self.told(), None);
    }

    /// Stops a thread at the next of these things that it asks of the kernel, until what is given back is dropped.
    fn hang(&self, thread: &str, calls: &str) -> Hang {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.home.daemon.pid())).unwrap();
        let found = tasks
            .map(|task| task.unwrap())
            .find(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim_end() == thread));
        let mut command = Command::new("strace");
        command.args(["-o", "/dev/null", "-e", &format!("inject={calls}:delay_enter=1000000000"), "-p"]);
        command.arg(found.expect("a thread of this name").file_name()).stderr(Stdio::piped());
        let mut strace = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(strace.stderr.take().unwrap()).read_line(&mut said).unwrap();
        assert!(said.ends_with(" attached\n"), "{said}");
        Hang(strace)
    }
}

/// Whether a thread can be stopped here.
fn may_hang() -> bool {
    rights::may("strace -qqq -o /dev/null -e inject=all:delay_enter=1 true")
}

struct Hang(Child);

impl Drop for Hang {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_camera_that_hangs_starves_the_watchdog() {
    let mut watched = Watched::start("replay:FOLDER/video.mjpeg");
    let portrait = fs::read(repository().join("host-tools/demo/faces/collins.jpg")).unwrap();
    let mut camera = OpenOptions::new().write(true).open(watched.home.folder.path().join("video.mjpeg")).unwrap();
    camera.write_all(&portrait).unwrap();
    watched.home.state("camera", "on");
    watched.is_fed();
    // No frame comes any more, and the thread that reads them waits for ever.
    watched.starves("the camera");
    camera.write_all(&portrait).unwrap();
    watched.is_fed();
}

#[test]
fn networks_or_lights_that_hang_starve_the_watchdog() {
    if !may_hang() {
        return;
    }
    let mut watched = Watched::start(&smile());
    watched.home.state("mood", "happy");
    for thread in ["vision", "leds"] {
        watched.is_fed();
        let hang = watched.hang(thread, "all");
        watched.starves(thread);
        drop(hang);
        watched.is_fed();
    }
}

#[test]
fn a_disk_that_hangs_starves_the_watchdog_whichever_thread_waits_for_it() {
    type Task = fn(&Home);
    if !may_hang() {
        return;
    }
    let tasks: [(&str, Task); 3] = [
        ("disk", |home| {
            let set = json!({ "transaction": "1", "set": { "mood.hold_s": 20 } });
            home.listener.publish("moodbox/test/request/config.set", set.to_string(), false);
        }),
        ("store", |home| home.command("camera", "OFF")),
        ("logs", |home| home.command("next", "")),
    ];
    // Beside each other, for a slow disk is given much time.
    thread::scope(|scope| {
        for (thread, task) in tasks {
            scope.spawn(move || {
                let mut watched = Watched::start(&smile());
                watched.home.state("mood", "happy");
                watched.is_fed();
                let hang = watched.hang(thread, "fsync,fdatasync");
                task(&watched.home);
                watched.starves(thread);
                drop(hang);
                watched.is_fed();
            });
        }
    });
}
