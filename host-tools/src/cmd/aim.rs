//! `moodbox aim`: a page on this computer shows what the box sees, with advice, while a person mounts it.

mod advice;
mod page;
mod source;
#[cfg(unix)]
mod tunnel;
#[cfg(not(unix))]
#[path = "aim/no_tunnel.rs"]
mod tunnel;

use std::io::{self, BufRead, IsTerminal, Write};
use std::pin::{Pin, pin};

use anyhow::anyhow;
use moodbox_core::config::{Broker, DeviceId};
use moodbox_core::topics::Look;
use serde_json::json;
use tokio::signal::ctrl_c;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::failure::{Failure, tell};
use crate::mqtt::{Address, Login, Reach, id, remote};
use crate::plain::plain;
use crate::ssh::Destination;
use crate::web::Server;
use advice::Advice;
use page::Shown;
use source::{PATIENCE, Source};

/// Which box, and how.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox aim --ssh pi@livingroom.local")]
pub(crate) struct Arguments {
    /// The broker: `mqtts://HOST[:PORT]`.
    #[arg(long, value_name = "URL", value_parser = remote, requires = "id", conflicts_with = "ssh")]
    broker: Option<Broker>,
    /// The id of the box, as in its topics.
    #[arg(long, value_parser = id, requires = "broker")]
    id: Option<DeviceId>,
    #[command(flatten)]
    login: Login,
    #[command(flatten)]
    destination: Destination,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Do not open a browser.
    #[arg(long)]
    no_open: bool,
    /// Port of the page on this computer; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

impl Arguments {
    /// The box on a broker; nothing where it is reached over SSH.
    fn address(&self) -> Option<Address> {
        let reach = Reach { broker: self.broker.clone()?, login: self.login.clone() };
        Some(Address { reach, id: self.id.clone()? })
    }
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let address = arguments.address();
    if address.is_none() && arguments.destination.ssh.is_none() {
        return Err(Failure::Input(anyhow!("say which box: --broker URL and --id ID, or --ssh USER@HOST")));
    }
    if address.as_ref().is_some_and(|address| !address.is_private()) {
        let reason = anyhow!("--broker: pictures go over an encrypted connection only; use mqtts://, or --ssh");
        return Err(Failure::Input(reason));
    }
    if !arguments.yes && !agreed()? {
        return Err(Failure::Finding(anyhow!("nothing was shown")));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Heard once and for all: a signal between two frames must not be lost.
        let mut asked = pin!(asked_to_end());
        let source = match address {
            Some(address) => Source::over_broker(&address, &mut asked).await?,
            None => Some(Source::over_ssh(&arguments.destination)?),
        };
        match source {
            Some(source) => show(source, arguments, json, asked).await,
            None => Ok(()),
        }
    })
}

/// Shows what comes until either side ends it. However that is, the box is told, so that its light does not blink on.
async fn show(
    mut source: Source,
    arguments: &Arguments,
    json: bool,
    asked: Pin<&mut impl Future<Output = ()>>,
) -> Result<(), Failure> {
    let looked = look(&mut source, arguments, json, asked).await;
    source.close().await;
    let Some(Looked { ended, lines, newest, serving }) = looked? else { return Ok(()) };
    if let Ok(reason) = &ended {
        newest.send_replace(Shown::ended(reason));
        lines.end(reason)?;
    }
    // The page hears that it is over once nobody says more.
    drop(newest);
    page::finished(serving).await;
    ended.map(drop)
}

/// Why nothing more is shown, and to whom that is to be said.
struct Looked {
    ended: Result<String, Failure>,
    lines: Lines,
    newest: watch::Sender<Shown>,
    serving: JoinHandle<io::Result<()>>,
}

/// The first picture. One person at a time may look, and who comes second is told why there is none.
async fn first(source: &mut Source) -> Result<Look, Failure> {
    let mut next = pin!(source.next());
    if let Ok(look) = timeout(PATIENCE, &mut next).await {
        return look;
    }
    tell("The box shows nothing yet. Perhaps somebody else aims it; this waits.");
    next.await
}

/// Nothing where it was ended before there was a picture.
async fn look(
    source: &mut Source,
    arguments: &Arguments,
    json: bool,
    mut asked: Pin<&mut impl Future<Output = ()>>,
) -> Result<Option<Looked>, Failure> {
    // A box that shows nothing needs no page; over SSH this is where it says so.
    let first = tokio::select! {
        look = first(source) => look?,
        () = &mut asked => return Ok(None),
    };
    if let Look::Ended { ended } = first {
        return Err(Failure::Finding(anyhow!("the box refuses: {ended}")));
    }
    let server = Server::bind(arguments.port).await?;
    let address = server.address();
    let (newest, shown) = watch::channel(Shown::default());
    let (stop, mut stopped) = mpsc::channel(1);
    if arguments.no_open || !server.open_browser() {
        tell(format_args!("Open {address}"));
    }
    let serving = tokio::spawn(server.serve(page::files(), page::api(shown, stop)));
    let mut lines = Lines { json, last: None };
    lines.say(&Shown::of(&first))?;
    let ended = loop {
        let look = tokio::select! {
            look = source.next() => look,
            _ = stopped.recv() => break Ok("it was asked to end".to_owned()),
            () = &mut asked => break Ok("it was asked to end".to_owned()),
        };
        match look {
            Ok(Look::Ended { ended }) => break Ok(ended),
            Ok(look @ Look::Frame { .. }) => {
                let shown = Shown::of(&look);
                lines.say(&shown)?;
                newest.send_replace(shown);
            }
            Err(failure) => break Err(failure),
        }
    };
    Ok(Some(Looked { ended, lines, newest, serving }))
}

/// Ctrl-C, or a terminal that is closed.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = [SignalKind::hangup(), SignalKind::terminate()].map(signal);
        if let [Ok(mut hangup), Ok(mut terminate)] = signals {
            tokio::select! {
                _ = hangup.recv() => {}
                _ = terminate.recv() => {}
                _ = ctrl_c() => {}
            }
            return;
        }
    }
    let _ = ctrl_c().await;
}

/// What the terminal is told: advice when it changes.
struct Lines {
    json: bool,
    last: Option<Advice>,
}

impl Lines {
    fn say(&mut self, shown: &Shown) -> Result<(), Failure> {
        let Some(advice) = shown.advice() else { return Ok(()) };
        if self.last.is_some_and(|last| last.asks_the_same_as(advice)) {
            return Ok(());
        }
        self.last = Some(advice);
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", json!({ "advice": advice.to_string(), "good": advice.is_good() }))?;
        } else {
            writeln!(out, "{advice}")?;
        }
        Ok(())
    }

    fn end(&self, reason: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", json!({ "ended": reason }))?;
        } else {
            writeln!(out, "The box shows no more: {}.", plain(reason))?;
        }
        Ok(())
    }
}

/// Whether the person at the terminal wants it.
fn agreed() -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Input(anyhow!("there is nobody to ask; say --yes to see what the camera sees")));
    }
    let mut terminal = io::stderr().lock();
    writeln!(
        terminal,
        "This computer will show what the box's camera sees, for two minutes; the light on the box blinks."
    )?;
    write!(terminal, "Does everybody in the room know? [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
