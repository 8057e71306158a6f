//! A state folder on a disk that fills up or can no longer be written to.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use moodbox_tests::listener::PATIENCE;
use moodbox_tests::programs::program;
use moodbox_tests::rights;
use serde_json::{Value, json};

use super::{Home, smile};

/// A disk of its own for the state folder, which nobody else sees, then the daemon.
const WITH_A_DISK: &str = "mkdir \"$0\" && mount -t tmpfs -o size=256k tmpfs \"$0\" && exec \"$@\"";

impl Home {
    fn with_a_small_disk() -> Self {
        Self::run(
            &smile(),
            "",
            |_| {},
            |folder| {
                let mut command = Command::new("unshare");
                command.args(["--mount", "sh", "-c", WITH_A_DISK]).arg(folder.join("store")).arg(program("moodboxd"));
                command
            },
        )
    }

    /// The state folder as the daemon sees it.
    fn store(&self) -> PathBuf {
        let store = self.folder.path().join("store");
        Path::new(&format!("/proc/{}/root", self.daemon.pid())).join(store.strip_prefix("/").unwrap())
    }

    fn remount(&self, how: &str) {
        let pid = self.daemon.pid().to_string();
        let mut command = Command::new("nsenter");
        command.args(["--target", &pid, "--mount", "mount", "-o", how]).arg(self.folder.path().join("store"));
        assert!(command.status().unwrap().success());
    }

    /// What the disk has of the switches, once it is as wanted.
    fn disk_has(&self, wanted: &Value) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = fs::read(self.store().join("switches.json")).unwrap_or_default();
            if serde_json::from_slice::<Value>(&found).is_ok_and(|found| found == *wanted) {
                return;
            }
            assert!(Instant::now() < deadline, "{}", String::from_utf8_lossy(&found));
            // Nothing tells when the disk has a file.
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// It says that the disk does not work, and goes on; once it works, everything is kept.
    fn lives_without_a_disk(mut self, reason: &str, mend: impl FnOnce(&Self)) {
        let set = |home: &mut Self, brightness: f32| {
            home.ask("config.set", &json!({ "set": { "leds.brightness": brightness } }))
        };
        let told = set(&mut self, 0.2)["error"].as_str().unwrap_or_default().to_owned();
        assert!(told.starts_with("it counts until the next start only: ") && told.contains(reason), "{told}");
        self.command("camera", "OFF");
        self.state("camera", "off");
        let line = self.daemon.says("the switch will be forgotten at the next start");
        assert!(line.contains(reason) && line.contains("store/switches.json"), "{line}");
        self.command("recommend", "");
        let list = self.listener.next("/recommendation").json();
        self.command("choose", json!({ "uri": list["tracks"][0]["uri"] }).to_string());
        let line = self.daemon.says("will be forgotten at the next start");
        assert!(line.contains(reason) && line.contains("store/feedback.jsonl"), "{line}");
        mend(&self);
        // What there was no room for.
        self.disk_has(&json!({ "camera": false, "leds": true, "policy": null }));
        let told = set(&mut self, 0.3);
        assert_eq!(told["status"], "ok", "{told}");
        self.command("leds", "OFF");
        self.disk_has(&json!({ "camera": false, "leds": false, "policy": null }));
        self.command("like", "");
        self.command("camera", "ON");
        self.disk_has(&json!({ "camera": true, "leds": false, "policy": null }));
        self.daemon.stop();
    }
}

/// Whether a disk can be mounted here, looked into from outside, and mounted in another way.
fn may_mount() -> bool {
    rights::may(
        "unshare --mount sh -ec '
         mount -t tmpfs tmpfs /mnt
         (cd /proc/$$/root && ls mnt)
         nsenter --target $$ --mount mount -o remount,ro /mnt'",
    )
}

#[test]
fn a_full_disk_is_said_and_gone_on_without() {
    if !may_mount() {
        return;
    }
    let mut home = Home::with_a_small_disk();
    home.listens();
    let filler = home.store().join("filler");
    let mut file = OpenOptions::new().create(true).append(true).open(&filler).unwrap();
    while file.write(&[b'x'; 512]).is_ok_and(|written| written > 0) {}
    // It would keep the room.
    drop(file);
    home.lives_without_a_disk("No space left on device", |_| fs::remove_file(filler).unwrap());
}

#[test]
fn a_disk_that_became_read_only_is_said_and_gone_on_without() {
    if !may_mount() {
        return;
    }
    let mut home = Home::with_a_small_disk();
    home.listens();
    home.remount("remount,ro");
    home.lives_without_a_disk("Read-only file system", |home| home.remount("remount,rw"));
}
