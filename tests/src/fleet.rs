//! Many boxes on one broker, whose rules and MQTT clients are the real ones.

#![expect(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::thread::{self, JoinHandle};

use moodbox_core::config::{Broker, Mqtt};
use moodbox_core::topics::Topics;
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::listener::Listener;
use crate::mosquitto::Mosquitto;
use crate::simulated_box::live;

/// Boxes on a broker, which live until this ends. They are called `box000` and so on, and look at somebody each second.
pub struct Fleet {
    broker: Mosquitto,
    /// Somebody who hears all that they say.
    pub listener: Listener,
    end: watch::Sender<()>,
    boxes: Option<JoinHandle<()>>,
}

impl Fleet {
    /// So many boxes, all of which have come.
    ///
    /// # Panics
    /// When they do not.
    #[must_use]
    pub fn of(count: usize) -> Self {
        // As the shipped configuration has it: by default what 200 boxes say at once is more than waits for a listener.
        let broker = Mosquitto::with("allow_anonymous true\nmax_queued_messages 10000\n", |_| {});
        let mut listener = Listener::on(broker.port());
        let server = Broker::Remote { tls: false, host: "127.0.0.1".to_owned(), port: broker.port() };
        let mqtt = Mqtt { broker: server, ..Mqtt::default() };
        let (end, ended) = watch::channel(());
        let boxes = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let topics = |number| Topics::new("moodbox", "homeassistant", &format!("box{number:03}"));
                let live =
                    |number| tokio::spawn(live(topics(number), number as u64, mqtt.clone(), |_| {}, ended.clone()));
                let tasks: Vec<_> = (0..count).map(live).collect();
                for task in tasks {
                    task.await.expect("a box that lives");
                }
            });
        });
        for _ in 0..count {
            listener.until("/config", |message| message.topic.starts_with("homeassistant/"));
        }
        Self { broker, listener, end, boxes: Some(boxes) }
    }

    /// The broker as a person writes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.broker.port())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.end.send_replace(());
        if let Some(boxes) = self.boxes.take() {
            let _ = boxes.join();
        }
    }
}
