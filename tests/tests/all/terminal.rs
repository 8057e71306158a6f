//! A terminal with somebody at it, which `script` of util-linux stands in for.

use std::io::{Read, Write};
use std::num::NonZero;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use moodbox_tests::listener::PATIENCE;
use vt100::Parser;

/// To the other screen of the terminal, and back.
pub(crate) const ENTER: &str = "\x1b[?1049h";
pub(crate) const LEAVE: &str = "\x1b[?1049l";

/// A program on a terminal.
pub(crate) struct Terminal {
    script: Child,
    keyboard: ChildStdin,
    drawn: Receiver<Vec<u8>>,
    /// What somebody sees: only what changes is drawn, so that words that are seen may never have been sent in one piece.
    screen: Parser,
    all: Vec<u8>,
}

impl Terminal {
    /// Starts a command line on a terminal of this size.
    pub(crate) fn start(command: &str, rows: u16, columns: u16) -> Self {
        let line = format!("stty rows {rows} cols {columns}; exec {command}");
        let mut script = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (keyboard, mut screen) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let (sender, drawn) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                drop(sender.send(bytes[..count].to_vec()));
            }
        });
        let [rows, columns] = [rows, columns].map(|count| NonZero::new(count).unwrap());
        Self { script, keyboard, drawn, screen: Parser::new(rows, columns, 0), all: Vec::new() }
    }

    /// Waits until this can be read on the screen, in one row.
    pub(crate) fn until(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.screen.screen().contents().contains(words) {
            match self.drawn.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.draw(&bytes),
                Err(error) => panic!("waited for {words:?}: {error} at\n{}", self.screen.screen().contents()),
            }
        }
    }

    fn draw(&mut self, bytes: &[u8]) {
        self.screen.process(bytes);
        self.all.extend(bytes);
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for its end: its exit code, and all that was drawn.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.drawn.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.draw(&bytes),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("{error} after {}", self.text()),
            }
        }
        let text = self.text();
        (self.script.wait().unwrap().code(), text)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.all).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}
