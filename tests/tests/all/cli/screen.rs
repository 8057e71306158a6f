//! `moodbox demo` on a terminal.

use std::fs;
use std::process::Command;

use moodbox_tests::programs::program;

use crate::terminal::{ENTER, LEAVE, Terminal};

#[test]
fn the_demo_is_drawn_until_somebody_quits() {
    for quit in ["q", "\x1b", "\x03"] {
        let mut terminal = Terminal::start(&format!("{} demo", program("moodbox").display()), 40, 150);
        // The foot is there with the first picture.
        terminal.until("speaks on mqtt://127.0.0.1:");
        terminal.press(quit);
        let (code, text) = terminal.ended();
        assert_eq!(code, Some(0), "{quit:?}: {text}");
        for words in ["sees", "mood", "valence", "songs"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        // What the C library writes is not written across the picture, and the terminal is given back as it was.
        assert!(text.find(ENTER) > text.rfind("XNNPACK"), "{text}");
        assert!(text.rfind(LEAVE) > text.rfind("speaks on"), "{text}");
    }
}

#[test]
fn the_terminal_is_given_back_also_where_the_system_ends_the_demo() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let id = folder.path().join("id");
    let demo = format!("exec env TMPDIR={} {} demo", temporary.path().display(), program("moodbox").display());
    let mut terminal = Terminal::start(&format!("sh -c 'echo $$ >{}; {demo}'", id.display()), 40, 150);
    terminal.until("speaks on mqtt://127.0.0.1:");
    assert!(Command::new("kill").args(["-TERM", fs::read_to_string(id).unwrap().trim()]).status().unwrap().success());
    let (code, text) = terminal.ended();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.rfind(LEAVE) > text.rfind("speaks on"), "{text}");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}
