//! Sound files with damage anywhere, as disks and downloads make them: each is read or refused in one line.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use super::trouble::Trouble;
use super::{listen, replace, tags};

/// A sound file, one for each kind.
fn whole() -> impl Strategy<Value = Vec<u8>> {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/audio");
    let kinds =
        ["mp3", "flac", "ogg", "opus", "m4a"].map(|kind| fs::read(fixtures.join(format!("tone.{kind}"))).unwrap());
    prop::sample::select(kinds.to_vec())
}

/// The same with some bytes changed, most of them where the headers are, and perhaps cut off.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let place = prop_oneof![3 => 0.0..0.05f64, 1 => 0.0..1.0f64];
    let byte = prop_oneof![Just(0u8), Just(0xff), any::<u8>()];
    let end = prop_oneof![2 => Just(1.0f64), 1 => 0.0..1.0f64];
    (whole(), prop::collection::vec((place, byte), 0..12), end).prop_map(|(mut file, changes, end)| {
        for (place, byte) in changes {
            let at = (place * file.len() as f64) as usize;
            file[at] = byte;
        }
        file.truncate((end * file.len() as f64) as usize);
        file
    })
}

proptest! {
    // Decoders are slow where they are not optimised.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_damaged_file_is_read_or_refused_in_one_line(file in damaged()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("damaged");
        fs::write(&path, file).unwrap();
        let refusals = [tags::read(&path).err(), listen::listen(&path, &AtomicBool::new(false)).err()];
        for reason in refusals.into_iter().flatten().map(|trouble| trouble.to_string()) {
            prop_assert!(!reason.is_empty() && !reason.contains(char::is_control), "{reason:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_library_can_be_read_by_whom_the_umask_or_its_owner_lets() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode();
    let (library, other) = (folder.path().join("library"), folder.path().join("other"));
    fs::write(&other, "").unwrap();
    replace(&library, b"one").unwrap();
    assert_eq!(mode(&library), mode(&other));
    fs::set_permissions(&library, fs::Permissions::from_mode(0o640)).unwrap();
    replace(&library, b"two").unwrap();
    assert_eq!((mode(&library) & 0o777, fs::read(&library).unwrap()), (0o640, b"two".to_vec()));
}

#[cfg(unix)]
#[test]
fn a_library_that_is_a_link_stays_one() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let [library, between, drive] = ["library", "between", "drive"].map(|name| folder.path().join(name));
    symlink("between", &library).unwrap();
    symlink(drive.join("library"), &between).unwrap();
    let stay = || assert!([&library, &between].into_iter().all(|link| link.is_symlink()));
    replace(&library, b"none").unwrap_err();
    stay();
    assert!(!drive.exists());
    fs::create_dir(&drive).unwrap();
    // The first begins it where the links lead to.
    for content in [b"one", b"two"] {
        replace(&library, content).unwrap();
        stay();
        assert_eq!(fs::read(drive.join("library")).unwrap(), content);
        assert_eq!(fs::read_dir(&drive).unwrap().count(), 1);
    }
}

#[test]
fn a_reader_that_gives_up_costs_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no channels.opus");
    let mut file =
        fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/audio/tone.opus")).unwrap();
    let channels = file.windows(8).position(|eight| eight == b"OpusHead").unwrap() + 9;
    file[channels] = 0;
    fs::write(&path, file).unwrap();
    assert_eq!(tags::read(&path).unwrap_err(), "is damaged: its reader gave up".into());
}

#[test]
fn what_cannot_be_read_is_no_news_of_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.mp3");
    assert!(matches!(tags::read(&path), Err(Trouble::Unreadable(_))));
    assert!(matches!(listen::listen(&path, &AtomicBool::new(false)), Err(Trouble::Unreadable(_))));
    // A folder opens and does not read.
    fs::create_dir(&path).unwrap();
    assert!(matches!(tags::read(&path), Err(Trouble::Unreadable(_))));
    fs::remove_dir(&path).unwrap();
    fs::write(&path, "no song").unwrap();
    assert!(matches!(tags::read(&path), Err(Trouble::Useless(_))));
}
