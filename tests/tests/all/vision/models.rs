//! The networks as they are handed out, and what is refused.

use std::fs;
use std::path::Path;

use moodbox_core::config::{self, Labels};
use moodbox_models::{Models, ModelsError};
use moodbox_vision::Vision;
use tempfile::TempDir;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models");

/// A copy of the built-in set.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["manifest.toml", "pnet.tflite", "rnet.tflite", "onet.tflite", "fer.tflite"] {
        fs::copy(Path::new(FOLDER).join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// Loads a set and makes interpreters of it.
fn load(folder: &Path) -> Result<(), String> {
    let models = Models::read(folder).map_err(|e| e.to_string())?;
    Vision::new(&models, &config::Vision::default()).map_err(|e| e.to_string())?;
    Ok(())
}

fn edit_manifest(folder: &Path, from: &str, to: &str) {
    let path = folder.join("manifest.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "the manifest does not say {from:?}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_set_in_a_folder_is_the_built_in_one() {
    let folder = copy();
    let read = Models::read(folder.path()).unwrap();
    assert_eq!(read.fingerprint(), Models::built_in().unwrap().fingerprint());
    assert_eq!(load(folder.path()), Ok(()));
}

#[test]
fn a_flipped_bit_is_noticed() {
    let folder = copy();
    let path = folder.path().join("rnet.tflite");
    let mut bytes = fs::read(&path).unwrap();
    bytes[70_000] ^= 0x10;
    fs::write(&path, bytes).unwrap();
    let error = Models::read(folder.path()).unwrap_err();
    assert!(matches!(error, ModelsError::Checksum { .. }));
    assert!(error.to_string().contains("rnet.tflite is damaged or was replaced: its sha256 is "), "{error}");
}

#[test]
fn what_is_missing_is_named() {
    let folder = copy();
    fs::remove_file(folder.path().join("fer.tflite")).unwrap();
    assert!(load(folder.path()).unwrap_err().contains("fer.tflite: No such file"));
    fs::remove_file(folder.path().join("manifest.toml")).unwrap();
    assert!(load(folder.path()).unwrap_err().contains("manifest.toml: No such file"));
}

#[test]
fn a_manifest_that_tells_something_else_is_refused() {
    for (from, to, expected) in [
        ("schema = 2", "schema = 1", "its schema is 1, this program reads 2"),
        ("name = \"onet\"", "name = \"other\"", "has no model onet"),
        ("name = \"landmarks\"", "name = \"points\"", "model onet: the manifest names no output \"landmarks\""),
        ("\"disgust\",", "\"contempt\",", "model fer: its outputs are not in the order angry, disgust"),
        ("zero_point = -1", "zero_point = 7", "model pnet: the input has the zero point 7, expected -1 or 0"),
    ] {
        let folder = copy();
        edit_manifest(folder.path(), from, to);
        let error = load(folder.path()).unwrap_err();
        assert!(error.contains(expected), "{from}: {error}");
        assert!(!error.contains('\n'));
    }
}

#[test]
fn labels_that_a_set_has_no_answer_by_are_refused() {
    let folder = copy();
    let path = folder.path().join("manifest.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("[model.emotions.ferplus]").unwrap();
    let after = rest.split_once("[model.metrics]").unwrap().1;
    fs::write(&path, format!("{before}[model.metrics]{after}")).unwrap();
    assert_eq!(load(folder.path()), Ok(()));
    let settings = config::Vision { labels: Labels::Ferplus, ..config::Vision::default() };
    let error = Vision::new(&Models::read(folder.path()).unwrap(), &settings).err().unwrap().to_string();
    assert_eq!(error, "model fer: it has no answer by the labels ferplus, only by fer2013");
}

#[test]
fn a_manifest_of_before_is_told_by_its_schema() {
    let folder = copy();
    edit_manifest(folder.path(), "schema = 2", "schema = 1");
    edit_manifest(folder.path(), "[model.emotions]\n", "[model.emotions]\norder = [\"angry\"]\n");
    assert!(load(folder.path()).unwrap_err().contains("its schema is 1, this program reads 2"));
}

#[test]
fn a_network_under_a_wrong_name_is_refused() {
    let folder = copy();
    let text = fs::read_to_string(folder.path().join("manifest.toml")).unwrap();
    let entries: Vec<&str> = text.split("[[model]]").collect();
    let sha = |entry: &str| entry.split("sha256 = \"").nth(1).unwrap()[..64].to_owned();
    let (rnet, onet) = (sha(entries[2]), sha(entries[3]));
    let swapped = text.replacen("rnet.tflite", "onet.tflite", 1).replacen(&rnet, &onet, 1);
    fs::write(folder.path().join("manifest.toml"), swapped).unwrap();
    let error = load(folder.path()).unwrap_err();
    assert!(error.starts_with("model rnet: it "), "{error}");
}
