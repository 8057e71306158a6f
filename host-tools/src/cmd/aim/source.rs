//! Where the pictures come from: over the broker, encrypted, or through SSH.

use std::time::Duration;

use anyhow::anyhow;
use moodbox_core::topics::Look;
use moodboxd::mqtt::MqttEvent;
use serde_json::Value;
use tokio::time::timeout;

use super::tunnel::Tunnel;
use crate::failure::Failure;
use crate::mqtt::{Address, Feed};
use crate::ssh::Destination;

/// Longest time until a box answers; it needs milliseconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Longest time between two pictures over the broker, which come several times a second. A box that loses its power or its
/// connection cannot say that it shows no more.
const SILENCE: Duration = Duration::from_secs(10);

/// A box that shows what it sees.
pub(super) enum Source {
    Broker(Feed),
    Ssh(Tunnel),
}

impl Source {
    /// Asks a box over the broker; nothing where that was ended before it had answered.
    pub(super) async fn over_broker(
        address: &Address,
        asked_to_end: impl Future<Output = ()>,
    ) -> Result<Option<Self>, Failure> {
        let mut feed = Feed::open(address, &["preview", "response/preview.start"]).await?;
        feed.ask("preview.start");
        let answer = tokio::select! {
            answer = timeout(PATIENCE, answer(&mut feed)) => answer,
            () = asked_to_end => {
                // It may answer yet.
                Self::Broker(feed).close().await;
                return Ok(None);
            }
        };
        let Ok(answer) = answer else {
            let reason =
                anyhow!("box {} does not answer on {}; is it running, and is this its id?", feed.id(), feed.broker());
            Self::Broker(feed).close().await;
            return Err(Failure::NoAnswer(reason));
        };
        let answer = answer?;
        match answer["error"].as_str() {
            None => Ok(Some(Self::Broker(feed))),
            Some(reason) => Err(Failure::Finding(anyhow!("the box refuses: {reason}"))),
        }
    }

    /// Goes to the socket on the box. What `ssh` asks for is asked before there is anything else on the terminal.
    pub(super) fn over_ssh(destination: &Destination) -> Result<Self, Failure> {
        Tunnel::open(destination).map(Self::Ssh)
    }

    /// What the box says next; waits for it.
    pub(super) async fn next(&mut self) -> Result<Look, Failure> {
        match self {
            Self::Ssh(tunnel) => tunnel.next().await,
            Self::Broker(feed) => match timeout(SILENCE, look(feed)).await {
                Ok(look) => look,
                Err(_) => Err(Failure::NoAnswer(anyhow!(
                    "box {} shows nothing any more on {}; is it still running? Aim again once it is back",
                    feed.id(),
                    feed.broker()
                ))),
            },
        }
    }

    /// Lets the box end it, should it still go on.
    pub(super) async fn close(self) {
        match self {
            // The box notices that we are gone.
            Self::Ssh(_) => {}
            Self::Broker(feed) => {
                feed.ask("preview.stop");
                feed.close().await;
            }
        }
    }
}

/// The box's answer, once it is connected.
async fn answer(feed: &mut Feed) -> Result<Value, Failure> {
    loop {
        match feed.next().await {
            MqttEvent::Message { topic, payload } if feed.last_part(&topic) == Some("response/preview.start") => {
                return serde_json::from_slice(&payload).map_err(|_| strange());
            }
            MqttEvent::Lost { reason, .. } => return Err(Failure::NoAnswer(anyhow!(reason))),
            _ => {}
        }
    }
}

/// The box's next look.
async fn look(feed: &mut Feed) -> Result<Look, Failure> {
    loop {
        match feed.next().await {
            MqttEvent::Message { topic, payload } if feed.last_part(&topic) == Some("preview") => {
                return understood(&payload);
            }
            MqttEvent::Lost { reason, .. } => return Err(Failure::NoAnswer(anyhow!(reason))),
            _ => {}
        }
    }
}

pub(super) fn understood(bytes: &[u8]) -> Result<Look, Failure> {
    serde_json::from_slice(bytes).map_err(|_| strange())
}

fn strange() -> Failure {
    Failure::Finding(anyhow!(
        "the box answers in a way that this version does not know; bring both to the same version"
    ))
}
