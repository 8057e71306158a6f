//! Power cuts while the state is written: the real store writes under strace, and what it did is cut off at random points
//! over and over. What is found then must be the old or the new state, and everything that was said to be kept.

mod deeds;

use std::fs;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use moodbox_tests::disk::Disk;
use moodbox_tests::rights;
use moodbox_tests::strace::{self, Call};
use tempfile::TempDir;

use deeds::{Fault, Kept, LIKED_BEFORE, WRITER};

/// Cuts where the environment does not name another number.
const CUTS: u64 = 1_000;
const HOW_MANY: &str = "MOODBOX_POWER_CUTS";

/// A second process of this test, which writes; it does nothing where the tests below have not started it.
#[test]
fn writer() {
    if let Some(folder) = std::env::var_os(WRITER) {
        deeds::do_all(Path::new(&folder));
    }
}

/// What the writer has done to its folder, and the folder as it was before.
struct Recording {
    folder: PathBuf,
    liked_before: u32,
    before: Disk,
    calls: Vec<Call>,
}

impl Recording {
    fn make(liked_before: u32) -> Self {
        let (made, log) = (in_memory(), tempfile::NamedTempFile::new().unwrap());
        // As strace names it.
        let folder = made.path().canonicalize().unwrap();
        deeds::prepare(&folder, liked_before);
        let before = Disk::of(&folder).unwrap();
        let output = strace::traced(&std::env::current_exe().unwrap(), log.path())
            .args(["power_cuts::writer", "--exact", "--nocapture"])
            .env(WRITER, &folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let calls = strace::calls(&fs::read_to_string(log.path()).unwrap());
        // Nothing is missing from the trace: what it comes to is what lies there.
        let mut after = before.clone();
        for call in &calls {
            after.act(&folder, call);
        }
        assert!(after.as_seen() == Disk::of(&folder).unwrap().as_seen(), "the trace is not what was done");
        Self { folder, liked_before, before, calls }
    }

    /// The same, had the store not flushed what is so called.
    fn without(&self, flush: impl Fn(&Path) -> bool) -> Self {
        let is_left = |call: &&Call| !matches!(call, Call::Flushed(path) if flush(path));
        let calls = self.calls.iter().filter(is_left).cloned().collect();
        Self { folder: self.folder.clone(), before: self.before.clone(), calls, ..*self }
    }

    /// Cuts the power `cuts` times at points by chance; what was wrong afterwards.
    fn cut(&self, cuts: u64) -> Vec<Fault> {
        let found = in_memory();
        let mut rng = Rng::with_seed(cuts);
        let mut points: Vec<_> = (0..cuts).map(|_| rng.usize(..=self.calls.len())).collect();
        points.sort_unstable();
        let (mut disk, mut kept, mut done) = (self.before.clone(), Kept::new(self.liked_before), 0);
        let mut faults = Vec::new();
        for point in points {
            for call in &self.calls[done..point] {
                disk.act(&self.folder, call);
                kept.note(call);
            }
            done = point;
            disk.cut_power(&mut rng, found.path()).unwrap();
            faults.extend(kept.faults_in(found.path()));
        }
        faults
    }
}

/// A folder where flushing takes no time: it would be all that takes any.
fn in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

#[test]
fn a_power_cut_leaves_the_old_or_the_new_state() {
    if !rights::may_trace() {
        return;
    }
    let cuts = std::env::var(HOW_MANY).map_or(CUTS, |number| number.parse().unwrap());
    for liked_before in LIKED_BEFORE {
        let recording = Recording::make(liked_before);
        let cuts = cuts / LIKED_BEFORE.len() as u64;
        let faults = recording.cut(cuts);
        let torn = faults.iter().filter(|fault| matches!(fault, Fault::Torn(_))).count();
        println!("{cuts} power cuts in {} calls: {torn} torn, {} lost", recording.calls.len(), faults.len() - torn);
        assert!(faults.is_empty(), "{:#?}", &faults[..faults.len().min(10)]);
    }
}

#[test]
fn a_store_that_leaves_out_a_flush_is_caught() {
    if !rights::may_trace() {
        return;
    }
    let recording = Recording::make(LIKED_BEFORE[1]);
    let folder = recording.folder.clone();
    let faults = recording.without(|path| path != folder).cut(300);
    assert!(faults.iter().any(|fault| matches!(fault, Fault::Torn(_))), "files that are not flushed: {faults:#?}");
    let faults = recording.without(|path| path == folder).cut(300);
    assert!(faults.iter().any(|fault| matches!(fault, Fault::Lost(_))), "a folder that is not flushed: {faults:#?}");
    let new = Recording::make(LIKED_BEFORE[0]);
    let new = new.without(|path| path == new.folder);
    assert!(!new.cut(300).is_empty(), "the name of a new log is flushed for nothing");
    // Each file by itself, so that none of the flushes is there for nothing.
    let names = "switches.new calibration.new settings.new trials.new feedback.jsonl feedback.new history.jsonl .part";
    for name in names.split(' ') {
        let faults = recording.without(|path| path.to_string_lossy().ends_with(name)).cut(300);
        assert!(!faults.is_empty(), "{name} is flushed for nothing");
    }
}
