//! `moodbox play`: a real Music Player Daemon follows a box.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

use moodbox_tests::json_lines::JsonLines;
use moodbox_tests::listener::PATIENCE;
use moodbox_tests::mpd::Mpd;
use moodbox_tests::programs::{lines_of, program};
use moodbox_tests::sound_files::tagged_wav;
use serde_json::{Value, json};

use super::{Home, smile};

/// Samples a second of the files.
const RATE: usize = 22_050;

/// A box with the songs of a player's music folder, and a player that follows it. Its lists are of three songs.
struct Evening {
    home: Home,
    player: Mpd,
    tool: Tool,
}

/// `moodbox play`; it ends with this.
struct Tool(JsonLines);

impl Tool {
    fn start(home: &Home, player: &Mpd) -> Self {
        let broker = format!("mqtt://127.0.0.1:{}", home.broker.port());
        let words = ["play", "--id", "test", "--broker", &broker, "--mpd"].map(OsString::from);
        Self(JsonLines::of(words.into_iter().chain([player.socket().into()])))
    }

    /// The next line of this event, and those before it.
    fn until(&self, event: &str) -> (Value, Vec<Value>) {
        self.0.until(|line| line["event"] == event)
    }

    /// The next song that plays: how it came to, and its uri.
    fn plays(&self) -> (String, String) {
        let (line, _) = self.until("plays");
        (line["how"].as_str().unwrap().to_owned(), line["uri"].as_str().unwrap().to_owned())
    }
}

/// Silence with the names of a song.
fn song(number: usize, seconds: usize) -> Vec<u8> {
    let (title, artist) = (format!("Song {number}"), format!("Artist {number}"));
    tagged_wav(&vec![0.0; seconds * RATE], &[("TIT2", &title), ("TPE1", &artist), ("TCON", "folk")])
}

fn moodbox(home: &Home, words: &[&str]) {
    let library = home.folder.path().join("library.jsonl");
    let output = assert_cmd::Command::new(program("moodbox"))
        .args(["library", "--library", library.to_str().unwrap()])
        .args(words)
        .env("XDG_CACHE_HOME", home.folder.path().join("cache"))
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{words:?}: {:?}", lines_of(&stderr));
}

impl Evening {
    /// With so many songs of so many seconds, and what `prepare` puts into the music folder or the library besides.
    fn with(songs: usize, seconds: usize, prepare: impl FnOnce(&Home, &Path)) -> Self {
        let mut home = Home::with(&smile(), "[music]\nlist_length = 3\n");
        let player = Mpd::start();
        for number in 0..songs {
            fs::write(player.music().join(format!("{number}.wav")), song(number, seconds)).unwrap();
        }
        moodbox(&home, &["scan", player.music().to_str().unwrap(), "--names", "mpd"]);
        prepare(&home, &player.music());
        player.update();
        home.state("mood", "happy");
        let broker = format!("mqtt://127.0.0.1:{}", home.broker.port());
        moodbox(&home, &["push", "--broker", &broker, "--id", "test"]);
        home.listener.until("/recommendation", |list| list.text.contains(".wav\""));
        let tool = Tool::start(&home, &player);
        Self { home, player, tool }
    }

    /// What the box says that plays, once it is this.
    fn box_plays(&mut self, uri: &str) {
        self.home.listener.until("/now", |now| now.json()["uri"] == uri);
    }

    /// Waits until these wait in the queue behind the song that plays.
    fn waits(&self, uris: &[String]) {
        let mut client = self.player.connect();
        client.until(|client| client.queue().ends_with(uris));
    }

    /// What listeners did, as the box wrote it down, once this is among it: the disk is written to beside the rest.
    fn deeds(&self, what: &str, uri: &str) -> Vec<(String, String)> {
        let deed = |line: &str| {
            let deed: Value = serde_json::from_str(line).unwrap();
            (deed["what"].as_str().unwrap().to_owned(), deed["uri"].as_str().unwrap_or_default().to_owned())
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = fs::read_to_string(self.home.folder.path().join("store/feedback.jsonl")).unwrap();
            // What is being written is no line yet.
            let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let deeds: Vec<_> = whole.map(deed).collect();
            if deeds.contains(&(what.to_owned(), uri.to_owned())) {
                return deeds;
            }
            assert!(Instant::now() < deadline, "{what} {uri} is not in {deeds:?}");
            thread::yield_now();
        }
    }

