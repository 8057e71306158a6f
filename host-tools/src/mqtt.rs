//! The way to a box through its broker.

mod connection;
mod feed;
mod many;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use moodbox_core::config::{Bounded, Broker, DeviceId, Mqtt, is_topic};
use moodbox_core::topics::Topics;
use moodboxd::mqtt::{Settings, exposure};
use serde_json::{Map, Value, json};

pub(crate) use connection::Connection;
pub(crate) use feed::Feed;
pub(crate) use many::Many;

use crate::failure::{Failure, tell};

/// Longest time that an answer may take once there is a connection; a box needs milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Messages that may wait between the connection and the command that uses it: all that a box has retained comes at once, and
/// what does not fit is lost.
const QUEUE: usize = 32;

/// How to reach the broker.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Reach {
    /// The broker: `mqtt[s]://HOST[:PORT]`.
    #[arg(long, value_name = "URL", value_parser = remote)]
    pub(crate) broker: Broker,
    #[command(flatten)]
    pub(crate) login: Login,
}

/// How the broker lets somebody in.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Login {
    /// User name, if the broker wants one.
    #[arg(long, requires = "password_file")]
    pub(crate) username: Option<String>,
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE", requires = "username")]
    pub(crate) password_file: Option<PathBuf>,
    /// Authority of an mqtts broker, as PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// First part of topics.
    #[arg(long, value_name = "TOPIC", default_value = "moodbox", value_parser = topic)]
    pub(crate) base_topic: String,
}

/// Which box, and how to reach it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Address {
    #[command(flatten)]
    pub(crate) reach: Reach,
    /// The id of the box, as in its topics.
    #[arg(long, value_parser = id)]
    pub(crate) id: DeviceId,
}

impl Address {
    /// Whether nobody can listen in on the way to the broker: it is encrypted, or stays on this computer.
    pub(crate) fn is_private(&self) -> bool {
        let here = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "::1");
        self.reach.broker.is_private() || matches!(&self.reach.broker, Broker::Remote { host, .. } if here(host))
    }
}

pub(crate) fn remote(text: &str) -> Result<Broker, String> {
    match text.parse() {
        Ok(Broker::Embedded) => Err("the embedded broker is reached at mqtt://127.0.0.1, on the box".to_owned()),
        Ok(broker) => Ok(broker),
        Err(error) => Err(error.to_string()),
    }
}

pub(crate) fn id(text: &str) -> Result<DeviceId, String> {
    DeviceId::try_from(text.to_owned()).map_err(|error| error.to_string())
}

pub(crate) fn topic(text: &str) -> Result<String, String> {
    if is_topic(text) { Ok(text.to_owned()) } else { Err("is not the first part of a topic".to_owned()) }
}

impl Reach {
    /// First part of the topics.
    pub(crate) fn base_topic(&self) -> &str {
        &self.login.base_topic
    }

    /// The settings of a connection to this box, or to all for `+`, that is pinged so often, and hears what is said on the topics with these
    /// last parts.
    fn settings(
        &self,
        id: &str,
        discovery_prefix: &str,
        keep_alive_s: u32,
        hears: &[&'static str],
    ) -> Result<Settings, Failure> {
        let config = Mqtt {
            broker: self.broker.clone(),
            username: self.login.username.clone(),
            password_file: self.login.password_file.clone(),
            ca_file: self.login.ca_file.clone(),
            keep_alive_s: Bounded(keep_alive_s),
            ..Mqtt::default()
        };
        // The daemon's code says it in a log, which the tool does not have; several connections say it once.
        if let Some(warning) = self.login.password_file.as_deref().and_then(|file| exposure("--password-file", file)) {
            static TOLD: Once = Once::new();
            TOLD.call_once(|| tell(format_args!("moodbox: {warning}")));
        }
        let topics = Topics::new(&self.login.base_topic, discovery_prefix, id);
        Settings::of_guest(&config, unique_name(), topics, hears).map_err(|error| Failure::Input(error.into()))
    }
}

/// A request with these fields: its transaction, which no other request has, and what is sent.
pub(crate) fn request(mut fields: Map<String, Value>) -> (String, String) {
    let transaction = unique_name();
    fields.insert("transaction".to_owned(), json!(transaction));
    (transaction, Value::Object(fields).to_string())
}

/// What a box answers: its data, or why it refuses.
pub(crate) fn outcome(mut answer: Value) -> Result<Value, String> {
    match answer["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => Ok(answer.get_mut("data").map(Value::take).unwrap_or_default()),
    }
}

/// A name that no other client of the broker has, and no other request: everybody hears all answers, and process ids and clocks
/// are the same on several computers. Its 64 bits come of keys that the system draws at random.
fn unique_name() -> String {
    format!("moodbox-tool-{:016x}", RandomState::new().build_hasher().finish())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use moodbox_core::topics::{Request, Response};

    use super::*;

    #[test]
    fn each_request_has_a_transaction_of_its_own_that_a_box_takes() {
        let ask = || (0..1000).map(|_| request(Map::new())).collect::<Vec<_>>();
        let asked: Vec<_> = [(); 4].map(|()| thread::spawn(ask)).into_iter().flat_map(|t| t.join().unwrap()).collect();
        for (transaction, text) in &asked {
            assert_eq!(&Request::parse("config.get", text.as_bytes()).unwrap().transaction, transaction);
        }
        assert_eq!(asked.iter().map(|(transaction, _)| transaction).collect::<HashSet<_>>().len(), 4000);
    }

    #[test]
    fn an_answer_is_data_or_a_reason() {
        let said = |response: Response| outcome(serde_json::to_value(response).unwrap());
        assert_eq!(
            said(Response::ok("1".to_owned(), json!({ "error": "of a part" }))),
            Ok(json!({ "error": "of a part" }))
        );
        assert_eq!(said(Response::error(None, "too much".to_owned())), Err("too much".to_owned()));
        for odd in [json!({ "transaction": "1" }), json!({ "error": 7 }), json!([1]), json!("data"), Value::Null] {
            assert_eq!(outcome(odd), Ok(Value::Null));
        }
    }
}
