//! A real Music Player Daemon that plays into nowhere, started and stopped by a test, which speaks its protocol itself.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;

use crate::listener::PATIENCE;

/// A running player with a music folder of its own; it ends with this.
#[derive(Debug)]
pub struct Mpd {
    process: Child,
    folder: TempDir,
}

impl Mpd {
    /// Starts it on an empty music folder.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("music")).expect("a music folder");
        let config = "music_directory \"HERE/music\"\ndb_file \"HERE/database\"\nstate_file \"HERE/state\"\n\
             bind_to_address \"HERE/socket\"\nzeroconf_enabled \"no\"\n\
             audio_output {\n type \"null\"\n name \"nowhere\"\n}\n";
        let here = folder.path().display().to_string();
        fs::write(folder.path().join("mpd.conf"), config.replace("HERE", &here)).expect("a configuration file");
        let process = run(folder.path());
        Self { process, folder }
    }

    /// Its music folder.
    #[must_use]
    pub fn music(&self) -> PathBuf {
        self.folder.path().join("music")
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// A new connection.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn connect(&self) -> Client {
        let stream = UnixStream::connect(self.socket()).expect("a player that listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let mut client = Client { stream: BufReader::new(stream) };
        assert!(client.line().is_some_and(|greeting| greeting.starts_with("OK MPD")), "no greeting");
        client
    }

    /// Reads what is in the music folder, and waits until that is done.
    pub fn update(&self) {
        let mut client = self.connect();
        client.ask("update");
        while client.value("status", "updating_db").is_some() {
            client.ask("idle update");
        }
    }

    /// Ends it at once, as a power cut does.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }

    /// Starts it again.
    pub fn restart(&mut self) {
        self.process = run(self.folder.path());
    }
}

impl Drop for Mpd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts it and waits until it says that it is ready, as it says to systemd.
fn run(folder: &Path) -> Child {
    let notified = folder.join("notify");
    let _ = fs::remove_file(&notified);
    let ready = UnixDatagram::bind(&notified).expect("a socket");
    ready.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let mut process = Command::new("mpd")
        .args(["--no-daemon", "--stderr"])
        .arg(folder.join("mpd.conf"))
        .env("NOTIFY_SOCKET", &notified)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start mpd ({error}); install the package mpd"));
    let log = BufReader::new(process.stderr.take().expect("a log"));
    // It must not stop because nobody reads its log.
    std::thread::spawn(move || log.lines().for_each(drop));
    let mut said = [0; 256];
    let length = ready.recv(&mut said).expect("a player that gets ready");
    assert!(said[..length].starts_with(b"READY=1"), "mpd says {:?}", String::from_utf8_lossy(&said[..length]));
    process
}

/// A connection to it.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Asks, and gives the lines of the answer without the OK.
    ///
    /// # Panics
    /// When it refuses or does not answer.
    pub fn ask(&mut self, command: &str) -> Vec<String> {
        writeln!(self.stream.get_mut(), "{command}").expect("a player that listens");
        let mut lines = Vec::new();
        loop {
            match self.line() {
                Some(line) if line == "OK" => return lines,
                Some(line) if line.starts_with("ACK") => panic!("{command}: {line}"),
                Some(line) => lines.push(line),
                None => panic!("{command}: no answer after {lines:?}"),
            }
        }
    }

    /// The value of a key in an answer.
    pub fn value(&mut self, command: &str, key: &str) -> Option<String> {
        let find = |line: &String| line.strip_prefix(key)?.strip_prefix(": ").map(str::to_owned);
        self.ask(command).iter().find_map(find)
    }

    /// The song that is played, paused or stopped.
    pub fn current(&mut self) -> Option<String> {
        self.value("currentsong", "file")
    }

    /// The songs of the queue, with what was played.
    pub fn queue(&mut self) -> Vec<String> {
        self.ask("playlistinfo").iter().filter_map(|line| line.strip_prefix("file: ").map(str::to_owned)).collect()
    }

    /// Waits until it is as wanted.
    ///
    /// # Panics
    /// When that does not come in time.
    pub fn until(&mut self, mut wanted: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        // Changes between the question and the waiting are kept for us by MPD.
        while !wanted(self) {
            assert!(Instant::now() < deadline, "plays {:?} of {:?}", self.current(), self.queue());
            self.ask("idle player playlist options");
        }
    }
}
