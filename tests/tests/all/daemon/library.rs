//! A library on its way to the box: `moodbox library push`, and what a box makes of pieces that do not fit.

use std::fs;
use std::path::PathBuf;

use moodbox_core::music::{Catalogue, Memory, Track};
use moodbox_tests::listener::PATIENCE;
use moodbox_tests::programs::{lines_of, program};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Home, smile};

/// A catalogue that only this test knows.
pub(super) fn catalogue(songs: usize) -> Vec<u8> {
    let track = |n: usize| Track {
        uri: format!("test:{n}"),
        title: format!("Song {n} \u{1f3b5}"),
        artist: format!("Artist {n}"),
        genres: vec!["folk".to_owned()],
        ..Track::default()
    };
    Catalogue::to_file(&(0..songs).map(track).collect::<Vec<_>>()).unwrap()
}

/// The requests that send a catalogue, with so many lines in each.
pub(super) fn pieces(text: &str, lines: usize) -> Vec<Value> {
    let sha256 = format!("{:x}", Sha256::digest(text));
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let mut offset = 0;
    let piece = |lines: &[&str]| {
        let piece = lines.concat();
        let fields = json!({
            "transaction": offset.to_string(), "sha256": sha256, "size": text.len(), "offset": offset, "text": piece,
        });
        offset += piece.len();
        fields
    };
    all.chunks(lines).map(piece).collect()
}

impl Home {
    fn library(&self, songs: usize) -> PathBuf {
        let path = self.folder.path().join(format!("{songs}.jsonl"));
        fs::write(&path, catalogue(songs)).unwrap();
        path
    }

    /// `moodbox library push`: exit code, stdout and stderr.
    fn push(&self, songs: usize, id: &str) -> (Option<i32>, String, Vec<String>) {
        let output = assert_cmd::Command::new(program("moodbox"))
            .args(["library", "push", "--id", id, "--library"])
            .arg(self.library(songs))
            .args(["--broker", &format!("mqtt://127.0.0.1:{}", self.broker.port())])
            .timeout(PATIENCE)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let lines = lines_of(&stderr).into_iter().map(ToOwned::to_owned).collect();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), lines)
    }

    fn put(&mut self, fields: &Value) -> Value {
        self.listener.publish("moodbox/test/request/library.put", fields.to_string(), false);
        self.listener
            .until("/response/library.put", |answer| answer.json()["transaction"] == fields["transaction"])
            .json()
    }

    /// Sends the pieces; what becomes of the last one nobody waits for.
    pub(super) fn send(&mut self, pieces: &[Value]) {
        let Some((last, before)) = pieces.split_last() else { return };
        for (piece, next) in before.iter().zip(&pieces[1..]) {
            assert_eq!(self.put(piece)["data"], json!({ "received": next["offset"] }));
        }
        self.listener.publish("moodbox/test/request/library.put", last.to_string(), false);
    }

    fn list_of_the_test(&mut self) {
        let ours = |text: &str| text.contains("\"uri\":\"test:");
        self.listener.until("/recommendation", |list| ours(&list.text));
    }
}

#[test]
fn a_library_is_sent_used_at_once_and_kept() {
    let mut home = Home::with_a_smile();
    home.state("mood", "happy");
    let (code, stdout, lines) = home.push(2000, "test");
    assert_eq!((code, stdout.as_str(), &lines[..]), (Some(0), "the box has 2000 songs now\n", &[][..]));
    home.list_of_the_test();
    // Once more is the same, and leaves no pieces.
    assert_eq!(home.push(2000, "test"), (Some(0), stdout, vec![]));
    let kept = fs::read_dir(home.folder.path().join("store")).unwrap().map(|entry| entry.unwrap().file_name());
    let pieces: Vec<_> = kept.filter(|name| name.to_string_lossy().ends_with(".part")).collect();
    assert!(pieces.is_empty(), "{pieces:?}");
    home.daemon.signal("TERM");
    home.listener.until("/availability", |message| message.text == "offline");
    home.start_again();
    home.list_of_the_test();
}

