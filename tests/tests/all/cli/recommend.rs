//! `moodbox recommend` on the demo catalogue and on files of a person's own.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{file, moodbox, typed};

const HEADER: &str = "uri,title,artist,album,year,genres,valence,arousal\n";

fn tracks(report: &Value) -> &Vec<Value> {
    report["tracks"].as_array().unwrap()
}

#[test]
fn every_mood_has_its_songs() {
    let mut all = String::new();
    for mood in ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"] {
        let songs = typed(&format!("recommend --mood {mood} -n 3")).well();
        assert_eq!(songs.lines().count(), 6, "{songs}");
        all += "--mood ";
        all += mood;
        all += "\n";
        all += &songs;
        let report = &typed(&format!("recommend --mood {mood} --json")).json()[0];
        assert_eq!((report["mood"].as_str(), tracks(report).len()), (Some(mood), 10));
    }
    insta::assert_snapshot!("songs_for_each_mood", all);
}

#[test]
fn each_policy_leads_elsewhere() {
    let mean = |policy: &str, dimension: &str| {
        let report = &typed(&format!("recommend --mood sad --policy {policy} --json")).json()[0];
        assert_eq!(report["policy"], policy);
        tracks(report).iter().filter_map(|track| track[dimension].as_f64()).sum::<f64>() / 10.0
    };
    assert!(mean("lift", "valence") > mean("match", "valence"));
    assert!(mean("match", "valence") < 0.0);
    assert!(mean("soothe", "arousal") < 0.0);
    let angry = &typed("recommend --mood angry --json").json()[0];
    assert_eq!(angry["policy"], "soothe");
}

#[test]
fn a_track_is_followed_by_its_kind() {
    let uri = "demo:track:the-beatles-here-comes-the-sun";
    let report = &moodbox(&["recommend", "--after", uri, "--json"]).json()[0];
    assert_eq!((report["after"].as_str(), tracks(report).len()), (Some(uri), 10));
    assert!(tracks(report).iter().all(|track| track["uri"] != uri));
    let kin = |track: &&Value| track["genres"].to_string().contains("rock");
    assert!(tracks(report).iter().filter(kin).count() >= 7, "{report:#}");
    let songs = moodbox(&["recommend", "--after", uri, "-n", "5"]).well();
    insta::assert_snapshot!("songs_after_a_song", songs);
}

#[test]
fn the_list_of_a_mood_goes_on_near_the_kind_of_what_played() {
    let list = |more: &[&str]| {
        let words = [&["recommend", "--mood", "happy", "--json"], more].concat();
        moodbox(&words).json()[0].clone()
    };
    let uri = "demo:track:the-beatles-here-comes-the-sun";
    let rock =
        |report: &Value| tracks(report).iter().filter(|track| track["genres"].to_string().contains("rock")).count();
    let report = list(&["--after", uri]);
    assert_eq!((report["mood"].as_str(), report["after"].as_str()), (Some("happy"), Some(uri)));
    assert!(tracks(&report).iter().all(|track| track["uri"] != uri));
    assert!(rock(&report) > rock(&list(&[])), "{report:#}");
    let lifted = list(&["--policy", "lift", "--after", uri]);
    assert_eq!(lifted["policy"], "lift");
}

#[test]
fn a_track_is_described_whole() {
    let report = &typed("recommend --mood happy -n 1 --json").json()[0];
    let keys: BTreeSet<_> = tracks(report)[0].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "uri title artist album year genre genres valence arousal score why";
    assert_eq!(keys, expected.split(' ').collect());
}

#[test]
fn one_seed_gives_one_list() {
    let list = |seed: u32| typed(&format!("recommend --mood neutral --json -n 20 --seed {seed}")).well();
    assert_eq!(list(7), list(7));
    assert!((0..20).any(|seed| list(seed) != list(7)));
}

#[test]
fn an_unknown_track_is_named() {
    let told = typed("recommend --after demo:track:none").refused(2);
    assert_eq!(told, "moodbox: no track of the catalogue has the uri \"demo:track:none\"");
    assert_eq!(typed("recommend --mood sad --after demo:track:none").refused(2), told);
}

