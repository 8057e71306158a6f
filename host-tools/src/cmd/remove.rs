//! `moodbox remove`: the broker forgets a box, and with it Home Assistant.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::anyhow;
use moodbox_core::config::DeviceId;
use serde_json::json;

use crate::failure::Failure;
use crate::mqtt::{Connection, Reach, id, topic};

/// Which box, and where.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox remove livingroom --broker mqtt://broker.local")]
pub(crate) struct Arguments {
    /// The id of the box, as in its topics.
    #[arg(value_parser = id)]
    id: DeviceId,
    #[command(flatten)]
    reach: Reach,
    /// As in Home Assistant.
    #[arg(long, value_name = "TOPIC", default_value = "homeassistant", value_parser = topic)]
    discovery_prefix: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Also a box that is online.
    #[arg(long)]
    even_online: bool,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let id = arguments.id.as_str();
    let connect = || Connection::to(&arguments.reach, &arguments.id, &arguments.discovery_prefix);
    let mut connection = connect()?;
    let (own, discovery) = (connection.topics().topic("#"), connection.topics().discovery_topic());
    let kept = connection.kept(&[&own, &discovery])?;
    if kept.is_empty() {
        let broker = connection.broker();
        return Err(Failure::Finding(anyhow!("{broker} has kept nothing of a box {id}; is this its id?")));
    }
    let online = kept.get(&connection.topics().topic("availability")).is_some_and(|word| word == b"online");
    if online && !arguments.even_online {
        let reason = anyhow!("box {id} is online and would come back; stop it first, or say --even-online");
        return Err(Failure::Finding(reason));
    }
    if !arguments.yes {
        if !agreed(id, &kept, connection.broker())? {
            return Err(Failure::Finding(anyhow!("nothing was removed")));
        }
        // A broker closes a connection on which nothing is said for as long as a person may think.
        connection = connect()?;
    }
    // The announcement first: without it Home Assistant misses none of the others.
    for topic in [&discovery].into_iter().chain(kept.keys().filter(|topic| **topic != discovery)) {
        connection.forget(topic)?;
    }
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", json!({ "id": id, "cleared": kept.keys().collect::<Vec<_>>() }))?;
    } else {
        writeln!(out, "{} has forgotten box {id}: {} topics", connection.broker(), kept.len())?;
    }
    Ok(())
}

/// Whether the person at the terminal wants it.
fn agreed(id: &str, kept: &BTreeMap<String, Vec<u8>>, broker: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Input(anyhow!("there is nobody to ask; say --yes to remove box {id}")));
    }
    let mut terminal = io::stderr().lock();
    writeln!(terminal, "{broker} has kept {} topics of box {id}; Home Assistant will forget the device.", kept.len())?;
    write!(terminal, "Remove it? [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
