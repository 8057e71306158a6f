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
    let state = connection.topics().topic("state");
    connection.listen(&[&state])?;
    Ok(connection)
}

/// The first state in which the camera has come up, or the last one without. What the broker has kept is of an earlier life
/// of the box, unless the service was left running.
pub(super) fn first(connection: &mut Connection, may_be_kept: bool) -> Result<Value, Failure> {
    let mut latest = None;
    let seen = connection.hear(FIRST_STATE, |_, payload, kept| {
        let state: Value = serde_json::from_slice(payload).ok()?;
        if kept && !may_be_kept {
            return None;
        }
        let up = state["camera"] != "unavailable";
        latest = Some(state);
        up.then_some(())
    })?;
    let (id, broker, topic) = (connection.topics().id(), connection.broker(), connection.topics().topic("state"));
    match (latest, seen) {
        (Some(state), _) => Ok(state),
        (None, _) => Err(Failure::NoAnswer(anyhow!(
            "the service runs, but {broker} has told nothing of box {id}: can the box reach it, and may this user read \
             {topic}? `moodbox logs` says more"
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

    fn decisions(pins: Option<[u8; 4]>) -> Decisions {
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

    #[test]
    fn the_box_is_called_where_it_speaks() {
        let base_topic = Mqtt::default().base_topic;
        let login = Login { username: None, password_file: None, ca_file: None, base_topic };
        assert_eq!(address(&login, &decisions(None)).reach.base_topic(), "upstairs");
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
