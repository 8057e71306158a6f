//! The embedded broker, with Mosquitto's clients and with our own.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Output};

use moodboxd::broker::Embedded;
use moodboxd::mqtt::MqttEvent;
use tokio::time::timeout;

use super::{Other, PATIENCE, TestBox};

/// Runs a client of Mosquitto beside the broker, which lives in the test's own runtime.
async fn client(program: &'static str, port: u16, arguments: &'static str) -> Output {
    let run = move || {
        Command::new(program)
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .args(arguments.split_whitespace())
            .output()
            .unwrap_or_else(|error| panic!("cannot run {program} ({error}); install the package mosquitto-clients"))
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn both_versions_get_what_is_kept_and_what_is_new() {
    let broker = Embedded::start(0).await.unwrap();
    let port = broker.address().port();
    for version in ["mqttv311", "mqttv5"] {
        let publish = "-t kept/a -m 1 -r -q 1";
        assert!(client("mosquitto_pub", port, publish).await.status.success());
        let subscribe = if version == "mqttv5" {
            "-V mqttv5 -t kept/+ -C 1 -W 20 -F %t|%p|%r"
        } else {
            "-V mqttv311 -t kept/# -C 1 -W 20 -F %t|%p|%r"
        };
        assert_eq!(text(&client("mosquitto_sub", port, subscribe).await), "kept/a|1|1\n", "{version}");
    }
    let mut others = Other::subscribed(port, "new/#").await;
    for publish in ["-V mqttv311 -t new/3 -m a -q 2", "-V mqttv5 -t new/5 -m b -q 2 -D publish user-property k v"] {
        assert!(client("mosquitto_pub", port, publish).await.status.success());
    }
    assert_eq!(others.next().await, "a");
    let second = others.publish().await;
    assert_eq!(&second.payload[..], b"b");
    assert!(!second.retain);
    assert_eq!(second.properties.unwrap().user_properties, [("k".to_owned(), "v".to_owned())]);
}

#[tokio::test]
async fn a_box_lives_on_it_as_on_any_other() {
    let broker = Embedded::start(0).await.unwrap();
    let port = broker.address().port();
    let mut others = Other::subscribed(port, "moodbox/test/availability").await;
    others.command("camera", "OFF", true).await;
    let mut this = TestBox::connected(port).await;
    assert_eq!(others.next().await, "online");
    others.command("skip", "PRESS", true).await;
    assert_eq!(this.next().await, MqttEvent::Retained { topic: "moodbox/test/cmd/skip".to_owned() });
    others.command("next", "PRESS", false).await;
    assert_eq!(this.message().await.0, "next");
    this.task.abort();
    assert_eq!(others.next().await, "offline");
    let this = TestBox::connected(port).await;
    assert_eq!(others.next().await, "online");
    let TestBox { publications, task, .. } = this;
    drop(publications);
    timeout(PATIENCE, task).await.unwrap().unwrap();
    assert_eq!(others.next().await, "offline");
    let mut late = Other::subscribed(port, "moodbox/+/availability").await;
    assert!(late.publish().await.retain);
}

#[tokio::test]
async fn two_boxes_with_one_id_are_told() {
    let broker = Embedded::start(0).await.unwrap();
    let mut first = TestBox::connected(broker.address().port()).await;
    let _second = TestBox::connected(broker.address().port()).await;
    assert!(first.lost().await.starts_with("another box has connected"));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let broker = Embedded::start(0).await.unwrap();
    let port = broker.address().port();
    let error = Embedded::start(port).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("mqtt.embedded_port: port {port} of this machine is taken")), "{error}");
    assert!(!error.contains('\n'));
    broker.stop().await;
    assert_eq!(Embedded::start(port).await.unwrap().address().port(), port);
}

/// What the kernel says about who listens there.
#[tokio::test]
async fn it_listens_on_the_loopback_interface_alone() {
    let broker = Embedded::start(0).await.unwrap();
    assert_eq!(broker.address().ip(), Ipv4Addr::LOCALHOST);
    let port = format!(":{:04X}", broker.address().port());
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| fs::read_to_string(file).unwrap_or_default());
    let mut listeners = Vec::new();
    for line in tables.iter().flat_map(|table| table.lines()) {
        let fields: Vec<_> = line.split_whitespace().collect();
        // 0A is the state of a socket that listens.
        if fields.len() > 3 && fields[3] == "0A" && fields[1].ends_with(&port) {
            listeners.push(fields[1].trim_end_matches(&port).to_owned());
        }
    }
    assert_eq!(listeners, ["0100007F"]);
}

#[tokio::test]
async fn what_is_no_mqtt_harms_nothing() {
    let broker = Embedded::start(0).await.unwrap();
    let port = broker.address().port();
    let mut others = Other::subscribed(port, "t").await;
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0x10, 0xff, 0xff, 0xff, 0x7f],
        &[0x10, 0x00],
        &[0x30, 0x03, 0x00, 0x01, b't'],
        &[0xff; 100],
    ] {
        TcpStream::connect(broker.address()).unwrap().write_all(bytes).unwrap();
    }
    others.client.publish("t", rumqttc::v5::mqttbytes::QoS::AtLeastOnce, false, "still here").await.unwrap();
    assert_eq!(others.next().await, "still here");
}

#[tokio::test]
async fn who_falls_silent_is_given_up() {
    let broker = Embedded::start(0).await.unwrap();
    let mut others = Other::subscribed(broker.address().port(), "w").await;
    // CONNECT of MQTT 3.1.1 with a keep-alive of 1 s and the will "gone" on w.
    let connect = b"\x10\x16\x00\x04MQTT\x04\x06\x00\x01\x00\x01c\x00\x01w\x00\x04gone";
    let mut client = TcpStream::connect(broker.address()).unwrap();
    client.write_all(connect).unwrap();
    assert_eq!(others.next().await, "gone");
}
