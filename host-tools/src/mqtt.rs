//! The connection to a box through its broker: questions and answers.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use moodbox_core::config::{Bounded, Broker, DeviceId, Mqtt, is_topic};
use moodbox_core::topics::Topics;
use moodboxd::mqtt::Settings;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, ClientError, Event, EventLoop};
use serde_json::{Map, Value, json};
use tokio::runtime::{Builder, Runtime};
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

/// A connection to one box.
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
        let config = Mqtt {
            broker: address.broker.clone(),
            username: address.username.clone(),
            password_file: address.password_file.clone(),
            ca_file: address.ca_file.clone(),
            // Nothing is heard or said while a person gets ready.
            keep_alive_s: Bounded(60),
            ..Mqtt::default()
        };
        let topics = Topics::new(&address.base_topic, &config.discovery_prefix, address.id.as_str());
        let settings = Settings::of_guest(&config, client_name(), topics).context("the broker's settings")?;
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
