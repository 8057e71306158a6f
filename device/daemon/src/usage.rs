//! The words that a program was called with.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

/// Sees faces, tells the mood of the room, lights it up and recommends music.
#[derive(Parser)]
#[command(
    name = "moodboxd",
    version,
    max_term_width = 80,
    after_help = "Example:\n  moodboxd --config moodbox.toml --check-config"
)]
pub struct Arguments {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/moodbox/moodbox.toml")]
    pub config: PathBuf,
    /// Check the configuration and end.
    #[arg(long)]
    pub check_config: bool,
}

/// Reads them.
///
/// # Errors
/// The exit code with which to end, once help was printed where that was asked for, or one line on stderr where the words
/// cannot be used.
pub fn arguments<T: Parser>() -> Result<T, ExitCode> {
    T::try_parse().map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Whether anybody reads it changes nothing.
            let _ = error.print();
            u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        _ => {
            let (name, reason) = (T::command().get_name().to_owned(), one_line(&error.to_string()));
            let _ = writeln!(io::stderr(), "{name}: {reason}; see --help");
            ExitCode::from(2)
        }
    })
}

/// What clap finds wrong, without the paragraphs on usage that it adds.
fn one_line(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let paragraphs = text.split("\n\n").take_while(|paragraph| !paragraph.starts_with("Usage: "));
    let about = paragraphs.filter(|paragraph| !paragraph.starts_with("For more information"));
    let lines = about.map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("; ")
}
