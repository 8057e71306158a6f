//! `moodbox history`, of a real box.

use super::aim::Home;
use super::moodbox;

#[test]
fn a_day_is_shown_written_as_a_table_and_as_json() {
    let home = Home::start();
    let broker = format!("mqtt://127.0.0.1:{}", home.port);
    let history = |more: &[&str]| moodbox(&[&["history", "--broker", &broker, "--id", "hall"], more].concat());
    // What was seen is on the disk before it is shown.
    let table = loop {
        let table = history(&["--csv", "-"]).well();
        if table.contains(",happy,") {
            break table;
        }
    };
    assert!(table.starts_with("time,seconds,mood,valence,arousal,clock\n"), "{table}");
    assert!(table.lines().skip(1).all(|line| line.split(',').count() == 6 && line.ends_with(",set")), "{table}");
    let plot = history(&["--days", "2"]).well();
    assert_eq!(plot.lines().count(), 4, "{plot}");
    let json = history(&["--json"]).json();
    assert_eq!(json[0]["days"].as_array().unwrap().len(), 7);
    let told = moodbox(&["history", "--broker", &broker, "--id", "attic"]).refused(3);
    assert!(told.contains("box attic does not answer"), "{told}");
}