    /// The next list of the box that was made for this reason.
    fn list(&mut self, reason: &str) -> Vec<String> {
        let list = self.home.listener.until("/recommendation", |list| list.text.contains(reason)).json();
        list["tracks"].as_array().unwrap().iter().map(|song| song["uri"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_player_plays_what_the_box_recommends_and_the_box_hears_what_people_do_there() {
    let mut evening = Evening::with(8, 60, |_, _| {});
    let mut client = evening.player.connect();

    // The first of the list, and the others wait behind it.
    let (how, first) = evening.tool.plays();
    assert_eq!(how, "next");
    client.until(|client| client.value("status", "state").as_deref() == Some("play"));
    assert_eq!(client.current().as_ref(), Some(&first));
    evening.box_plays(&first);
    let list = evening.list("\"match\"");
    evening.waits(&list);

    // Somebody asks the box for the next one.
    evening.home.command("next", "");
    evening.box_plays(&list[0]);
    assert_eq!(evening.tool.plays(), ("asked".to_owned(), list[0].clone()));
    assert_eq!(client.current().as_ref(), Some(&list[0]));

    // Somebody skips at the player.
    let list = evening.list("\"match\"");
    evening.waits(&list);
    let skipped = client.current().unwrap();
    client.ask("next");
    assert_eq!(evening.tool.plays(), ("skipped".to_owned(), list[0].clone()));
    evening.box_plays(&list[0]);
    evening.deeds("skipped", &skipped);

    // Somebody picks a later song of the list at the player: more like it follows.
    let list = evening.list("\"match\"");
    evening.waits(&list);
    let id = client.ask("playlistinfo").into_iter().rev().find_map(|line| line.strip_prefix("Id: ").map(str::to_owned));
    client.ask(&format!("playid {}", id.unwrap()));
    let chosen = list[2].clone();
    assert_eq!(evening.tool.plays(), ("chosen".to_owned(), chosen.clone()));
    evening.box_plays(&chosen);
    let more = evening.list("more like");
    evening.waits(&more);
    assert_eq!(client.current().as_ref(), Some(&chosen));

    // A new list leaves alone what plays.
    let playing = client.value("status", "songid");
    evening.home.command("recommend", "");
    let list = evening.list("\"match\"");
    evening.waits(&list);
    assert_eq!(client.value("status", "songid"), playing);

    let deeds = evening.deeds("chosen", &chosen);
    let what: Vec<_> = deeds.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(what, ["played", "played", "skipped", "played", "chosen"], "{deeds:?}");
}

#[test]
fn songs_that_people_add_at_the_player_are_chosen_if_the_box_knows_them() {
    let mut evening = Evening::with(8, 60, |_, _| {});
    let (_, first) = evening.tool.plays();
    evening.box_plays(&first);
    let list = evening.list("\"match\"");
    evening.waits(&list);
    fs::write(evening.player.music().join("own.wav"), song(99, 60)).unwrap();
    evening.player.update();

    let mut client = evening.player.connect();
    let known = (0..8).map(|n| format!("{n}.wav")).find(|uri| *uri != first && !list.contains(uri)).unwrap();
    let id = client.value(&format!("addid {known}"), "Id").unwrap();
    client.ask(&format!("playid {id}"));
    assert_eq!(evening.tool.plays(), ("chosen".to_owned(), known.clone()));
    evening.box_plays(&known);
    evening.deeds("chosen", &known);
    let list = evening.list("more like");
    evening.waits(&list);

    let id = client.value("addid own.wav", "Id").unwrap();
    client.ask(&format!("playid {id}"));
    assert_eq!(evening.tool.until("unknown").0["uri"], "own.wav");
    assert_eq!(client.current().as_deref(), Some("own.wav"));
}

#[test]
fn songs_that_the_player_lacks_are_passed_over_and_named_once() {
    let mut evening = Evening::with(2, 60, |home, _| {
        let gone = home.folder.path().join("gone.m3u");
        fs::write(&gone, "#EXTM3U\n#EXTINF:60,Nobody - Gone\ngone.wav\n").unwrap();
        moodbox(home, &["import", gone.to_str().unwrap()]);
    });
    // Three songs make every list the same; one of them is not there.
    let mut named = 0;
    let (_, first) = evening.tool.plays();
    evening.box_plays(&first);
    let mut client = evening.player.connect();
    let other = if first == "0.wav" { "1.wav" } else { "0.wav" };
    evening.waits(&[other.to_owned()]);
    for uri in [other, &first, other] {
        evening.home.command("choose", json!({ "uri": uri }).to_string());
        let (line, before) = evening.tool.until("plays");
        named += before.iter().filter(|line| line["event"] == "not_there").count();
        assert_eq!((&line["how"], &line["uri"]), (&json!("asked"), &json!(uri)));
        client.until(|client| client.current().as_deref() == Some(uri));
    }
    // Somebody asks the box for what is not there: another song stands in for it.
    evening.home.command("choose", json!({ "uri": "gone.wav" }).to_string());
    evening.box_plays("gone.wav");
    let (line, before) = evening.tool.until("plays");
    named += before.iter().filter(|line| line["event"] == "not_there").count();
    assert_eq!((&line["how"], line["uri"] == "gone.wav"), (&json!("next"), false));
    evening.box_plays(line["uri"].as_str().unwrap());
    assert!(named <= 1, "named {named} times");
}

#[test]
fn songs_that_end_are_followed_by_the_next_and_nobody_chose_them() {
    let mut evening = Evening::with(6, 2, |_, _| {});
    let mut last = String::new();
    for _ in 0..4 {
        let (how, uri) = evening.tool.plays();
        assert_eq!(how, "next");
        evening.box_plays(&uri);
        last = uri;
    }
    // Also where the player came to its end before we saw it.
    let mut client = evening.player.connect();
    evening.tool.0.held_up(|| client.until(|client| client.value("status", "state").as_deref() == Some("stop")));
    let (how, uri) = evening.tool.plays();
    assert_eq!(how, "next");
    evening.box_plays(&uri);
    let deeds = evening.deeds("played", &last);
    assert!(deeds.len() >= 4 && deeds.iter().all(|(what, _)| what == "played"), "{deeds:?}");
}

#[test]
fn a_broker_and_a_player_that_go_away_are_waited_for() {
    let mut evening = Evening::with(8, 60, |_, _| {});
    let (_, first) = evening.tool.plays();
    evening.box_plays(&first);
    let list = evening.list("\"match\"");
    evening.waits(&list);

    evening.home.broker.kill();
    evening.tool.until("problem");
    // The player goes on meanwhile.
    let mut client = evening.player.connect();
    client.ask("next");
    assert_eq!(evening.tool.plays(), ("next".to_owned(), list[0].clone()));
    evening.home.broker.restart();
    let (_, before) = evening.tool.until("mended");
    assert_eq!(before, Vec::<Value>::new(), "it is said once");
    evening.home.listener = moodbox_tests::listener::Listener::on(evening.home.broker.port());
    // The box then hears what plays.
    evening.box_plays(&list[0]);

    evening.player.kill();
    evening.tool.until("problem");
    evening.player.restart();
    let (line, before) = evening.tool.until("mended");
    assert_eq!((&line["what"], before), (&json!("MPD"), vec![]));
    // It has forgotten its queue, and music goes on.
    let (how, uri) = evening.tool.plays();
    assert_eq!(how, "next");
    evening.box_plays(&uri);
    evening.home.command("next", "");
    let (how, uri) = evening.tool.plays();
    assert_eq!(how, "asked");
    evening.player.connect().until(|client| client.current().as_ref() == Some(&uri));

    // Whoever ends it leaves the player as it is.
    assert_eq!(evening.tool.0.interrupt(), Some(0));
    let mut client = evening.player.connect();
    assert_eq!((client.value("status", "state").as_deref(), client.current()), (Some("play"), Some(uri)));
}

#[test]
fn what_does_not_answer_at_the_start_is_said_and_ends_it() {
    let home = Home::with_a_smile();
    let player = Mpd::start();
    let (port, nowhere) = (home.broker.port(), moodbox_tests::mosquitto::free_port());
    let play = |mpd: &str, port: u16| {
        let output = assert_cmd::Command::new(program("moodbox"))
            .args(["play", "--id", "test", "--mpd", mpd, "--broker", &format!("mqtt://127.0.0.1:{port}")])
            .timeout(PATIENCE)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = play(&format!("127.0.0.1:{nowhere}"), port);
    assert_eq!(code, Some(3));
    let reason = "Connection refused (os error 111); is it running, and is this its address?";
    assert_eq!(told, format!("moodbox: no connection to MPD at 127.0.0.1:{nowhere}: {reason}\n"));
    let (code, told) = play(player.socket().to_str().unwrap(), nowhere);
    assert_eq!(code, Some(3));
    assert_eq!(told, format!("moodbox: nothing listens at mqtt://127.0.0.1:{nowhere}; is the broker running?\n"));
    let (code, told) = play(&format!("127.0.0.1:{port}"), port);
    assert_eq!((code, told.lines().count()), (Some(3), 1), "{told}");
}
