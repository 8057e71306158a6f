//! The connection to a box through its broker: questions and answers, or what it says by itself.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use moodbox_core::config::{Bounded, Broker, DeviceId, Mqtt, is_topic};
use moodbox_core::topics::{Publication, Qos, Topics};
use moodboxd::mqtt::{MqttEvent, Settings};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, ClientError, Event, EventLoop};
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::failure::Failure;

/// Longest time that an answer may take; a box needs milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Messages that may wait to be sent; there is never more than one.
const QUEUE: usize = 8;

/// Which box, and how to reach it.
#[derive(clap::Args)]
pub(crate) struct Address {
    /// The broker: `mqtt://HOST[:PORT]` or `mqtts://HOST[:PORT]`.
    #[arg(long, value_name = "URL", value_parser = remote)]
    broker: Broker,
    /// The id of the box, as in its topics.
    #[arg(long, value_parser = id)]
    id: DeviceId,
    /// User name, if the broker wants one.
    #[arg(long, requires = "password_file")]
    username: Option<String>,
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// PEM file with the certificate authority of an mqtts broker; the system's are used where it is left out.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// First part of the topics.
    #[arg(long, value_name = "TOPIC", default_value = "moodbox", value_parser = topic)]
    base_topic: String,
}

fn remote(text: &str) -> Result<Broker, String> {
    match text.parse() {
        Ok(Broker::Embedded) => Err("the embedded broker is reached at mqtt://127.0.0.1, on the box".to_owned()),
        Ok(broker) => Ok(broker),
        Err(error) => Err(error.to_string()),
    }
}

fn id(text: &str) -> Result<DeviceId, String> {
    DeviceId::try_from(text.to_owned()).map_err(|error| error.to_string())
}

fn topic(text: &str) -> Result<String, String> {
    if is_topic(text) { Ok(text.to_owned()) } else { Err("is not the first part of a topic".to_owned()) }
}