#[test]
fn pieces_that_do_not_fit_are_answered_and_harm_nothing() {
    let mut home = Home::with_a_smile();
    home.state("mood", "happy");
    assert_eq!(home.push(3, "test").0, Some(0));
    home.list_of_the_test();
    let text = String::from_utf8(catalogue(4)).unwrap();
    let piece = |transaction: &str, offset: usize, text: &str| json!({ "transaction": transaction, "sha256": "0".repeat(64), "size": 700, "offset": offset, "text": text });
    assert_eq!(home.put(&piece("1", 100, &text[..100]))["data"], json!({ "received": 0 }));
    assert_eq!(home.put(&piece("2", 0, &text[..100]))["data"], json!({ "received": 100 }));
    assert_eq!(home.put(&piece("3", 0, &text[..100]))["data"], json!({ "received": 100 }));
    let told = home.put(&piece("4", 100, &text[..600]));
    assert_eq!(told["error"], "the checksum of what came is wrong; send it again");
    let told = home.put(&json!({ "transaction": "5", "sha256": "../up", "size": 1, "offset": 0, "text": "" }));
    assert_eq!(told["error"], "sha256 must be 64 hexadecimal digits in lower case");
    // The last good one is still in use.
    home.command("recommend", "");
    home.list_of_the_test();
    let kept = fs::read(home.folder.path().join("store/catalogue.jsonl")).unwrap();
    assert_eq!(kept, catalogue(3));
}

#[test]
fn a_box_with_a_catalogue_of_its_own_refuses() {
    let mut home = Home::prepared(&smile(), "[music]\ncatalogue = \"FOLDER/songs.csv\"", |before| {
        fs::write(before.folder.join("songs.csv"), "uri,title,artist\nu:1,One,Ada\n").unwrap();
    });
    home.state("camera", "on");
    let (code, stdout, lines) = home.push(3, "test");
    let reason = "the configuration of the box names a catalogue; take music.catalogue out to send one";
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert_eq!(lines, [format!("moodbox: the box refuses the library: {reason}")]);
}

#[test]
fn a_library_that_is_damaged_on_the_disk_is_named_and_the_box_runs() {
    let mut home = Home::prepared(&smile(), "", |before| {
        fs::create_dir(before.folder.join("store")).unwrap();
        fs::write(before.folder.join("store/catalogue.jsonl"), &catalogue(3)[..200]).unwrap();
    });
    home.daemon.says("the catalogue is damaged");
    home.state("mood", "happy");
    assert_eq!(home.push(5, "test").0, Some(0));
    home.list_of_the_test();
}

#[test]
fn a_box_that_does_not_answer_is_said() {
    let home = Home::with_a_smile();
    let (code, stdout, lines) = home.push(3, "other");
    assert_eq!((code, stdout.as_str(), lines.len()), (Some(3), "", 1), "{lines:?}");
    assert!(lines[0].contains("box other does not answer"), "{lines:?}");
}

#[test]
fn a_box_that_dies_while_it_writes_has_the_old_or_the_new_catalogue_and_log() {
    let mut home = Home::with_a_smile();
    home.state("mood", "happy");
    assert_eq!(home.push(3, "test").0, Some(0));
    home.list_of_the_test();
    let store = home.folder.path().join("store");
    let mut had = 3;
    // It dies at the first piece, on the way, and twice at the last one, of which it may have made a catalogue by then.
    for (songs, sent) in [(30, 1), (40, 5), (50, usize::MAX), (60, usize::MAX)] {
        let text = String::from_utf8(catalogue(songs)).unwrap();
        let mut pieces = pieces(&text, 4);
        pieces.truncate(sent);
        home.send(&pieces);
        for _ in 0..5 {
            home.command("next", "");
        }
        home.listener.until("/now", |now| now.text != "{}");
        home.daemon.signal("KILL");
        home.listener.until("/availability", |message| message.text == "offline");
        let kept = Catalogue::from_file(&fs::read(store.join("catalogue.jsonl")).unwrap()).unwrap();
        assert!([had, songs].contains(&kept.tracks().len()), "{} songs", kept.tracks().len());
        had = kept.tracks().len();
        let log = fs::read(store.join("feedback.jsonl")).unwrap();
        assert!(Memory::read(&log).1 <= 1, "{}", String::from_utf8_lossy(&log));

        home.start_again();
        home.listener.until("/availability", |message| message.text == "online");
        home.command("next", "");
        home.listener.until("/now", |now| now.text.contains("\"uri\":\"test:"));
        let whole = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        assert!(fs::read(store.join("feedback.jsonl")).unwrap().starts_with(&log[..whole]));
    }
    // What came of it is good for the next one.
    assert_eq!(home.push(70, "test").0, Some(0));
    home.list_of_the_test();
}
