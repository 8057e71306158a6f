//! A page for the person at this computer, served on the loopback interface and shown in their browser.
//!
//! Everybody who uses the computer can reach the port, and every page in the browser can send requests to it. What lies
//! under `/api/` is therefore for those who know the key (`guard.rs`); the page itself is the same for everybody and is not.

mod browser;
mod guard;

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use tokio::net::TcpListener;

use crate::failure::Failure;
use guard::{Guard, Refusal, Visit};

/// Longest body of a request; what a page sends is short.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// What every answer says to the browser: nothing comes from or goes to elsewhere, nobody frames the page, and nothing is
/// kept.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What every page needs: the key is fetched and sent along, and what the server says is followed. A page asks for it as
/// `/server.js`.
const SCRIPT: &str = include_str!("../web/server.js");

/// A server that has its port, and is not serving yet.
pub(crate) struct Server {
    listener: TcpListener,
    guard: Arc<Guard>,
}

impl Server {
    /// Takes this port of the loopback interface, or, for 0, a free one.
    pub(crate) async fn bind(port: u16) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener =
            listener.with_context(|| format!("cannot listen on 127.0.0.1:{port}; choose another with --port"))?;
        let port = listener.local_addr()?.port();
        let [key, ticket] = [secret()?, secret()?];
        Ok(Self { listener, guard: Arc::new(Guard::new(port, key, ticket)) })
    }

    /// The address with the key, for the person at the terminal alone.
    pub(crate) fn address(&self) -> String {
        self.guard.address()
    }

    /// Shows the page in the browser of a person at a desktop; whether there is one. The address that the browser is started
    /// with works once, for others can read it in the list of processes.
    pub(crate) fn open_browser(&self) -> bool {
        browser::open(&self.guard.ticket_address())
    }

    /// Serves until this is dropped: the files of a page, and under `/api/` what only those with the key may have.
    pub(crate) async fn serve(self, files: Router, api: Router) -> io::Result<()> {
        let keys = Router::new().route("/key", post(hand_out_key)).with_state(self.guard.clone());
        let all = files
            .route("/server.js", file("text/javascript", SCRIPT))
            .merge(keys)
            .nest("/api", api)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .layer(middleware::from_fn_with_state(self.guard, watch_the_door));
        axum::serve(self.listener, all).await
    }
}

/// A file of a page.
pub(crate) fn file(kind: &'static str, text: &'static str) -> MethodRouter {
    get(async move || ([(header::CONTENT_TYPE, format!("{kind}; charset=utf-8"))], text))
}

/// What nobody can guess: 128 bits from the system.
fn secret() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// Lets those in who may, and tells the browser what the page may do.
async fn watch_the_door(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let refusal = guard.refuses(&Visit {
        path: request.uri().path(),
        host: text(request.headers(), header::HOST),
        origin: text(request.headers(), header::ORIGIN),
        key: bearer(request.headers()),
    });
    let mut response = match refusal {
        None => next.run(request).await,
        Some(refusal) => refusal.into_response(),
    };
    response.headers_mut().extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

async fn hand_out_key(State(guard): State<Arc<Guard>>, headers: HeaderMap) -> Result<String, Refusal> {
    bearer(&headers).and_then(|word| guard.key_for(word)).ok_or(Refusal::WrongKey)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    text(headers, header::AUTHORIZATION)?.strip_prefix("Bearer ")
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::OtherPage => StatusCode::FORBIDDEN,
            Self::WrongKey => StatusCode::UNAUTHORIZED,
        };
        (status, format!("{self}\n")).into_response()
    }
}
