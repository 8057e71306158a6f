//! From a folder of sound files to tracks, on all cores.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::iter;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;
use moodbox_core::affect::Affect;
use moodbox_core::music::{Mode, Source, Track, artist_and_title};
use walkdir::WalkDir;

use super::listen::{Heard, listen};
use super::names::Names;
use super::place::Places;
use super::seen::{Content, Identity, Seen, Sounding};
use super::tags::{self, Tags};
use super::trouble::Trouble;

/// Endings of the files that are looked into; what is in them decides.
const ENDINGS: [&str; 9] = ["mp3", "flac", "ogg", "oga", "opus", "m4a", "mp4", "wav", "wave"];

/// Time after which what was read is safe from a crash.
const FLUSH: Duration = Duration::from_secs(1);

/// Majorness from which a key is called major, and below the negative of which minor.
const CLEAR_MODE: f32 = 0.05;

/// Folders in which systems keep what was thrown away, or what is theirs, beside those whose names begin with one dot.
const NOT_MUSIC: [&str; 4] = ["$RECYCLE.BIN", "@eaDir", "lost+found", "System Volume Information"];

/// A file that is of no use, or of less than it could be, and why.
pub(crate) struct Complaint {
    pub(crate) path: PathBuf,
    pub(crate) reason: String,
}

/// What a scan came to.
pub(crate) struct Scanned {
    pub(crate) tracks: Vec<Track>,
    pub(crate) complaints: Vec<Complaint>,
    /// Names of files that were there in an earlier scan and are not any more.
    pub(crate) gone: HashSet<String>,
    /// What files that were found may be called in the library.
    pub(crate) renames: Vec<Rename>,
    /// Files that were read now, not in an earlier scan.
    pub(crate) read: usize,
    /// Whether it was stopped before its end.
    pub(crate) stopped: bool,
}

/// Another name that a file has for some player, and the one that it has now. Under the old one the library may have
/// another file.
pub(crate) struct Rename {
    pub(crate) old: String,
    pub(crate) new: String,
    /// Whether the old name says where the file lies, and so can mean no other.
    pub(crate) is_address: bool,
}

/// What to look at, and how.
pub(crate) struct Scan<'a> {
    /// An absolute path.
    pub(crate) folder: &'a Path,
    pub(crate) listen: bool,
    pub(crate) names: Names,
    /// Ends the scan early; what was read until then is kept.
    pub(crate) stop: &'a AtomicBool,
}

struct Found {
    path: PathBuf,
    identity: Identity,
    /// Other paths that lead to it.
    others: Vec<PathBuf>,
}

/// What was found in a file.
struct Finding {
    content: Content,
    /// Whether it is the same for as long as the file is. A disk that could not be read may be the next time.
    lasts: bool,
}

