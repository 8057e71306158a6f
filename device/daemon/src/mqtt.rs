//! The connection to the broker; nothing else here knows the MQTT client.
//!
//! Every connection starts from nothing: a new client and a clean session, so that no message of an hour ago is sent
//! when the broker returns. Whoever publishes is told that there is a connection and says everything again. What is
//! published while there is none is dropped.

mod settings;
mod trouble;

use std::pin::pin;
use std::time::Duration;

use moodbox_core::topics::{Publication, Qos};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    Filter, Packet, PubAckReason, Publish, RetainForwardRule, SubAck, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, Event, EventLoop};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, info, warn};

use settings::Role;
pub use settings::{CONNECT_LIMIT, Settings, SettingsError, exposure, password};
use trouble::{Backoff, Before, Patience, Trouble};

/// Messages that may wait for the client, which cannot be called back: the fewer, the sooner a picture that is no longer wanted
/// is the last one. Those of a greeting fit.
const QUEUE: usize = 4;

/// Longest time that saying goodbye may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Time after which a connection has held: longer than another client with the same id takes to come back.
const HELD: Duration = Duration::from_secs(20);

/// Connections in a row that may break before they have held: somebody restarts the broker.
const RESTARTS: u32 = 2;

/// What comes from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MqttEvent {
    /// There is a connection; that of a box has published `online`, and discovery and all states must be published again.
    Connected,
    /// There is no connection, and why; comes again only when the reason changes.
    Lost {
        /// One line: what is wrong and what to do.
        reason: String,
        /// Whether only a person can mend it: a password, a certificate, an id that another box has.
        refused: bool,
    },
    /// A message with the retain flag on one of the topics; what it says was not meant for now.
    Retained {
        /// Its full topic.
        topic: String,
    },
    /// A message on one of [`moodbox_core::topics::Topics::subscriptions`], never a retained one; for a guest, one on the
    /// topics that it hears.
    Message {
        /// Its full topic.
        topic: String,
        /// Whatever the sender wrote.
        payload: Vec<u8>,
    },
}

/// Starts the task that keeps the connection. It publishes what comes from `publications` and ends when that is closed; a
/// box's has then published `offline`. Whoever reads `inbox` must not wait for room in `publications`.
pub fn spawn(
    settings: Settings,
    publications: mpsc::Receiver<Publication>,
    inbox: mpsc::Sender<MqttEvent>,
) -> JoinHandle<()> {
    tokio::spawn(run(settings, publications, inbox))
}

async fn run(settings: Settings, mut publications: mpsc::Receiver<Publication>, inbox: mpsc::Sender<MqttEvent>) {
    let mut backoff = Backoff::default();
    let mut told = None;
    // Connections in a row that did not hold.
    let mut short_lived = 0;
    // Whether there has been one.
    let mut accepted = false;
    loop {
        let before = Before { accepted, short_lived: short_lived >= RESTARTS };
        let (connection, events) = Connection::new(&settings, &inbox, before);
        let Ended { connected, trouble } = connection.keep(events, &mut publications).await;
        let Some(Trouble { reason, patience }) = trouble else { return };
        if connected.is_some() {
            told = None;
            accepted = true;
        }
        short_lived = if connected.is_some() && !held(connected) { short_lived + 1 } else { 0 };
        if connected.is_some() && short_lived <= RESTARTS {
            backoff.reset();
        }
        let wait = backoff.next(patience);
        if told.as_ref() == Some(&reason) {
            debug!("mqtt: still {reason}; next attempt in {wait:.1?}");
        } else {
            warn!("mqtt: {reason}; next attempt in {wait:.1?}");
            told = Some(reason.clone());
            if inbox.send(MqttEvent::Lost { reason, refused: patience == Patience::Long }).await.is_err() {
                return;
            }
        }
        if !pause(&mut publications, wait).await {
            return;
        }
    }
}

/// Whether a connection that began then, if it did, has held.
fn held(connected: Option<Instant>) -> bool {
    connected.is_some_and(|since| since.elapsed() >= HELD)
}

/// Waits and drops what is published meanwhile; false when there is nothing more to wait for.
async fn pause(publications: &mut mpsc::Receiver<Publication>, wait: Duration) -> bool {
    timeout(wait, async { while publications.recv().await.is_some() {} }).await.is_err()
}

/// How a connection ended.
struct Ended {
    /// Since when the broker had accepted it.
    connected: Option<Instant>,
    /// Why; nothing when it was asked to end.
    trouble: Option<Trouble>,
}

/// One attempt at a connection and what comes of it.
struct Connection<'a> {
    settings: &'a Settings,
    inbox: &'a mpsc::Sender<MqttEvent>,
    before: Before,
    client: AsyncClient,
    connected: Option<Instant>,
    /// Messages not passed on since the inbox was full.
    refused: u64,
    /// Whether it was said that the broker does not take what we publish.
    warned: bool,
}

impl<'a> Connection<'a> {
    fn new(settings: &'a Settings, inbox: &'a mpsc::Sender<MqttEvent>, before: Before) -> (Self, EventLoop) {
        let (client, events) = AsyncClient::new(settings.options.clone(), QUEUE);
        (Self { settings, inbox, before, client, connected: None, refused: 0, warned: false }, events)
    }

