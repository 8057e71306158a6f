//! The box as its own broker, heard with Mosquitto's client.

use std::net::TcpListener;
use std::process::Command;

use super::{Daemon, config, run, smile};

/// A box with a broker of its own on a port of this machine.
fn own_broker(folder: &std::path::Path, port: u16) -> String {
    let mqtt = format!("broker = \"embedded\"\nembedded_port = {port}");
    config(folder, 1, &smile(), "").replace("broker = \"mqtt://127.0.0.1:1\"", &mqtt)
}

#[test]
fn the_box_is_heard_without_a_broker_in_the_home() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(folder.path(), &own_broker(folder.path(), 0));
    let line = daemon.says("broker mqtt://127.0.0.1:");
    let port = line.rsplit_once(':').unwrap().1;
    for (topic, expected) in [("state", "\"schema\":1"), ("availability", "online")] {
        let output = Command::new("mosquitto_sub")
            .args(["-h", "127.0.0.1", "-p", port, "-t", &format!("moodbox/test/{topic}"), "-C", "1", "-W", "30"])
            .output()
            .expect("mosquitto_sub of the package mosquitto-clients");
        let heard = String::from_utf8(output.stdout).unwrap();
        assert!(heard.contains(expected), "{topic}: {heard}");
    }
    daemon.stop();
}

#[test]
fn a_port_that_another_program_has_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("moodbox.toml");
    std::fs::write(&file, own_broker(folder.path(), port)).unwrap();
    let (code, _, lines) = run(&["--config", file.to_str().unwrap()]);
    assert_eq!(code, Some(3), "{lines:#?}");
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    assert!(line.starts_with(&format!("moodboxd: mqtt.embedded_port: port {port} of this machine is taken")), "{line}");
}
