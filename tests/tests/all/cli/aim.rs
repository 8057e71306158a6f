//! `moodbox aim`: what a person is shown, and what the page is given.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use moodbox_tests::listener::{Listener, PATIENCE};
use moodbox_tests::programs::program;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::typed;
use crate::broker::Safe;
use crate::daemon::{Daemon, smile};

/// A box with a broker of its own on this computer.
pub(super) struct Home {
    daemon: Daemon,
    pub(super) port: u16,
    _folder: TempDir,
}

impl Home {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "[device]\nid = \"hall\"\n[store]\nfolder = \"{}/store\"\n[camera]\nsource = \"{}\"\n[mqtt]\nembedded_port = 0",
            folder.path().display(),
            smile()
        );
        let daemon = Daemon::start(folder.path(), &config);
        let port = daemon.says("broker mqtt://127.0.0.1:").rsplit_once(':').unwrap().1.parse().unwrap();
        // It hears what it is told, and sees.
        Listener::on(port).until("/state", |state| state.json()["faces"] == 1);
        Self { daemon, port, _folder: folder }
    }

    fn aim(&self) -> Aiming {
        Aiming::on(&format!("mqtt://127.0.0.1:{}", self.port), &[])
    }
}

/// The tool while it shows what a box sees.
struct Aiming {
    process: Child,
    said: BufReader<ChildStdout>,
    complaints: BufReader<ChildStderr>,
    host: String,
    key: String,
}

impl Drop for Aiming {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Aiming {
    /// Aims the box `hall` on this broker.
    fn on(broker: &str, login: &[&str]) -> Self {
        let mut process = Command::new(program("moodbox"))
            .args(["--json", "aim", "--yes", "--no-open", "--id", "hall", "--broker", broker])
            .args(login)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut complaints = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        complaints.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Open http://").unwrap_or_else(|| panic!("{line}"));
        let (host, key) = address.split_once("/#").unwrap();
        let (host, key) = (host.to_owned(), key.to_owned());
        Self { said: BufReader::new(process.stdout.take().unwrap()), complaints, process, host, key }
    }

