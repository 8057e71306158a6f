//! Whose word for an expression a command goes by.

use moodbox_core::config::Labels;

/// As `vision.labels` in the configuration.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum By {
    Fer2013,
    Ferplus,
}

impl From<By> for Labels {
    fn from(by: By) -> Self {
        match by {
            By::Fer2013 => Self::Fer2013,
            By::Ferplus => Self::Ferplus,
        }
    }
}
