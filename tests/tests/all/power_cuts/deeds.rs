//! What is written, and whether it is still there.

use std::fs;
use std::io::Write;
use std::path::Path;

use moodbox_core::affect::Policy;
use moodbox_core::config::Config;
use moodbox_core::emotion::{Emotion, Probabilities};
use moodbox_core::engine::{Outcome, Received, Switches, Trials};
use moodbox_core::history::{Moment, Query};
use moodbox_core::music::{Catalogue, Deed as Did, Feedback, Memory, Track};
use moodbox_core::personal::Evidence;
use moodbox_core::topics::Piece;
use moodbox_tests::strace::Call;
use moodboxd::library::Library;
use moodboxd::store::{FeedbackLog, Store};
use sha2::{Digest, Sha256};

/// Names the writer's folder.
pub(super) const WRITER: &str = "MOODBOX_POWER_CUTS_WRITER";

/// Likes that stand in the log before: none, and so many that it is compacted on the way.
pub(super) const LIKED_BEFORE: [u32; 2] = [0, 3_990];

const ROUNDS: u32 = 12;
/// After all that is noted.
const LATER: u64 = 1_000_000;
const PIECE_BYTES: usize = 300;

/// Something that is kept.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Switch(u32),
    /// Of 0 nothing is learnt, and what was is forgotten.
    Calibrate(u32),
    Set(u32),
    /// How a trial ended, with a number of its own.
    Try(u32),
    Like(u32),
    /// What the mood was at a time.
    Note(u64),
    /// A catalogue with so many songs.
    Send(usize),
}

/// All of them, in the order in which they are done.
fn deeds() -> Vec<Deed> {
    let round = |n: u32| {
        let likes = (0..3).map(move |like| Deed::Like(3 * n + like));
        let sent = (n % 4 == 1).then_some(Deed::Send(3 + n as usize));
        let rest = [Deed::Switch(n), Deed::Calibrate(n % 4), Deed::Set(11 + n), Deed::Try(n), Deed::Note(u64::from(n))];
        rest.into_iter().chain(likes).chain(sent)
    };
    (0..ROUNDS).flat_map(round).collect()
}

fn switches(number: u32) -> Switches {
    let policy = [None, Some(Policy::Lift), Some(Policy::Soothe)][number as usize % 3];
    Switches { camera: number.is_multiple_of(2), leds: true, policy }
}

fn evidence(faces: u32) -> Evidence {
    Evidence::guided((0..faces).map(|n| (Emotion::ALL[n as usize], Probabilities::certain(Emotion::Surprise))))
}

fn trials(number: u32) -> Trials {
    let mut trials = Trials::default();
    trials.last = Some(Outcome::TakenBack { why: number.to_string() });
    trials
}

const fn moment(at: u64) -> Moment {
    Moment { at, unset: false, sight: None }
}

fn liked(song: &str) -> Feedback {
    Feedback { at: 1, deed: Did::Liked { uri: song.to_owned() } }
}

/// The pieces in which a catalogue is sent.
fn pieces(songs: usize) -> Vec<Piece> {
    let track = |n| Track { uri: format!("u:{n}"), title: format!("Song {n}"), ..Track::default() };
    let file = Catalogue::to_file(&(0..songs).map(track).collect::<Vec<_>>()).unwrap();
    let sha256 = format!("{:x}", Sha256::digest(&file));
    let cut = |(n, text): (usize, &[u8])| Piece {
        sha256: sha256.clone(),
        size: file.len() as u64,
        offset: (n * PIECE_BYTES) as u64,
        text: String::from_utf8(text.to_vec()).unwrap(),
    };
    file.chunks(PIECE_BYTES).enumerate().map(cut).collect()
}

/// What lies in the folder before: a log with so many likes, or nothing.
pub(super) fn prepare(folder: &Path, likes: u32) {
    if likes > 0 {
        let log: String = (0..likes).map(|_| liked("before").line()).collect();
        fs::write(folder.join("feedback.jsonl"), log).unwrap();
    }
}

