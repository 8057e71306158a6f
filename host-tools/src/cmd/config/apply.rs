//! A change on a box, from its wish to the box's last word on it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use moodbox_core::config::Mqtt;
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};

use super::change::{Change, Changes, Outcome};
use super::values::{Values, flat, word};
use crate::failure::Failure;
use crate::mqtt::{Login, Many, Reach};

/// Time between two looks at how the change fares.
const PAUSE: Duration = Duration::from_millis(300);

/// Time that a box may need for a restart and for its own decision, beyond that of the trial.
const GRACE: Duration = Duration::from_secs(40);

/// What a box says of a change that was set.
struct Answer {
    waits_for_a_restart: bool,
    /// Nothing where no part of the box depends on it.
    trial: Option<Duration>,
    /// Whether the box knows of trials at all.
    watches: bool,
}

impl Answer {
    /// From the answer to config.set.
    fn read(data: &Value) -> Self {
        Self {
            waits_for_a_restart: data["after_restart"].as_array().is_some_and(|keys| !keys.is_empty()),
            trial: data["trial_s"].as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            watches: data.get("trial_s").is_some(),
        }
    }
}

/// Sets what `plan` makes of what the box has, restarts the box where that takes one, and waits until the box has decided.
/// Nothing comes back where there is nothing to set.
///
/// # Errors
/// When the box refuses or does not answer, with what may have been set by then and how that is undone.
pub(crate) async fn change(
    many: &Many,
    id: &str,
    plan: impl FnOnce(&Values) -> Result<Changes, Failure>,
) -> Result<Option<Change>, Failure> {
    let changes = plan(&values_of(many, id).await?)?;
    if changes.set.is_empty() {
        return Ok(None);
    }
    let undo = format!("{} {} --id {id}", changes.undo(), options(many.reach()));
    let set = many.ask(id, "config.set", Map::from_iter([("set".to_owned(), json!(changes.set))])).await;
    let answer = Answer::read(&set.map_err(|failure| match failure {
        Failure::NoAnswer(_) => failure.and(&format!("it may have been set; to undo that: {undo}")),
        other => other,
    })?);
    if answer.waits_for_a_restart {
        let asked = many.ask(id, "restart", Map::new()).await;
        asked.map_err(|failure| failure.and(&format!("it was set and waits for a restart; to undo that: {undo}")))?;
    }
    let outcome = match answer.trial {
        _ if !answer.watches => Outcome::Unwatched { restarts: answer.waits_for_a_restart },
        None => Outcome::Taken,
        Some(trial) => {
            let decision = timeout(trial + GRACE, decision(many, id)).await.map_err(|_| {
                let what = "it was set, and the box has not said since what became of it";
                Failure::NoAnswer(anyhow!("{what}; it takes back what it does not come up with; to undo it: {undo}"))
            })?;
            match decision {
                Outcome::Taken => changes.outcome_among(&values_of(many, id).await?),
                taken_back => taken_back,
            }
        }
    };
    Ok(Some(Change { keys: changes.set.into_iter().map(|(key, _)| key).collect(), outcome }))
}

/// The options that lead to the broker, as one types them.
pub(crate) fn options(reach: &Reach) -> String {
    let Login { username, password_file, ca_file, base_topic } = &reach.login;
    let file = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let given = [
        ("--broker", Some(reach.broker.to_string())),
        ("--username", username.clone()),
        ("--password-file", file(password_file)),
        ("--ca-file", file(ca_file)),
        ("--base-topic", Some(base_topic.clone()).filter(|topic| *topic != Mqtt::default().base_topic)),
    ];
    let typed = given.iter().filter_map(|(option, value)| Some(format!("{option} {}", word(value.as_ref()?))));
    typed.collect::<Vec<_>>().join(" ")
}

async fn values_of(many: &Many, id: &str) -> Result<Values, Failure> {
    Ok(flat(&many.ask(id, "config.get", Map::new()).await?))
}

/// What the box decides; waits for it. While the box restarts there is no answer.
async fn decision(many: &Many, id: &str) -> Outcome {
    loop {
        sleep(PAUSE).await;
        if let Some(outcome) = many.ask(id, "config.trial", Map::new()).await.ok().as_ref().and_then(decided) {
            return outcome;
        }
    }
}

/// How a change ended, from the answer to config.trial; nothing while that is open.
fn decided(data: &Value) -> Option<Outcome> {
    if !data["trial"].is_null() {
        return None;
    }
    match data["last"]["outcome"].as_str()? {
        "taken" => Some(Outcome::Taken),
        _ => Some(Outcome::TakenBack(data["last"]["why"].as_str().unwrap_or("it does not say why").to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::remote;

    #[test]
    fn the_way_to_the_broker_is_typed_as_it_was() {
        let login = |username: Option<&str>, ca_file: Option<&str>, base_topic: &str| Login {
            username: username.map(ToOwned::to_owned),
            password_file: username.map(|_| PathBuf::from("/home/me/my password")),
            ca_file: ca_file.map(PathBuf::from),
            base_topic: base_topic.to_owned(),
        };
        let typed = |login| options(&Reach { broker: remote("mqtts://home.local").unwrap(), login });
        assert_eq!(typed(login(None, None, "moodbox")), "--broker mqtts://home.local:8883");
        assert_eq!(
            typed(login(Some("admin"), Some("ca.pem"), "mood")),
            "--broker mqtts://home.local:8883 --username admin --password-file '/home/me/my password' --ca-file ca.pem \
             --base-topic mood"
        );
    }
}
