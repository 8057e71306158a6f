//! What earlier scans have read, so that the next one reads only what has changed.
//!
//! One JSON object a line, appended as files are read: a scan that is stopped, or a power cut, loses what was not flushed
//! and nothing else. Later lines count.

use std::collections::HashMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::tags::Tags;

/// Goes up when more files can be read: what was refused before is looked at anew.
const READER: u32 = 1;

/// How a file is known to be the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    size: u64,
    /// Nanoseconds since 1970.
    modified: i64,
    inode: u64,
}

#[cfg(unix)]
fn inode(about: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(about)
}

/// Size and time have to do.
#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

impl From<&Metadata> for Identity {
    fn from(about: &Metadata) -> Self {
        let modified = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX));
        Self { size: about.len(), modified, inode: inode(about) }
    }
}

/// What was heard in a file, as far as a library needs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sounding {
    pub(super) valence: f32,
    pub(super) arousal: f32,
    pub(super) tempo: Option<f32>,
    /// Above 0 for major.
    pub(super) majorness: Option<f32>,
    pub(super) timbre: [f32; moodbox_sound::TIMBRE],
}

/// What a file came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Content {
    /// Its tags, and its sound or why it could not be heard; nothing where nobody has listened.
    Song { tags: Box<Tags>, sound: Option<Result<Sounding, String>> },
    /// Why it is of no use.
    Useless(String),
}

impl Content {
    /// Whether there is nothing more to learn from the file.
    pub(super) fn is_enough(&self, listen: bool) -> bool {
        !listen || !matches!(self, Self::Song { sound: None, .. })
    }
}

#[derive(Serialize, Deserialize)]
struct Line<P, C> {
    path: P,
    #[serde(flatten)]
    identity: Identity,
    content: C,
    /// [`READER`] of then; older lines have none.
    #[serde(default)]
    reader: u32,
}

/// All that was read so far.
pub(super) struct Seen {
    files: HashMap<PathBuf, (Identity, Content)>,
    log: BufWriter<File>,
}

impl Seen {
    /// Reads the file, which need not exist yet. Lines that cannot be understood are as if they were not there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut files: HashMap<PathBuf, _> = HashMap::new();
        let mut lines = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            lines += 1;
            match serde_json::from_slice(line) {
                Ok(Line { content: Content::Useless(_), reader, .. }) if reader < READER => {}
                Ok(Line { path, identity, content, .. }) => drop(files.insert(path, (identity, content))),
                Err(_) => {}
            }
        }
        if lines > 2 * files.len() || text.last().is_some_and(|byte| *byte != b'\n') {
            let mut whole = Vec::new();
            for (path, (identity, content)) in &files {
                write(&mut whole, path, *identity, content)?;
            }
            super::replace(path, &whole)?;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let log = BufWriter::new(OpenOptions::new().create(true).append(true).open(path)?);
        Ok(Self { files, log })
    }

    pub(super) fn get(&self, path: &Path, identity: Identity) -> Option<&Content> {
        self.files.get(path).filter(|(seen, _)| *seen == identity).map(|(_, content)| content)
    }

    pub(super) fn add(&mut self, path: &Path, identity: Identity, content: &Content) -> io::Result<()> {
        write(&mut self.log, path, identity, content)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.log.flush()
    }

    /// Every file that was ever seen below this folder.
    pub(super) fn below(&self, folder: &Path) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path).filter(move |path| path.starts_with(folder))
    }
}

fn write(out: &mut impl Write, path: &Path, identity: Identity, content: &Content) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Line { path, identity, content, reader: READER })?;
    out.write_all(b"\n")
}
