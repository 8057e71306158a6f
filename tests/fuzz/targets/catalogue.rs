//! Tables, playlists, JSON and our own files: whatever is read can be ranked, kept and read again.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use moodbox_core::affect::{Affect, Policy};
use moodbox_core::emotion::Emotion;
use moodbox_core::music::{Catalogue, Import, Recommender};

fuzz_target!(|bytes: &[u8]| {
    let Ok(Import { catalogue, rejected }) = Catalogue::import(bytes) else { return };
    let lines = bytes.split(|byte| *byte == b'\n').count();
    assert!(rejected.iter().all(|entry| (1..=lines).contains(&entry.line) && !entry.reason.contains('\n')));
    let file = Catalogue::to_file(catalogue.tracks()).expect("its numbers are finite");
    assert_eq!(Catalogue::from_file(&file).expect("it is whole").tracks(), catalogue.tracks());
    let songs = catalogue.tracks().len();
    let uri = catalogue.tracks().first().map(|track| track.uri.clone());
    let recommender = Recommender::new(catalogue, 0);
    for policy in Policy::ALL {
        let list = recommender.for_mood(Affect::of(Emotion::Sad), policy, 5, Duration::ZERO);
        assert!(list.len() <= songs.min(5) && list.iter().all(|song| song.score.is_finite()));
    }
    if let Some(uri) = uri {
        let list = recommender.after(&uri, 5, Duration::ZERO).expect("it is there");
        assert!(list.iter().all(|song| song.score.is_finite() && song.track.uri != uri));
    }
});