    async fn keep(mut self, mut events: EventLoop, publications: &mut mpsc::Receiver<Publication>) -> Ended {
        // What the client has no room for now. No more is taken meanwhile, so that nothing is lost here.
        let mut waiting = None;
        // Until there is a connection, the client's own limit counts.
        let mut limit = 2 * CONNECT_LIMIT;
        let mut heard = Instant::now();
        let trouble = loop {
            // The client's own check lets twice the keep-alive pass, and never ends when the peer stops reading.
            let polled = {
                let mut poll = pin!(timeout_at(heard + limit, events.poll()));
                loop {
                    // The poll is kept while publications come in: dropped half-way it would lose what it is sending.
                    tokio::select! {
                        polled = &mut poll => break Some(polled),
                        publication = publications.recv(), if waiting.is_none() => match publication {
                            None => break None,
                            Some(publication) if self.connected.is_some() => waiting = self.publish(publication),
                            Some(_) => {}
                        },
                    }
                }
            };
            let event = match polled {
                Some(Ok(Ok(event))) => event,
                Some(Ok(Err(error))) => {
                    let short_lived = self.before.short_lived && !held(self.connected);
                    let before = Before { short_lived, ..self.before };
                    break Some(trouble::explain(self.settings, &error, before));
                }
                Some(Err(_)) => break Some(trouble::silence(self.settings, limit)),
                None => {
                    if self.connected.is_some() {
                        self.leave(&mut events).await;
                    }
                    break None;
                }
            };
            if let Some(publication) = waiting.take() {
                waiting = self.publish(publication);
            }
            if let Event::Incoming(packet) = event {
                heard = Instant::now();
                limit = silence_limit(&events);
                if let Some(trouble) = trouble::deaf(self.settings, &packet) {
                    break Some(trouble);
                }
                if self.receive(packet).await.is_err() {
                    break None;
                }
            }
        };
        Ended { connected: self.connected, trouble }
    }

    /// Hands a message to the client, or back when the client has no room.
    fn publish(&self, publication: Publication) -> Option<Publication> {
        let Publication { topic, payload, retain, qos } = publication.clone();
        self.client.try_publish(topic, quality(qos), retain, payload).err().map(|_| publication)
    }

    /// An error means that nobody listens any more.
    async fn receive(&mut self, packet: Packet) -> Result<(), mpsc::error::SendError<MqttEvent>> {
        match packet {
            Packet::ConnAck(_) => {
                info!("mqtt: connected to {}", self.settings.broker);
                self.connected = Some(Instant::now());
                self.greet();
                self.inbox.send(MqttEvent::Connected).await?;
            }
            Packet::Publish(publish) => self.pass_on(publish),
            Packet::SubAck(SubAck { return_codes, .. }) => {
                if let Some(code) = return_codes.iter().find(|c| !matches!(c, SubscribeReasonCode::Success(_))) {
                    warn!("mqtt: {} lets this box take no commands: {code:?}; see its ACL", self.settings.broker);
                }
            }
            Packet::PubAck(ack)
                if !self.warned
                    && !matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers) =>
            {
                warn!("mqtt: {} does not take what this box says: {:?}; see its ACL", self.settings.broker, ack.reason);
                self.warned = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn greet(&self) {
        match &self.settings.role {
            Role::Box => self.greet_as_box(),
            Role::Guest(hears) => {
                let filter = |last: &&str| Filter::new(self.settings.topics.topic(last), QoS::AtLeastOnce);
                // There is room: the client is new.
                let _ = self.client.try_subscribe_many(hears.iter().map(filter));
            }
        }
    }

    /// Asks for commands first: who sees `online` may send one.
    fn greet_as_box(&self) {
        let [commands, requests, home_assistant] = self.settings.topics.subscriptions();
        let filter = |path: String, preserve_retain| Filter {
            preserve_retain,
            // A command that waits at the broker was meant for another time.
            retain_forward_rule: RetainForwardRule::Never,
            ..Filter::new(path, QoS::AtLeastOnce)
        };
        // Preserved, the flag also marks a retained command that is sent right now, and would come again at any time.
        // Some let Home Assistant retain its greeting, which is meant each time it is sent.
        let filters = [filter(commands, true), filter(requests, true), filter(home_assistant, false)];
        // There is room: the client is new.
        let _ = self.client.try_subscribe_many(filters);
        let _ = self.publish(self.settings.topics.availability(true));
    }

    fn pass_on(&mut self, publish: Publish) {
        let Ok(topic) = String::from_utf8(publish.topic.into()) else { return };
        // What a box retains is for its guests; a box itself is told what to do now.
        let kept = publish.retain && matches!(self.settings.role, Role::Box);
        let event = if kept && publish.payload.is_empty() {
            // Somebody takes a retained message away.
            return;
        } else if kept {
            MqttEvent::Retained { topic }
        } else {
            MqttEvent::Message { topic, payload: publish.payload.into() }
        };
        match self.inbox.try_send(event) {
            Ok(()) if self.refused > 0 => {
                warn!("mqtt: dropped {} messages that came too fast", self.refused);
                self.refused = 0;
            }
            Err(TrySendError::Full(_)) => self.refused += 1,
            Ok(()) | Err(TrySendError::Closed(_)) => {}
        }
    }

    /// A clean end cancels the will of a box, so `offline` is published first. Waits until the broker closes: it may not have
    /// read everything when we do.
    async fn leave(&self, events: &mut EventLoop) {
        let words = async {
            if matches!(self.settings.role, Role::Box) {
                let Publication { topic, payload, retain, qos } = self.settings.topics.availability(false);
                let _ = self.client.publish(topic, quality(qos), retain, payload).await;
            }
            let _ = self.client.disconnect().await;
        };
        let sent = async { while events.poll().await.is_ok() {} };
        let _ = timeout(FAREWELL, async { tokio::join!(words, sent) }).await;
    }
}

/// Longest time without a word from the broker. It answers our ping once in a keep-alive, which it may have changed.
fn silence_limit(events: &EventLoop) -> Duration {
    events.options.keep_alive().mul_f32(1.5)
}

fn quality(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
    }
}
