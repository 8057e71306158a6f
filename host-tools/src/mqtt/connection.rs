//! Questions and answers, and what the broker has kept of a box.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::anyhow;
use moodbox_core::config::{DeviceId, Mqtt};
use moodbox_core::topics::Topics;
use moodboxd::mqtt::{CONNECT_LIMIT, Settings};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, PubAckReason, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, ClientError, Event, EventLoop};
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::{Address, PATIENCE, QUEUE, Reach, outcome, request};
use crate::failure::Failure;

/// A connection to one box, for questions.
pub(crate) struct Connection {
    runtime: Runtime,
    client: AsyncClient,
    events: EventLoop,
    settings: Settings,
    /// Whether the connection has come about.
    connected: bool,
}

impl Connection {
    /// Connects, and is subscribed to the answers of the box.
    pub(crate) fn open(address: &Address) -> Result<Self, Failure> {
        let mut connection = Self::to(&address.reach, &address.id, &Mqtt::default().discovery_prefix)?;
        let answers = connection.settings.topics().topic("response/+");
        connection.subscribe(&[&answers], QoS::AtLeastOnce)?;
        Ok(connection)
    }

    /// A connection that is subscribed to nothing; it comes about with the first call.
    pub(crate) fn to(reach: &Reach, id: &DeviceId, discovery_prefix: &str) -> Result<Self, Failure> {
        // Nothing is heard or said while a person gets ready.
        let settings = reach.settings(id.as_str(), discovery_prefix, 60, &[])?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (client, events) = AsyncClient::new(settings.options(), QUEUE);
        Ok(Self { runtime, client, events, settings, connected: false })
    }

    /// The topics of the box.
    pub(crate) const fn topics(&self) -> &Topics {
        self.settings.topics()
    }

    /// The broker as a person writes it.
    pub(crate) fn broker(&self) -> &str {
        self.settings.broker()
    }

    /// What the broker has kept on these topics, and their payloads.
    pub(crate) fn kept(&mut self, filters: &[&str]) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
        // What is kept comes between the two answers: a broker does one thing after the other for a client.
        self.subscribe(filters, QoS::AtMostOnce)?;
        let mut kept = BTreeMap::new();
        self.ask_for(filters, QoS::AtMostOnce)?;
        let done = self.until(|packet| match packet {
            Packet::Publish(publish) if publish.retain => {
                kept.insert(String::from_utf8_lossy(&publish.topic).into_owned(), publish.payload.into());
                None
            }
            Packet::SubAck(_) => Some(()),
            _ => None,
        })?;
        done.map(|()| kept).ok_or_else(|| self.silent())
    }

    /// Lets the broker forget what it has kept on this topic.
    pub(crate) fn forget(&mut self, topic: &str) -> Result<(), Failure> {
        let sent = self.client.try_publish(topic, QoS::AtLeastOnce, true, Vec::new());
        sent.map_err(|error| Failure::NoAnswer(gone(&error)))?;
        let reason = self.until(|packet| match packet {
            Packet::PubAck(ack) => Some(ack.reason),
            _ => None,
        })?;
        match reason {
            Some(PubAckReason::Success | PubAckReason::NoMatchingSubscribers) => Ok(()),
            Some(_) => {
                let broker = self.settings.broker();
                Err(Failure::NoAnswer(anyhow!("{broker} does not let us write {topic}; use its admin's user")))
            }
            None => Err(self.silent()),
        }
    }

    /// Asks the box and waits for the answer: its data, or the reason of a box that refuses.
    pub(crate) fn ask(&mut self, name: &str, fields: Map<String, Value>) -> Result<Result<Value, String>, Failure> {
        let (transaction, text) = request(fields);
        let topic = self.settings.topics().topic(&format!("request/{name}"));
        self.client
            .try_publish(topic, QoS::AtLeastOnce, false, text)
            .map_err(|error| Failure::NoAnswer(gone(&error)))?;
        let answer = self.until(|packet| match packet {
            Packet::Publish(publish) => {
                let answer: Value = serde_json::from_slice(&publish.payload).ok()?;
                (answer["transaction"] == transaction.as_str()).then_some(answer)
            }
            _ => None,
        })?;
        let Some(answer) = answer else {
            let (id, broker) = (self.settings.topics().id(), self.settings.broker());
            let reason = anyhow!("box {id} does not answer on {broker}; is it running, and is this its id?");
            return Err(Failure::NoAnswer(reason));
        };
        Ok(outcome(answer))
    }

    /// Hears from now on what is said on the topics that these filters name.
    pub(crate) fn listen(&mut self, filters: &[&str]) -> Result<(), Failure> {
        self.subscribe(filters, QoS::AtLeastOnce)
    }

    /// Waits for a message that is as wanted: its topic, its payload, and whether the broker had kept it. Nothing when it does
    /// not come in this time.
    pub(crate) fn hear<T>(
        &mut self,
        patience: Duration,
        mut wanted: impl FnMut(&str, &[u8], bool) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        self.within(patience, |packet| match packet {
            Packet::Publish(publish) => {
                wanted(&String::from_utf8_lossy(&publish.topic), &publish.payload, publish.retain)
            }
            _ => None,
        })
    }

    fn subscribe(&mut self, filters: &[&str], qos: QoS) -> Result<(), Failure> {
        self.ask_for(filters, qos)?;
        let codes = self.until(|packet| match packet {
            Packet::SubAck(ack) => Some(ack.return_codes),
            _ => None,
        })?;
        let broker = self.settings.broker();
        match codes {
            Some(codes) if codes.iter().all(|code| matches!(code, SubscribeReasonCode::Success(_))) => Ok(()),
            Some(_) => {
                let filters = filters.join(" and ");
                Err(Failure::NoAnswer(anyhow!("{broker} does not let us read {filters}; see its ACL")))
            }
            None => Err(self.silent()),
        }
    }

    fn ask_for(&self, filters: &[&str], qos: QoS) -> Result<(), Failure> {
        let filters = filters.iter().map(|filter| Filter::new(*filter, qos));
        self.client.try_subscribe_many(filters).map_err(|error| Failure::NoAnswer(gone(&error)))
    }

    fn silent(&self) -> Failure {
        Failure::NoAnswer(anyhow!("{} does not answer", self.settings.broker()))
    }

    /// Takes what comes until it is what is wanted; nothing when that does not come in time.
    fn until<T>(&mut self, wanted: impl FnMut(Packet) -> Option<T>) -> Result<Option<T>, Failure> {
        // The first exchange connects.
        let patience = if self.connected { PATIENCE } else { CONNECT_LIMIT + PATIENCE };
        self.within(patience, wanted)
    }

    fn within<T>(
        &mut self,
        patience: Duration,
        mut wanted: impl FnMut(Packet) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Self { events, connected, .. } = self;
        let found = async {
            loop {
                let Event::Incoming(packet) = events.poll().await? else { continue };
                *connected |= matches!(packet, Packet::ConnAck(_));
                if let Some(found) = wanted(packet) {
                    return Ok(found);
                }
            }
        };
        // A time-out needs the runtime that it is made in.
        let found = self.runtime.block_on(async { timeout(patience, found).await });
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
