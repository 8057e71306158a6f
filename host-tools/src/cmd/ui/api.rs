//! What the page asks over HTTP: `boxes/ID/events` is a stream of what is new, the rest are commands and requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::Stream;
use futures_util::stream;
use moodbox_core::topics::{Publication, Qos, Topics};
use serde_json::{Map, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use super::answers::{Answer, Answers};
use super::house::{House, News};
use crate::mqtt::{self, PATIENCE};

/// The commands that the page has buttons for.
const COMMANDS: [&str; 8] = ["camera", "leds", "policy", "choose", "next", "like", "skip", "recommend"];

/// The requests that the page makes.
const REQUESTS: [&str; 2] = ["config.set", "history.get"];

/// Pages that may be open at once.
const MAX_PAGES: usize = 32;

/// Shortest time between two looks at what is new: what changes faster is shown as it is then.
const PACE: Duration = Duration::from_millis(50);

/// Time after which a page hears that the server is still there.
const STILL_THERE: Duration = Duration::from_secs(15);

/// What the pages and the connection to the broker share.
pub(super) struct Shared {
    house: Mutex<House>,
    answers: Mutex<Answers>,
    /// The version of the house.
    version: watch::Sender<u64>,
    outbox: mpsc::WeakSender<Publication>,
    /// First part of the topics.
    base: String,
    pages: Arc<Semaphore>,
}

impl Shared {
    pub(super) fn new(house: House, outbox: mpsc::WeakSender<Publication>, base: &str) -> Self {
        let version = watch::Sender::new(house.version());
        Self {
            house: Mutex::new(house),
            answers: Mutex::default(),
            version,
            outbox,
            base: base.to_owned(),
            pages: Arc::new(Semaphore::new(MAX_PAGES)),
        }
    }

    /// Changes what is known, and lets the pages look.
    pub(super) fn change(&self, change: impl FnOnce(&mut House)) {
        let mut house = lock(&self.house);
        change(&mut house);
        let version = house.version();
        self.version.send_if_modified(|known| std::mem::replace(known, version) != version);
    }

    /// A box has answered.
    pub(super) fn answered(&self, id: &str, name: &str, payload: &[u8]) {
        lock(&self.answers).hear(id, name, payload);
    }

    /// Asks a box, and waits for its answer.
    pub(super) async fn ask(&self, id: &str, name: &str, fields: Map<String, Value>) -> Result<Value, Failed> {
        let (transaction, payload) = mqtt::request(fields);
        let answer = self.say(id, "request", name, payload, Some(transaction))?;
        match timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer.map_err(Failed::Refused),
            _ => Err(Failed::Silent),
        }
    }

    /// Commands a box. It answers only what it refuses, and one thing after the other: once it has answered a request that
    /// came after the command, it has refused that or taken it.
    async fn command(&self, id: &str, name: &str, payload: String) -> Result<(), Failed> {
        let mut refusal = self.say(id, "cmd", name, payload, None)?;
        let answered = self.ask(id, "config.get", Map::new()).await;
        match (refusal.try_recv(), answered) {
            (Ok(Err(reason)), _) => Err(Failed::Refused(reason)),
            (_, Ok(_) | Err(Failed::Refused(_))) => Ok(()),
            (_, Err(failed)) => Err(failed),
        }
    }

    fn say(
        &self,
        id: &str,
        kind: &str,
        name: &str,
        payload: String,
        transaction: Option<String>,
    ) -> Result<oneshot::Receiver<Answer>, Failed> {
        {
            let house = lock(&self.house);
            if !house.is_connected() {
                return Err(Failed::NoBroker);
            }
            if !house.is_online(id) {
                return Err(Failed::NoBox);
            }
        }
        let answer = lock(&self.answers).wait(id, name, transaction).ok_or(Failed::TooMany)?;
        let topic = Topics::topic_of(&self.base, id, &format!("{kind}/{name}"));
        let publication = Publication { topic, payload: payload.into_bytes(), retain: false, qos: Qos::AtLeastOnce };
        let outbox = self.outbox.upgrade().ok_or(Failed::NoBroker)?;
        outbox.try_send(publication).map_err(|_| Failed::TooMany)?;
        Ok(answer)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is under `/api/`.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/events", get(events_of_the_broker))
        .route("/boxes/{id}/events", get(events_of_a_box))
        .route("/boxes/{id}/commands/{name}", post(command))
        .route("/boxes/{id}/requests/{name}", post(request))
        .with_state(shared)
}

async fn events_of_the_broker(State(shared): State<Arc<Shared>>) -> Response {
    events(shared, None)
}

async fn events_of_a_box(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    events(shared, Some(id))
}

fn events(shared: Arc<Shared>, id: Option<String>) -> Response {
    match shared.pages.clone().try_acquire_owned() {
        Ok(place) => {
            Sse::new(news(shared, id, place)).keep_alive(KeepAlive::new().interval(STILL_THERE)).into_response()
        }
        Err(_) => Failed::TooMany.into_response(),
    }
}

/// What is new, as long as a page listens. Nothing waits in between: a page that is slow hears what is then the last.
fn news(
    shared: Arc<Shared>,
    id: Option<String>,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, axum::Error>> {
    let changes = shared.version.subscribe();
    let next = |(shared, id, mut changes, since, mut waiting, place): Follower| async move {
        let mut since = since;
        loop {
            if let Some((name, text)) = waiting.pop() {
                let event = Event::default().event(name).data(&*text);
                return Some((Ok(event), (shared, id, changes, since, waiting, place)));
            }
            if since > 0 {
                changes.changed().await.ok()?;
                sleep(PACE).await;
            }
            changes.mark_unchanged();
            let house = lock(&shared.house);
            waiting = house.news(id.as_deref(), since);
            waiting.reverse();
            since = house.version();
        }
    };
    stream::unfold((shared, id, changes, 0, Vec::new(), place), next)
}

/// What a stream of news goes on with: the version that the page has heard, and what it is about to hear, the last first.
type Follower = (Arc<Shared>, Option<String>, watch::Receiver<u64>, u64, Vec<News>, OwnedSemaphorePermit);

async fn command(
    State(shared): State<Arc<Shared>>,
    Path((id, name)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, Failed> {
    if !COMMANDS.contains(&name.as_str()) {
        return Err(Failed::Unknown);
    }
    let payload = match serde_json::from_slice(&body) {
        Ok(Value::String(word)) => word,
        Ok(fields @ Value::Object(_)) => fields.to_string(),
        _ => return Err(Failed::Unreadable),
    };
    shared.command(&id, &name, payload).await.map(|()| StatusCode::NO_CONTENT)
}

async fn request(
    State(shared): State<Arc<Shared>>,
    Path((id, name)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Failed> {
    if !REQUESTS.contains(&name.as_str()) {
        return Err(Failed::Unknown);
    }
    let fields = serde_json::from_slice(&body).map_err(|_| Failed::Unreadable)?;
    let data = shared.ask(&id, &name, fields).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], data.to_string()).into_response())
}

/// Why what the page asked was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("{0}")]
    Refused(String),
    #[error("the box is not there")]
    NoBox,
    #[error("there is no connection to the broker")]
    NoBroker,
    #[error("the box does not answer")]
    Silent,
    #[error("too much at once; try again")]
    TooMany,
    #[error("the page asks for what there is not")]
    Unknown,
    #[error("the page asks in a way that cannot be read")]
    Unreadable,
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::NoBox | Self::NoBroker | Self::TooMany => StatusCode::SERVICE_UNAVAILABLE,
            Self::Silent => StatusCode::GATEWAY_TIMEOUT,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Unreadable => StatusCode::BAD_REQUEST,
        };
        (status, self.to_string()).into_response()
    }
}
