//! `moodbox discover`: the boxes that answer on the network, and those that a broker knows.

mod table;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::time::Duration;

use anyhow::anyhow;
use moodbox_core::config::{Broker, DeviceId};
use moodbox_core::topics::Topics;
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::mdns::{self, Offer};
use crate::mqtt::{Connection, Login, Reach, remote, topic};

/// Where to look, and for how long.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox discover --broker mqtt://homeassistant.local")]
pub(crate) struct Arguments {
    /// A broker whose boxes are listed, too.
    #[arg(long, value_name = "URL", value_parser = remote)]
    broker: Option<Broker>,
    #[command(flatten)]
    login: Login,
    /// Where Home Assistant looks for devices.
    #[arg(long, value_name = "TOPIC", default_value = "homeassistant", hide_default_value = true, value_parser = topic)]
    discovery_prefix: String,
    /// How long to wait for the network.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=60))]
    seconds: u8,
}

/// What is known of a box, from wherever.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Found {
    name: Option<String>,
    board: Option<String>,
    version: Option<String>,
    /// `online` or `offline`, as the broker says.
    availability: Option<String>,
    /// Name of the machine.
    host: Option<String>,
    addresses: Vec<IpAddr>,
}

/// All boxes by their ids.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
struct Boxes(BTreeMap<String, Found>);

pub(crate) fn run(arguments: &Arguments, as_json: bool) -> Result<(), Failure> {
    let mut boxes = Boxes::default();
    // The broker first: one that does not answer is better known at once.
    if let Some(broker) = &arguments.broker {
        let reach = Reach { broker: broker.clone(), login: arguments.login.clone() };
        let mut connection = Connection::to(&reach, &DeviceId::default(), &arguments.discovery_prefix)?;
        let base = &arguments.login.base_topic;
        let filters =
            [Topics::topic_of(base, "+", "availability"), format!("{}/device/+/config", arguments.discovery_prefix)];
        let kept = connection.kept(&[&filters[0], &filters[1]])?;
        boxes.add_kept(base, &kept);
    }
    let kinds = [mdns::BOX, mdns::BROKER, mdns::SAFE_BROKER];
    let offers = mdns::browse(&kinds, Duration::from_secs(arguments.seconds.into()))?;
    boxes.add_offers(&offers);
    let brokers = brokers(&offers);
    let mut out = io::stdout().lock();
    if as_json {
        let boxes = boxes.0.iter().map(|(id, found)| with_id(id, found)).collect::<Vec<_>>();
        writeln!(out, "{}", json!({ "boxes": boxes, "brokers": brokers }))?;
    } else {
        write!(out, "{}", table::text(&boxes, &brokers))?;
    }
    if boxes.0.is_empty() {
        let hint = if arguments.broker.is_some() { "is it switched on?" } else { "name its broker with --broker" };
        return Err(Failure::Finding(anyhow!("no box was found; {hint}")));
    }
    Ok(())
}

fn with_id(id: &str, found: &Found) -> Value {
    let mut object = json!(found);
    object["id"] = json!(id);
    object
}

/// The addresses of the brokers that were offered.
pub(crate) fn brokers(offers: &[Offer]) -> Vec<String> {
    let scheme = |offer: &Offer| match offer.kind.as_str() {
        mdns::BROKER => Some("mqtt"),
        mdns::SAFE_BROKER => Some("mqtts"),
        _ => None,
    };
    let urls = offers.iter().filter_map(|offer| Some(format!("{}://{}:{}", scheme(offer)?, offer.host, offer.port)));
    urls.collect()
}

impl Boxes {
    /// What a broker has kept of all of its boxes.
    fn add_kept(&mut self, base: &str, kept: &BTreeMap<String, Vec<u8>>) {
        for (topic, payload) in kept {
            let text = String::from_utf8_lossy(payload);
            if let Some((id, "availability")) = Topics::of_box(base, topic) {
                self.0.entry(id.to_owned()).or_default().availability = Some(text.into_owned());
            } else if let Ok(payload) = serde_json::from_slice::<Value>(payload)
                && let Some(id) = box_announced(base, &payload)
            {
                let device = &payload["dev"];
                let text = |key: &str| device[key].as_str().map(ToOwned::to_owned);
                let found = self.0.entry(id).or_default();
                (found.name, found.board, found.version) = (text("name"), text("mdl"), text("sw"));
            }
        }
    }

    /// What the network says. A box that does not say its id goes by the name of its machine.
    fn add_offers(&mut self, offers: &[Offer]) {
        for offer in offers.iter().filter(|offer| offer.kind == mdns::BOX) {
            let id = offer.properties.get("id").filter(|id| !id.is_empty()).unwrap_or(&offer.host);
            let found = self.0.entry(id.clone()).or_default();
            found.host = Some(offer.host.clone());
            found.addresses.clone_from(&offer.addresses);
        }
    }
}

/// The id of the box that is announced to Home Assistant here; other devices are none of ours.
fn box_announced(base: &str, payload: &Value) -> Option<String> {
    match Topics::of_box(base, payload["availability_topic"].as_str()?)? {
        (id, "availability") => Some(id.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
