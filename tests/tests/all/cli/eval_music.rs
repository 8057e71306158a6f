//! `moodbox eval music` on tables that are made up.

use std::fmt::Write;

use serde_json::Value;

use super::{file, moodbox};

/// Songs whose listeners agree with the table, in two kinds.
fn table(songs: usize, parted_by: char) -> String {
    let columns = ["Title", "Artist", "Genre", "BPM", "Valence", "Energy", "human_valence", "human_arousal"];
    let mut text = columns.join(&parted_by.to_string());
    text.insert(0, '\u{feff}');
    for n in 0..songs {
        let (valence, arousal) = (n * 37 % 101, n * 59 % 97);
        let kind = if n % 2 == 0 { "deep house" } else { "folk" };
        let values = [
            format!("\n\"Song; {n}, a\""),
            format!("Artist {n}"),
            kind.to_owned(),
            (80 + n % 80).to_string(),
            valence.to_string(),
            arousal.to_string(),
            (valence as f32 / 101.0).to_string(),
            (arousal as f32 / 97.0).to_string(),
        ];
        write!(text, "{}", values.join(&parted_by.to_string())).unwrap();
    }
    text
}

fn figure(rows: &Value, name: &str) -> Value {
    rows.as_array().unwrap().iter().find(|row| row[0] == name).unwrap()[1].clone()
}

#[test]
fn good_recommendations_beat_chance() {
    let folder = tempfile::tempdir().unwrap();
    let semicolons = file(folder.path(), "semicolons.csv", table(200, ';'));
    let report = &moodbox(&["eval", "music", &semicolons, "--json"]).json()[0];
    assert_eq!(report["songs"], 200);
    let mood = |name: &str| figure(&report["mood"]["mean"], name).as_f64().unwrap();
    assert!(mood("moodbox") > mood("by chance") + 0.3, "{report:#}");
    assert!(mood("moodbox") > mood("valence alone") && mood("moodbox") > mood("arousal alone"), "{report:#}");
    assert_eq!(report["mood"]["each"].as_array().unwrap().len(), 7);
    let after = |name: &str, of: &str| figure(&report["after"], name)[of].as_f64().unwrap();
    assert!(after("moodbox", "same_family") > 0.95 && after("moodbox", "unique_artists") > 0.95, "{report:#}");
    assert!((after("by chance", "same_family") - 0.5).abs() < 0.1, "{report:#}");
    assert!(after("moodbox", "distance") < 0.6 * after("by chance", "distance"), "{report:#}");
    let commas = file(folder.path(), "commas.csv", table(200, ','));
    assert_eq!(&moodbox(&["eval", "music", &commas, "--json"]).json()[0], report);
    let text = moodbox(&["eval", "music", &commas]).well();
    assert!(text.contains("mean of all moods") && text.contains("tempo alone"), "{text}");
}

#[test]
fn bad_rows_are_named_and_cost_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let bad = "title,artist,valence,arousal\na,b,0.5,0.5\n,b,0.5,0.5\nc,d,NaN,0.5\ne,f,0.4,\n";
    let done = moodbox(&["eval", "music", &file(folder.path(), "bad.csv", bad)]);
    assert_eq!(done.code, Some(1));
    for told in
        ["line 3: title or artist is missing", "line 4: valence \"NaN\" is not a number", "line 5: arousal is missing"]
    {
        assert!(done.lines.iter().any(|line| line.ends_with(told)), "{told}: {:#?}", done.lines);
    }
    assert!(done.stdout.contains("nothing to measure"), "{}", done.stdout);
    for (name, content) in
        [("empty.csv", ""), ("columns.csv", "a,b\n1,2\n"), ("none.csv", "title,artist,valence,arousal\n")]
    {
        let path = file(folder.path(), name, content);
        assert!(moodbox(&["eval", "music", &path]).refused(2).contains(name));
    }
}
