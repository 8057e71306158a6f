//! `moodbox doctor`: what is right and what is wrong between this computer, the broker, a box and Home Assistant, and what mends
//! it.

mod check;
mod health;
mod machine;
mod report;

use std::collections::BTreeMap;

use anyhow::anyhow;
use moodbox_core::config::DeviceId;
use moodbox_core::topics::Topics;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::mqtt::{Address, Connection, Reach, id, topic};
use crate::ssh::{Destination, Session};
use check::Check;

/// What a person does about a machine that `ssh` does not reach, and about an `ssh` that cannot be used.
const AWAY: &str = "is the box on, and in this network? `ssh` with the same words says more";
const NO_SSH: &str = "see that `ssh` with the same words works on this computer";

/// Which box; with --ssh its machine is looked at, too.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox doctor --broker mqtt://homeassistant.local")]
pub(crate) struct Arguments {
    #[command(flatten)]
    reach: Reach,
    /// The id of the box, if there are several.
    #[arg(long, value_parser = id)]
    id: Option<DeviceId>,
    /// Where Home Assistant looks for devices.
    #[arg(long, value_name = "TOPIC", default_value = "homeassistant", hide_default_value = true, value_parser = topic)]
    discovery_prefix: String,
    #[command(flatten)]
    destination: Destination,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let mut checks = Vec::new();
    let mut silent = examine(arguments, &mut checks)?;
    if arguments.destination.ssh.is_some() {
        let looked = Session::open(&arguments.destination).and_then(|session| machine::examine(&session, &mut checks));
        // What was found by then is said all the same.
        if let Err(failure) = looked {
            let away = matches!(failure, Failure::NoAnswer(_));
            let mend = if away { AWAY } else { NO_SSH };
            checks.push(Check::fail("ssh", failure.line(), mend));
            silent |= away;
        }
    }
    report::print(&checks, json)?;
    verdict(&checks, silent)
}

/// How the command ends: what could be better is no reason to fail.
fn verdict(checks: &[Check], silent: bool) -> Result<(), Failure> {
    let wrong = checks.iter().filter(|check| check.is_wrong()).count();
    let summary = |what: &str| anyhow!("{what}; each line above says what mends it");
    match (silent, wrong) {
        (true, _) => Err(Failure::NoAnswer(summary("the box or its broker does not answer"))),
        (false, 0) => Ok(()),
        (false, 1) => Err(Failure::Finding(summary("1 thing is wrong"))),
        (false, _) => Err(Failure::Finding(summary(&format!("{wrong} things are wrong")))),
    }
}

/// All checks up to one after which nothing more can be seen; whether there was such a one.
fn examine(arguments: &Arguments, checks: &mut Vec<Check>) -> Result<bool, Failure> {
    let kept = match kept(arguments) {
        Ok(kept) => kept,
        Err(Failure::NoAnswer(error)) => {
            checks.push(Check::fail(
                "broker",
                format!("{error:#}"),
                "--broker, --username, --password-file and --ca-file say where it is and who we are",
            ));
            return Ok(true);
        }
        Err(other) => return Err(other),
    };
    let encrypted = arguments.reach.broker.is_private();
    let word = if encrypted { "encrypted" } else { "not encrypted" };
    let broker = Check::ok("broker", format!("{} answers and lets us in; {word}", arguments.reach.broker));
    checks.push(broker.with(json!({ "encrypted": encrypted, "login": arguments.reach.login.username.is_some() })));

    let id = match (&arguments.id, &boxes(arguments.reach.base_topic(), &kept)[..]) {
        (Some(id), _) => id.clone(),
        (None, [one]) => id(one).map_err(|reason| anyhow!("the broker knows a box of an odd name: {reason}"))?,
        (None, []) => {
            let mend = "start the box; may this user read moodbox/#? `moodbox discover` looks on the network";
            checks.push(Check::fail("box", "the broker has kept nothing of any box".to_owned(), mend));
            return Ok(true);
        }
        (None, several) => return Err(anyhow!("the broker knows {}; say which with --id", several.join(", ")).into()),
    };
    let availability = Topics::topic_of(arguments.reach.base_topic(), id.as_str(), "availability");
    let online = kept.get(&availability).map(Vec::as_slice);
    match online {
        Some(b"online") => checks.push(Check::ok("box", format!("box {} is online", id.as_str()))),
        Some(_) => {
            let said = format!("box {} is offline", id.as_str());
            checks.push(Check::fail(
                "box",
                said,
                "is it switched on? `moodbox logs --ssh USER@HOST` says what it did last",
            ));
            return Ok(true);
        }
        None => {
            let said = format!("the broker has kept nothing of a box {}", id.as_str());
            checks.push(Check::fail(
                "box",
                said,
                "is this its id? may this user read what it says? see the broker's ACL",
            ));
            return Ok(true);
        }
    }
    checks.push(health::home_assistant(&arguments.discovery_prefix, &id, &kept));
    let address = Address { reach: arguments.reach.clone(), id };
    let Some((diagnosis, config)) = asked(&address, checks)? else { return Ok(true) };
    health::examine(&diagnosis, &config, checks);
    Ok(false)
}