#[test]
fn bad_rows_are_named_and_the_others_used() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "a:1,One,Somebody,,1999,rock,0.5,0.5\n\
                a:2,Two,Somebody,,1999,rock,high,0.5\n\
                a:3,Three,Somebody,,1999,rock,0.5\n\
                a:4,\"Four, live\",Somebody,,,,-0.5,-0.5\n\
                a:1,Again,Somebody,,1999,rock,0.5,0.5\n\
                ,Five,Somebody,,1999,rock,0.5,0.5\n";
    let library = file(folder.path(), "songs.csv", format!("{HEADER}{rows}"));
    let done = moodbox(&["recommend", "--mood", "happy", "--library", &library, "--json"]);
    assert_eq!(done.code, Some(0));
    let told: Vec<_> = [
        "line 3: valence \"high\" is not a number",
        "line 4: has 7 columns, the first line has 8",
        "line 6: uri \"a:1\" is already on line 2",
        "line 7: uri is missing",
    ]
    .map(|reason| format!("moodbox: {library}: {reason}"))
    .into();
    assert_eq!(done.lines, told);
    let uris: BTreeSet<_> = tracks(&done.json()[0]).iter().map(|t| t["uri"].as_str().unwrap().to_owned()).collect();
    assert_eq!(uris, BTreeSet::from(["a:1".to_owned(), "a:4".to_owned()]));
}

#[test]
fn a_library_may_be_json() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[{\"uri\":\"a:1\",\"title\":\"One\",\"artist\":\"Somebody\",\"valence\":0.5,\"arousal\":0.5},\n{\"uri\":\"a:2\"}]";
    let library = file(folder.path(), "songs.json", text);
    let done = moodbox(&["recommend", "--mood", "happy", "--library", &library]);
    assert_eq!(done.code, Some(0));
    assert_eq!(done.lines, [format!("moodbox: {library}: line 2: title is missing")]);
    assert!(done.stdout.starts_with(" 1. Somebody \u{2013} One"), "{}", done.stdout);
}

#[test]
fn a_library_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (content, reason) in [
        (&b""[..], "the catalogue is empty"),
        (b"\xff\xfe\0a\0b", "the catalogue is neither a table, a playlist nor JSON in UTF-8"),
        (b"{}", "the catalogue is JSON but no list of tracks: it must start with ["),
        (b"[]", "the catalogue has no usable track"),
        (b"[{\"uri\":", "the catalogue has no usable track; line 1: "),
        (b"title;artist\nOne;Somebody\n", "the first line of the catalogue must name its columns; missing: "),
        (b"uri,title,artist,valence,arousal\n", "the catalogue has no usable track"),
    ] {
        let library = file(folder.path(), "songs", content);
        let told = moodbox(&["recommend", "--mood", "happy", "--library", &library]).refused(2);
        assert!(told.starts_with(&format!("moodbox: {library}: {reason}")), "{told}");
    }
    let none = folder.path().join("none").display().to_string();
    let told = moodbox(&["recommend", "--mood", "happy", "--library", &none]).refused(2);
    assert_eq!(told, format!("moodbox: cannot read {none}: No such file or directory (os error 2)"));
}

#[test]
fn a_score_is_the_sum_of_its_parts() {
    for words in ["--mood sad", "--mood sad --policy lift", "--after demo:track:abba-dancing-queen"] {
        let report = &typed(&format!("recommend {words} --explain --json")).json()[0];
        for track in tracks(report) {
            let parts: Vec<f64> =
                track["parts"].as_array().unwrap().iter().map(|part| part["value"].as_f64().unwrap()).collect();
            assert!((parts.iter().sum::<f64>() - track["score"].as_f64().unwrap()).abs() < 1e-5, "{track}");
        }
    }
    let text = typed("recommend --mood happy -n 1 --explain").well();
    assert!(text.lines().last().unwrap().starts_with("    score 0."), "{text}");
    assert!(typed("recommend --mood happy -n 1 --json").json()[0]["tracks"][0].get("parts").is_none());
}
