//! The broker beside a set-up: tried before anything is changed, and listened to at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::anyhow;
use moodbox_core::config::Mqtt;
use serde_json::Value;

use super::Wishes;
use super::configuration::Decisions;
use super::credentials::Credentials;
use crate::cmd::{config, library};
use crate::failure::Failure;
use crate::library::Library;
use crate::mqtt::{Address, Connection, Login, Reach};
use crate::plain::plain;

/// Longest time from the start of the service to the first state; a slow board takes a few seconds.
const FIRST_STATE: Duration = Duration::from_secs(45);

/// Whether the broker is there and lets in both this computer and the box.
pub(super) fn try_broker(wishes: &Wishes, decisions: &Decisions, credentials: &Credentials) -> Result<(), Failure> {
    for login in [Some(&wishes.login), credentials.login.as_ref()].into_iter().flatten() {
        let let_in = connect(login, decisions)?.listen(&["moodbox-setup"]);
        let_in.map_err(|failure| failure.and("nothing was changed"))?;
    }
    Ok(())
}

/// Listens to the box, which is about to start.
pub(super) fn listen(login: &Login, decisions: &Decisions) -> Result<Connection, Failure> {
    let mut connection = connect(login, decisions)?;
    let [availability, state] = ["availability", "state"].map(|part| connection.topics().topic(part));
    connection.listen(&[&availability, &state])?;
    Ok(connection)
}

/// The first state in which the camera has come up, or the last one without. What the broker has kept, and what comes before the
/// box says that it is online, is of an earlier life of the box, unless the service was left running.
pub(super) fn first(connection: &mut Connection, left_running: bool) -> Result<Value, Failure> {
    let [availability, state] = ["availability", "state"].map(|part| connection.topics().topic(part));
    let (mut online, mut latest) = (left_running, None);
    let seen = connection.hear(FIRST_STATE, |topic, payload, kept| {
        if kept && !left_running {
            return None;
        }
        if topic == availability {
            online = left_running || payload == b"online";
        }
        if topic != state || !online {
            return None;
        }
        let state: Value = serde_json::from_slice(payload).ok()?;
        let up = state["camera"] != "unavailable";
        latest = Some(state);
        up.then_some(())
    })?;
    let (id, broker) = (connection.topics().id(), connection.broker());
    match (latest, seen) {
        (Some(state), _) => Ok(state),
        (None, _) => Err(Failure::NoAnswer(anyhow!(
            "the service runs, but {broker} has told nothing of box {id}: can the box reach it, and may this user read \
             {state} and {availability}? `moodbox logs` says more"
        ))),
    }
}

/// A line about the state for a person.
pub(super) fn line(state: &Value) -> String {
    let word = |key: &str| state[key].as_str().unwrap_or("unknown").to_owned();
    let faces = state["faces"].as_u64().unwrap_or(0);
    let camera = match word("camera").as_str() {
        "unavailable" => "unavailable; `moodbox doctor` says why".to_owned(),
        camera => camera.to_owned(),
    };
    format!("mood {}, {faces} faces, camera {camera}", word("mood"))
}

/// A line for each key that the box goes by another value of than it was set up with, as that was set from afar.
pub(super) fn set_from_afar(login: &Login, decisions: &Decisions) -> Result<Vec<String>, Failure> {
    let address = address(login, decisions);
    let has = config::of_box(&mut Connection::open(&address)?)?;
    let to_the_box = format!("{} --id {}", config::options(&address.reach), address.id.as_str());
    Ok(differing(decisions, &has, &to_the_box))
}

/// `has` is what the box goes by, and `to_the_box` are the options that lead there.
fn differing(decisions: &Decisions, has: &BTreeMap<String, Value>, to_the_box: &str) -> Vec<String> {
    let line = |(key, value): (&str, Value)| {
        let has = has.get(key).filter(|has| **has != value)?;
        Some(format!(
            "{key} = {}; `moodbox config set {key}= {to_the_box}` gives it back to the file",
            plain(&has.to_string())
        ))
    };
    decisions.settable().into_iter().filter_map(line).collect()
}

/// Sends a library; gives the number of songs that the box then has.
pub(super) fn push(library: &Library, login: &Login, decisions: &Decisions) -> Result<u64, Failure> {
    library::push(library, &address(login, decisions)).map(|(songs, _)| songs)
}

fn connect(login: &Login, decisions: &Decisions) -> Result<Connection, Failure> {
    let Address { reach, id } = address(login, decisions);
    Connection::to(&reach, &id, &Mqtt::default().discovery_prefix)
}

