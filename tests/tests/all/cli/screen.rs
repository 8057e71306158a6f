//! `moodbox demo` on a terminal, which `script` of util-linux stands in for.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use moodbox_tests::listener::PATIENCE;
use moodbox_tests::programs::program;

/// To the other screen of the terminal, and back.
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";

#[test]
fn the_demo_is_drawn_until_somebody_quits() {
    for quit in ["q", "\x1b", "\x03"] {
        let demo = format!("stty rows 40 cols 150; exec {} demo", program("moodbox").display());
        let mut terminal = Command::new("script")
            .args(["-qec", &demo, "/dev/null"])
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut keyboard, mut screen) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
        let (sender, drawn) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                drop(sender.send(bytes[..count].to_vec()));
            }
        });
        let mut all = Vec::new();
        let mut has_quit = false;
        loop {
            match drawn.recv_timeout(PATIENCE) {
                Ok(bytes) => all.extend(bytes),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("{error} after {}", String::from_utf8_lossy(&all)),
            }
            // The foot is there with the first picture.
            if !has_quit && String::from_utf8_lossy(&all).contains("speaks on mqtt://127.0.0.1:") {
                keyboard.write_all(quit.as_bytes()).unwrap();
                has_quit = true;
            }
        }
        let text = String::from_utf8_lossy(&all);
        assert_eq!(terminal.wait().unwrap().code(), Some(0), "{quit:?}: {text}");
        for words in ["sees", "mood", "valence", "songs"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        // What the C library writes is not written across the picture, and the terminal is given back as it was.
        assert!(text.find(ENTER) > text.rfind("XNNPACK"), "{text}");
        assert!(text.rfind(LEAVE) > text.rfind("speaks on"), "{text}");
    }
}
