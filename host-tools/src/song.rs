//! A song as a box names it.

use serde::Deserialize;

/// A song of a box's list, or the one that plays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Song {
    pub(crate) uri: String,
    #[serde(default)]
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) artist: String,
    #[serde(default)]
    pub(crate) genre: String,
    /// Why it was recommended.
    #[serde(default)]
    pub(crate) why: String,
}

impl Song {
    /// As people call it.
    pub(crate) fn name(&self) -> String {
        match (self.artist.as_str(), self.title.as_str()) {
            ("", "") => self.uri.clone(),
            ("", title) => title.to_owned(),
            (artist, title) => format!("{artist} \u{2013} {title}"),
        }
    }
}
