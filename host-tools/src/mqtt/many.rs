//! Questions to many boxes at once, over one connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use moodbox_core::config::Mqtt;
use moodbox_core::topics::Topics;
use moodboxd::mqtt::Settings;
use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, Event, EventLoop};
use serde_json::{Map, Value};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{PATIENCE, QUEUE, Reach, outcome, request};
use crate::failure::Failure;

/// Longest silence on the connection.
const KEEP_ALIVE_S: u32 = 30;

/// Time before a connection that broke is made again.
const PAUSE: Duration = Duration::from_millis(500);

/// Who waits for an answer, by transaction.
type Asked = Arc<Mutex<HashMap<String, oneshot::Sender<Value>>>>;

/// How the connection is: nothing before it first came about or failed, then why it is not there, if so.
type State = Option<Result<(), String>>;

/// A connection to all boxes of a broker. It is made again where it breaks.
#[derive(Clone)]
pub(crate) struct Many {
    client: AsyncClient,
    asked: Asked,
    state: watch::Receiver<State>,
    reach: Reach,
    driver: Arc<JoinHandle<()>>,
}

impl Many {
    /// Connects, and hears the answers of all boxes.
    pub(crate) async fn open(reach: &Reach) -> Result<Self, Failure> {
        let settings = reach.settings("+", &Mqtt::default().discovery_prefix, KEEP_ALIVE_S, &[])?;
        let (client, events) = AsyncClient::new(settings.options(), QUEUE);
        let asked = Asked::default();
        let (told, mut state) = watch::channel(None);
        let driver = Driver { settings, events, client: client.clone(), asked: Arc::clone(&asked), state: told };
        let driver = Arc::new(tokio::spawn(driver.run()));
        // It ends only after this.
        let _ = state.wait_for(Option::is_some).await;
        let many = Self { client, asked, state, reach: reach.clone(), driver };
        many.connected().map(|()| many)
    }

    /// How the broker was reached.
    pub(crate) const fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Asks a box and waits for its answer: its data, or why there is none. Nothing is kept for a connection that comes back
    /// later: a person has been told by then that there was no answer.
    pub(crate) async fn ask(&self, id: &str, name: &str, fields: Map<String, Value>) -> Result<Value, Failure> {
        self.connected()?;
        let (transaction, text) = request(fields);
        let topic = Topics::topic_of(self.reach.base_topic(), id, &format!("request/{name}"));
        let (answer, answered) = oneshot::channel();
        lock(&self.asked).insert(transaction.clone(), answer);
        let asked = async {
            self.client.publish(topic, QoS::AtLeastOnce, false, text).await.ok()?;
            answered.await.ok()
        };
        let answer = timeout(PATIENCE, asked).await;
        lock(&self.asked).remove(&transaction);
        let Ok(Some(answer)) = answer else {
            self.connected()?;
            return Err(Failure::NoAnswer(anyhow!("it does not answer (is it running?)")));
        };
        outcome(answer).map_err(|error| Failure::Finding(anyhow!("it refuses: {error}")))
    }

    /// Says goodbye to the broker.
    pub(crate) async fn close(self) {
        // What was asked has been answered; where the broker is gone there is nobody to say it to.
        let _ = self.client.try_disconnect();
        if let Some(driver) = Arc::into_inner(self.driver) {
            let _ = timeout(PATIENCE, driver).await;
        }
    }

    fn connected(&self) -> Result<(), Failure> {
        match &*self.state.borrow() {
            Some(Ok(())) => Ok(()),
            Some(Err(reason)) => Err(Failure::NoAnswer(anyhow!(reason.clone()))),
            None => Err(Failure::NoAnswer(anyhow!("the connection has ended"))),
        }
    }
}

fn lock(asked: &Asked) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Value>>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the connection, and hands answers to those who wait for them.
struct Driver {
    settings: Settings,
    events: EventLoop,
    client: AsyncClient,
    asked: Asked,
    state: watch::Sender<State>,
}

impl Driver {
    /// Until it is told to end, or the first connection does not come about.
    async fn run(mut self) {
        let answers = self.settings.topics().topic("response/+");
        loop {
            match self.events.poll().await {
                // There is room: what was asked for before has been sent or given up.
                Ok(Event::Incoming(Packet::ConnAck(_))) => drop(self.client.try_subscribe(&answers, QoS::AtLeastOnce)),
                Ok(Event::Incoming(Packet::SubAck(ack))) => {
                    let is_let_in = ack.return_codes.iter().all(|code| matches!(code, SubscribeReasonCode::Success(_)));
                    let broker = self.settings.broker();
                    let refused = || format!("{broker} does not let us read {answers}; see its ACL");
                    self.state.send_replace(Some(is_let_in.then_some(()).ok_or_else(refused)));
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => self.hand_on(&publish.payload),
                Ok(Event::Outgoing(Outgoing::Disconnect)) => return,
                Ok(_) => {}
                Err(error) => {
                    let is_first = self.state.borrow().is_none();
                    self.state.send_replace(Some(Err(self.settings.explain(&error))));
                    if is_first {
                        return;
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn hand_on(&self, payload: &[u8]) {
        let answer: Value = serde_json::from_slice(payload).unwrap_or_default();
        let waiting = answer["transaction"].as_str().and_then(|name| lock(&self.asked).remove(name));
        if let Some(waiting) = waiting {
            // Who asked may have gone.
            let _ = waiting.send(answer);
        }
    }
}
