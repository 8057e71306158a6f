//! The connection to a broker and the embedded broker, against a real Mosquitto and its clients.

mod client;
mod embedded;
pub(crate) mod security;

use std::time::Duration;

use moodbox_core::config::{Config, Mqtt};
use moodbox_core::topics::{Event, Publication, Topics};
use moodboxd::mqtt::{MqttEvent, Settings};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish};
use rumqttc::v5::{AsyncClient, MqttOptions};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Time after which a test has failed; no test waits for as long when it passes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The connection of a box, with what the engine has of it.
struct TestBox {
    topics: Topics,
    publications: mpsc::Sender<Publication>,
    inbox: mpsc::Receiver<MqttEvent>,
    task: JoinHandle<()>,
}

impl TestBox {
    /// A box that connects without a password.
    fn start(port: u16) -> Self {
        Self::with(&format!("broker = \"mqtt://127.0.0.1:{port}\""), 64)
    }

    /// A box with these lines in `[mqtt]`, and an engine that reads `room` messages late.
    fn with(lines: &str, room: usize) -> Self {
        let topics = Topics::new("moodbox", "homeassistant", "test");
        let settings = Settings::new(&mqtt(lines), topics.clone(), 0).unwrap();
        let (publications, outbox) = mpsc::channel(64);
        let (events, inbox) = mpsc::channel(room);
        Self { topics, publications, inbox, task: moodboxd::mqtt::spawn(settings, outbox, events) }
    }

    async fn connected(port: u16) -> Self {
        let mut this = Self::start(port);
        assert_eq!(this.next().await, MqttEvent::Connected);
        this
    }

    async fn next(&mut self) -> MqttEvent {
        timeout(PATIENCE, self.inbox.recv()).await.unwrap().unwrap()
    }

    async fn lost(&mut self) -> String {
        match self.next().await {
            MqttEvent::Lost { reason, .. } => reason,
            other => panic!("not lost but {other:?}"),
        }
    }

    /// The last part of the topic of the next message, and its payload.
    async fn message(&mut self) -> (String, Vec<u8>) {
        match self.next().await {
            MqttEvent::Message { topic, payload } => (topic.rsplit_once('/').unwrap().1.to_owned(), payload),
            other => panic!("not a message but {other:?}"),
        }
    }

    async fn say(&self, publication: Publication) {
        self.publications.send(publication).await.unwrap();
    }

    fn presence(&self, presence: bool) -> Publication {
        self.topics.event(&Event::Presence { presence })
    }
}

fn mqtt(lines: &str) -> Mqtt {
    Config::parse(&format!("[mqtt]\nkeep_alive_s = 5\n{lines}")).unwrap().mqtt
}

/// Somebody else on the broker.
struct Other {
    client: AsyncClient,
    messages: mpsc::Receiver<Publish>,
    task: JoinHandle<()>,
}

impl Drop for Other {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Other {
    /// Connects and subscribes to `filter`.
    async fn subscribed(port: u16, filter: &str) -> Self {
        let id = format!("other-{filter}");
        let mut options = MqttOptions::new(id, "127.0.0.1", port);
        options.set_max_packet_size(Some(1 << 21));
        let (client, mut events) = AsyncClient::new(options, 300);
        client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        let (sender, messages) = mpsc::channel(1000);
        let (ready, subscribed) = tokio::sync::oneshot::channel();
        let mut ready = Some(ready);
        let task = tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                match event {
                    rumqttc::v5::Event::Incoming(Packet::Publish(publish)) => sender.send(publish).await.unwrap(),
                    rumqttc::v5::Event::Incoming(Packet::SubAck(_)) => ready.take().unwrap().send(()).unwrap(),
                    _ => {}
                }
            }
        });
        timeout(PATIENCE, subscribed).await.unwrap().unwrap();
        Self { client, messages, task }
    }

    async fn command(&self, name: &str, payload: impl Into<Vec<u8>>, retain: bool) {
        let topic = format!("moodbox/test/cmd/{name}");
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload.into()).await.unwrap();
    }

    /// The text of the next message.
    async fn next(&mut self) -> String {
        String::from_utf8(self.publish().await.payload.into()).unwrap()
    }

    async fn publish(&mut self) -> Publish {
        timeout(PATIENCE, self.messages.recv()).await.unwrap().unwrap()
    }
}
