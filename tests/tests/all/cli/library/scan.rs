//! `moodbox library scan`: what files say of themselves, and how they sound.

mod names;

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use moodbox_tests::programs::repository;
use moodbox_tests::sound_files::{chord, tagged_wav, wav};
use serde_json::{Value, json};

use super::Person;
use crate::cli::{Done, file};

impl Person {
    fn music(&self) -> PathBuf {
        let music = self.folder().join("music");
        fs::create_dir_all(&music).unwrap();
        fs::canonicalize(music).unwrap()
    }

    fn scan(&self, more: &[&str]) -> Done {
        let music = self.music();
        self.types(&[&["library", "scan", music.to_str().unwrap(), "--json"], more].concat())
    }

    /// A scan with `--listen` that is at work.
    fn listening(&self) -> Child {
        let mut scan = self
            .command()
            .args(["library", "scan", self.music().to_str().unwrap(), "--listen", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Its log of what it has read tells so.
        let log = self.folder().join("cache/moodbox/scanned.jsonl");
        while fs::metadata(&log).map_or(0, |about| about.len()) == 0 {
            assert!(scan.try_wait().unwrap().is_none(), "the scan ended before it was seen at work");
            std::thread::yield_now();
        }
        scan
    }

    fn uris(&self) -> Vec<String> {
        let mut uris: Vec<_> = self.songs().iter().map(|song| song["uri"].as_str().unwrap().to_owned()).collect();
        uris.sort();
        uris
    }

    fn song(&self, title: &str) -> Value {
        self.songs().into_iter().find(|song| song["title"] == title).unwrap()
    }
}

/// The complaints of a scan, by the path below the folder.
fn complaints(report: &Value, music: &Path) -> Vec<(String, String)> {
    let below = |path: &str| Path::new(path).strip_prefix(music).unwrap().display().to_string();
    let read = |complaint: &Value| {
        (below(complaint["path"].as_str().unwrap()), complaint["reason"].as_str().unwrap().to_owned())
    };
    report["complaints"].as_array().unwrap().iter().map(read).collect()
}

fn blip() -> Vec<f32> {
    chord(&[440.0], 120.0, 4.0)
}

/// Files to which it takes a while to listen.
fn put_long(music: &Path, files: u64) {
    let long = wav(&chord(&[261.63, 329.63, 392.0], 100.0, 60.0));
    for n in 0..files {
        fs::write(music.join(format!("{n:02}.wav")), &long).unwrap();
    }
}

fn interrupt(scan: &Child) {
    assert!(Command::new("kill").args(["-INT", &scan.id().to_string()]).status().unwrap().success());
}

fn put_fixtures(music: &Path) {
    for ending in ["mp3", "flac", "ogg", "opus", "m4a"] {
        let name = format!("tone.{ending}");
        fs::copy(repository().join("tests/fixtures/audio").join(&name), music.join(&name)).unwrap();
    }
}

#[test]
fn every_format_tells_its_tags() {
    let person = Person::new();
    put_fixtures(&person.music());
    let report = &person.scan(&["--names", "mpd"]).json()[0];
    assert_eq!((&report["found"], &report["read"], &report["complaints"]), (&json!(5), &json!(5), &json!([])));
    let songs = person.songs();
    assert_eq!(songs.len(), 5);
    for song in songs {
        let told = ["title", "artist", "album", "year", "genres", "source"].map(|key| &song[key]);
        assert_eq!(
            told,
            [&json!("Tone"), &json!("Ada"), &json!("Signals"), &json!(1971), &json!(["Ambient"]), &json!("genre")],
            "{song}"
        );
    }
}

#[test]
fn every_format_but_opus_is_heard() {
    let person = Person::new();
    let music = person.music();
    put_fixtures(&music);
    let done = person.scan(&["--listen", "--names", "mpd"]);
    assert_eq!(done.code, Some(1));
    let unheard = "cannot be listened to: Opus is not supported, only its tags are".to_owned();
    assert_eq!(complaints(&done.json()[0], &music), [("tone.opus".to_owned(), unheard)]);
    for song in person.songs() {
        let heard = song["uri"] != "tone.opus";
        assert_eq!(song["source"], if heard { "sound" } else { "genre" }, "{song}");
        if heard {
            let tempo = song["tempo"].as_f64().unwrap();
            assert!((tempo - 120.0).abs() < 3.0, "{tempo}: {song}");
            assert_eq!(song["timbre"].as_array().unwrap().len(), 12);
        }
    }
}

#[test]
fn tags_of_moods_and_codes_are_read() {
    let person = Person::new();
    let frames = [
        ("TIT2", "Lullaby"),
        ("TPE1", "Ada"),
        ("TCON", "folk; Singer-Songwriter"),
        ("TMOO", "calm; peaceful"),
        ("TBPM", "92"),
        ("TSRC", "US-RC1-76-07839"),
        ("UFID", "http://musicbrainz.org\0f4a31f0a-51dd-4fa7-986d-3095c40c5ed9"),
        ("TDRC", "1971-05-01"),
    ];
    // The owner of a UFID is no text and has no byte for its encoding.
    let mut file = tagged_wav(&blip(), &frames);
    let at = file.windows(5).position(|five| five == b"\x03http").unwrap();
    file.remove(at);
    let end = at + "http://musicbrainz.org\0f4a31f0a-51dd-4fa7-986d-3095c40c5ed9".len();
    file.insert(end, 0);
    fs::write(person.music().join("lullaby.wav"), file).unwrap();
    person.scan(&["--names", "mopidy"]);
    let song = person.song("Lullaby");
    assert_eq!(song["uri"], "local:track:lullaby.wav");
    assert_eq!((&song["genres"], &song["tags"]), (&json!(["folk", "Singer-Songwriter"]), &json!(["calm", "peaceful"])));
    assert_eq!(
        (&song["source"], &song["tempo"], &song["isrc"]),
        (&json!("tags"), &json!(92.0), &json!("USRC17607839"))
    );
    assert!(song["arousal"].as_f64().unwrap() < -0.5 && song["valence"].as_f64().unwrap() > 0.2, "{song}");
}

#[test]
fn major_is_brighter_than_minor() {
    let person = Person::new();
    let music = person.music();
    for (name, chords) in [("major", [261.63, 329.63, 392.0]), ("minor", [261.63, 311.13, 392.0])] {
        fs::write(music.join(format!("Ada - {name}.wav")), wav(&chord(&chords, 100.0, 12.0))).unwrap();
    }
    person.scan(&["--listen"]);
    let (major, minor) = (person.song("major"), person.song("minor"));
    assert_eq!((&major["mode"], &minor["mode"], &major["artist"]), (&json!("major"), &json!("minor"), &json!("Ada")));
    assert!(major["valence"].as_f64() > minor["valence"].as_f64());
    assert!((major["tempo"].as_f64().unwrap() - 100.0).abs() < 2.0, "{major}");
    assert!(major["uri"].as_str().unwrap().ends_with("/music/Ada%20-%20major.wav"));
}

#[test]
fn a_second_scan_reads_only_what_has_changed() {
    let person = Person::new();
    let music = person.music();
    for name in ["a", "b", "c"] {
        fs::write(music.join(format!("{name}.wav")), wav(&blip())).unwrap();
    }
    fs::write(music.join("bad.mp3"), "no sound").unwrap();
    let counts = |done: &Done| {
        let report = &done.json()[0];
        (report["found"].as_u64().unwrap(), report["read"].as_u64().unwrap(), report["gone"].as_u64().unwrap())
    };
    let first = person.scan(&[]);
    assert_eq!(counts(&first), (3, 4, 0));
    let second = person.scan(&[]);
    assert_eq!(counts(&second), (3, 0, 0));
    // What is wrong is said again although it is not read again.
    assert_eq!((second.code, &second.lines), (Some(1), &first.lines));
    fs::write(music.join("b.wav"), tagged_wav(&blip(), &[("TIT2", "New")])).unwrap();
    fs::remove_file(music.join("c.wav")).unwrap();
    assert_eq!(counts(&person.scan(&[])), (2, 1, 1));
    let titles: Vec<_> = person.songs().iter().map(|song| song["title"].as_str().unwrap().to_owned()).collect();
    assert_eq!(titles, ["a", "New"]);
    // Listening is more than was done before, and is done once.
    assert_eq!(counts(&person.scan(&["--listen"])), (2, 2, 0));
    assert_eq!(counts(&person.scan(&["--listen"])), (2, 0, 0));
    assert_eq!(person.song("a")["source"], "sound");
    assert_eq!(counts(&person.scan(&[])), (2, 0, 0));
    assert_eq!(person.song("a")["source"], "sound");
}

#[test]
fn what_cannot_be_used_is_named_once_and_the_rest_is() {
    let person = Person::new();
    let music = person.music();
    let good = wav(&blip());
    fs::write(music.join("good.wav"), &good).unwrap();
    fs::write(music.join("empty.mp3"), "").unwrap();
    fs::write(music.join("text.ogg"), "It was a dark and stormy night.\n".repeat(100)).unwrap();
    fs::write(music.join("cut.wav"), &good[..30]).unwrap();
    fs::write(music.join("cover.jpg"), b"\xff\xd8\xff\xe0").unwrap();
    fs::write(music.join("picture.flac"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap();
    let m4a = fs::read(repository().join("tests/fixtures/audio/tone.m4a")).unwrap();
    fs::write(music.join("cut.m4a"), &m4a[..200]).unwrap();
    // A WAV by another name is one all the same.
    fs::write(music.join("mislabelled.mp3"), tagged_wav(&blip(), &[("TIT2", "Really WAV")])).unwrap();
    let huge = "x".repeat(5000);
    fs::write(music.join("huge.wav"), tagged_wav(&blip(), &[("TIT2", &huge)])).unwrap();
    fs::write(music.join(OsStr::from_bytes(b"Bj\xf6rk.wav")), &good).unwrap();
    fs::create_dir(music.join("deep")).unwrap();
    symlink(&music, music.join("deep/loop")).unwrap();
    symlink(music.join("nowhere.mp3"), music.join("dangling.mp3")).unwrap();
    symlink(music.join("good.wav"), music.join("again.wav")).unwrap();

    let done = person.scan(&["--names", "mpd"]);
    assert_eq!(done.code, Some(1));
    let report = &done.json()[0];
    let mut told = report["complaints"].as_array().unwrap().clone();
    told.sort_by_key(|complaint| complaint["path"].to_string());
    let text: Vec<String> = told
        .iter()
        .map(|c| format!("{}: {}", c["path"].as_str().unwrap(), c["reason"].as_str().unwrap()))
        .map(|line| line.replace(music.to_str().unwrap(), "MUSIC"))
        .collect();
    insta::assert_snapshot!("complaints_of_a_scan", text.join("\n"));
    // On stderr each stands once, and the sum behind them.
    assert_eq!(done.lines.len(), told.len() + 1);
    assert_eq!(done.lines.last().unwrap(), &format!("moodbox: {} problems, named above", told.len()));
    let mut uris: Vec<_> = person.songs().iter().map(|song| song["uri"].as_str().unwrap().to_owned()).collect();
    uris.sort();
    assert_eq!(uris, ["good.wav", "mislabelled.mp3"]);
}

#[test]
fn a_drive_that_is_not_mounted_costs_no_songs() {
    let person = Person::new();
    let music = person.music();
    let album = music.join("drive/album");
    fs::create_dir_all(&album).unwrap();
    for path in [music.join("a.wav"), album.join("b.wav"), album.join("c.wav")] {
        fs::write(path, wav(&blip())).unwrap();
    }
    let counts = |person: &Person| {
        let done = person.scan(&[]);
        (done.json()[0]["gone"].as_u64(), person.songs().len())
    };
    assert_eq!(counts(&person), (Some(0), 3));
    // As where nothing is mounted: the folder is there, and empty.
    fs::rename(&album, person.folder().join("elsewhere")).unwrap();
    assert_eq!(counts(&person), (Some(0), 3));
    // It is back, without one of its songs.
    fs::rename(person.folder().join("elsewhere"), &album).unwrap();
    fs::remove_file(album.join("c.wav")).unwrap();
    assert_eq!(counts(&person), (Some(1), 2));
}

#[test]
fn hidden_folders_and_trash_are_passed_over_and_what_was_scanned_there_goes() {
    let person = Person::new();
    let music = person.music();
    let put_away = [".Trash-1000/files", "$Recycle.Bin", "@eaDir", "lost+found", "System Volume Information"];
    for folder in put_away.iter().chain(&["album"]) {
        fs::create_dir_all(music.join(folder)).unwrap();
        fs::write(music.join(folder).join("a.wav"), wav(&blip())).unwrap();
    }
    fs::write(music.join("album/._b.wav"), "no sound").unwrap();
    symlink("nowhere", music.join("album/.#b.wav")).unwrap();
    // A folder that is named is scanned, whatever it is called.
    for folder in put_away {
        person.types(&["library", "scan", music.join(folder).to_str().unwrap()]).well();
    }
    assert_eq!(person.songs().len(), put_away.len());
    let done = person.scan(&[]);
    let report = &done.json()[0];
    assert_eq!((done.code, &report["found"], &report["gone"]), (Some(0), &json!(1), &json!(put_away.len())));
    assert_eq!(person.songs().len(), 1);
}

#[test]
fn a_playlist_takes_nothing_away_from_what_was_heard() {
    let person = Person::new();
    let music = person.music();
    let song = tagged_wav(&blip(), &[("TIT2", "Tone"), ("TPE1", "Ada"), ("TCON", "Ambient")]);
    fs::write(music.join("01.wav"), song).unwrap();
    person.scan(&["--listen", "--names", "mpd"]);
    let heard = person.songs();
    assert_eq!((&heard[0]["artist"], &heard[0]["source"]), (&json!("Ada"), &json!("sound")));
    let playlist = file(person.folder(), "all.m3u", "01.wav\n");
    person.types(&["library", "import", &playlist]).well();
    assert_eq!(person.songs(), heard);
}

#[test]
fn a_folder_that_cannot_be_read_is_named() {
    let person = Person::new();
    let music = person.music();
    fs::write(music.join("good.wav"), wav(&blip())).unwrap();
    let locked = music.join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = person.command();
    if fs::read_dir(&locked).is_ok() {
        // Nothing is locked to root, but for one who has given that up.
        let mut without = Command::new("setpriv");
        without.args(["--bounding-set", "-dac_override,-dac_read_search"]).arg(command.get_program());
        without.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command = without;
    }
    let output = command.args(["library", "scan", "--json"]).arg(&music).output().unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reason = "cannot be read: Permission denied (os error 13)".to_owned();
    assert_eq!(complaints(&report, &music), [("locked".to_owned(), reason)]);
    assert_eq!((output.status.code(), person.songs().len()), (Some(1), 1));
}

#[test]
fn a_folder_without_music_is_said_and_takes_nothing_away() {
    let person = Person::new();
    let music = person.music();
    let told = person.scan(&[]);
    assert_eq!(
        (told.code, &told.lines[..]),
        (Some(1), &[format!("moodbox: there are no sound files in {}", music.display())][..])
    );
    assert!(!person.library().exists());
    let file = music.join("a.wav");
    fs::write(&file, wav(&blip())).unwrap();
    let path = file.to_str().unwrap();
    assert_eq!(
        person.types(&["library", "scan", path]).refused(2),
        format!("moodbox: {path} is no folder; import reads single files")
    );
    let told = person.types(&["library", "scan", "/no/such/folder"]).refused(2);
    assert_eq!(told, "moodbox: cannot read /no/such/folder: No such file or directory (os error 2)");
}

#[test]
fn a_scan_that_is_stopped_keeps_what_was_read() {
    let person = Person::new();
    let music = person.music();
    let files = 60;
    put_long(&music, files);
    let mut scan = person.listening();
    interrupt(&scan);
    let mut stderr = String::new();
    scan.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let mut stdout = String::new();
    scan.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(scan.wait().unwrap().code(), Some(1), "{stderr}");
    assert_eq!(stderr.trim(), "moodbox: stopped; what was read is kept, scan again to go on");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let read = report["read"].as_u64().unwrap();
    assert!((1..files).contains(&read), "{report}");
    assert_eq!((person.songs().len() as u64, &report["stopped"]), (read, &json!(true)));
    // The next scan goes on from there.
    let done = person.scan(&["--listen"]);
    assert_eq!(done.json()[0]["read"], files - read);
    assert_eq!(person.songs().len() as u64, files);
}

#[test]
fn what_is_imported_and_forgotten_during_a_scan_stays_so() {
    let person = Person::new();
    put_long(&person.music(), 60);
    let [before, meanwhile] = ["before", "meanwhile"]
        .map(|name| file(person.folder(), &format!("{name}.m3u"), format!("Bob - {name}.mp3\n")));
    person.types(&["library", "import", &before]).well();
    let scan = person.listening();
    person.types(&["library", "import", &meanwhile]).well();
    person.types(&["library", "forget", "Bob - before"]).well();
    interrupt(&scan);
    let report: Value = serde_json::from_slice(&scan.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(report["stopped"], true);
    let songs = person.songs();
    let bobs: Vec<_> = songs.iter().filter(|song| song["artist"] == "Bob").map(|song| &song["title"]).collect();
    assert_eq!(bobs, ["meanwhile"]);
    assert_eq!(report["tracks"], songs.len());
}

#[test]
fn a_flac_that_does_not_say_how_long_it_is_is_a_song() {
    let person = Person::new();
    let music = person.music();
    let mut flac = fs::read(repository().join("tests/fixtures/audio/tone.flac")).unwrap();
    // The number of samples, 36 bits, is 0 where the encoder wrote into a pipe.
    flac[21] &= 0xf0;
    flac[22..26].fill(0);
    fs::write(music.join("piped.flac"), &flac).unwrap();
    let counts = |done: &Done| {
        let report = &done.json()[0];
        (report["found"].as_u64().unwrap(), report["read"].as_u64().unwrap(), done.code)
    };
    assert_eq!(counts(&person.scan(&["--listen"])), (1, 1, Some(0)));
    assert_eq!(person.song("Tone")["source"], "sound");
    // An earlier version refused it, and put that down.
    let log = person.folder().join("cache/moodbox/scanned.jsonl");
    let mut line: Value = serde_json::from_slice(&fs::read(&log).unwrap()).unwrap();
    line.as_object_mut().unwrap().remove("reader");
    line["content"] = json!({ "useless": "is damaged: there is no sound in it" });
    fs::write(&log, format!("{line}\n")).unwrap();
    assert_eq!(counts(&person.scan(&[])), (1, 1, Some(0)));
    // What has no rate either is no sound.
    flac[18..21].fill(0);
    fs::write(music.join("piped.flac"), &flac).unwrap();
    for read in [1, 0] {
        assert_eq!(counts(&person.scan(&[])), (0, read, Some(1)));
    }
}
