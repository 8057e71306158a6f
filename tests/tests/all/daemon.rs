//! `moodboxd` as a process, with a real broker and a recording for a camera.

mod bad_input;
mod calibration;
mod clock;
mod commands;
mod disk;
mod embedded;
mod faults;
mod hang;
mod history;
mod kills;
mod library;
mod life;
mod memory;
mod models;
mod network;
mod payloads;
mod play;
mod refusals;
mod remove;
mod replay;
mod requests;
mod settings;
mod trial;
mod trial_halfway;
mod ui;
mod watch;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use moodbox_tests::listener::{Listener, PATIENCE};
use moodbox_tests::mosquitto::Mosquitto;
use moodbox_tests::programs::{lines_of, program, repository};
use tempfile::TempDir;

/// A running daemon; it ends with this.
pub(crate) struct Daemon {
    process: Child,
    log: Receiver<String>,
}

impl Daemon {
    /// Starts it with a configuration file in `folder`.
    pub(crate) fn start(folder: &Path, config: &str) -> Self {
        let mut command = Command::new(program("moodboxd"));
        command.env_remove("MOODBOX_LOG");
        Self::run(command, folder, config)
    }

    /// The same by a command that ends with the daemon's name.
    pub(crate) fn run(mut command: Command, folder: &Path, config: &str) -> Self {
        let file = folder.join("moodbox.toml");
        fs::write(&file, config).unwrap();
        let mut process = command
            .arg("--config")
            .arg(file)
            // As systemd does.
            .env("RUNTIME_DIRECTORY", folder)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let (sender, log) = mpsc::channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        Self { process, log }
    }

    /// The id of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The next line of the log that contains this.
    pub(crate) fn says(&self, text: &str) -> String {
        self.until(text).pop().unwrap()
    }

    /// The log up to and with the next line that contains this.
    fn until(&self, text: &str) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut said = Vec::new();
        loop {
            match self.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let last = line.contains(text);
                    said.push(line);
                    if last {
                        return said;
                    }
                }
                Err(error) => panic!("waited for {text:?}: {error} after {said:#?}"),
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Waits for its end: how it ended, and the rest of its log.
    pub(crate) fn ended(mut self) -> (ExitStatus, Vec<String>) {
        let mut log = Vec::new();
        loop {
            match self.log.recv_timeout(PATIENCE) {
                Ok(line) => log.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not end; its log ends with {log:#?}"),
            }
        }
        (self.process.wait().unwrap(), log)
    }

    /// Asks it to stop and waits until it has.
    fn stop(self) {
        self.signal("TERM");
        let (status, log) = self.ended();
        assert_eq!(status.code(), Some(0), "{log:#?}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A broker, somebody who listens on it, and a box that looks at what `source` names.
struct Home {
    broker: Mosquitto,
    listener: Listener,
    daemon: Daemon,
    folder: TempDir,
    config: String,
    /// Requests so far.
    requests: u32,
}

impl Home {
    fn with(source: &str, more: &str) -> Self {
        Self::prepared(source, more, |_| {})
    }

    /// With files that `prepare` puts into the box's folder, which is FOLDER in the texts; it may also speak to the
    /// broker before the box does.
    fn prepared(source: &str, more: &str, prepare: impl FnOnce(&Preparation<'_>)) -> Self {
        Self::run(source, more, prepare, |_| Command::new(program("moodboxd")))
    }

    /// The same with a daemon that is started by another command, made for the box's folder.
    fn run(
        source: &str,
        more: &str,
        prepare: impl FnOnce(&Preparation<'_>),
        command: impl FnOnce(&Path) -> Command,
    ) -> Self {
        let broker = Mosquitto::start();
        let listener = Listener::on(broker.port());
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        prepare(&Preparation { folder: here, listener: &listener });
        let config = config(here, broker.port(), source, more);
        let mut command = command(here);
        command.env_remove("MOODBOX_LOG");
        let daemon = Daemon::run(command, here, &config);
        Self { broker, listener, daemon, folder, config, requests: 0 }
    }

    /// A box that somebody smiles at all the time.
    fn with_a_smile() -> Self {
        Self::with(&smile(), "")
    }

    fn command(&self, name: &str, payload: impl Into<Vec<u8>>) {
        self.listener.publish(&format!("moodbox/test/cmd/{name}"), payload, false);
    }

    /// A transaction that no request had before.
    fn transaction(&mut self) -> String {
        self.requests += 1;
        format!("t{}", self.requests)
    }

    /// Stops the box and starts it again.
    fn restart(&mut self) {
        self.daemon.signal("TERM");
        self.listener.until("/availability", |message| message.text == "offline");
        self.start_again();
        self.listener.until("/availability", |message| message.text == "online");
    }

    /// Starts the box again, once it has ended.
    fn start_again(&mut self) {
        self.daemon = Daemon::start(self.folder.path(), &self.config);
    }
}

struct Preparation<'a> {
    folder: &'a Path,
    listener: &'a Listener,
}

/// The configuration of a box called `test`.
fn config(folder: &Path, port: u16, source: &str, more: &str) -> String {
    let text = format!(
        "[device]\nid = \"test\"\n[store]\nfolder = \"FOLDER/store\"\ntrial_s = 6\n[mqtt]\nbroker = \"mqtt://127.0.0.1:{port}\"\n\
         [camera]\nsource = \"{source}\"\n{more}"
    );
    text.replace("FOLDER", &folder.display().to_string())
}

/// One portrait, over and over.
pub(crate) fn smile() -> String {
    format!("replay:{}", repository().join("host-tools/demo/faces/collins.jpg").display())
}

/// Runs the daemon to its end: exit code and what it wrote to stdout and stderr.
fn run(arguments: &[&str]) -> (Option<i32>, String, Vec<String>) {
    let output = assert_cmd::Command::new(program("moodboxd"))
        .args(arguments)
        .env_remove("MOODBOX_LOG")
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let lines = lines_of(&stderr).into_iter().map(ToOwned::to_owned).collect();
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), lines)
}
