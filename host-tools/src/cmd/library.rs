//! `moodbox library`: the songs that the box shall know.

mod add;
mod forget;
mod look;
mod push;
mod stats;

use std::fmt::Display;
use std::path::PathBuf;

use clap::Subcommand;
pub(crate) use push::push;

use crate::failure::Failure;
use crate::library::Library;

/// Which library, and what to do with it.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox library scan ~/Music")]
pub(crate) struct Arguments {
    /// The file with the library; by default one in your data folder.
    #[arg(long, value_name = "FILE", global = true)]
    library: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read the tags of the sound files in a folder, and with --listen how they sound.
    Scan(add::ScanArguments),
    /// Add the songs of playlists (M3U), tables (CSV, as from Exportify) and JSON files.
    Import(add::ImportArguments),
    /// List all songs.
    #[command(after_help = "Example:\n  moodbox library list | grep -i abba")]
    List,
    /// Show all that is known of a song.
    #[command(after_help = "Example:\n  moodbox library show demo:track:abba-dancing-queen")]
    Show {
        /// What players call it.
        uri: String,
    },
    /// Show how songs spread over moods and genres, and how that is known.
    #[command(after_help = "Example:\n  moodbox library stats")]
    Stats,
    /// Forget songs, which a scan or an import brings back.
    Forget(forget::Arguments),
    /// Send the library to a box.
    Push(push::Arguments),
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let mut library = Library::open(arguments.library.as_deref())?;
    match &arguments.command {
        Command::Scan(scan) => add::scan(&library, scan, json),
        Command::Import(import) => add::import(&mut library, import, json),
        Command::List => look::list(&library, json),
        Command::Show { uri } => look::show(&library, uri, json),
        Command::Stats => stats::run(&library, json),
        Command::Forget(forget) => forget::run(&mut library, forget, json),
        Command::Push(push) => push::run(&library, push, json),
    }
}

/// A number of things, which are called `thing` where there is one.
fn counted<N: Copy + Display + PartialEq + From<u8>>(number: N, thing: &str) -> String {
    format!("{number} {thing}{}", if number == N::from(1) { "" } else { "s" })
}
