//! Why a sound file gives nothing.

use std::io::{self, ErrorKind};

/// In words that follow the name of the file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// It could not be read this time, which says nothing of the next.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// What it holds is of no use.
    #[error("{0}")]
    Useless(String),
}

impl Trouble {
    /// Of a reader that has come upon this error; `else_it` is what it says of a file that was read.
    pub(super) fn met_by_a_reader(error: Option<&io::Error>, else_it: impl FnOnce() -> String) -> Self {
        // Where the file ends too early, that is its content.
        match error.filter(|error| error.kind() != ErrorKind::UnexpectedEof) {
            Some(error) => Self::Unreadable(error.to_string()),
            None => Self::Useless(else_it()),
        }
    }
}

impl From<String> for Trouble {
    fn from(reason: String) -> Self {
        Self::Useless(reason)
    }
}

impl From<&str> for Trouble {
    fn from(reason: &str) -> Self {
        Self::Useless(reason.to_owned())
    }
}