/// Does everything, and says before and after each deed that it is.
pub(super) fn do_all(folder: &Path) {
    let store = Store::new(folder, "models");
    let (mut log, _, _) = store.feedback();
    let mut library = Library::new(folder);
    // In one call each, so that the trace has them whole.
    let say = |text: String| std::io::stderr().write_all(text.as_bytes()).unwrap();
    for (number, deed) in deeds().into_iter().enumerate() {
        say(format!("begin {number}\n"));
        deed.be_done(&store, &mut log, &mut library);
        say(format!("done {number}\n"));
    }
}

impl Deed {
    fn be_done(self, store: &Store, log: &mut FeedbackLog, library: &mut Library) {
        match self {
            Self::Switch(number) => store.keep_switches(&switches(number)).unwrap(),
            Self::Calibrate(faces) => store.keep_evidence(&evidence(faces)).unwrap(),
            Self::Set(hold_s) => {
                let file = Config::default();
                let changes = serde_json::json!({ "mood.hold_s": hold_s });
                let changed = store.start(&file).0.changed(changes.as_object().unwrap()).unwrap();
                store.keep_overrides(changed.overrides(), &file).unwrap();
            }
            Self::Try(number) => store.keep_trials(&trials(number)).unwrap(),
            Self::Note(at) => store.history().append(&moment(at)).unwrap(),
            Self::Like(song) => log.append(&liked(&song.to_string())).unwrap(),
            Self::Send(songs) => {
                for piece in pieces(songs) {
                    library.take(&piece).unwrap();
                }
            }
        }
    }
}

/// What the writer has said.
pub(super) struct Kept {
    liked_before: u32,
    done: Vec<Deed>,
    /// What it was at when the power went.
    doing: Option<Deed>,
}

/// What is wrong after a power cut.
#[derive(Debug)]
#[expect(dead_code, reason = "they are printed")]
pub(super) enum Fault {
    /// A file is neither as before nor as after.
    Torn(String),
    /// What was said to be kept is not there.
    Lost(String),
}

impl Kept {
    /// Nothing but these likes.
    pub(super) const fn new(liked_before: u32) -> Self {
        Self { liked_before, done: Vec::new(), doing: None }
    }

    /// Notes what the writer says.
    pub(super) fn note(&mut self, call: &Call) {
        let Call::Wrote(_, bytes) = call else { return };
        let words = str::from_utf8(bytes).unwrap_or_default().trim_end().split_once(' ');
        match words {
            Some(("begin", number)) => self.doing = number.parse().ok().and_then(|n: usize| deeds().get(n).copied()),
            Some(("done", _)) => self.done.extend(self.doing.take()),
            _ => {}
        }
    }

    /// Reads what lies in the folder as the box does when it starts, and goes on with it.
    pub(super) fn faults_in(&self, folder: &Path) -> Vec<Fault> {
        let mut faults = Vec::new();
        let (before, after) = (State::after(&self.done), State::after(self.done.iter().chain(&self.doing)));
        let found = State::read(folder, matches!(self.doing, Some(Deed::Like(_))), &mut faults);
        let mut check = |what: &str, is: bool| {
            if !is {
                faults.push(Fault::Lost(format!("{what} at {:?} after {:?}", self.doing, self.done.last())));
            }
        };
        check("switches", [before.switches, after.switches].contains(&found.switches));
        check("calibration", [before.evidence, after.evidence].contains(&found.evidence));
        check("settings", [before.hold_s, after.hold_s].contains(&found.hold_s));
        check("trials", [before.trials, after.trials].contains(&found.trials));
        check("catalogue", [before.songs, after.songs].contains(&found.songs));
        let (mut least, mut most) = (before.likes, after.likes);
        least.push(self.liked_before);
        most.push(self.liked_before);
        check("likes", found.likes.iter().zip(least.iter().zip(most)).all(|(is, (a, b))| is == a || *is == b));
        check("history", [before.notes, after.notes].contains(&found.notes));
        check("what is done next", go_on(folder, &found.likes, &found.notes));
        faults
    }
}

