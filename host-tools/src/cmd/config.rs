//! `moodbox config`: configuration files on this computer.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use moodbox_core::config::Config;
use serde_json::json;

use crate::failure::Failure;

/// What to do with a configuration.
#[derive(clap::Subcommand)]
#[command(after_help = "Example:\n  moodbox config check moodbox.toml")]
pub(crate) enum Command {
    /// Say whether a configuration file is valid, and if not, what is wrong on which line.
    #[command(after_help = "Example:\n  moodbox config check moodbox.toml")]
    Check {
        /// The file.
        file: PathBuf,
    },
}

pub(crate) fn run(command: &Command, as_json: bool) -> Result<(), Failure> {
    match command {
        Command::Check { file } => check(file, as_json),
    }
}

fn check(file: &Path, as_json: bool) -> Result<(), Failure> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let checked = Config::parse(&text);
    if as_json {
        let report = match &checked {
            Ok(_) => json!({ "file": file, "ok": true }),
            Err(e) => json!({ "file": file, "ok": false, "line": e.line, "key": e.key, "reason": e.reason }),
        };
        writeln!(io::stdout(), "{report}")?;
    } else if checked.is_ok() {
        writeln!(io::stdout(), "{}: ok", file.display())?;
    }
    match checked {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Finding(anyhow!(error).context(file.display().to_string()))),
    }
}
