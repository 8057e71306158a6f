//! Networks from a folder, whole and broken.

use std::fs;
use std::path::Path;
use std::process::Command;

use moodbox_models::Models;
use moodbox_tests::programs::repository;

use super::{Home, smile};

/// Copies the built-in set, changed, to a folder that the box uses.
fn home_with(change: impl Fn(&Path)) -> Home {
    Home::prepared(&smile(), "[vision]\nmodels = \"FOLDER/models\"", |before| {
        let folder = before.folder.join("models");
        fs::create_dir(&folder).unwrap();
        for file in ["manifest.toml", "pnet.tflite", "rnet.tflite", "onet.tflite", "fer.tflite"] {
            fs::copy(repository().join("models").join(file), folder.join(file)).unwrap();
        }
        change(&folder);
    })
}

/// What is published of a box with such a set, which stays on the network and does what it can.
fn refusal(change: impl Fn(&Path)) -> String {
    let mut home = home_with(change);
    let wanted = |event: &serde_json::Value| event["event_type"] == "problem" && event["part"] == "models";
    let event = home.listener.until("/event", |event| wanted(&event.json())).json();
    home.command("next", "");
    home.listener.until("/now", |now| now.text != "{}");
    home.daemon.stop();
    let message = event["message"].as_str().unwrap();
    assert!(!message.contains('\n'), "{message}");
    message.replace(&home.folder.path().display().to_string(), "FOLDER")
}

fn in_manifest(folder: &Path, from: &str, to: &str) {
    let path = folder.join("manifest.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// Replaces a network and its checksum.
fn replace(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    let old = sha256(&path);
    fs::write(&path, bytes).unwrap();
    in_manifest(folder, &old, &sha256(&path));
}

fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn a_folder_with_whole_networks_is_used() {
    // Other bytes than those of the built-in set, which is not used in its place.
    let longer = [&fs::read(repository().join("models/fer.tflite")).unwrap()[..], &[0]].concat();
    let mut home = home_with(|folder| replace(folder, "fer.tflite", &longer));
    let theirs = Models::read(&home.folder.path().join("models")).unwrap().fingerprint();
    assert_ne!(theirs, Models::built_in().unwrap().fingerprint());
    home.listener.until("/state", |state| state.json()["mood"] == "happy");
    home.listener.until("/diagnostics", |told| told.json()["models"]["set"] == theirs);
    home.daemon.stop();
}

#[test]
fn one_flipped_bit_is_found() {
    let told = refusal(|folder| {
        let path = folder.join("pnet.tflite");
        let mut bytes = fs::read(&path).unwrap();
        bytes[5000] ^= 1;
        fs::write(path, bytes).unwrap();
    });
    assert!(told.starts_with("FOLDER/models/pnet.tflite is damaged or was replaced: its sha256 is "), "{told}");
}

#[test]
fn files_that_are_missing_are_named() {
    let told = refusal(|folder| fs::remove_file(folder.join("fer.tflite")).unwrap());
    assert!(told.starts_with("cannot read FOLDER/models/fer.tflite: No such file"), "{told}");
    let told = refusal(|folder| fs::remove_dir_all(folder).unwrap());
    assert!(told.starts_with("cannot read FOLDER/models/manifest.toml: No such file"), "{told}");
}

#[test]
fn a_manifest_that_is_none_is_named() {
    let told = refusal(|folder| in_manifest(folder, "schema = 2", "schema = 9"));
    assert_eq!(told, "FOLDER/models/manifest.toml is not a manifest of models: its schema is 9, this program reads 2");
    let told = refusal(|folder| in_manifest(folder, "name = \"onet\"", "name = \"other\""));
    assert_eq!(told, "the manifest FOLDER/models/manifest.toml has no model onet");
    let told = refusal(|folder| in_manifest(folder, "file = \"rnet.tflite\"", "file = \"../rnet.tflite\""));
    assert!(told.ends_with("\"../rnet.tflite\" is not a plain file name"), "{told}");
}

#[test]
fn a_network_of_another_shape_is_named() {
    for (from, to, reason) in [
        (
            "shape = [1, 48, 48, 1]",
            "shape = [1, 48, 48, 3]",
            "the input has the shape [1, 48, 48, 3], expected [1, 48, 48, 1]",
        ),
        (
            "shape = [1, 48, 48, 1]",
            "shape = [1, 64, 64, 1]",
            "the input has the shape [1, 64, 64, 1], expected [1, 48, 48, 1]",
        ),
        ("shape = [1, 7]", "shape = [1, 8]", "output \"fer2013\" has the shape [1, 8], its last side must be 7"),
        (
            "shape = [1, 7]\nscale = ",
            "shape = [1, 7]\nscale = 1",
            "tensor \"fer2013\" is not quantised as the manifest says",
        ),
        (
            "shape = [1, 7]\nscale = ",
            "shape = [1, 7]\nscale = nan # ",
            "tensor \"fer2013\" is not quantised as the manifest says",
        ),
    ] {
        let told = refusal(|folder| in_manifest(folder, from, to));
        assert_eq!(told, format!("model fer: {reason}"), "{to}");
    }
}

#[test]
fn a_file_that_is_no_network_is_named() {
    let whole = fs::read(repository().join("models/fer.tflite")).unwrap();
    for bytes in [&b"not a network"[..], b"", &whole[..whole.len() / 2]] {
        let told = refusal(|folder| replace(folder, "fer.tflite", bytes));
        assert_eq!(told, "model fer: the file is not a TensorFlow Lite model", "{} bytes", bytes.len());
    }
}
