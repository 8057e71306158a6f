//! The connection of the box to a Mosquitto that fails in the ways they do at home.

use std::time::Duration;

use moodbox_core::topics::Topics;
use moodbox_tests::mosquitto::{Mosquitto, free_port};
use moodbox_tests::rights;
use moodboxd::mqtt::{MqttEvent, Settings};
use rumqttc::v5::mqttbytes::QoS;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Other, PATIENCE, TestBox, mqtt};

const AVAILABILITY: &str = "moodbox/test/availability";

#[tokio::test]
async fn a_box_that_is_asked_to_stop_says_all_it_has_and_then_goodbye() {
    let broker = Mosquitto::start();
    let mut others = Other::subscribed(broker.port(), "moodbox/test/+").await;
    let this = TestBox::connected(broker.port()).await;
    assert_eq!(others.next().await, "online");
    this.say(this.presence(true)).await;
    let TestBox { publications, task, .. } = this;
    drop(publications);
    timeout(PATIENCE, task).await.unwrap().unwrap();
    assert_eq!(others.next().await, r#"{"event_type":"presence","presence":true}"#);
    assert_eq!(others.next().await, "offline");
    let mut late = Other::subscribed(broker.port(), AVAILABILITY).await;
    assert!(late.publish().await.retain);
}

#[tokio::test]
async fn the_will_is_published_when_the_box_dies() {
    let broker = Mosquitto::start();
    let mut others = Other::subscribed(broker.port(), AVAILABILITY).await;
    let this = TestBox::connected(broker.port()).await;
    assert_eq!(others.next().await, "online");
    this.task.abort();
    assert_eq!(others.next().await, "offline");
    let mut late = Other::subscribed(broker.port(), "moodbox/+/availability").await;
    assert_eq!(late.next().await, "offline");
}

#[tokio::test]
async fn a_broker_that_returns_gets_everything_anew_and_nothing_old() {
    let mut broker = Mosquitto::start();
    let mut this = TestBox::connected(broker.port()).await;
    broker.kill();
    let reason = this.lost().await;
    assert_eq!(reason, format!("mqtt://127.0.0.1:{} closed the connection", broker.port()));
    this.say(this.presence(false)).await;
    let reason = this.lost().await;
    assert_eq!(reason, format!("nothing listens at mqtt://127.0.0.1:{}; is the broker running?", broker.port()));
    broker.restart();
    let mut others = Other::subscribed(broker.port(), "moodbox/test/#").await;
    // Once the broker is back, the box must be within this time.
    let connected = timeout(Duration::from_secs(5), this.next()).await.unwrap();
    assert_eq!(connected, MqttEvent::Connected);
    this.say(this.presence(true)).await;
    assert_eq!(others.next().await, "online");
    assert_eq!(others.next().await, r#"{"event_type":"presence","presence":true}"#);
}

#[tokio::test]
async fn a_broker_that_is_not_there_at_first_is_found_later() {
    let mut broker = Mosquitto::start();
    broker.kill();
    let mut this = TestBox::start(broker.port());
    assert!(this.lost().await.starts_with("nothing listens at"));
    broker.restart();
    assert_eq!(this.next().await, MqttEvent::Connected);
}

#[tokio::test]
async fn a_broker_has_an_ipv6_address() {
    if !rights::has_ipv6() {
        return;
    }
    let mut broker = Mosquitto::at("::1", "allow_anonymous true", |_| {});
    let mut this = TestBox::with(&format!("broker = \"mqtt://[::1]:{}\"", broker.port()), 64);
    assert_eq!(this.next().await, MqttEvent::Connected);
    broker.kill();
    assert_eq!(this.lost().await, format!("mqtt://[::1]:{} closed the connection", broker.port()));
}

#[tokio::test]
async fn a_box_that_waits_for_a_broker_stops_when_asked() {
    let mut this = TestBox::start(free_port());
    this.lost().await;
    let TestBox { publications, task, .. } = this;
    drop(publications);
    timeout(PATIENCE, task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_noticed() {
    let broker = Mosquitto::start();
    let mut this = TestBox::connected(broker.port()).await;
    broker.freeze();
    // The promise: twice the keep-alive of 5 s.
    let event = timeout(Duration::from_secs(10), this.next()).await.unwrap();
    let reason = format!("mqtt://127.0.0.1:{} has been silent for 7.5 s", broker.port());
    assert_eq!(event, MqttEvent::Lost { reason, refused: false });
    broker.thaw();
    while this.next().await != MqttEvent::Connected {}
}

#[tokio::test]
async fn retained_commands_are_told_apart_when_new_and_not_heard_when_old() {
    let broker = Mosquitto::start();
    let others = Other::subscribed(broker.port(), "none").await;
    others.command("camera", "OFF", true).await;
    let mut this = TestBox::connected(broker.port()).await;
    others.command("skip", "PRESS", true).await;
    others.command("skip", "", true).await;
    others.command("next", "PRESS", false).await;
    assert_eq!(this.next().await, MqttEvent::Retained { topic: "moodbox/test/cmd/skip".to_owned() });
    assert_eq!(this.message().await.0, "next");
}

#[tokio::test]
async fn home_assistant_may_retain_its_greeting() {
    let broker = Mosquitto::start();
    let others = Other::subscribed(broker.port(), "none").await;
    let mut this = TestBox::connected(broker.port()).await;
    others.client.publish("homeassistant/status", QoS::AtLeastOnce, true, "online").await.unwrap();
    assert_eq!(this.message().await, ("status".to_owned(), b"online".to_vec()));
}

#[tokio::test]
async fn what_is_no_command_harms_nothing() {
    let broker = Mosquitto::start();
    let others = Other::subscribed(broker.port(), "none").await;
    let mut this = TestBox::connected(broker.port()).await;
    others.command("choose", vec![b'x'; 1 << 20], false).await;
    others.command("choose", vec![0xff; 5000], false).await;
    others.command("", "", false).await;
    others.client.publish("moodbox/test/cmd/a/b", QoS::AtLeastOnce, false, "deep").await.unwrap();
    others.command("next", "", false).await;
    // The longest is kept away by the broker; the second arrives, to be refused with a reason.
    assert_eq!(this.message().await, ("choose".to_owned(), vec![0xff; 5000]));
    assert_eq!(this.message().await.0, "");
    assert_eq!(this.message().await.0, "next");
}

#[tokio::test]
async fn a_flood_of_commands_is_cut_and_the_next_one_is_heard() {
    let broker = Mosquitto::start();
    let mut others = Other::subscribed(broker.port(), "moodbox/test/event").await;
    let lines = format!("broker = \"mqtt://127.0.0.1:{}\"", broker.port());
    let mut this = TestBox::with(&lines, 4);
    assert_eq!(this.next().await, MqttEvent::Connected);
    for n in 0..200 {
        others.command("choose", n.to_string(), false).await;
    }
    // The box still speaks while nobody reads what it hears. Broker and box keep the order, so that the flood is over
    // for the box when the last of it has been answered and its own word is back.
    while this.inbox.len() < 4 {
        tokio::task::yield_now().await;
    }
    this.say(this.presence(true)).await;
    assert_eq!(others.next().await, r#"{"event_type":"presence","presence":true}"#);
    for n in 0..4 {
        assert_eq!(this.message().await.1, n.to_string().into_bytes());
    }
    loop {
        others.command("next", "", false).await;
        if this.message().await.0 == "next" {
            break;
        }
    }
}

#[tokio::test]
async fn two_boxes_with_one_id_are_told_and_do_not_fight() {
    let broker = Mosquitto::start();
    let others = Other::subscribed(broker.port(), "none").await;
    let mut first = TestBox::connected(broker.port()).await;
    let mut second = TestBox::connected(broker.port()).await;
    let expected = format!(
        "mqtt://127.0.0.1:{} keeps closing the connection; does another box have the id \"test\" (device.id)?",
        broker.port()
    );
    // Each puts the other out twice, as a restart of the broker would. Then one of them understands and waits for 30 s
    // at least, and the other has its peace.
    for _ in 0..2 {
        assert!(second.lost().await.ends_with("closed the connection"));
        assert_eq!(second.next().await, MqttEvent::Connected);
    }
    loop {
        match first.next().await {
            MqttEvent::Lost { reason, refused: true } if reason == expected => break,
            MqttEvent::Lost { reason, .. } => assert!(reason.ends_with("closed the connection"), "{reason}"),
            event => assert_eq!(event, MqttEvent::Connected),
        }
    }
    others.command("next", "", false).await;
    assert_eq!(second.message().await.0, "next");
}

/// Mosquitto lets everybody subscribe and passes on nothing; other brokers say no.
#[tokio::test]
async fn a_guest_that_may_read_nothing_is_told() {
    let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = broker.local_addr().unwrap().port();
    let refuse = async {
        let (mut stream, _) = broker.accept().await.unwrap();
        packet(&mut stream).await;
        stream.write_all(&[0x20, 3, 0, 0, 0]).await.unwrap();
        let subscribe = packet(&mut stream).await;
        // Not authorised (0x87), for each of two.
        stream.write_all(&[0x90, 5, subscribe[0], subscribe[1], 0, 0x87, 0x87]).await.unwrap();
        stream
    };
    let topics = Topics::new("moodbox", "homeassistant", "test");
    let lines = mqtt(&format!("broker = \"mqtt://127.0.0.1:{port}\""));
    let settings = Settings::of_guest(&lines, "guest".to_owned(), topics, &["state", "now"]).unwrap();
    let ((_publications, outbox), (events, mut inbox)) = (mpsc::channel(1), mpsc::channel(8));
    let task = moodboxd::mqtt::spawn(settings, outbox, events);
    let _open = timeout(PATIENCE, refuse).await.unwrap();
    assert_eq!(timeout(PATIENCE, inbox.recv()).await.unwrap(), Some(MqttEvent::Connected));
    let reason =
        format!("mqtt://127.0.0.1:{port} does not let us read moodbox/test/state and moodbox/test/now; see its ACL");
    assert_eq!(timeout(PATIENCE, inbox.recv()).await.unwrap(), Some(MqttEvent::Lost { reason, refused: true }));
    task.abort();
}

/// What is in the next packet, behind its header.
async fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let _kind = stream.read_u8().await.unwrap();
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = usize::from(stream.read_u8().await.unwrap());
        length |= (byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    body
}
