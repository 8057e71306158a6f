//! What a file is called: by the system, and by players.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// What files are called towards players.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Names {
    // `file:///music/a.flac`, for players on this computer.
    File,
    // The path below the folder, which is how MPD calls it where the folder is its music folder.
    Mpd,
    // `local:track:a.flac`, as Mopidy-Local calls it.
    Mopidy,
    // `filesystem_local://track/a.flac`, as Music Assistant calls it where the folder is its local music folder.
    MusicAssistant,
}

impl Names {
    /// What a player calls this file below this folder, both absolute; nothing where the path is not UTF-8.
    pub(super) fn of(self, path: &Path, folder: &Path) -> Option<String> {
        match self {
            Self::File => file_uri(path),
            Self::Mpd => below(path, folder),
            Self::Mopidy => below(path, folder).map(|below| format!("local:track:{}", percent_encoded(&below))),
            Self::MusicAssistant => below(path, folder).map(|below| format!("filesystem_local://track/{below}")),
        }
    }
}

/// The absolute path of what is there, without links. Windows has such paths in a form that players do not know, so there links
/// stay.
pub(crate) fn absolute(path: &Path) -> io::Result<PathBuf> {
    if cfg!(windows) {
        fs::metadata(path)?;
        std::path::absolute(path)
    } else {
        fs::canonicalize(path)
    }
}

/// What players on this computer call the file at an absolute path; nothing where that is not UTF-8.
pub(crate) fn file_uri(path: &Path) -> Option<String> {
    let path = path.to_str()?;
    Some(if cfg!(windows) { windows_file_uri(path) } else { format!("file://{}", percent_encoded(path)) })
}

/// `C:\Music` or `\\server\music` as an address (RFC 8089, appendices E.2 and E.3).
fn windows_file_uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    match (path.strip_prefix("//"), path.split_once(':')) {
        (Some(server), _) => format!("file://{}", percent_encoded(server)),
        (None, Some((drive, rest))) => format!("file:///{drive}:{}", percent_encoded(rest)),
        (None, None) => format!("file://{}", percent_encoded(&path)),
    }
}

/// The path below a folder with slashes, as players have it everywhere.
fn below(path: &Path, folder: &Path) -> Option<String> {
    let parts: Option<Vec<_>> = path.strip_prefix(folder).ok()?.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}

/// A path as it stands in an address (RFC 3986).
fn percent_encoded(path: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => encoded.push(byte.into()),
            // Writing to text cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_windows_is_an_address_that_players_know() {
        assert_eq!(windows_file_uri(r"C:\My Music\a.flac"), "file:///C:/My%20Music/a.flac");
        assert_eq!(windows_file_uri(r"\\nas\music\b.mp3"), "file://nas/music/b.mp3");
    }

    #[test]
    fn each_player_has_its_own_name() {
        let (path, folder) = (Path::new("/music/B\u{e9}la/a b.flac"), Path::new("/music"));
        for (names, name) in [
            (Names::File, "file:///music/B%C3%A9la/a%20b.flac"),
            (Names::Mpd, "B\u{e9}la/a b.flac"),
            (Names::Mopidy, "local:track:B%C3%A9la/a%20b.flac"),
            (Names::MusicAssistant, "filesystem_local://track/B\u{e9}la/a b.flac"),
        ] {
            assert_eq!(names.of(path, folder).as_deref(), Some(name));
        }
    }
}
