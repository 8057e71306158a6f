//! Aiming the camera: who is shown its picture, on a real broker and through the socket on the box.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use moodbox_core::topics::{Look, PreviewFrame};
use moodbox_tests::listener::{Listener, PATIENCE};
use moodbox_tests::mosquitto::Mosquitto;
use serde_json::{Value, json};

use crate::broker::Safe;
use crate::daemon::{Daemon, smile};

fn config(folder: &Path, mqtt: &str) -> String {
    format!(
        "[device]\nid = \"hall\"\n[store]\nfolder = \"{}/store\"\n[camera]\nsource = \"{}\"\n[mqtt]\n{mqtt}",
        folder.display(),
        smile()
    )
}

/// The frame of the portrait: a picture that can be decoded, and one face in it.
fn assert_shows_the_portrait(frame: &PreviewFrame) {
    let picture = image::load_from_memory(&frame.jpeg).unwrap();
    let step = frame.width.div_ceil(picture.width());
    assert!((300..640).contains(&picture.width()) && step * picture.height() >= frame.height, "{step}");
    let [x, y, w, h] = frame.faces[0].bbox;
    assert!(x > 0 && y > 0 && w >= 60 && h >= 60 && x + w < frame.width as i32, "{:?}", frame.faces);
    assert!((0.1..0.9).contains(&frame.light), "{}", frame.light);
}

#[test]
fn the_admin_aims_over_tls_and_nobody_else_sees_it() {
    let safe = Safe::start();
    let folder = tempfile::tempdir().unwrap();
    let mqtt = format!(
        "broker = \"mqtts://localhost:{}\"\nca_file = {:?}\nusername = \"hall\"\npassword_file = {:?}",
        safe.port(),
        safe.file("boxes/hall/ca.pem"),
        safe.password_of("hall")
    );
    let (admin, home_assistant) = (safe.person("admin"), safe.person("homeassistant"));
    admin.subscribe("moodbox/hall/#");
    home_assistant.subscribe("moodbox/#");
    let _daemon = Daemon::start(folder.path(), &config(folder.path(), &mqtt));
    admin.until("moodbox/hall/state", |text| text.contains("\"faces\":1"));
    assert!(!home_assistant.writes("moodbox/hall/request/preview.start", "{\"transaction\":\"1\"}", false));
    assert!(admin.writes("moodbox/hall/request/preview.start", "{\"transaction\":\"2\"}", false));
    admin.until("moodbox/hall/response/preview.start", |text| {
        serde_json::from_str::<Value>(text).unwrap()["data"] == json!({ "seconds": 120 })
    });
    let mut frames = 0;
    admin.until("moodbox/hall/preview", |text| {
        let Look::Frame { frame, min_face: 60, seconds_left } = serde_json::from_str(text).unwrap() else {
            panic!("{text}")
        };
        assert!((100..=120).contains(&seconds_left));
        assert_shows_the_portrait(&frame);
        frames += 1;
        frames == 3
    });
    assert!(admin.writes("moodbox/hall/request/preview.stop", "{\"transaction\":\"3\"}", false));
    admin.until("moodbox/hall/preview", |text| text == "{\"ended\":\"it was asked to end\"}");
    // It goes on seeing, and shows nothing of it.
    let other = safe.person("admin");
    assert!(other.writes("moodbox/hall/cmd/camera", "OFF", false));
    admin.until("moodbox/hall/state", |text| text.contains("\"camera\":\"off\""));
    assert!(other.writes("moodbox/hall/cmd/camera", "ON", false));
    admin.until("moodbox/hall/state", |text| text.contains("\"faces\":1"));
    assert!(other.writes("moodbox/hall/end", "end", false));
    assert!(!admin.hears().contains(&"moodbox/hall/preview".to_owned()));
    assert!(!home_assistant.hears().iter().any(|topic| topic.ends_with("/preview")));
}

/// A box whose broker anybody may listen to, and its socket.
struct OpenHome {
    listener: Listener,
    _daemon: Daemon,
    folder: tempfile::TempDir,
    _broker: Mosquitto,
}

impl OpenHome {
    fn start() -> Self {
        let broker = Mosquitto::start();
        let mut listener = Listener::on(broker.port());
        let folder = tempfile::tempdir().unwrap();
        let mqtt = format!("broker = \"mqtt://127.0.0.1:{}\"", broker.port());
        let daemon = Daemon::start(folder.path(), &config(folder.path(), &mqtt));
        listener.until("/state", |message| message.json()["faces"] == 1);
        Self { listener, _daemon: daemon, folder, _broker: broker }
    }

    fn looks(&self) -> impl Iterator<Item = Look> + use<> {
        let stream = UnixStream::connect(self.folder.path().join("preview.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        BufReader::new(stream).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap())
    }
}

#[test]
fn who_is_on_the_box_aims_through_its_socket() {
    let mut home = OpenHome::start();
    let socket = home.folder.path().join("preview.sock");
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o660);
    for _ in 0..2 {
        // Whoever leaves has ended it, so that the next is let in.
        let Some(Look::Frame { frame, .. }) = home.looks().nth(1) else { panic!("the preview has ended") };
        assert_shows_the_portrait(&frame);
    }
    let mut looks = home.looks();
    assert!(matches!(looks.next(), Some(Look::Frame { .. })));
    home.listener.publish("moodbox/hall/cmd/camera", "OFF", false);
    let ended = looks.by_ref().find(|look| matches!(look, Look::Ended { .. }));
    assert_eq!(ended, Some(Look::Ended { ended: "the camera was switched off".to_owned() }));
    assert_eq!(looks.next(), None);
    let refused: Vec<_> = home.looks().collect();
    assert_eq!(refused, [Look::Ended { ended: "the camera is off; switch it on first".to_owned() }]);
    // None of it went over the broker, to which anybody may listen.
    home.listener.publish("moodbox/hall/request/preview.start", "{\"transaction\":\"1\"}", false);
    let told = home.listener.next("/response/preview.start").json();
    assert!(told["error"].as_str().unwrap().starts_with("the connection to the broker is not encrypted"), "{told}");
    home.listener.publish("end", "", false);
    let heard = home.listener.all_until(|message| message.topic == "end");
    assert!(!heard.iter().any(|message| message.topic.ends_with("/preview")));
}
