//! `moodbox library`: a library from folders, playlists and tables.

mod scan;

use std::path::{Path, PathBuf};

use moodbox_core::music::Catalogue;
use moodbox_tests::listener::PATIENCE;
use moodbox_tests::programs::{lines_of, program};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Done, file};

/// A person with an empty library.
struct Person {
    home: TempDir,
}

impl Person {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Where the library is when nobody says where.
    fn library(&self) -> PathBuf {
        self.folder().join("data/moodbox/library.jsonl")
    }

    fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(program("moodbox"));
        command.env("XDG_DATA_HOME", self.folder().join("data")).env("XDG_CACHE_HOME", self.folder().join("cache"));
        command
    }

    /// Runs `moodbox` with these words.
    fn types(&self, words: &[&str]) -> Done {
        let output = assert_cmd::Command::from_std({
            let mut command = self.command();
            command.args(words);
            command
        })
        .timeout(PATIENCE)
        .output()
        .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        Done {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            lines: lines_of(&stderr).into_iter().map(ToOwned::to_owned).collect(),
        }
    }

    fn songs(&self) -> Vec<Value> {
        self.types(&["library", "list", "--json"]).json()
    }
}

#[test]
fn a_table_and_a_playlist_become_a_library() {
    let person = Person::new();
    let table = file(
        person.folder(),
        "liked.txt",
        "\u{feff}Track URI;Track Name;Artist Name(s);Artist Genres;Energy;Valence;Tempo\n\
         spotify:track:1;One;Ada;indie pop, dream pop;0.75;0.5;120\n\
         spotify:track:2;Two;Bob;;NaN;0.5;120\n\
         spotify:track:3;\"Thr;ee\";Bob;;0.25;1;0\n\
         spotify:track:4;Four;Bob\n",
    );
    let playlist =
        file(person.folder(), "evening.csv", "#EXTM3U\n#EXTINF:10,Cat - Five\n#EXTGENRE:classic rock\nCat/Five.mp3\n");
    let done = person.types(&["library", "import", &table, &playlist, "--json"]);
    assert_eq!(done.code, Some(1));
    assert_eq!(
        done.lines,
        [
            format!("moodbox: {table}: line 3: energy NaN is outside 0..1"),
            format!("moodbox: {table}: line 5: has 3 columns, the first line has 7"),
            "moodbox: 2 problems, named above".to_owned(),
        ]
    );
    let reports = done.json();
    assert_eq!((&reports[0]["tracks"], &reports[0]["rejected"][1]["line"]), (&json!(2), &json!(5)));
    assert_eq!((&reports[1]["tracks"], &reports[1]["rejected"]), (&json!(1), &json!([])));

    let songs = person.songs();
    let uris: Vec<_> = songs.iter().map(|song| song["uri"].as_str().unwrap()).collect();
    assert_eq!(uris, ["spotify:track:1", "spotify:track:3", "Cat/Five.mp3"]);
    assert_eq!(
        (&songs[0]["source"], &songs[0]["valence"], &songs[0]["arousal"]),
        (&json!("table"), &json!(0.0), &json!(0.5))
    );
    assert_eq!((&songs[1]["title"], songs[1].get("tempo")), (&json!("Thr;ee"), None));
    // Nothing says how it sounds but its genre.
    assert_eq!((&songs[2]["source"], &songs[2]["confidence"]), (&json!("genre"), &json!(0.2)));

    let shown = person.types(&["library", "show", "Cat/Five.mp3"]).well();
    insta::assert_snapshot!("a_song_of_the_library", shown);
    let told = person.types(&["library", "show", "none"]).refused(2);
    assert_eq!(told, format!("moodbox: no song of {} has the uri \"none\"", person.library().display()));
    // What the box will be sent is what it can read.
    let kept = Catalogue::from_file(&std::fs::read(person.library()).unwrap()).unwrap();
    assert_eq!(kept.tracks().len(), 3);
    // The same again changes nothing; recommendations come from it.
    person.types(&["library", "import", &table]);
    assert_eq!(person.songs(), songs);
    let list = person.types(&["recommend", "--mood", "happy"]).well();
    assert!(list.contains("Ada \u{2013} One"), "{list}");
}

#[test]
fn the_library_is_seen_from_above() {
    let person = Person::new();
    let demo = format!("{}/../device/core/data/demo-catalogue.csv", env!("CARGO_MANIFEST_DIR"));
    let library = person.folder().join("mine.jsonl").display().to_string();
    person.types(&["library", "--library", &library, "import", &demo]).well();
    let seen = person.types(&["library", "stats", "--library", &library]).well();
    insta::assert_snapshot!("the_demo_catalogue_from_above", seen.replace(&library, "LIBRARY"));
    let report = &person.types(&["library", "stats", "--library", &library, "--json"]).json()[0];
    assert_eq!((&report["tracks"], &report["sources"]), (&json!(475), &json!({ "demo": 475 })));
}

