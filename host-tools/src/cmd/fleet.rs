//! `moodbox fleet`: many boxes at once.

mod hosts;
mod push;
mod round;
mod status;
mod update;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::value_parser;
use moodbox_core::config::{DeviceId, Mqtt};
use moodbox_core::topics::Topics;

use crate::failure::Failure;
use crate::mqtt::{Connection, Reach};
use hosts::Host;

/// What to do with them.
#[derive(clap::Subcommand)]
#[command(after_help = "Example:\n  moodbox fleet status --broker mqtt://broker.local")]
pub(crate) enum Command {
    /// Show how all boxes are.
    Status(status::Arguments),
    /// Work with the configurations of all boxes.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Install a package over SSH, on one box first, and see each come back with it.
    Update(update::Arguments),
}

/// What to do with the configurations.
#[derive(clap::Subcommand)]
#[command(after_help = "Example:\n  moodbox fleet config push moodbox.toml --broker mqtt://broker.local")]
pub(crate) enum ConfigCommand {
    /// Bring all boxes in line with a file; each takes back what it does not come up with.
    Push(push::Arguments),
}

/// Which boxes.
#[derive(clap::Args)]
pub(crate) struct Boxes {
    #[command(flatten)]
    reach: Reach,
    /// File with a box a line: its id, and where SSH finds it.
    #[arg(long, value_name = "FILE")]
    hosts: Option<PathBuf>,
}

/// How many at once, and when to stop.
#[derive(clap::Args, Clone, Copy)]
pub(crate) struct Limits {
    /// Boxes at once.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Failures after which no more are begun.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=1000))]
    max_failures: u16,
    /// Whether one box comes to a good end before the others are begun, who may all be at once.
    #[arg(skip)]
    one_first: bool,
}

pub(crate) fn run(command: &Command, json: bool) -> Result<(), Failure> {
    match command {
        Command::Status(arguments) => status::run(arguments, json),
        Command::Config(ConfigCommand::Push(arguments)) => push::run(arguments, json),
        Command::Update(arguments) => update::run(arguments, json),
    }
}

impl Boxes {
    /// The boxes of the list, or else all that the broker knows of.
    fn hosts(&self) -> Result<Vec<Host>, Failure> {
        if let Some(file) = &self.hosts {
            return hosts::read(file);
        }
        let kept = self.kept(&["availability"])?;
        let host = |(id, _, word)| Some(Host { id: DeviceId::try_from(id).ok()?, ssh: None, away: word != b"online" });
        let hosts: Vec<_> = kept.into_iter().filter_map(host).collect();
        if hosts.is_empty() {
            return Err(Failure::NoAnswer(anyhow!("the broker knows of no box; is this its base topic?")));
        }
        Ok(hosts)
    }

    /// What the broker has kept of all boxes on the topics with these last parts: id, last part, payload.
    fn kept(&self, last_parts: &[&str]) -> Result<Vec<(String, String, Vec<u8>)>, Failure> {
        let mut connection = Connection::to(&self.reach, &DeviceId::default(), &Mqtt::default().discovery_prefix)?;
        let base = self.reach.base_topic();
        let filters: Vec<_> = last_parts.iter().map(|last| Topics::topic_of(base, "+", last)).collect();
        let kept = connection.kept(&filters.iter().map(String::as_str).collect::<Vec<_>>())?;
        let parted = kept.into_iter().filter_map(|(topic, payload)| {
            let (id, last) = Topics::of_box(base, &topic)?;
            Some((id.to_owned(), last.to_owned(), payload))
        });
        Ok(parted.collect())
    }
}
