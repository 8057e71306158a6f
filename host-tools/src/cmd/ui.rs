//! `moodbox ui`: one page in the browser of this computer shows the boxes of a broker and what can be done with them.

mod answers;
mod api;
mod house;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use moodboxd::mqtt::MqttEvent;
use serde_json::{Map, json};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::failure::Failure;
use crate::mqtt::{Feed, Reach};
use crate::web::{self, Server};
use api::Shared;
use house::House;

/// What is heard of every box.
const HEARS: [&str; 7] = ["availability", "state", "confidence", "recommendation", "now", "settings", "response/+"];

/// Boxes that are asked how they are configured at a time; what waits for an answer, or to be sent, is bounded.
const ASKED_AT_ONCE: usize = 16;

/// Longest time until what is known hears that this program runs.
const RUNS: Duration = Duration::from_secs(10);

/// The broker of the boxes, and how the page is shown.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox ui --broker mqtt://broker.local")]
pub(crate) struct Arguments {
    #[command(flatten)]
    reach: Reach,
    /// The port of this computer on which the page is; a free one where it is left out.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Only print the address of the page, and open no browser.
    #[arg(long)]
    no_open: bool,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut feed = Feed::of_all(&arguments.reach, &HEARS).await?;
        let server = Server::bind(arguments.port).await?;
        let house = House::new(feed.broker());
        let shared = Arc::new(Shared::new(house, feed.outbox(), feed.base()));
        // Who reads the address may send Ctrl-C at once; it is heard from its first poll on.
        let interrupted = tokio::spawn(tokio::signal::ctrl_c());
        tokio::task::yield_now().await;
        let opened = !json && !arguments.no_open && server.open_browser();
        announce(&server.address(), opened, json)?;
        let ended = tokio::select! {
            served = server.serve(files(), api::router(shared.clone())) => served.map_err(Failure::from),
            never = listen(&mut feed, &shared) => match never {},
            interrupted = interrupted => interrupted.map_err(io::Error::other).and_then(|heard| heard).map_err(Failure::from),
        };
        feed.close().await;
        ended
    })
}

fn announce(address: &str, opened: bool, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", json!({ "url": address }))?;
    } else {
        let what = if opened { "The page is open in your browser, and at" } else { "The page is at" };
        writeln!(
            out,
            "{what}\n\n  {address}\n\nThe address is yours alone: who has it can command the boxes. Ctrl-C ends it."
        )?;
    }
    out.flush()
}

/// The page.
fn files() -> Router {
    macro_rules! page {
        ($($path:literal, $kind:literal, $file:literal;)*) => {
            Router::new()$(.route($path, web::file($kind, include_str!(concat!("../../web/ui/", $file)))))*
        };
    }
    page! {
        "/", "text/html", "index.html";
        "/style.css", "text/css", "style.css";
        "/main.js", "text/javascript", "main.js";
        "/plane.js", "text/javascript", "plane.js";
        "/history.js", "text/javascript", "history.js";
        "/songs.js", "text/javascript", "songs.js";
        "/settings.js", "text/javascript", "settings.js";
        "/mood.js", "text/javascript", "mood.js";
        "/svg.js", "text/javascript", "svg.js";
        "/trail.js", "text/javascript", "trail.js";
        "/icon.svg", "image/svg+xml", "icon.svg";
    }
}

/// Takes over what the boxes say, for ever.
async fn listen(feed: &mut Feed, shared: &Arc<Shared>) -> std::convert::Infallible {
    let turns = Arc::new(Semaphore::new(ASKED_AT_ONCE));
    loop {
        let event = timeout(RUNS, feed.next()).await;
        let now_ms = now_ms();
        shared.change(|house| house.runs(now_ms));
        let Ok(event) = event else { continue };
        match event {
            MqttEvent::Connected => shared.change(|house| house.connection(None, now_ms)),
            MqttEvent::Lost { reason, .. } => shared.change(|house| house.connection(Some(reason), now_ms)),
            MqttEvent::Message { topic, payload } => {
                let Some((id, part)) = feed.id_and_part(&topic) else { continue };
                match part.strip_prefix("response/") {
                    Some(name) => shared.answered(id, name, &payload),
                    None => shared.change(|house| house.hear(id, part, &payload, now_ms)),
                }
                // Its name and bounds may be others than before, whoever has set them.
                if part == "response/config.set" || (part == "availability" && payload == b"online") {
                    tokio::spawn(ask_for_configuration(shared.clone(), turns.clone(), id.to_owned()));
                }
            }
            MqttEvent::Retained { .. } => {}
        }
    }
}

/// A box that does not answer this is shown by its id, and refuses by itself what is out of its bounds.
async fn ask_for_configuration(shared: Arc<Shared>, turns: Arc<Semaphore>, id: String) {
    // Nobody closes it.
    let Ok(_turn) = turns.acquire().await else { return };
    if let Ok(config) = shared.ask(&id, "config.get", Map::new()).await {
        shared.change(|house| house.configured(&id, &config));
    }
}

/// The time of day, in milliseconds since 1970, as scripts have it.
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}