/// Whether the box can go on from here, and loses nothing of what was there.
fn go_on(folder: &Path, likes: &[u32], notes: &[u64]) -> bool {
    let store = Store::new(folder, "models");
    let (mut log, _, _) = store.feedback();
    log.append(&liked("next")).unwrap();
    let (_, memory, _) = store.feedback();
    store.history().append(&moment(LATER)).unwrap();
    let noted = notes_in(&store).split_last().is_some_and(|(last, before)| *last == LATER && before == notes);
    let mut library = Library::new(folder);
    let sent = pieces(7);
    let mut at = 0;
    // As a sender does: each answer says where to go on.
    let whole = (0..3 * sent.len()).find_map(|_| {
        let text: String = sent.iter().map(|piece| piece.text.as_str()).collect();
        let end = (at + PIECE_BYTES).min(text.len());
        let piece = Piece { offset: at as u64, text: text[at..end].to_owned(), ..sent[0].clone() };
        // Torn pieces are noticed at the end, and sent again.
        match library.take(&piece).unwrap_or(Received::Part(0)) {
            Received::Part(bytes) => {
                at = bytes as usize;
                None
            }
            Received::Whole { catalogue, .. } => Some(catalogue.tracks().len()),
            Received::Before { .. } => None,
        }
    });
    let liked = memory.standing("next").up == 1 && likes_in(&memory) == likes;
    noted && liked && whole == Some(7)
}

/// What is kept, in numbers.
#[derive(Default)]
struct State {
    switches: Option<Switches>,
    evidence: Option<Evidence>,
    /// Seconds.
    hold_s: f32,
    trials: Trials,
    songs: Option<usize>,
    likes: Vec<u32>,
    /// Times of the history.
    notes: Vec<u64>,
}

/// How often each song was liked.
fn likes_in(memory: &Memory) -> Vec<u32> {
    let songs = (0..3 * ROUNDS).map(|song| song.to_string());
    songs.chain(["before".to_owned()]).map(|song| memory.standing(&song).up).collect()
}

/// The times that the history has.
fn notes_in(store: &Store) -> Vec<u64> {
    let all = Query { from: 0, to: u64::MAX, skip: 0 };
    store.recall(all).map_or_else(|_| Vec::new(), |page| page.moments.iter().map(|moment| moment.at).collect())
}

impl State {
    fn after<'a>(deeds: impl IntoIterator<Item = &'a Deed>) -> Self {
        let hold_s = Config::default().mood.hold_s.0;
        let mut state = Self { likes: vec![0; 3 * ROUNDS as usize], hold_s, ..Self::default() };
        for deed in deeds {
            match *deed {
                Deed::Switch(number) => state.switches = Some(switches(number)),
                Deed::Calibrate(faces) => state.evidence = (faces > 0).then(|| evidence(faces)),
                Deed::Set(hold_s) => state.hold_s = hold_s as f32,
                Deed::Try(number) => state.trials = trials(number),
                Deed::Like(song) => state.likes[song as usize] = 1,
                Deed::Note(at) => state.notes.push(at),
                Deed::Send(songs) => state.songs = Some(songs),
            }
        }
        state
    }

    fn read(folder: &Path, may_tear_a_line: bool, faults: &mut Vec<Fault>) -> Self {
        let store = Store::new(folder, "models");
        let file = Config::default();
        let mut torn = |reason: String| faults.push(Fault::Torn(reason));
        let switches = store.switches().unwrap_or_else(|error| {
            torn(error.to_string());
            None
        });
        let evidence = store.evidence().unwrap_or_else(|error| {
            torn(error.to_string());
            None
        });
        let (configuration, trials, errors) = store.start(&file);
        for error in errors {
            torn(error.to_string());
        }
        let catalogue = Library::new(folder).catalogue().unwrap_or_else(|error| {
            torn(error.to_string());
            None
        });
        let (_, memory, damaged) = store.feedback();
        match damaged {
            Ok(lines) if lines <= usize::from(may_tear_a_line) => {}
            told => torn(format!("the log of likes: {told:?}")),
        }
        Self {
            switches,
            evidence,
            hold_s: configuration.in_force().mood.hold_s.0,
            trials,
            songs: catalogue.map(|catalogue| catalogue.tracks().len()),
            likes: likes_in(&memory),
            notes: notes_in(&store),
        }
    }
}
