//! A folder on a disk whose power can be cut: what may be found there afterwards.
//!
//! The model is what POSIX promises and no more, as in Pillai et al. 2014 ("All File Systems Are Not Created Equal", the
//! checker ALICE). What was done to a file lasts once the file was flushed, names last once the folder was. Before that,
//! each file keeps any number of the first changes, the next one in part, as zeros or whole; the folder keeps any number of
//! its first changes; and neither waits for the other.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use fastrand::Rng;

use crate::strace::Call;

/// A change of what a file holds.
#[derive(Debug, Clone)]
enum Change {
    Added(Vec<u8>),
    Cut(usize),
}

#[derive(Debug, Clone, Default)]
struct Inode {
    /// What is on the disk for certain.
    flushed: Vec<u8>,
    /// What was done since.
    since: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Naming {
    Named(OsString, usize),
    Renamed(OsString, OsString),
    Removed(OsString),
}

type Names = BTreeMap<OsString, usize>;

/// The folder as programs see it, and what of that is on the disk.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    inodes: Vec<Inode>,
    names: Names,
    flushed: Names,
    since: Vec<Naming>,
}

impl Disk {
    /// The folder as it is, all of it on the disk.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let mut disk = Self::default();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            disk.names.insert(entry.file_name(), disk.inodes.len());
            disk.inodes.push(Inode { flushed: fs::read(entry.path())?, since: Vec::new() });
        }
        disk.flushed = disk.names.clone();
        Ok(disk)
    }

    /// Does what a program has done; calls for other folders do nothing.
    pub fn act(&mut self, folder: &Path, call: &Call) {
        let name =
            |path: &Path| (path.parent() == Some(folder)).then(|| path.file_name().map(OsString::from)).flatten();
        match call {
            Call::Opened { path, emptied } => {
                let Some(name) = name(path) else { return };
                let inode = self.names.get(&name).copied().unwrap_or_else(|| {
                    self.inodes.push(Inode::default());
                    self.name(Naming::Named(name, self.inodes.len() - 1));
                    self.inodes.len() - 1
                });
                if *emptied {
                    self.inodes[inode].since.push(Change::Cut(0));
                }
            }
            Call::Wrote(path, bytes) => self.change(name(path), Change::Added(bytes.clone())),
            Call::Cut(path, length) => self.change(name(path), Change::Cut(*length)),
            Call::Renamed(from, to) => {
                if let (Some(from), Some(to)) = (name(from), name(to)) {
                    self.name(Naming::Renamed(from, to));
                }
            }
            Call::Removed(path) => {
                if let Some(name) = name(path) {
                    self.name(Naming::Removed(name));
                }
            }
            Call::Flushed(path) if path == folder => {
                self.flushed = self.names.clone();
                self.since.clear();
            }
            Call::Flushed(path) => {
                if let Some(inode) = name(path).and_then(|name| self.names.get(&name)) {
                    self.inodes[*inode].flush();
                }
            }
        }
    }

    /// What programs see in each file.
    #[must_use]
    pub fn as_seen(&self) -> BTreeMap<OsString, Vec<u8>> {
        let content = |inode: &usize| {
            let mut inode = self.inodes[*inode].clone();
            inode.flush();
            inode.flushed
        };
        self.names.iter().map(|(name, inode)| (name.clone(), content(inode))).collect()
    }

    fn name(&mut self, naming: Naming) {
        apply(&mut self.names, &naming);
        self.since.push(naming);
    }

    fn change(&mut self, name: Option<OsString>, change: Change) {
        if let Some(inode) = name.and_then(|name| self.names.get(&name)) {
            self.inodes[*inode].since.push(change);
        }
    }

    /// Makes `folder` what may be found after a power cut now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn cut_power(&self, rng: &mut Rng, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            fs::remove_file(entry?.path())?;
        }
        let mut names = self.flushed.clone();
        self.since[..rng.usize(..=self.since.len())].iter().for_each(|naming| apply(&mut names, naming));
        for (name, inode) in names {
            fs::write(folder.join(name), self.inodes[inode].after_a_cut(rng))?;
        }
        Ok(())
    }
}

impl Inode {
    fn flush(&mut self) {
        for change in self.since.drain(..) {
            alter(&mut self.flushed, &change);
        }
    }

    fn after_a_cut(&self, rng: &mut Rng) -> Vec<u8> {
        let mut content = self.flushed.clone();
        let kept = rng.usize(..=self.since.len());
        self.since[..kept].iter().for_each(|change| alter(&mut content, change));
        if let Some(Change::Added(bytes)) = self.since.get(kept) {
            match rng.u8(..3) {
                // Torn at any byte.
                0 => content.extend_from_slice(&bytes[..rng.usize(..=bytes.len())]),
                // The length came to the disk and what it is the length of did not.
                1 => content.resize(content.len() + bytes.len(), 0),
                _ => {}
            }
        }
        content
    }
}

fn alter(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Added(bytes) => content.extend_from_slice(bytes),
        Change::Cut(length) => content.resize(*length, 0),
    }
}

fn apply(names: &mut Names, naming: &Naming) {
    match naming {
        Naming::Named(name, inode) => {
            names.insert(name.clone(), *inode);
        }
        Naming::Renamed(from, to) => {
            if let Some(inode) = names.remove(from) {
                names.insert(to.clone(), inode);
            }
        }
        Naming::Removed(name) => {
            names.remove(name);
        }
    }
}
