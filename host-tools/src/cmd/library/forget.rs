//! `moodbox library forget`: songs that are not wanted any more, or have moved.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::builder::NonEmptyStringValueParser;
use serde_json::json;

use super::counted;
use crate::failure::Failure;
use crate::library::Library;
use crate::library::names::{self, file_uri};

/// Which songs.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox library forget ~/Music/old")]
pub(super) struct Arguments {
    /// What their uris begin with, or the folder, there or not, that their files lie in.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    prefix: String,
}

pub(super) fn run(library: &mut Library, arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let prefix = &arguments.prefix;
    let file = file_uri(&absolute(Path::new(prefix))?);
    let forgotten = library.forget(|track| {
        let below = file.as_ref().and_then(|file| track.uri.strip_prefix(file.trim_end_matches('/')));
        track.uri.starts_with(prefix) || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if forgotten == 0 {
        let library = library.path().display();
        return Err(anyhow!(
            "no song of {library} has a uri that begins with {prefix:?}, or a file below such a folder"
        )
        .into());
    }
    library.keep()?;
    let mut out = io::stdout().lock();
    let (path, left) = (library.path(), library.tracks().len());
    if json {
        writeln!(out, "{}", json!({ "forgotten": forgotten, "library": path.to_string_lossy(), "tracks": left }))?;
    } else {
        writeln!(out, "{} forgotten", counted(forgotten, "song"))?;
        writeln!(out, "{}: {}", path.display(), counted(left, "song"))?;
    }
    Ok(())
}

/// The path as a scan has it, as far as that can be said of a folder that may be no more.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute = names::absolute(path).or_else(|_| std::path::absolute(path));
    // Without a slash at its end.
    Ok(absolute.with_context(|| format!("cannot tell where {} is", path.display()))?.components().collect())
}
