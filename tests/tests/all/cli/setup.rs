//! `moodbox setup` with somebody at a terminal.

use std::fs;

use moodbox_tests::programs::program;

use crate::terminal::Terminal;

/// What a terminal is told of its cursor.
const SHOW_CURSOR: &str = "\x1b[?25h";
const HIDE_CURSOR: &str = "\x1b[?25l";

#[test]
fn ctrl_c_at_a_question_gives_the_terminal_back() {
    let card = tempfile::tempdir().unwrap();
    for name in ["config.txt", "cmdline.txt", "meta-data", "package.deb"] {
        fs::write(card.path().join(name), "").unwrap();
    }
    let (moodbox, folder) = (program("moodbox").display(), card.path().display());
    let command = format!("{moodbox} setup --boot {folder} --package {folder}/package.deb");
    // A question for text, and one for a choice, which hides the cursor.
    for (answers, question) in [(&["\r"][..], "Room"), (&["\r", "\r"], "Mood light")] {
        let mut terminal = Terminal::start(&command, 24, 120);
        for (answer, asked) in answers.iter().zip(["Name", "Room"]) {
            terminal.until(asked);
            terminal.press(answer);
        }
        terminal.until(question);
        terminal.press("\x03");
        let (code, text) = terminal.ended();
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("\r\nmoodbox: a question was not answered; nothing was changed"), "{text}");
        assert!(text.rfind(SHOW_CURSOR) > text.rfind(HIDE_CURSOR), "{text}");
    }
    assert!(!card.path().join("moodbox").exists());
}
