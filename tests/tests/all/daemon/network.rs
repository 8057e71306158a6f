//! A broker and a network that come and go, and a broker that does not let the box in.

use std::fs;
use std::process::{Child, Command, Stdio};

use moodbox_tests::listener::Listener;
use moodbox_tests::mosquitto::Mosquitto;
use moodbox_tests::programs::program;
use moodbox_tests::rights;

use super::{Daemon, Home, config, smile};
use crate::mqtt::security::{broker_with_certificate, broker_with_password};

/// Lights as lines in the log.
const LIGHTS: &str = "[leds]\ndriver = \"terminal\"";
/// What blinks for the broker.
const BLINKS: &str = "light red, camera on";

#[test]
fn a_broker_that_comes_and_goes_is_told_everything_each_time_and_the_lights_go_on() {
    let mut home = Home::with(&smile(), LIGHTS);
    home.listener.until("/state", |state| state.json()["mood"] == "happy");
    for _ in 0..3 {
        home.broker.kill();
        home.daemon.says("nothing listens at");
        home.daemon.says(BLINKS);
        home.broker.restart();
        let mut listener = Listener::on(home.broker.port());
        assert_eq!(listener.next("/state").json()["camera"], "on");
        // Yellow, for the one who has smiled all the time.
        home.daemon.says("light red + green, camera on");
    }
}

#[test]
fn a_broker_that_is_lost_is_said_once() {
    let mut home = Home::with_a_smile();
    home.listens();
    home.broker.kill();
    let log = home.daemon.until("nothing listens at");
    let warnings: Vec<_> = log.iter().filter(|line| line.contains("WARN")).collect();
    let [lost, absent] = warnings[..] else { panic!("{log:#?}") };
    assert!(lost.contains("closed the connection; next attempt in"), "{lost}");
    assert!(absent.contains("is the broker running?; next attempt in"), "{absent}");
}

#[test]
fn a_broker_that_does_not_let_the_box_in_is_named_and_shown_and_asked_seldom() {
    let login = "username = \"box\"\npassword_file = \"FOLDER/password\"\n";
    let trust = |file: &str| format!("ca_file = \"BROKER/{file}\"\n");
    let in_time = || broker_with_certificate("IP:127.0.0.1", "-days 30");
    let cases: [(Mosquitto, &str, String, &str); 4] = [
        (
            broker_with_password(),
            "mqtt",
            login.to_owned(),
            "refuses user \"box\" or the password in mqtt.password_file",
        ),
        (broker_with_password(), "mqtt", String::new(), "refuses a connection without mqtt.username"),
        (in_time(), "mqtts", trust("other.pem"), "is not signed by an authority in"),
        (broker_with_certificate("IP:127.0.0.1", "-days -1"), "mqtts", trust("ca.pem"), "is out of date; renew it"),
    ];
    for (broker, scheme, lines, told) in cases {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        fs::write(here.join("password"), "wrong\n").unwrap();
        let lines = lines.replace("BROKER", &broker.folder().display().to_string());
        let text = config(here, broker.port(), &smile(), LIGHTS)
            .replace("broker = \"mqtt:", &format!("{lines}broker = \"{scheme}:"));
        let daemon = Daemon::start(here, &text.replace("FOLDER", &here.display().to_string()));
        let line = daemon.says("next attempt in");
        assert!(line.contains(told), "{told}: {line}");
        let wait: f32 = line.rsplit_once("next attempt in ").unwrap().1.trim_end_matches('s').parse().unwrap();
        assert!((30.0..=60.0).contains(&wait), "{line}");
        daemon.says(BLINKS);
        daemon.stop();
    }
}

/// Two machines with a cable between them: network namespaces of this one.
struct Cable {
    names: [String; 2],
}

impl Cable {
    /// Nothing where that is not allowed.
    fn lay() -> Option<Self> {
        let names = ["box", "broker"].map(|end| format!("moodbox-{end}-{}", std::process::id()));
        let [this, that] = &names;
        // Addresses that are nobody's (RFC 5737).
        let script = format!(
            "export PATH=\"$PATH:/usr/sbin:/sbin\"
             ip netns add {this}; ip netns add {that}
             ip link add plug netns {this} type veth peer name plug netns {that}
             ip -n {this} addr add 192.0.2.1/24 dev plug; ip -n {this} link set plug up
             ip -n {that} addr add 192.0.2.2/24 dev plug; ip -n {that} link set plug up
             ip netns exec {this} true; ip netns exec {that} true"
        );
        let cable = Self { names };
        rights::may(&script).then_some(cable)
    }

    fn command(end: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").args(["netns", "exec", end, program]);
        command
    }

    fn plug(&self, how: &str) {
        let mut command = Command::new("ip");
        command.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").args(["-n", &self.names[1], "link", "set", "plug", how]);
        assert!(command.status().unwrap().success());
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for name in &self.names {
            let mut command = Command::new("ip");
            command.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").args(["netns", "del", name]);
            let _ = command.stderr(Stdio::null()).status();
        }
    }
}

/// Ends with this.
struct Broker(Child);

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_cable_that_is_pulled_is_noticed_and_one_that_is_back_used() {
    let Some(cable) = Cable::lay() else { return };
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("mosquitto.conf"), "listener 1883 192.0.2.2\nallow_anonymous true\nuser root\n").unwrap();
    let mut command = Cable::command(&cable.names[1], "mosquitto");
    let _broker = Broker(command.arg("-c").arg(here.join("mosquitto.conf")).stderr(Stdio::null()).spawn().unwrap());
    let text = config(here, 1883, &smile(), "").replace("127.0.0.1:1883\"", "192.0.2.2\"\nkeep_alive_s = 5");
    let command = Cable::command(&cable.names[0], program("moodboxd").to_str().unwrap());
    let daemon = Daemon::run(command, here, &text);
    daemon.says("mqtt: connected to mqtt://192.0.2.2:1883");
    cable.plug("down");
    // Noticed by the client itself, for the kernel would try for a quarter of an hour: within twice the keep-alive.
    daemon.says("mqtt: mqtt://192.0.2.2:1883 has been silent for 7.5 s");
    cable.plug("up");
    daemon.says("mqtt: connected to mqtt://192.0.2.2:1883");
    daemon.stop();
}
