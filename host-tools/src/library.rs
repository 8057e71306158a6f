//! The songs that a person has on their own computer, and the file that keeps them.

mod guard;
pub(crate) mod listen;
mod merge;
pub(crate) mod names;
pub(crate) mod place;
pub(crate) mod scan;
mod seen;
mod tags;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::{HashMap, HashSet};
use std::env;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use moodbox_core::music::{Catalogue, Track};

use self::scan::Rename;
use crate::failure::tell;

/// Links that are followed one after the other, as many as Linux does: some lead to each other.
const MOST_LINKS: usize = 40;

/// The songs of the file; without one, those of the person's own library, or the demo catalogue where that has none. Rows
/// that cannot be used are named on stderr.
pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Catalogue> {
    if let Some(path) = path {
        return read_file(path);
    }
    match default_path().ok().filter(|own| own.exists()) {
        Some(own) => Ok(Some(import(&own)?).filter(|own| !own.tracks().is_empty()).unwrap_or_else(Catalogue::demo)),
        None => Ok(Catalogue::demo()),
    }
}

/// The songs of a file, of which there is at least one. Rows that cannot be used are named on stderr.
pub(crate) fn read_file(path: &Path) -> anyhow::Result<Catalogue> {
    let catalogue = import(path)?;
    if catalogue.tracks().is_empty() { Err(without_songs(path)) } else { Ok(catalogue) }
}

fn import(path: &Path) -> anyhow::Result<Catalogue> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let import = Catalogue::import(&bytes).with_context(|| path.display().to_string())?;
    for rejected in &import.rejected {
        tell(format_args!("moodbox: {}: {rejected}", path.display()));
    }
    Ok(import.catalogue)
}

fn without_songs(path: &Path) -> anyhow::Error {
    let fault = if path.exists() { "has no songs" } else { "does not exist" };
    anyhow!("{} {fault}; scan a folder or import a file", path.display())
}

/// A library in a file that only this tool writes.
pub(crate) struct Library {
    path: PathBuf,
    tracks: Vec<Track>,
}

impl Library {
    /// The library of this file, or of the person where none is named. One that does not exist yet is empty.
    pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let path = path.map_or_else(default_path, |path| Ok(path.to_owned()))?;
        let tracks = match fs::read(&path) {
            Ok(bytes) if Catalogue::is_file(&bytes) => {
                let catalogue = Catalogue::from_file(&bytes).with_context(|| path.display().to_string())?;
                catalogue.tracks().to_vec()
            }
            Ok(_) => {
                let path = path.display();
                return Err(anyhow!(
                    "{path} is not a library of moodbox; add it to one with: moodbox library import {path}"
                ));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        Ok(Self { path, tracks })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The songs, of which there is at least one.
    pub(crate) fn songs(&self) -> anyhow::Result<&[Track]> {
        if self.tracks.is_empty() { Err(without_songs(&self.path)) } else { Ok(&self.tracks) }
    }

    /// Adds tracks that a file lists. What is known better of one with the same uri stays.
    pub(crate) fn add_listed(&mut self, new: Vec<Track>) {
        self.merge(new, merge::listed);
    }

    /// Adds tracks that a scan has found, which are known as before or better, drops those with a uri that is `gone` or that
    /// have another now, and says how many it has dropped.
    pub(crate) fn add_scanned(&mut self, new: Vec<Track>, mut gone: HashSet<String>, renames: Vec<Rename>) -> usize {
        self.merge(new, merge::scanned);
        let at = self.indices();
        for Rename { old, new, is_address } in renames {
            let (Some(&from), Some(&to)) = (at.get(&old), at.get(&new)) else { continue };
            if is_address || merge::is_one_song(&self.tracks[from], &self.tracks[to]) {
                let track = std::mem::take(&mut self.tracks[to]);
                self.tracks[to] = merge::scanned(self.tracks[from].clone(), track);
                gone.insert(old);
            }
        }
        self.forget(|track| gone.contains(&track.uri))
    }

    /// Where the track with each uri stands.
    fn indices(&self) -> HashMap<String, usize> {
        self.tracks.iter().enumerate().map(|(index, track)| (track.uri.clone(), index)).collect()
    }

    fn merge(&mut self, new: Vec<Track>, merged: impl Fn(Track, Track) -> Track) {
        let mut at = self.indices();
        for track in new {
            if let Some(&index) = at.get(&track.uri) {
                let old = std::mem::take(&mut self.tracks[index]);
                self.tracks[index] = merged(old, track);
            } else {
                at.insert(track.uri.clone(), self.tracks.len());
                self.tracks.push(track);
            }
        }
    }

    /// Removes the songs of which this is true, and says how many.
    pub(crate) fn forget(&mut self, is_meant: impl Fn(&Track) -> bool) -> usize {
        let before = self.tracks.len();
        self.tracks.retain(|track| !is_meant(track));
        before - self.tracks.len()
    }

    /// What the file holds.
    pub(crate) fn to_file(&self) -> anyhow::Result<Vec<u8>> {
        Ok(Catalogue::to_file(&self.tracks)?)
    }

    /// Writes the file: a power cut leaves the old or the new one. A library without songs is not begun.
    pub(crate) fn keep(&self) -> anyhow::Result<()> {
        if self.tracks.is_empty() && !self.path.exists() {
            return Ok(());
        }
        replace(&self.path, &self.to_file()?).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Puts new content in the place of a file: written beside it, flushed to the disk, then renamed over it. Who could read the
/// old one can read the new one; the first is for all whom the umask lets.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder_of(path))?;
    // A folder that a link leads to is no business of ours: its drive may not be mounted.
    let path = &behind_links(path);
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".moodbox-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut beside = builder.tempfile_in(folder)?;
    if let Ok(old) = fs::metadata(path) {
        beside.as_file().set_permissions(old.permissions())?;
    }
    beside.write_all(content)?;
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    // Windows opens no folders.
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// What a link leads to, be it there yet or not: the link itself stays.
fn behind_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&path) else { break };
        path = folder_of(&path).join(next);
    }
    path
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn default_path() -> anyhow::Result<PathBuf> {
    Ok(folder("XDG_DATA_HOME", ".local/share")?.join("library.jsonl"))
}

/// Our folder below the one that the variable names, or else below this one of the home folder (XDG base directories).
fn folder(variable: &str, otherwise: &str) -> anyhow::Result<PathBuf> {
    let named = env::var_os(variable).map(PathBuf::from);
    let at_home = || env::home_dir().map(|home| home.join(otherwise));
    let base = named.filter(|path| path.is_absolute()).or_else(|| at_home().filter(|path| path.is_absolute()));
    base.map(|base| base.join("moodbox"))
        .ok_or_else(|| anyhow!("there is no home folder; set {variable} to a folder to use instead"))
}
