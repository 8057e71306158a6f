//! What leaves the process, to the disk, the network or anywhere else: no picture, but to who aims the camera, and no secret.
//! strace sees every byte that is written.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use moodbox_tests::listener::Listener;
use moodbox_tests::mosquitto::Mosquitto;
use moodbox_tests::programs::{program, repository};
use moodbox_tests::rights;
use moodbox_tests::strace::{self, Call};
use serde_json::json;
use tempfile::TempDir;

use crate::daemon::{Daemon, smile};
use crate::mqtt::security::broker_that_knows;

const PASSWORD: &str = "planted-4711-password";

/// Bytes that are not the same by chance.
const WINDOW: usize = 16;

/// What is searched: all that was written, as it is and, where it looks like base64, as what that stands for.
struct Written {
    all: Vec<u8>,
    windows: HashSet<[u8; WINDOW]>,
}

impl Written {
    fn new(calls: &[Call]) -> Self {
        let mut all = Vec::new();
        for call in calls {
            if let Call::Wrote(_, bytes) = call {
                all.extend_from_slice(bytes);
            }
        }
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let runs: Vec<_> =
            all.split(|byte| !is_base64(byte)).filter(|run| run.len() >= 64).map(<[u8]>::to_vec).collect();
        for run in runs {
            for start in 0..4 {
                let whole = &run[start..start + (run.len() - start) / 4 * 4];
                all.extend(STANDARD_NO_PAD.decode(whole).unwrap_or_default());
            }
        }
        let windows = all.windows(WINDOW).map(|window| window.try_into().unwrap()).collect();
        Self { all, windows }
    }

    fn has(&self, text: &str) -> bool {
        self.all.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// What of the portrait was written.
    fn pictures(&self) -> Vec<&'static str> {
        let file = fs::read(portrait()).unwrap();
        let picture = image::open(portrait()).unwrap();
        // Even parts, such as a white wall, are nothing by which a picture can be told.
        let is_telling = |window: &[u8]| window.iter().collect::<HashSet<_>>().len() > WINDOW / 2;
        let is_written =
            |window: &[u8]| window.try_into().is_ok_and(|window: &[u8; WINDOW]| self.windows.contains(window));
        let has_some = |bytes: &[u8]| bytes.windows(WINDOW).any(|window| is_written(window) && is_telling(window));
        let found = [
            ("a JPEG begins", self.all.windows(3).any(|three| three == [0xff, 0xd8, 0xff])),
            // Not the tables at its start, which are those of the standard.
            ("bytes of the frame", has_some(&file[file.len() / 4..])),
            ("its pixels, in colour", has_some(picture.to_rgb8().as_raw())),
            ("its pixels, in grey", has_some(picture.to_luma8().as_raw())),
        ];
        found.into_iter().filter_map(|(what, is)| is.then_some(what)).collect()
    }
}

fn portrait() -> PathBuf {
    repository().join("host-tools/demo/faces/collins.jpg")
}

/// A box under strace that somebody smiles at.
struct Traced {
    daemon: Daemon,
    listener: Listener,
    folder: TempDir,
    _broker: Mosquitto,
}

impl Traced {
    fn start(broker: Mosquitto, login: Option<&Path>, log_level: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        let login = login
            .map_or_else(String::new, |file| format!("username = \"box\"\npassword_file = \"{}\"\n", file.display()));
        let config = format!(
            "[device]\nid = \"hall\"\n[store]\nfolder = \"{here}/store\"\n[camera]\nsource = \"{}\"\n\
             [mqtt]\nbroker = \"mqtt://127.0.0.1:{}\"\n{login}",
            smile(),
            broker.port()
        );
        let mut listener = Listener::on(broker.port());
        let mut command = strace::traced(program("moodboxd"), &folder.path().join("trace"));
        command.env("MOODBOX_LOG", log_level);
        let daemon = Daemon::run(command, folder.path(), &config);
        listener.until("/state", |state| state.json()["mood"] == "happy");
        Self { daemon, listener, folder, _broker: broker }
    }

    /// Ends the box: all that it did.
    fn end(mut self) -> Vec<Call> {
        self.ask("restart");
        let (status, log) = self.daemon.ended();
        assert!(status.success(), "{log:#?}");
        strace::calls(&fs::read_to_string(self.folder.path().join("trace")).unwrap())
    }