impl Scan<'_> {
    /// Scans; `progress` is told of the number of files at first, and then of each that is done.
    pub(crate) fn run(&self, mut progress: impl FnMut(usize, Option<usize>)) -> anyhow::Result<Scanned> {
        let log = super::folder("XDG_CACHE_HOME", ".cache")?.join("scanned.jsonl");
        let mut seen = Seen::open(&log).with_context(|| format!("cannot use {}", log.display()))?;
        let (found, mut complaints) = self.walk();
        let is_known =
            |file: &&Found| seen.get(&file.path, file.identity).is_some_and(|content| content.is_enough(self.listen));
        let (known, new): (Vec<&Found>, Vec<&Found>) = found.iter().partition(is_known);
        progress(0, Some(new.len()));
        let mut contents: Vec<(&Path, Content)> = Vec::with_capacity(found.len());
        for file in known {
            contents.extend(seen.get(&file.path, file.identity).map(|content| (file.path.as_path(), content.clone())));
        }
        let fresh =
            self.read(&new, &mut seen, &mut progress).with_context(|| format!("cannot write {}", log.display()))?;
        let read = fresh.len();
        contents.extend(fresh);
        contents.sort_by_key(|(path, _)| *path);

        let stopped = self.stop.load(Ordering::Relaxed);
        let places = Places::new();
        let mut tracks = Vec::with_capacity(contents.len());
        for (path, content) in contents {
            let complain = |reason| Complaint { path: path.to_owned(), reason };
            match content {
                Content::Useless(reason) => complaints.push(complain(reason)),
                Content::Song { tags, sound } => {
                    // Nobody asked to listen now: that an earlier scan could not is no news.
                    let sound = if self.listen { sound } else { sound.filter(Result::is_ok) };
                    let sound = sound.transpose().unwrap_or_else(|reason| {
                        complaints.push(complain(reason));
                        None
                    });
                    match self.track(path, *tags, sound, &places) {
                        Ok(track) => tracks.push(track),
                        Err(reason) => complaints.push(complain(reason)),
                    }
                }
            }
        }
        let there: HashSet<&Path> = found.iter().map(|file| file.path.as_path()).collect();
        let gone = seen
            .below(self.folder)
            .filter(|path| !there.contains(path) && (self.is_passed_over(path) || is_gone(path)))
            .filter_map(|path| self.name(path));
        let gone = if stopped { HashSet::new() } else { gone.collect() };
        let renames = if stopped { Vec::new() } else { found.iter().flat_map(|file| self.renames(file)).collect() };
        Ok(Scanned { tracks, complaints, gone, renames, read, stopped })
    }

    /// Every sound file once, though links may lead to it in several ways, and what could not be looked into.
    fn walk(&self) -> (Vec<Found>, Vec<Complaint>) {
        let (mut found, mut complaints) = (Vec::<Found>::new(), Vec::new());
        // Where in `found` each file is.
        let mut known: HashMap<_, usize> = HashMap::new();
        let walk = WalkDir::new(self.folder).follow_links(true).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| !self.is_passed_over(entry.path())) {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(self.folder).to_owned();
                    if self.is_passed_over(&path) {
                        continue;
                    }
                    let reason = match error.io_error() {
                        None => "is a link to a folder that it lies in".to_owned(),
                        Some(io) => format!("cannot be read: {io}"),
                    };
                    complaints.push(Complaint { path, reason });
                    continue;
                }
            };
            let ending = entry.path().extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
            if !entry.file_type().is_file() || !ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
                continue;
            }
            let complain = |reason: String| Complaint { path: entry.path().to_owned(), reason };
            if entry.path().to_str().is_none() {
                complaints
                    .push(complain("has a name that is not UTF-8, which players are not told; rename it".to_owned()));
                continue;
            }
            let about = match fs::metadata(entry.path()) {
                Ok(about) => about,
                Err(error) => {
                    complaints.push(complain(format!("cannot be read: {error}")));
                    continue;
                }
            };
            let mut path = entry.into_path();
            match known.entry(place(&about, &path)) {
                Entry::Vacant(entry) => {
                    entry.insert(found.len());
                    found.push(Found { path, identity: Identity::from(&about), others: Vec::new() });
                }
                Entry::Occupied(entry) => {
                    let file = &mut found[*entry.get()];
                    // The file itself goes before a link to it.
                    if self.is_by_link(&file.path) && !self.is_by_link(&path) {
                        std::mem::swap(&mut file.path, &mut path);
                    }
                    file.others.push(path);
                }
            }
        }
        (found, complaints)
    }

    /// Whether the path, or a folder in it below the one that is scanned, is a link.
    fn is_by_link(&self, path: &Path) -> bool {
        path.ancestors().take_while(|part| *part != self.folder).any(Path::is_symlink)
    }

    /// Whether a file or folder is hidden or not meant for music, or lies below such a folder. What was named to be scanned
    /// is not, wherever it lies.
    fn is_passed_over(&self, path: &Path) -> bool {
        let below = path.strip_prefix(self.folder).unwrap_or(path);
        below.components().any(|part| {
            let name = part.as_os_str().to_string_lossy();
            // Names with more dots are titles, such as "...And Justice for All".
            let hidden = name.starts_with('.') && (!name.starts_with("..") || name == "..");
            hidden || NOT_MUSIC.iter().any(|other| name.eq_ignore_ascii_case(other))
        })
    }

    /// Reads the files on all cores, and puts down what they hold as it comes.
    fn read<'f>(
        &self,
        files: &[&'f Found],
        seen: &mut Seen,
        progress: &mut impl FnMut(usize, Option<usize>),
    ) -> std::io::Result<Vec<(&'f Path, Content)>> {
        let workers = thread::available_parallelism().map_or(1, NonZero::get);
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::sync_channel(4 * workers);
        thread::scope(|scope| {
            for _ in 0..workers {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    while !self.stop.load(Ordering::Relaxed) {
                        let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                        let Some(finding) = self.look_into(&file.path) else { break };
                        if sender.send((*file, finding)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let mut contents = Vec::with_capacity(files.len());
            let mut flushed = Instant::now();
            for (file, Finding { content, lasts }) in receiver {
                if lasts {
                    seen.add(&file.path, file.identity, &content)?;
                }
                if flushed.elapsed() >= FLUSH {
                    seen.flush()?;
                    flushed = Instant::now();
                }
                contents.push((file.path.as_path(), content));
                progress(contents.len(), None);
            }
            seen.flush()?;
            Ok(contents)
        })
    }

    /// What is in a file; nothing when the scan was stopped while it was listened to.
    fn look_into(&self, path: &Path) -> Option<Finding> {
        let lasting = |trouble: &Trouble| matches!(trouble, Trouble::Useless(_));
        let tags = match tags::read(path) {
            Ok(tags) => Box::new(tags),
            Err(trouble) => {
                return Some(Finding { content: Content::Useless(trouble.to_string()), lasts: lasting(&trouble) });
            }
        };
        let mut lasts = true;
        let sound = if self.listen {
            match listen(path, self.stop) {
                Ok(Heard::Stopped) => return None,
                Ok(Heard::Sound(sound)) => {
                    let guess = sound.affect();
                    Some(Ok(Sounding {
                        valence: guess.valence,
                        arousal: guess.arousal,
                        tempo: sound.tempo,
                        majorness: sound.majorness,
                        timbre: sound.timbre.map(|coefficient| (coefficient * 100.0).round() / 100.0),
                    }))
                }
                Err(trouble) => {
                    lasts = lasting(&trouble);
                    Some(Err(trouble.to_string()))
                }
            }
        } else {
            None
        };
        Some(Finding { content: Content::Song { tags, sound }, lasts })
    }

    fn track(&self, path: &Path, tags: Tags, sound: Option<Sounding>, places: &Places) -> Result<Track, String> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let (stem_artist, stem_title) = artist_and_title(&stem);
        let or = |text: String, other: &str| if text.is_empty() { moodbox_core::music::one_line(other) } else { text };
        let mut track = Track {
            uri: self.name(path).ok_or("has a name that players are not told")?,
            title: or(tags.title, stem_title),
            artist: or(tags.artist, stem_artist),
            album: tags.album,
            year: tags.year,
            genres: tags.genres,
            tags: tags.moods,
            mbid: tags.mbid,
            isrc: tags.isrc,
            tempo: tags.tempo,
            source: Source::Unknown,
            ..Track::default()
        };
        if let Some(sound) = sound {
            track.affect = Affect::new(sound.valence, sound.arousal);
            (track.source, track.confidence) = (Source::Sound, moodbox_sound::CONFIDENCE);
            track.tempo = track.tempo.or(sound.tempo);
            track.timbre = Some(sound.timbre);
            track.mode = sound
                .majorness
                .filter(|majorness| majorness.abs() >= CLEAR_MODE)
                .map(|majorness| if majorness > 0.0 { Mode::Major } else { Mode::Minor });
        }
        places.put(&mut track);
        track.check()?;
        Ok(track)
    }

    /// What a player calls the file.
    fn name(&self, path: &Path) -> Option<String> {
        self.names.of(path, self.folder)
    }

    /// What it was called in a library that was scanned for another player, or before a better path led to it. A file has one
    /// name, for it is one song.
    fn renames(&self, file: &Found) -> Vec<Rename> {
        let Some(new) = self.name(&file.path) else { return Vec::new() };
        let rename = |path: &Path, names: Names| {
            let old = names.of(path, self.folder).filter(|old| *old != new)?;
            Some(Rename { old, new: new.clone(), is_address: names == Names::File })
        };
        let paths = iter::once(&file.path).chain(&file.others);
        paths.flat_map(|path| Names::value_variants().iter().filter_map(|names| rename(path, *names))).collect()
    }
}

/// What two names of one file have in common.
#[cfg(unix)]
fn place(about: &fs::Metadata, _: &Path) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (about.dev(), about.ino())
}

/// What two names of one file have in common.
#[cfg(not(unix))]
fn place(_: &fs::Metadata, path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Whether a file that was there is no more. What cannot be looked for may be there, and so may all that was below a folder
/// that is empty now: its drive may not be mounted.
fn is_gone(path: &Path) -> bool {
    let mut folders = path.ancestors().skip(1);
    let holds_something = |folder: &Path| fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    matches!(path.try_exists(), Ok(false)) && folders.find(|folder| folder.is_dir()).is_some_and(holds_something)
}
