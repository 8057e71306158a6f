//! What machines of the network say about themselves, by multicast DNS.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use mdns_sd::{ResolvedService, ServiceDaemon, ServiceEvent};

use crate::failure::Failure;

/// Boxes, as `deploy/avahi/moodbox.service` lets a box say it.
pub(crate) const BOX: &str = "_moodbox._tcp.local.";
/// MQTT brokers in the clear.
pub(crate) const BROKER: &str = "_mqtt._tcp.local.";
/// MQTT brokers with encryption.
pub(crate) const SAFE_BROKER: &str = "_secure-mqtt._tcp.local.";

/// A service that somebody offers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Offer {
    /// What is offered: one of the types above.
    pub(crate) kind: String,
    /// Name of the machine, such as `moodbox.local`.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Its addresses; those of version 4 first.
    pub(crate) addresses: Vec<IpAddr>,
    /// What is said besides, by key.
    pub(crate) properties: BTreeMap<String, String>,
}

/// Asks for services of these types and gathers the answers of so much time.
pub(crate) fn browse(kinds: &[&str], time: Duration) -> Result<Vec<Offer>, Failure> {
    let silent = |error: mdns_sd::Error| Failure::Input(anyhow!("cannot ask the network by mDNS: {error}"));
    let daemon = ServiceDaemon::new().map_err(silent)?;
    let end = Instant::now() + time;
    let mut offers = BTreeMap::new();
    let answers = kinds.iter().map(|kind| daemon.browse(kind)).collect::<Result<Vec<_>, _>>().map_err(silent)?;
    for answers in answers {
        while let Ok(event) = answers.recv_deadline(end) {
            // A machine with several interfaces answers on each; the last answer has all addresses.
            if let ServiceEvent::ServiceResolved(service) = event {
                offers.insert(service.fullname.clone(), offer(&service));
            }
        }
        // What the others have heard by now is taken at once.
    }
    // A thread that does not end in time ends with the program.
    drop(daemon.shutdown());
    let mut offers: Vec<_> = offers.into_values().collect();
    offers.sort();
    Ok(offers)
}

fn offer(service: &ResolvedService) -> Offer {
    let mut addresses: Vec<_> = service.addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr).collect();
    addresses.sort();
    let properties = service.txt_properties.iter();
    Offer {
        kind: service.ty_domain.clone(),
        host: service.host.trim_end_matches('.').to_owned(),
        port: service.port,
        addresses,
        properties: properties.map(|property| (property.key().to_owned(), property.val_str().to_owned())).collect(),
    }
}
