//! Setting up a machine that runs, over SSH.

use std::fs::File;

use anyhow::anyhow;
use serde_json::json;

use super::credentials::Credentials;
use super::found::{Found, Root};
use super::plan::Plan;
use super::questions::Person;
use super::script::Script;
use super::steps::Steps;
use super::{Arguments, state};
use crate::failure::Failure;
use crate::library::Library;
use crate::ssh::{Destination, Session};

pub(super) fn set_up(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let wishes = &arguments.wishes;
    let package = arguments.package()?;
    // What is wrong here is better known before anybody is called.
    File::open(package).map_err(|error| anyhow!("cannot read {}: {error}", package.display()))?;
    let library = wishes.library.as_deref().map(|file| Library::open(Some(file))).transpose()?;
    library.as_ref().map(Library::songs).transpose()?;
    let credentials = Credentials::of(wishes)?;
    let mut steps = Steps::new(json);
    let session = Session::open(&arguments.destination)?;
    let found = Found::by(&session)?;
    steps.tell(&format!("What is at {}", session.host()), &found.lines())?;
    suits(&found, &session)?;
    let person = Person::new(!arguments.yes);
    let decisions = person.decide(wishes, Some(&found), &credentials)?;
    state::try_broker(wishes, &decisions, &credentials)?;
    let plan = Plan::new(package, decisions, credentials, found.config.as_deref())?;
    if found.free_mb < plan.needs_mb() {
        let (free, needed) = (found.free_mb, plan.needs_mb());
        let reason = format!("{} has {free} MB free and this needs {needed}; nothing was changed", session.host());
        return Err(Failure::Finding(anyhow!(reason)));
    }
    let undo = format!("moodbox setup --ssh {} --undo", session.host());
    steps.tell(&format!("What will be done, and is undone by `{undo}`"), &plan.lines()?)?;
    if !arguments.yes {
        person.agrees()?;
    }
    let script = Script::upload(&session, found.root, Some(&plan))?;
    steps.done("copy", &format!("{} is on the box", plan.package_name()?))?;
    let mut watch = None;
    script.run("apply", &mut steps, |changed| {
        watch = Some((state::listen(&wishes.login, &plan.decisions)?, changed));
        Ok(())
    })?;
    let Some((mut broker, changed)) = watch else {
        return Err(Failure::Finding(anyhow!("the box ended the set-up without starting the service; see {undo}")));
    };
    steps.begin("waiting for the first state")?;
    let state = state::first(&mut broker, !changed);
    steps.clear()?;
    let state = state.map_err(|failure| failure.and(&format!("what was changed is put back by `{undo}`")))?;
    steps.done("state", &format!("box {} says: {}", broker.topics().id(), state::line(&state)))?;
    let from_afar = state::set_from_afar(&wishes.login, &plan.decisions)
        .unwrap_or_else(|failure| vec![format!("not known: {}", failure.line())]);
    if !from_afar.is_empty() {
        steps.tell("What was set on the box itself, and counts more than what was written", &from_afar)?;
    }
    if let Some(library) = &library {
        let songs = state::push(library, &wishes.login, &plan.decisions)?;
        steps.done("library", &format!("the box has {songs} songs"))?;
    }
    steps.report(json!({ "id": broker.topics().id(), "state": state, "set_from_afar": from_afar }))?;
    Ok(())
}

/// Puts back what was there before the last set-up.
pub(super) fn undo(destination: &Destination, json: bool) -> Result<(), Failure> {
    let session = Session::open(destination)?;
    let found = Found::by(&session)?;
    let mut steps = Steps::new(json);
    Script::upload(&session, found.root, None)?.run("undo", &mut steps, |_| Ok(()))?;
    Ok(steps.report(json!({}))?)
}

/// What a machine must have that nobody can give it from afar.
fn suits(found: &Found, session: &Session) -> Result<(), Failure> {
    let host = session.host();
    let lacks = if !["amd64", "arm64"].contains(&found.arch.as_str()) {
        format!("{host} is {}; this needs a 64-bit system (arm64 or amd64)", found.arch)
    } else if !found.systemd {
        format!("{host} runs without systemd, which starts and watches the service")
    } else if found.root == Root::Never {
        format!("this user of {host} cannot become root: there is no sudo; log in as root")
    } else if found.config_is_hidden {
        // What it says is asked for no more, and goes on to hold.
        format!(
            "this user of {host} may not read its /etc/moodbox/moodbox.toml; log in as root, or let others read it with chmod o+r"
        )
    } else {
        return Ok(());
    };
    Err(Failure::Finding(anyhow!("{lacks}; nothing was changed")))
}