impl Address {
    /// The settings of a connection that is pinged so often, and hears what is said on the topics with these last parts.
    fn settings(&self, keep_alive_s: u32, hears: &[&'static str]) -> Result<Settings, Failure> {
        let config = Mqtt {
            broker: self.broker.clone(),
            username: self.username.clone(),
            password_file: self.password_file.clone(),
            ca_file: self.ca_file.clone(),
            keep_alive_s: Bounded(keep_alive_s),
            ..Mqtt::default()
        };
        let topics = Topics::new(&self.base_topic, &config.discovery_prefix, self.id.as_str());
        Ok(Settings::of_guest(&config, client_name(), topics, hears).context("the broker's settings")?)
    }
}

/// A connection that is kept, and made anew where it breaks: what the box says comes in, commands go out.
pub(crate) struct Feed {
    inbox: mpsc::Receiver<MqttEvent>,
    outbox: mpsc::Sender<Publication>,
    topics: Topics,
    broker: String,
    task: JoinHandle<()>,
}

impl Feed {
    /// Connects, and hears what the box says on the topics with these last parts.
    pub(crate) async fn open(address: &Address, hears: &[&'static str]) -> Result<Self, Failure> {
        let settings = address.settings(10, hears)?;
        let (topics, broker) = (settings.topics().clone(), settings.broker().to_owned());
        let (outbox, publications) = mpsc::channel(QUEUE);
        let (events, mut inbox) = mpsc::channel(QUEUE);
        let task = moodboxd::mqtt::spawn(settings, publications, events);
        match inbox.recv().await {
            Some(MqttEvent::Lost { reason }) => Err(Failure::NoAnswer(anyhow!(reason))),
            _ => Ok(Self { inbox, outbox, topics, broker, task }),
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

    /// Sends a command to the box; one that does not fit behind others is dropped, as is one without a connection.
    pub(crate) fn command(&self, name: &str, payload: &Value) {
        let topic = self.topics.topic(&format!("cmd/{name}"));
        let payload = payload.to_string().into_bytes();
        let _ = self.outbox.try_send(Publication { topic, payload, retain: false, qos: Qos::AtLeastOnce });
    }

    /// Says goodbye to the broker.
    pub(crate) async fn close(self) {
        drop(self.outbox);
        let _ = self.task.await;
    }
}

/// A connection to one box, for questions.
pub(crate) struct Connection {
    runtime: Runtime,
    client: AsyncClient,
    events: EventLoop,
    settings: Settings,
    /// Requests so far, for their transactions.
    requests: u32,
}

impl Connection {
    /// Connects, and is subscribed to the answers of the box.
    pub(crate) fn open(address: &Address) -> Result<Self, Failure> {
        // Nothing is heard or said while a person gets ready.
        let settings = address.settings(60, &[])?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (client, events) = AsyncClient::new(settings.options(), QUEUE);
        let mut connection = Self { runtime, client, events, settings, requests: 0 };
        connection.subscribe()?;
        Ok(connection)
    }

    /// Asks the box and waits for the answer: its data, or the reason of a box that refuses.
    pub(crate) fn ask(
        &mut self,
        request: &str,
        mut fields: Map<String, Value>,
    ) -> Result<Result<Value, String>, Failure> {
        self.requests += 1;
        let transaction = format!("{}-{}", client_name(), self.requests);
        fields.insert("transaction".to_owned(), json!(transaction));
        let topic = self.settings.topics().topic(&format!("request/{request}"));
        self.client
            .try_publish(topic, QoS::AtLeastOnce, false, Value::Object(fields).to_string())
            .map_err(|error| Failure::NoAnswer(gone(&error)))?;
        let answer = self.until(|packet| match packet {
            Packet::Publish(publish) => {
                let answer: Value = serde_json::from_slice(&publish.payload).ok()?;
                (answer["transaction"] == transaction.as_str()).then_some(answer)
            }
            _ => None,
        })?;
        let Some(mut answer) = answer else {
            let (id, broker) = (self.settings.topics().id(), self.settings.broker());
            let reason = anyhow!("box {id} does not answer on {broker}; is it running, and is this its id?");
            return Err(Failure::NoAnswer(reason));
        };
        Ok(match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["data"].take()),
        })
    }

    fn subscribe(&mut self) -> Result<(), Failure> {
        let filter = self.settings.topics().topic("response/+");
        self.client.try_subscribe(&filter, QoS::AtLeastOnce).map_err(|error| Failure::NoAnswer(gone(&error)))?;
        let codes = self.until(|packet| match packet {
            Packet::SubAck(ack) => Some(ack.return_codes),
            _ => None,
        })?;
        let broker = self.settings.broker();
        match codes.as_deref() {
            Some([SubscribeReasonCode::Success(_)]) => Ok(()),
            Some(_) => Err(Failure::NoAnswer(anyhow!("{broker} does not let us read {filter}; see its ACL"))),
            None => Err(Failure::NoAnswer(anyhow!("{broker} does not answer"))),
        }
    }

    /// Takes what comes until it is what is wanted; nothing when that does not come in time.
    fn until<T>(&mut self, mut wanted: impl FnMut(Packet) -> Option<T>) -> Result<Option<T>, Failure> {
        let events = &mut self.events;
        let found = async {
            loop {
                if let Event::Incoming(packet) = events.poll().await?
                    && let Some(found) = wanted(packet)
                {
                    return Ok(found);
                }
            }
        };
        // A time-out needs the runtime that it is made in.
        let found = self.runtime.block_on(async { timeout(PATIENCE, found).await });
        match found {
            Ok(Ok(found)) => Ok(Some(found)),
            Ok(Err(error)) => Err(Failure::NoAnswer(anyhow!(self.settings.explain(&error)))),
            Err(_) => Ok(None),
        }
    }
}

fn gone(error: &ClientError) -> anyhow::Error {
    anyhow!("the connection is gone: {error}")
}

/// A name that no other client of the broker has.
fn client_name() -> String {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_nanos());
    format!("moodbox-tool-{}-{nanos:x}", std::process::id())
}
