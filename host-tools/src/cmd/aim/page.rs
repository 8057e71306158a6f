//! The page on this computer.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use futures_util::stream::{Stream, unfold};
use moodbox_core::topics::Look;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::advice::Advice;
use crate::web::file;

/// Time in which a page takes what is said last.
const FAREWELL: Duration = Duration::from_millis(300);

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    advice: Option<Advice>,
    /// What the page is told: the look, with advice.
    look: Value,
}

impl Shown {
    /// A look of the box.
    pub(super) fn of(look: &Look) -> Self {
        let advice = match look {
            Look::Frame { frame, min_face, .. } => Some(Advice::on(frame, *min_face)),
            Look::Ended { .. } => None,
        };
        let mut told = json!(look);
        if let Some(advice) = advice {
            told["advice"] = advice.to_string().into();
            told["good"] = advice.is_good().into();
        }
        Self { advice, look: told }
    }

    /// Nothing more, and why.
    pub(super) fn ended(reason: &str) -> Self {
        Self::of(&Look::Ended { ended: reason.to_owned() })
    }

    pub(super) const fn advice(&self) -> Option<Advice> {
        self.advice
    }
}

pub(super) fn files() -> Router {
    Router::new()
        .route("/", file("text/html", include_str!("page/index.html")))
        .route("/aim.css", file("text/css", include_str!("page/aim.css")))
        .route("/aim.js", file("text/javascript", include_str!("page/aim.js")))
}

/// What only the person at this computer may have: the looks, and to end them.
pub(super) fn api(shown: watch::Receiver<Shown>, stop: mpsc::Sender<()>) -> Router {
    let looks = Router::new().route("/looks", get(looks)).with_state(shown);
    Router::new().route("/stop", post(end)).with_state(stop).merge(looks)
}

/// Gives open pages the time to hear that it is over.
pub(super) async fn finished(serving: JoinHandle<std::io::Result<()>>) {
    let _ = timeout(FAREWELL, serving).await;
}

async fn looks(State(shown): State<watch::Receiver<Shown>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let looks = unfold(shown, |mut shown| async {
        shown.changed().await.ok()?;
        let look = shown.borrow_and_update().look.to_string();
        Some((Ok(Event::default().event("look").data(look)), shown))
    });
    Sse::new(looks).keep_alive(KeepAlive::default())
}

async fn end(State(stop): State<mpsc::Sender<()>>) -> StatusCode {
    // Somebody else has asked for it already.
    let _ = stop.try_send(());
    StatusCode::NO_CONTENT
}
