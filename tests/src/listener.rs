//! Somebody on the broker who hears everything, and says something now and then.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that is surprised fails")]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{Client, Event, MqttOptions};
use serde_json::Value;

/// Time after which a test has failed; no test waits for as long when it passes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its full topic.
    pub topic: String,
    /// Its payload as text.
    pub text: String,
    /// Whether the broker had kept it.
    pub retained: bool,
}

impl Message {
    /// The payload as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}: {}", self.topic, self.text))
    }
}

/// A client that has subscribed to everything.
pub struct Listener {
    client: Client,
    arriving: Receiver<Message>,
    waiting: VecDeque<Message>,
}

impl Listener {
    /// Connects to the broker on this port of this machine, and has subscribed.
    ///
    /// # Panics
    /// When the broker does not take it.
    #[must_use]
    pub fn on(port: u16) -> Self {
        static LISTENERS: AtomicU64 = AtomicU64::new(0);
        let number = LISTENERS.fetch_add(1, Ordering::Relaxed);
        let mut options = MqttOptions::new(format!("listener-{number}"), "127.0.0.1", port);
        options.set_max_packet_size(Some(1 << 20));
        let mut network = options.network_options();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        let (client, mut connection) = Client::new(options, 300);
        client.subscribe("#", QoS::AtLeastOnce).expect("room for a request");
        let (sender, arriving) = mpsc::channel();
        let (ready, subscribed) = mpsc::channel();
        thread::spawn(move || {
            for event in connection.iter().map_while(Result::ok) {
                match event {
                    Event::Incoming(Packet::SubAck(_)) => drop(ready.send(())),
                    Event::Incoming(Packet::Publish(publish)) => {
                        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                        let text = String::from_utf8(publish.payload.to_vec()).unwrap_or_default();
                        drop(sender.send(Message { topic, text, retained: publish.retain }));
                    }
                    _ => {}
                }
            }
        });
        subscribed.recv_timeout(PATIENCE).expect("a subscription");
        Self { client, arriving, waiting: VecDeque::new() }
    }

    /// Publishes a message.
    ///
    /// # Panics
    /// When it cannot be sent.
    pub fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>, retain: bool) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload.into()).expect("room for a message");
    }

    /// The next message on a topic that ends so. Messages on other topics wait for their turn.
    ///
    /// # Panics
    /// When there is none in time.
    pub fn next(&mut self, end_of_topic: &str) -> Message {
        self.until(end_of_topic, |_| true)
    }

    /// The first message on a topic that ends so and is as wanted; those on it before are dropped.
    ///
    /// # Panics
    /// When there is none in time.
    pub fn until(&mut self, end_of_topic: &str, wanted: impl Fn(&Message) -> bool) -> Message {
        let deadline = Instant::now() + PATIENCE;
        let mut passed = Vec::new();
        let mut at = 0;
        loop {
            while at < self.waiting.len() {
                if !self.waiting[at].topic.ends_with(end_of_topic) {
                    at += 1;
                } else if let Some(message) = self.waiting.remove(at) {
                    if wanted(&message) {
                        return message;
                    }
                    passed.push(message.text);
                }
            }
            match self.arriving.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(message) => self.waiting.push_back(message),
                Err(error) => panic!("waited for {end_of_topic}: {error}; passed {passed:#?}"),
            }
        }
    }

    /// Everything that arrived and was not taken yet, up to and with the first message that is as wanted.
    ///
    /// # Panics
    /// When it does not come in time.
    pub fn all_until(&mut self, wanted: impl Fn(&Message) -> bool) -> Vec<Message> {
        let deadline = Instant::now() + PATIENCE;
        let mut all = Vec::new();
        loop {
            let message = self.waiting.pop_front().unwrap_or_else(|| {
                let left = deadline.saturating_duration_since(Instant::now());
                self.arriving.recv_timeout(left).unwrap_or_else(|error| panic!("{error} after {all:#?}"))
            });
            let last = wanted(&message);
            all.push(message);
            if last {
                return all;
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // The thread ends with the connection.
        let _ = self.client.disconnect();
    }
}