    fn says(&mut self) -> Value {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Asks the server of the page as a browser does: the whole answer comes to `reader`.
    fn ask(&self, request: &str, key: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = &self.host;
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        BufReader::new(stream)
    }

    fn status(&self, request: &str, key: &str) -> String {
        self.ask(request, key).lines().next().unwrap().unwrap()
    }

    /// What the page is told, look by look.
    fn looks(&self) -> impl Iterator<Item = Value> + use<> {
        let lines = self.ask("GET /api/looks", &self.key).lines().map_while(Result::ok);
        lines.filter_map(|line| Some(serde_json::from_str(line.strip_prefix("data: ")?).unwrap()))
    }
}

#[test]
fn the_page_is_given_pictures_with_advice_until_somebody_has_seen_enough() {
    let home = Home::start();
    let mut aiming = home.aim();
    assert_eq!(aiming.status("GET /", ""), "HTTP/1.1 200 OK");
    assert_eq!(aiming.status("GET /api/looks", "guess"), "HTTP/1.1 401 Unauthorized");
    assert_eq!(aiming.status("POST /api/stop", "guess"), "HTTP/1.1 401 Unauthorized");
    home.daemon.says("somebody looks through the camera");
    let mut looks = aiming.looks();
    let look = looks.find(|look| look["good"] == true).unwrap();
    assert!(look["jpeg"].as_str().unwrap().len() > 1000);
    assert!(look["advice"].as_str().unwrap().starts_with("good: one face of "), "{}", look["advice"]);
    assert_eq!(aiming.status("POST /api/stop", &aiming.key), "HTTP/1.1 204 No Content");
    let last = looks.last().unwrap();
    assert_eq!(last, json!({ "ended": "it was asked to end" }));
    assert_eq!(aiming.says()["good"], true);
    // A face that a busy machine is late to find is said to be missing.
    let last = std::iter::repeat_with(|| aiming.says()).find(|said| said["good"].is_null());
    assert_eq!(last, Some(json!({ "ended": "it was asked to end" })));
    assert_eq!(aiming.process.wait().unwrap().code(), Some(0));
    home.daemon.says("nobody looks through the camera any more: it was asked to end");
}

#[test]
fn a_tool_that_is_stopped_leaves_no_camera_behind_that_is_looked_through() {
    let home = Home::start();
    for signal in ["INT", "TERM", "HUP"] {
        let mut aiming = home.aim();
        assert_eq!(aiming.says()["good"], true);
        let pid = aiming.process.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
        home.daemon.says("nobody looks through the camera any more: it was asked to end");
        let mut rest = String::new();
        aiming.said.read_to_string(&mut rest).unwrap();
        assert!(rest.ends_with("{\"ended\":\"it was asked to end\"}\n"), "{signal}: {rest}");
    }
}

#[test]
fn a_box_that_goes_away_without_a_word_ends_it() {
    let safe = Safe::start();
    let folder = tempfile::tempdir().unwrap();
    let (broker, authority) = (format!("mqtts://localhost:{}", safe.port()), safe.file("ca.pem"));
    let config = format!(
        "[device]\nid = \"hall\"\n[store]\nfolder = \"{}/store\"\n[camera]\nsource = \"{}\"\n\
         [mqtt]\nbroker = \"{broker}\"\nca_file = {authority:?}\nusername = \"hall\"\npassword_file = {:?}",
        folder.path().display(),
        smile(),
        safe.password_of("hall")
    );
    let admin = safe.person("admin");
    admin.subscribe("moodbox/hall/state");
    let daemon = Daemon::start(folder.path(), &config);
    admin.until("moodbox/hall/state", |text| text.contains("\"faces\":1"));
    let password = safe.password_of("admin");
    let login = ["--username", "admin", "--password-file", password.to_str().unwrap()];
    let mut aiming = Aiming::on(&broker, &[&login[..], &["--ca-file", authority.to_str().unwrap()]].concat());
    let mut looks = aiming.looks();
    looks.next().unwrap();
    daemon.signal("KILL");
    // The page ends with what it is told.
    assert!(looks.all(|look| look["ended"].is_null()));
    let mut told = String::new();
    aiming.complaints.read_to_string(&mut told).unwrap();
    let line = format!(
        "moodbox: box hall shows nothing any more on {broker}; is it still running? Aim again once it is back\n"
    );
    assert_eq!((aiming.process.wait().unwrap().code(), told), (Some(3), line));
}

#[test]
fn a_page_that_cannot_be_served_leaves_no_camera_behind_that_is_looked_through() {
    let home = Home::start();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let broker = format!("mqtt://127.0.0.1:{}", home.port);
    typed(&format!("aim --yes --no-open --port {port} --broker {broker} --id hall")).refused(2);
    home.daemon.says("nobody looks through the camera any more: it was asked to end");
}

#[test]
fn whoever_cannot_aim_is_told_why() {
    let home = Home::start();
    let port = home.port.to_string();
    for (arguments, code, told) in [
        ("aim --yes", 2, "say which box: --broker URL and --id ID, or --ssh USER@HOST"),
        (
            "aim --yes --broker mqtt://broker.example --id hall",
            2,
            "--broker: pictures go over an encrypted connection only; use mqtts://, or --ssh",
        ),
        (
            "aim --broker mqtt://127.0.0.1:PORT --id hall",
            2,
            "there is nobody to ask; say --yes to see what the camera sees",
        ),
        (
            "aim --yes --broker mqtt://127.0.0.1:PORT --id attic",
            3,
            "box attic does not answer on mqtt://127.0.0.1:PORT; is it running, and is this its id?",
        ),
    ] {
        let arguments = arguments.replace("PORT", &port);
        assert_eq!(typed(&arguments).refused(code), format!("moodbox: {}", told.replace("PORT", &port)), "{arguments}");
    }
    let aiming = home.aim();
    let told = typed(&format!("aim --yes --broker mqtt://127.0.0.1:{port} --id hall")).refused(1);
    assert!(told.starts_with("moodbox: the box refuses: somebody looks through the camera already, for 1"), "{told}");
    drop(aiming);
}
