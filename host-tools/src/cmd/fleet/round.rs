//! The same for each box: some at once, and no more of it after the first failures or Ctrl-C.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{self, Write};

use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio::task::JoinSet;

use super::Limits;
use super::hosts::Host;
use crate::ending::Ending;
use crate::failure::Failure;
use crate::plain::plain;

/// What became of the boxes, by id.
pub(super) type Ends = BTreeMap<String, End>;

/// What became of a box.
pub(super) enum End {
    /// Its turn did not come.
    NotBegun,
    /// It was not there to be begun.
    Away,
    /// Nobody waited for its end.
    Left,
    /// It went well, so.
    Done(String),
    /// It did not, because of this.
    Failed(String),
}

/// Does the work for each box that is not away.
///
/// # Errors
/// When Ctrl-C cannot be heard; nothing was begun then.
pub(super) async fn each<W>(hosts: Vec<Host>, limits: Limits, mut work: impl FnMut(Host) -> W) -> Result<Ends, Failure>
where
    W: Future<Output = Result<String, Failure>> + Send + 'static,
{
    // Heard once and for all: one between two boxes must not be lost.
    let mut ending = Ending::new()?;
    let (away, hosts): (Vec<_>, Vec<_>) = hosts.into_iter().partition(|host| host.away);
    let bar = ProgressBar::new(hosts.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} boxes {elapsed}") {
        bar.set_style(style);
    }
    let mut ends: Ends = hosts.iter().map(|host| (host.id.as_str().to_owned(), End::NotBegun)).collect();
    ends.extend(away.iter().map(|host| (host.id.as_str().to_owned(), End::Away)));
    let (mut waiting, mut failures, mut stopped) = (hosts.into_iter(), 0, false);
    let mut limit = if limits.one_first { 1 } else { limits.limit };
    let mut running = JoinSet::new();
    loop {
        while !stopped && running.len() < limit.into() {
            let Some(host) = waiting.next() else { break };
            let id = host.id.as_str().to_owned();
            ends.insert(id.clone(), End::Left);
            let end = work(host);
            running.spawn(async move { (id, end.await) });
        }
        tokio::select! {
            ended = running.join_next() => match ended {
                None => break,
                Some(Ok((id, Ok(text)))) => {
                    limit = limits.limit;
                    ends.insert(id, End::Done(text));
                }
                Some(Ok((id, Err(failure)))) => {
                    failures += 1;
                    ends.insert(id, End::Failed(failure.line()));
                }
                // A task that broke down; its box stays without an end.
                Some(Err(_)) => failures += 1,
            },
            () = ending.asked() => {
                if stopped {
                    break;
                }
                bar.println("stopping: boxes that were begun come to their end; Ctrl-C leaves them");
                stopped = true;
                continue;
            }
        }
        bar.inc(1);
        stopped |= failures >= limits.max_failures;
    }
    bar.finish_and_clear();
    Ok(ends)
}

/// Shows what became of the boxes. That one failed is a finding, as is one without an end.
pub(super) fn show(ends: &Ends, as_json: bool) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let width = ends.keys().map(String::len).max().unwrap_or(0);
    for (id, end) in ends {
        let (word, text) = match end {
            End::Done(text) => ("ok", text.as_str()),
            End::Failed(reason) => ("failed", reason.as_str()),
            End::Left => ("left", "it was begun, and what became of it is not known"),
            End::NotBegun => ("not begun", ""),
            End::Away => ("not begun", "it is not online"),
        };
        if as_json {
            writeln!(out, "{}", json!({ "id": id, "outcome": word.replace(' ', "_"), "what": text }))?;
        } else {
            writeln!(out, "{}", plain(format!("{id:width$}  {word:9}  {text}").trim_end()))?;
        }
    }
    let count = |wanted: fn(&End) -> bool| ends.values().filter(|end| wanted(end)).count();
    let told = [
        (count(|end| matches!(end, End::Failed(_))), "failed"),
        (count(|end| matches!(end, End::Left)), "were left before their end"),
        (count(|end| matches!(end, End::NotBegun | End::Away)), "were not begun and are as they were"),
    ];
    let told: Vec<_> = told.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if told.is_empty() {
        return Ok(());
    }
    Err(Failure::Finding(anyhow!("of {} boxes {}", ends.len(), told.join(", "))))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use moodbox_core::config::DeviceId;
    use tokio::sync::Barrier;

    use super::*;

    const LIMITS: Limits = Limits { limit: 100, max_failures: 1, one_first: true };

    fn hosts(ids: &[&str]) -> Vec<Host> {
        let host =
            |id: &&str| Host { id: DeviceId::try_from((*id).to_owned()).unwrap(), ssh: None, away: *id == "gone" };
        ids.iter().map(host).collect()
    }

    fn words(ends: &Ends) -> Vec<(&str, &'static str)> {
        let word = |end: &End| match end {
            End::NotBegun => "not begun",
            End::Away => "away",
            End::Left => "left",
            End::Done(_) => "done",
            End::Failed(_) => "failed",
        };
        ends.iter().map(|(id, end)| (id.as_str(), word(end))).collect()
    }

    #[tokio::test]
    async fn what_fails_on_the_first_box_reaches_no_other() {
        let work = |_| async { Err(Failure::Finding(anyhow!("a bad package"))) };
        let ends = each(hosts(&["a", "b", "c"]), LIMITS, work).await.unwrap();
        assert_eq!(words(&ends), [("a", "failed"), ("b", "not begun"), ("c", "not begun")]);
    }

    #[tokio::test]
    async fn what_went_well_on_one_box_goes_to_all_others_at_once() {
        // The others wait for each other, and the first for none.
        let others = Arc::new(Barrier::new(3));
        let work = |host: Host| {
            let others = Arc::clone(&others);
            async move {
                if host.id.as_str() != "a" {
                    others.wait().await;
                }
                Ok(String::new())
            }
        };
        let ends = each(hosts(&["a", "b", "c", "d"]), LIMITS, work).await.unwrap();
        assert!(words(&ends).iter().all(|(_, word)| *word == "done"), "{:?}", words(&ends));
    }

    #[tokio::test]
    async fn a_box_that_is_away_is_not_begun_and_no_failure() {
        let limits = Limits { limit: 1, one_first: false, ..LIMITS };
        let work = |_| async { Ok(String::new()) };
        let ends = each(hosts(&["gone", "there"]), limits, work).await.unwrap();
        assert_eq!(words(&ends), [("gone", "away"), ("there", "done")]);
    }
}