/// What the broker has kept of all boxes and of Home Assistant.
fn kept(arguments: &Arguments) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let prefix = &arguments.discovery_prefix;
    let mut connection = Connection::to(&arguments.reach, &DeviceId::default(), prefix)?;
    let availability = Topics::topic_of(arguments.reach.base_topic(), "+", "availability");
    let filters = [availability, format!("{prefix}/device/+/config"), format!("{prefix}/status")];
    connection.kept(&filters.each_ref().map(String::as_str))
}

fn boxes(base: &str, kept: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let of_boxes = kept.keys().filter_map(|topic| Topics::of_box(base, topic));
    of_boxes.filter(|(_, last)| *last == "availability").map(|(id, _)| id.to_owned()).collect()
}

/// What the box answers: that also shows that we may ask it and hear it.
fn asked(address: &Address, checks: &mut Vec<Check>) -> Result<Option<(Value, Value)>, Failure> {
    let answers = Connection::open(address).and_then(|mut connection| {
        let diagnosis = connection.ask("diagnose", Map::new())?;
        Ok((diagnosis, connection.ask("config.get", Map::new())?))
    });
    match answers {
        Ok((Ok(diagnosis), Ok(config))) => {
            checks.push(Check::ok("rights", "this user may ask the box, and hears its answers".to_owned()));
            Ok(Some((diagnosis, config)))
        }
        Ok((Err(reason), _) | (_, Err(reason))) => {
            let said = format!("the box refuses to say how it is: {reason}");
            checks.push(Check::fail("rights", said, "bring the box and this tool to the same version"));
            Ok(None)
        }
        Err(Failure::NoAnswer(error)) => {
            let mend =
                "let this user write to moodbox/ID/request/+ and read moodbox/ID/response/+; see the broker's ACL";
            checks.push(Check::fail("rights", format!("{error:#}"), mend));
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok() -> Check {
        Check::ok("heat", "50 \u{b0}C".to_owned())
    }

    fn dark() -> Check {
        Check::warn("light", "too dark".to_owned(), "let there be light")
    }

    fn gone() -> Check {
        Check::fail("camera", "it is unplugged".to_owned(), "plug it in")
    }

    #[test]
    fn only_what_fails_is_wrong() {
        let told = |checks: &[Check]| verdict(checks, false).map_err(|failure| failure.line());
        assert_eq!(told(&[ok(), dark()]), Ok(()));
        let one = "1 thing is wrong; each line above says what mends it".to_owned();
        assert_eq!(told(&[ok(), dark(), gone()]), Err(one));
        let two = "2 things are wrong; each line above says what mends it".to_owned();
        assert_eq!(told(&[gone(), gone()]), Err(two));
        assert!(matches!(verdict(&[ok()], true), Err(Failure::NoAnswer(_))));
    }
}
