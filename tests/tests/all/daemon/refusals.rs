//! What the daemon does not start with: one line on stderr and an exit code.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Daemon, Home, config, run, smile};

const CATALOGUE: &str = "uri,title,artist,valence,arousal\na:1,One,Somebody,0.5,0.5\n";

/// Starts with a configuration of a folder, which must fail; the only line that it writes.
fn refused(folder: &Path, config: &str, code: i32) -> String {
    let file = folder.join("moodbox.toml");
    fs::write(&file, config).unwrap();
    let (found, stdout, lines) = run(&["--config", file.to_str().unwrap()]);
    assert_eq!((found, stdout.as_str()), (Some(code), ""), "{config}\n{lines:#?}");
    let [line] = &lines[..] else { panic!("{config}\n{lines:#?}") };
    line.replace(&folder.display().to_string(), "FOLDER")
}

#[test]
fn every_mistake_in_the_configuration_is_named_by_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    for (text, expected) in [
        ("[device]\nid = \"Living room\"", "line 2: id: \"Living room\" must be 1 to 32 of a-z, 0-9, _ and -"),
        ("[device]\nname = \"\"", "line 2: name: must have 1 to 64 characters on one line"),
        ("[camera]\nsource = \"webcam\"", "line 2: source: \"webcam\" must be v4l2:auto, "),
        ("[camera]\nwidth = 100", "line 2: width: must be a whole number from 160 to 1920, not 100"),
        ("[camera]\nheight = 9000", "line 2: height: must be a whole number from 120 to 1080, not 9000"),
        ("[camera]\nfps = \"ten\"", "line 2: fps: invalid type: string \"ten\""),
        ("[camera]\nrepeat = 1", "line 2: repeat: invalid type"),
        ("[vision]\nmin_face_px = 10", "line 2: min_face_px: must be a whole number from 24 to 400, not 10"),
        ("[vision]\nfps = 0", "line 2: fps: must be a whole number from 1 to 30, not 0"),
        ("[vision]\n\nthreads = 9", "line 3: threads: must be a whole number from 1 to 4, not 9"),
        ("[vision]\nthresholds = [0.6, 0.7]", "line 2: thresholds: invalid length 2"),
        ("[mood]\nenter = 2.0", "line 2: enter: must be from 0 to 1, not 2"),
        ("[mood]\nenter = 0.2", "line 2: enter: leave (0.35) must be less than enter (0.2)"),
        ("[mood]\nforget_s = -1", "line 2: forget_s: must be from 0.1 to 86400 seconds, not -1"),
        ("[mood]\npooling = \"mean\"", "line 2: pooling: unknown word `mean`, expected one of `pooled`"),
        ("[leds]\ndriver = \"ws2812\"", "line 2: driver: unknown word `ws2812`"),
        ("[leds]\nred = 54", "line 2: red: must be a whole number from 0 to 53, not 54"),
        ("[leds]\nred = 22", "line 2: red: red and blue are both on pin 22"),
        ("[leds]\nbrightness = 80", "line 2: brightness: must be from 0 to 1, not 80"),
        ("[mqtt]\nbroker = \"home\"", "line 2: broker: \"home\" must be embedded, mqtt://"),
        ("[mqtt]\nbroker = \"mqtt://me:secret@home\"", "line 2: broker: must not hold a user or password"),
        ("[mqtt]\nembedded_port = 70000", "line 2: embedded_port: must be a whole number from 0 to 65535, not 70000"),
        ("[mqtt]\nbase_topic = \"a/#\"", "line 2: base_topic: \"a/#\" is not a topic"),
        ("[mqtt]\nkeep_alive_s = 1", "line 2: keep_alive_s: must be a whole number from 5 to 1200, not 1"),
        ("[mqtt]\npassword = \"x\"", "line 2: password: unknown key `password`; did you mean `password_file`? Known"),
        ("[music]\npolicy = \"party\"", "line 2: policy: unknown"),
        ("[music]\nlist_length = 0", "line 2: list_length: must be a whole number from 1 to 50, not 0"),
        ("[store]\nfolder = 7", "line 2: folder: "),
        ("[lamp]\non = true", "line 1: unknown key `lamp`"),
        ("[camera\nfps = 5", "line 1: "),
    ] {
        let told = refused(folder.path(), text, 2);
        assert!(told.starts_with(&format!("moodboxd: FOLDER/moodbox.toml: {expected}")), "{text}\n{told}");
        assert!(!told.contains("secret"), "{told}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.toml");
    let (code, _, lines) = run(&["--config", file.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert_eq!(lines, [format!("moodboxd: cannot read {}: No such file or directory (os error 2)", file.display())]);
    fs::write(&file, b"[device]\nname = \"\xff\"").unwrap();
    for path in [file.as_path(), folder.path()] {
        let (code, _, lines) = run(&["--config", path.to_str().unwrap()]);
        assert_eq!((code, lines.len()), (Some(2), 1), "{lines:#?}");
        assert!(lines[0].starts_with(&format!("moodboxd: cannot read {}: ", path.display())), "{lines:#?}");
    }
}

#[test]
fn a_disk_that_fails_is_no_mistake_in_the_configuration() {
    // The kernel refuses to read its beginning with EIO. After 3 the service is started again, after 2 it is not.
    let (code, stdout, lines) = run(&["--config", "/proc/self/mem"]);
    assert_eq!((code, stdout.as_str()), (Some(3), ""));
    assert_eq!(lines, ["moodboxd: cannot read /proc/self/mem: Input/output error (os error 5)"]);
}

#[test]
fn a_configuration_can_be_checked_without_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("moodbox.toml");
    let path = file.to_str().unwrap();
    fs::write(&file, config(folder.path(), 1, &smile(), "")).unwrap();
    assert_eq!(run(&["--config", path, "--check-config"]), (Some(0), format!("{path}: ok\n"), vec![]));
    fs::write(&file, "[camera]\nfps = 61\n").unwrap();
    let (code, stdout, lines) = run(&["--config", path, "--check-config"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert_eq!(lines, [format!("moodboxd: {path}: line 2: fps: must be a whole number from 0 to 60, not 61")]);
}

#[test]
fn the_arguments_are_few() {
    assert_eq!(run(&["--version"]), (Some(0), format!("moodboxd {}\n", env!("CARGO_PKG_VERSION")), vec![]));
    let (code, help, lines) = run(&["--help"]);
    assert_eq!((code, lines), (Some(0), vec![]));
    insta::assert_snapshot!("help_of_the_daemon", help);
    for arguments in [&["--camera"][..], &["moodbox.toml"], &["--config"]] {
        let (code, stdout, lines) = run(arguments);
        assert_eq!((code, stdout.as_str(), lines.len()), (Some(2), "", 1), "{arguments:?} {lines:#?}");
        assert!(lines[0].starts_with("moodboxd: ") && lines[0].ends_with("; see --help"), "{lines:#?}");
    }
}

#[test]
fn a_catalogue_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let with = |file: &str| config(here, 1, &smile(), &format!("[music]\ncatalogue = \"FOLDER/{file}\""));
    assert_eq!(
        refused(here, &with("none.csv"), 3),
        "moodboxd: music.catalogue: cannot read FOLDER/none.csv: No such file or directory (os error 2)"
    );
    for (content, reason) in [
        (&b""[..], "the catalogue is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "the catalogue is neither a table, a playlist nor JSON in UTF-8"),
        (b"{\"tracks\":[]}", "the catalogue is JSON but no list of tracks: it must start with ["),
        (b"title,artist\nOne,Somebody\n", "the first line of the catalogue must name its columns"),
        (
            b"uri,title,artist,valence,arousal\na:1,One,Somebody,7,0\n",
            "the catalogue has no usable track; line 2: valence 7",
        ),
    ] {
        fs::write(here.join("songs"), content).unwrap();
        let told = refused(here, &with("songs"), 3);
        assert!(told.starts_with(&format!("moodboxd: music.catalogue: FOLDER/songs: {reason}")), "{told}");
    }
}

#[test]
fn bad_rows_of_a_catalogue_are_named_and_the_others_used() {
    let mut home = Home::prepared(&smile(), "[music]\ncatalogue = \"FOLDER/songs.csv\"", |before| {
        let rows = "a:2,Two,Somebody,1.5,0\na:3,,Somebody,0,0\na:1,Again,Somebody,0,0\na:4,Four,Somebody,-0.5,0.1\n";
        fs::write(before.folder.join("songs.csv"), format!("{CATALOGUE}{rows}")).unwrap();
    });
    for line in [3, 4, 5] {
        home.daemon.says(&format!("songs.csv: line {line}: "));
    }
    let list = home.listener.next("/recommendation").json();
    let mut uris: Vec<_> = list["tracks"].as_array().unwrap().iter().map(|track| track["uri"].clone()).collect();
    uris.sort_by_key(ToString::to_string);
    assert_eq!(uris, ["a:1", "a:4"]);
    home.daemon.stop();
}

#[test]
fn files_of_the_connection_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("empty"), "\nsecret\n").unwrap();
    fs::set_permissions(here.join("empty"), fs::Permissions::from_mode(0o600)).unwrap();
    for (lines, told) in [
        (
            "broker = \"mqtt://h\"\nusername = \"box\"\npassword_file = \"FOLDER/none\"",
            "moodboxd: mqtt.password_file: cannot read FOLDER/none: No such file",
        ),
        (
            "broker = \"mqtt://h\"\nusername = \"box\"\npassword_file = \"FOLDER/empty\"",
            "moodboxd: mqtt.password_file: the first line of FOLDER/empty is empty",
        ),
        (
            "broker = \"mqtts://h\"\nca_file = \"FOLDER/none\"",
            "moodboxd: mqtt.ca_file: cannot read FOLDER/none: No such file",
        ),
        (
            "broker = \"mqtts://h\"\nca_file = \"FOLDER/empty\"",
            "moodboxd: mqtt.ca_file: FOLDER/empty holds no certificate in PEM form",
        ),
    ] {
        let text = format!("[mqtt]\n{lines}\n[camera]\nsource = \"{}\"", smile());
        let line = refused(here, &text.replace("FOLDER", &here.display().to_string()), 3);
        assert!(line.starts_with(told), "{line}");
    }
}

#[test]
fn a_broker_that_is_not_there_is_named_and_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let port = moodbox_tests::mosquitto::free_port();
    let daemon = Daemon::start(folder.path(), &config(folder.path(), port, &smile(), ""));
    let line = daemon.says("next attempt");
    assert!(line.contains(&format!("nothing listens at mqtt://127.0.0.1:{port}; is the broker running?")), "{line}");
    daemon.stop();
}

#[test]
fn a_password_that_everybody_can_read_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "secret\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let login = "[mqtt]\nusername = \"box\"\npassword_file = \"FOLDER/password\"";
    let text = config(folder.path(), 1, &smile(), "").replace("[mqtt]", login);
    let daemon = Daemon::start(folder.path(), &text.replace("FOLDER", &folder.path().display().to_string()));
    let line = daemon.says("mqtt.password_file");
    assert!(line.ends_with(&format!("can read {0}; chmod 600 {0}", file.display())), "{line}");
    daemon.signal("TERM");
    let (_, log) = daemon.ended();
    assert!(!log.iter().any(|line| line.contains("secret")), "{log:#?}");
}