    fn ask(&mut self, request: &str) -> String {
        let question = json!({ "transaction": request }).to_string();
        self.listener.publish(&format!("moodbox/hall/request/{request}"), question, false);
        self.listener.next(&format!("/response/{request}")).text
    }
}

#[test]
fn no_picture_leaves_the_box() {
    if !rights::may_trace() {
        return;
    }
    let mut home = Traced::start(Mosquitto::start(), None, "debug");
    // All that it can be made to say and to keep.
    for (name, payload) in [("next", ""), ("like", ""), ("correct", "happy"), ("leds", "OFF"), ("hold_time", "12")] {
        home.listener.publish(&format!("moodbox/hall/cmd/{name}"), payload, false);
    }
    let question = json!({ "transaction": "1", "seconds": 4 }).to_string();
    home.listener.publish("moodbox/hall/request/calibrate.look", question, false);
    home.listener.next("/response/calibrate.look");
    for request in ["diagnose", "config.get"] {
        home.ask(request);
    }
    // Refused, for this connection is not encrypted.
    assert!(home.ask("preview.start").contains("not encrypted"));
    home.listener.until("/card", |_| true);
    let written = Written::new(&home.end());
    // The search saw the network and the disk.
    for seen in ["moodbox/hall/state", "moodbox/hall/card", "\"leds\":false", "\"liked\"", "mood.hold_s"] {
        assert!(written.has(seen), "{seen}");
    }
    assert_eq!(written.pictures(), [""; 0]);
}

#[test]
fn the_search_finds_a_picture_that_is_there() {
    if !rights::may_trace() {
        return;
    }
    let home = Traced::start(Mosquitto::start(), None, "info");
    let stream = UnixStream::connect(home.folder.path().join("preview.sock")).unwrap();
    assert!(BufReader::new(stream).lines().next().unwrap().unwrap().contains("\"jpeg\""));
    let mut calls = home.end();
    assert!(Written::new(&calls).pictures().contains(&"a JPEG begins"), "in base64, to who aims the camera");
    let picture = image::open(portrait()).unwrap();
    let (colour, grey, file) = (picture.to_rgb8(), picture.to_luma8(), fs::read(portrait()).unwrap());
    for (planted, name) in [
        (&file[file.len() / 2..][..100], "bytes of the frame"),
        (&colour.as_raw()[colour.len() / 2..][..3000], "its pixels, in colour"),
        (&grey.as_raw()[grey.len() / 2..][..3000], "its pixels, in grey"),
    ] {
        for planted in [planted.to_vec(), STANDARD_NO_PAD.encode(planted).into_bytes()] {
            calls.clear();
            calls.push(Call::Wrote(PathBuf::from("anywhere"), planted));
            assert!(Written::new(&calls).pictures().contains(&name), "{name}");
        }
    }
}

#[test]
fn a_password_goes_to_the_broker_and_nowhere_else() {
    if !rights::may_trace() {
        return;
    }
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("password");
    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut home = Traced::start(broker_that_knows(PASSWORD, true), Some(&file), "trace");
    let strace = home.daemon.pid();
    let child = fs::read_to_string(format!("/proc/{strace}/task/{strace}/children")).unwrap();
    for what in ["cmdline", "environ"] {
        let text = fs::read(format!("/proc/{}/{what}", child.trim())).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.is_empty() && !text.contains(PASSWORD), "{what}: {text}");
    }
    for request in ["config.get", "diagnose"] {
        let answer = home.ask(request);
        assert!(answer.contains("\"ok\"") && !answer.contains(PASSWORD), "{answer}");
    }
    let (to_sockets, elsewhere): (Vec<_>, Vec<_>) = home
        .end()
        .into_iter()
        .partition(|call| matches!(call, Call::Wrote(to, _) if to.to_string_lossy().starts_with("socket:")));
    // In the CONNECT packet; the connection of this test is not encrypted.
    assert!(Written::new(&to_sockets).has(PASSWORD));
    let elsewhere = Written::new(&elsewhere);
    assert!(elsewhere.has("mqtt: connected to") && !elsewhere.has(PASSWORD));
    // A core dump would hold it.
    let unit = fs::read_to_string(repository().join("systemd/moodboxd.service")).unwrap();
    assert!(unit.lines().any(|line| line == "LimitCORE=0"));
}