#[test]
fn a_library_without_songs_is_told_and_never_takes_the_place_of_the_demo_catalogue() {
    let person = Person::new();
    let package = file(person.folder(), "box.deb", "");
    let demo = person.types(&["recommend", "--mood", "happy"]).well();
    assert!(!demo.is_empty());
    let own = person.library().display().to_string();
    let told = |fault: &str| format!("moodbox: {own} {fault}; scan a folder or import a file");
    let set_up = ["setup", "--ssh", "nobody@nowhere.invalid", "--package", &package, "--yes", "--library", &own];
    for words in [&["library", "list"][..], &["library", "stats"], &set_up] {
        assert_eq!(person.types(words).refused(2), told("does not exist"));
    }
    let playlist = file(person.folder(), "one.m3u", "a/b.mp3\n");
    person.types(&["library", "import", &playlist]).well();
    person.types(&["library", "forget", "a/"]).well();
    assert_eq!(person.types(&["recommend", "--mood", "happy"]).well(), demo);
    let named = ["recommend", "--mood", "happy", "--library", &own];
    for words in
        [&["library", "list"][..], &["library", "stats"], &set_up, &named, &["demo", "--evening", "--library", &own]]
    {
        assert_eq!(person.types(words).refused(2), told("has no songs"));
    }
}

#[test]
fn the_demo_plays_its_own_catalogue_whatever_is_in_the_library() {
    let person = Person::new();
    let evening = person.types(&["demo", "--evening", "--json"]).well();
    std::fs::create_dir_all(person.library().parent().unwrap()).unwrap();
    std::fs::write(person.library(), "damaged").unwrap();
    assert_eq!(person.types(&["demo", "--evening", "--json"]).well(), evening);
}

#[test]
fn a_file_that_is_no_library_is_left_alone() {
    let person = Person::new();
    let table = file(person.folder(), "mine.csv", "uri,title,artist\nu:1,One,Ada\n");
    let told = person.types(&["library", "--library", &table, "list"]).refused(2);
    let advice = format!("is not a library of moodbox; add it to one with: moodbox library import {table}");
    assert_eq!(told, format!("moodbox: {table} {advice}"));
    person.types(&["library", "import", &table]).well();
    let library = person.library();
    let whole = std::fs::read(&library).unwrap();
    std::fs::write(&library, &whole[..whole.len() - 5]).unwrap();
    for words in [&["library", "list"][..], &["library", "import", &table]] {
        let told = person.types(words).refused(2);
        assert!(told.ends_with("the catalogue is damaged: its checksum is wrong; make or send it again"), "{told}");
    }
    assert_eq!(std::fs::read(&library).unwrap(), whole[..whole.len() - 5]);
}

#[test]
fn a_file_that_cannot_be_imported_is_named_and_the_others_are() {
    let person = Person::new();
    let good = file(person.folder(), "good.m3u", "a/b.mp3\n");
    let picture = file(person.folder(), "cover.csv", b"\x89PNG\r\n\x1a\n\0\0");
    let doubled = file(person.folder(), "doubled.csv", "uri,title,artist,Title\nu,T,A,T\n");
    let hopeless = file(person.folder(), "hopeless.csv", "uri,title,artist\n,T,A\n");
    let none = person.folder().join("none.csv").display().to_string();
    let done = person.types(&["library", "import", &picture, &none, &doubled, &hopeless, &good]);
    assert_eq!(done.code, Some(1));
    assert_eq!(
        done.lines,
        [
            format!("moodbox: {picture}: the catalogue is neither a table, a playlist nor JSON in UTF-8"),
            format!("moodbox: {none}: cannot be read: No such file or directory (os error 2)"),
            format!("moodbox: {doubled}: the first line of the catalogue names the column title twice"),
            format!("moodbox: {hopeless}: line 2: uri is missing"),
            "moodbox: 4 problems, named above".to_owned(),
        ]
    );
    assert_eq!(person.songs().len(), 1);
}

#[test]
fn who_has_no_home_folder_is_told_how_to_go_on() {
    let person = Person::new();
    let (music, library) = (person.folder().join("music"), person.folder().join("mine"));
    std::fs::create_dir(&music).unwrap();
    let scan = |variables: &[(&str, PathBuf)]| {
        let mut command = std::process::Command::new(program("moodbox"));
        command.env_remove("XDG_DATA_HOME").env_remove("XDG_CACHE_HOME").env("HOME", "nowhere");
        command.envs(variables.iter().cloned()).args(["library", "scan"]).arg(&music).arg("--library").arg(&library);
        let output = assert_cmd::Command::from_std(command).timeout(PATIENCE).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let told = "moodbox: there is no home folder; set XDG_CACHE_HOME to a folder to use instead\n";
    assert_eq!(scan(&[]), (Some(2), told.to_owned()));
    let (code, told) = scan(&[("XDG_CACHE_HOME", person.folder().join("cache"))]);
    assert!(code == Some(1) && told.contains("there are no sound files"), "{code:?} {told}");
}