fn address(login: &Login, decisions: &Decisions) -> Address {
    let login = Login { base_topic: decisions.base_topic.clone(), ..login.clone() };
    let reach = Reach { broker: decisions.broker.clone(), login };
    Address { reach, id: decisions.id.clone().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use moodbox_core::config::LedDriver;
    use serde_json::json;

    use super::*;

    pub(super) fn decisions(pins: Option<[u8; 4]>) -> Decisions {
        Decisions {
            name: "Attic".to_owned(),
            room: None,
            id: None,
            broker: "mqtt://home.local".parse().unwrap(),
            base_topic: "upstairs".to_owned(),
            username: None,
            own_authority: false,
            camera: "v4l2:auto".parse().unwrap(),
            leds: LedDriver::Rppal,
            pins,
        }
    }

    pub(super) fn login() -> Login {
        Login { username: None, password_file: None, ca_file: None, base_topic: Mqtt::default().base_topic }
    }

    #[test]
    fn the_box_is_called_where_it_speaks() {
        assert_eq!(address(&login(), &decisions(None)).reach.base_topic(), "upstairs");
    }

    #[test]
    fn what_was_set_from_afar_is_told_with_what_takes_it_back() {
        let has = [
            ("device.name", json!("Hall")),
            ("camera.source", json!("v4l2:auto")),
            ("leds.red", json!(5)),
            ("mood.hold_s", json!(20.0)),
        ];
        let has = has.map(|(key, value)| (key.to_owned(), value)).into();
        let told = |pins| differing(&decisions(pins), &has, "--broker mqtt://home.local:1883 --id attic");
        let line = |key: &str, value: &str| {
            let back = format!("moodbox config set {key}= --broker mqtt://home.local:1883 --id attic");
            format!("{key} = {value}; `{back}` gives it back to the file")
        };
        assert_eq!(told(None), [line("device.name", "\"Hall\"")]);
        assert_eq!(told(Some([17, 27, 22, 23])), [line("device.name", "\"Hall\""), line("leds.red", "5")]);
    }
}

/// The first state of a box on a broker. Our own is not there without `vision`.
#[cfg(test)]
#[cfg(feature = "vision")]
mod first_states {
    use std::sync::mpsc;
    use std::thread;

    use moodbox_core::topics::{Publication, Qos, Topics};
    use moodboxd::broker::Embedded;
    use serde_json::json;
    use tokio::runtime::{Builder, Runtime};

    use super::tests::{decisions, login};
    use super::*;
    use crate::mqtt::Feed;

    const ONLINE: (&str, &str) = ("availability", "online");
    const OFFLINE: (&str, &str) = ("availability", "offline");
    const OLD: (&str, &str) = ("state", r#"{"camera":"on","faces":1}"#);
    const NEW: (&str, &str) = ("state", r#"{"camera":"on","faces":2}"#);
    const WITHOUT_CAMERA: (&str, &str) = ("state", r#"{"camera":"unavailable","faces":0}"#);

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// A broker that is there until the tests end; its port.
    fn broker() -> u16 {
        let (sender, port) = mpsc::channel();
        thread::spawn(move || {
            runtime().block_on(async {
                let broker = Embedded::start(0).await.unwrap();
                sender.send(broker.address().port()).unwrap();
                std::future::pending::<()>().await;
            });
        });
        port.recv().unwrap()
    }

    /// Lets the box say this, in this order; the broker has it afterwards.
    fn say(address: &Address, retain: bool, what: &[(&str, &str)]) {
        let topics = Topics::new(address.reach.base_topic(), "homeassistant", address.id.as_str());
        runtime().block_on(async {
            let feed = Feed::open(address, &[]).await.unwrap();
            let outbox = feed.outbox().upgrade().unwrap();
            for (last, text) in what {
                let (topic, payload) = (topics.topic(last), text.as_bytes().to_vec());
                outbox.send(Publication { topic, payload, retain, qos: Qos::AtLeastOnce }).await.unwrap();
            }
            drop(outbox);
            feed.close().await;
        });
    }

    /// The first state where the broker has kept the first of these, and the second come after the tool listens.
    fn heard(left_running: bool, kept: &[(&str, &str)], then: &[(&str, &str)]) -> Value {
        let mut decisions = decisions(None);
        decisions.broker = format!("mqtt://127.0.0.1:{}", broker()).parse().unwrap();
        decisions.id = Some("attic".to_owned().try_into().unwrap());
        let address = address(&login(), &decisions);
        say(&address, true, kept);
        let mut connection = listen(&login(), &decisions).unwrap();
        say(&address, false, then);
        first(&mut connection, left_running).unwrap()
    }

    #[test]
    fn the_process_before_does_not_speak_for_the_new_one() {
        let faces = |kept: &[_], then: &[_]| heard(false, kept, then)["faces"].clone();
        assert_eq!(faces(&[ONLINE, OLD], &[OLD, OFFLINE, ONLINE, WITHOUT_CAMERA, NEW]), 2);
        // Also where it was ended without a word.
        assert_eq!(faces(&[ONLINE, OLD], &[OLD, ONLINE, NEW]), 2);
        // A machine that is set up for the first time, and one whose service rested.
        assert_eq!(faces(&[], &[ONLINE, WITHOUT_CAMERA, NEW]), 2);
        assert_eq!(faces(&[OFFLINE, OLD], &[ONLINE, NEW]), 2);
    }

    #[test]
    fn a_service_that_was_left_running_has_said_its_state() {
        assert_eq!(heard(true, &[ONLINE, OLD], &[]), json!({ "camera": "on", "faces": 1 }));
        assert_eq!(heard(true, &[ONLINE, WITHOUT_CAMERA], &[NEW])["faces"], 2);
    }
}
