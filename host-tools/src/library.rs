//! The songs that a person has on their own computer.

use std::fs;
use std::path::Path;

use anyhow::Context;
use moodbox_core::music::Catalogue;

/// The songs of the file, or the demo catalogue. Rows that cannot be used are named on stderr.
pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Catalogue> {
    let Some(path) = path else { return Ok(Catalogue::demo()) };
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let import = Catalogue::import(&bytes).with_context(|| path.display().to_string())?;
    for rejected in &import.rejected {
        eprintln!("moodbox: {}: {rejected}", path.display());
    }
    Ok(import.catalogue)
}
