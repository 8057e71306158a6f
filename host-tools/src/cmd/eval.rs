//! `moodbox eval`: how well the box's own code finds faces, reads expressions and ranks songs, on data of a person's own.

mod faces;
mod fer;
mod measures;
mod music;
mod table;

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use moodbox_models::Models;
use serde::Serialize;

use crate::failure::Failure;

/// What to measure.
#[derive(clap::Subcommand)]
#[command(after_help = "Example:\n  moodbox eval fer faces/ --html page.html")]
pub(crate) enum Command {
    /// How well expressions are read, on crops of faces sorted into folders named after the expression.
    Fer(fer::Arguments),
    /// How well faces are found, on pictures with boxes.
    Faces(faces::Arguments),
    /// How well songs are recommended, on a table of them, beside chance and single signals.
    Music(music::Arguments),
}

pub(crate) fn run(command: &Command, json: bool) -> Result<(), Failure> {
    match command {
        Command::Fer(arguments) => fer::run(arguments, json),
        Command::Faces(arguments) => faces::run(arguments, json),
        Command::Music(arguments) => music::run(arguments, json),
    }
}

/// The models of a folder, or the built-in ones.
fn models(folder: Option<&Path>) -> anyhow::Result<Models> {
    let models = folder.map_or_else(Models::built_in, Models::read);
    models.with_context(|| folder.map_or("the built-in models".to_owned(), |f| f.display().to_string()))
}

/// Prints the report, in one form or the other.
fn print<R: Serialize>(report: &R, json: bool, text: impl Fn(&R) -> String) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(report).map_err(|e| anyhow!(e))?)?;
    } else {
        write!(out, "{}", text(report))?;
    }
    Ok(())
}

/// How far a long measurement is, for a person who waits in front of it.
struct Progress {
    of: usize,
    what: &'static str,
    shown: bool,
}

impl Progress {
    fn new(of: usize, what: &'static str) -> Self {
        Self { of, what, shown: io::stderr().is_terminal() }
    }

    fn at(&self, done: usize) {
        if self.shown && done.is_multiple_of(20) {
            let _ = write!(io::stderr(), "\r{done} of {} {}", self.of, self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            // Back to the start of the line, which is cleared.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
