//! How a command ends when it does not end well.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use crate::plain::plain;

/// Why a command failed, which decides the exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was examined is not right. Exit code 1.
    Finding(anyhow::Error),
    /// What the command was given cannot be used. Exit code 2.
    Input(anyhow::Error),
    /// The box or its broker does not answer. Exit code 3.
    NoAnswer(anyhow::Error),
}

impl Failure {
    /// What went wrong, on one line.
    pub(crate) fn line(&self) -> String {
        let (Self::Finding(error) | Self::Input(error) | Self::NoAnswer(error)) = self;
        one_line(error)
    }

    /// With something more that a person should know.
    pub(crate) fn and(self, more: &str) -> Self {
        self.map(|error| anyhow::anyhow!("{error:#}; {more}"))
    }

    /// With what it is about.
    pub(crate) fn about(self, what: &str) -> Self {
        self.map(|error| anyhow::anyhow!("{what}: {error:#}"))
    }

    fn map(self, change: impl FnOnce(anyhow::Error) -> anyhow::Error) -> Self {
        match self {
            Self::Finding(error) => Self::Finding(change(error)),
            Self::Input(error) => Self::Input(change(error)),
            Self::NoAnswer(error) => Self::NoAnswer(change(error)),
        }
    }

    /// One line on stderr, and the exit code. Nothing where the reader of our output has gone.
    pub(crate) fn report(self) -> ExitCode {
        let (code, error) = match self {
            Self::Finding(error) => (1, error),
            Self::Input(error) => (2, error),
            Self::NoAnswer(error) => (3, error),
        };
        let reader_gone = |e: &std::io::Error| e.kind() == ErrorKind::BrokenPipe;
        if error.downcast_ref().is_some_and(reader_gone) {
            return ExitCode::SUCCESS;
        }
        complain(&error);
        ExitCode::from(code)
    }
}

/// Writes an error and its causes on one line of stderr. Some errors already name their cause, and some of the image
/// library's go over several lines.
pub(crate) fn complain(error: &anyhow::Error) {
    tell(format_args!("moodbox: {}", one_line(error)));
}

/// Writes a line to stderr. Whether it can be written changes nothing; `eprintln!` would end the program in a panic.
pub(crate) fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// An error and its causes on one line.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = plain(&cause.to_string().split_whitespace().collect::<Vec<_>>().join(" "));
        if !text.contains(&cause) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&cause);
        }
    }
    text
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Input(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Input(error.into())
    }
}
