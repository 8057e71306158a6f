//! A real Mosquitto on a free port, started and stopped by a test.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

/// A running broker; it ends with this.
#[derive(Debug)]
pub struct Mosquitto {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Mosquitto {
    /// A broker that lets everybody in.
    #[must_use]
    pub fn start() -> Self {
        Self::with("allow_anonymous true", |_| {})
    }

    /// A broker with these lines in its configuration. `prepare` may put the files they name into the broker's folder,
    /// which is `FOLDER` in the lines.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn with(lines: &str, prepare: impl FnOnce(&Path)) -> Self {
        Self::at("127.0.0.1", lines, prepare)
    }

    /// The same at this address.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn at(address: &str, lines: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        prepare(folder.path());
        let port = free_port();
        // Small messages at once, as the configuration that is shipped has it: what is timed is the box and not Nagle's algorithm.
        let mut config = format!("listener {port} {address}\nuser root\nlog_dest stderr\nset_tcp_nodelay true\n");
        let _ = write!(config, "{}", lines.replace("FOLDER", &folder.path().display().to_string()));
        fs::write(folder.path().join("mosquitto.conf"), config).expect("a configuration file");
        let process = run(folder.path());
        Self { process, port, folder }
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The id of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The folder with its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it at once, as a power cut does.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }

    /// Starts it again on the same port.
    pub fn restart(&mut self) {
        self.process = run(self.folder.path());
    }

    /// Stops the process without ending it: its connections stay open and silent.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Asks it to read its users and rules again.
    pub fn reload(&self) {
        self.signal("HUP");
    }

    fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill runs");
        assert!(status.success(), "kill -{name} {pid}");
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts it and waits until it says that it runs.
fn run(folder: &Path) -> Child {
    let mut process = Command::new("mosquitto")
        .env("PATH", with_sbin())
        .args(["-c", "mosquitto.conf"])
        .current_dir(folder)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start mosquitto ({error}); install the package mosquitto"));
    let mut log = BufReader::new(process.stderr.take().expect("a log")).lines();
    let mut said = Vec::new();
    let running = log.by_ref().map_while(Result::ok).any(|line| {
        let running = line.contains(" running");
        said.push(line);
        running
    });
    assert!(running, "mosquitto ended: {said:?}");
    // It must not stop because nobody reads its log.
    std::thread::spawn(move || log.for_each(drop));
    process
}

/// Debian has the broker where only root looks.
fn with_sbin() -> String {
    format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default())
}

/// A port that is free, and stays so: it is none that the system gives away, and no other test of this process gets it.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Another run of the tests at the same time begins elsewhere.
    let first = 16_000 + (process::id() % 16) as u16 * 1000;
    let ports = (0..1000).map(|_| first + NEXT.fetch_add(1, Ordering::Relaxed) % 1000);
    ports.into_iter().find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}
