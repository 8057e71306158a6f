//! What a box says by itself, as long as somebody listens.

use anyhow::anyhow;
use moodbox_core::config::Mqtt;
use moodbox_core::topics::{Publication, Qos, Topics};
use moodboxd::mqtt::MqttEvent;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Address, QUEUE, Reach, request};
use crate::failure::Failure;

/// Messages of all boxes that may wait: what a broker has kept of a thousand boxes comes at once.
const BURST: usize = 8192;

/// A connection that is kept, and made anew where it breaks: what the box says comes in, commands go out.
pub(crate) struct Feed {
    inbox: mpsc::Receiver<MqttEvent>,
    outbox: mpsc::Sender<Publication>,
    topics: Topics,
    broker: String,
    base: String,
    task: JoinHandle<()>,
}

impl Feed {
    /// Connects, and hears what the box says on the topics with these last parts.
    pub(crate) async fn open(address: &Address, hears: &[&'static str]) -> Result<Self, Failure> {
        Self::start(&address.reach, address.id.as_str(), hears, QUEUE).await
    }

    /// Connects, and hears what every box of the broker says on the topics with these last parts.
    pub(crate) async fn of_all(reach: &Reach, hears: &[&'static str]) -> Result<Self, Failure> {
        Self::start(reach, "+", hears, BURST).await
    }

    async fn start(reach: &Reach, id: &str, hears: &[&'static str], queue: usize) -> Result<Self, Failure> {
        let settings = reach.settings(id, &Mqtt::default().discovery_prefix, 10, hears)?;
        let (topics, broker) = (settings.topics().clone(), settings.broker().to_owned());
        let (outbox, publications) = mpsc::channel(QUEUE);
        let (events, mut inbox) = mpsc::channel(queue);
        let task = moodboxd::mqtt::spawn(settings, publications, events);
        match inbox.recv().await {
            Some(MqttEvent::Lost { reason, .. }) => Err(Failure::NoAnswer(anyhow!(reason))),
            _ => Ok(Self { inbox, outbox, topics, broker, base: reach.login.base_topic.clone(), task }),
        }
    }

    pub(crate) fn id(&self) -> &str {
        self.topics.id()
    }

    pub(crate) fn broker(&self) -> &str {
        &self.broker
    }

    /// What comes next; waits for it.
    pub(crate) async fn next(&mut self) -> MqttEvent {
        match self.inbox.recv().await {
            Some(event) => event,
            // The task ends only after this.
            None => std::future::pending().await,
        }
    }

    /// The last part of a topic of the box.
    pub(crate) fn last_part<'a>(&self, topic: &'a str) -> Option<&'a str> {
        topic.strip_prefix(&self.topics.topic(""))
    }

    /// The box that a topic is of, and its last part.
    pub(crate) fn id_and_part<'a>(&self, topic: &'a str) -> Option<(&'a str, &'a str)> {
        Topics::of_box(&self.base, topic)
    }

    /// First part of the topics.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// For messages to the boxes, as long as the feed is there.
    pub(crate) fn outbox(&self) -> mpsc::WeakSender<Publication> {
        self.outbox.downgrade()
    }

    /// Sends a command to the box; one that does not fit behind others is dropped, as is one without a connection.
    pub(crate) fn command(&self, name: &str, payload: &Value) {
        self.send(&format!("cmd/{name}"), payload.to_string());
    }

    /// Asks the box; its answer comes with all else that it says. Dropped as a command is.
    pub(crate) fn ask(&self, name: &str) {
        self.send(&format!("request/{name}"), request(Map::new()).1);
    }

    /// Sends text to the box on the topic with this last part.
    pub(crate) fn send(&self, last: &str, text: String) {
        let (topic, payload) = (self.topics.topic(last), text.into_bytes());
        let _ = self.outbox.try_send(Publication { topic, payload, retain: false, qos: Qos::AtLeastOnce });
    }

    /// Says goodbye to the broker.
    pub(crate) async fn close(self) {
        drop(self.outbox);
        let _ = self.task.await;
    }
}
