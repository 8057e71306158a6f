//! What a command is about: a file on this computer, or a box.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};

use crate::mqtt::Address;

/// A file, or else a box.
pub(super) enum Target {
    /// The file.
    File(PathBuf),
    /// How to reach the box.
    Box(Address),
}

impl Args for Target {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("file").long("file").value_name("FILE").value_parser(value_parser!(PathBuf));
        let instead = |arg: Arg| arg.required(false).required_unless_present("file").conflicts_with("file");
        Address::augment_args(command.arg(file.help("A file on this computer instead of a box")))
            .mut_arg("broker", instead)
            .mut_arg("id", instead)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Target {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match matches.get_one::<PathBuf>("file") {
            Some(file) => Ok(Self::File(file.clone())),
            None => Address::from_arg_matches(matches).map(Self::Box),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
