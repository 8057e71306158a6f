//! Tracks from M3U and M3U8 playlists. They say what a song is called, and nothing of how it sounds.

use std::borrow::Cow;

use super::Entries;
use super::row::track;
use crate::music::{Track, UNKNOWN_ARTIST, artist_and_title};

/// The first line of an extended playlist.
const HEADER: &[u8] = b"#EXTM3U";

/// Endings of paths that make a file without header a playlist.
const ENDINGS: [&str; 10] = ["mp3", "flac", "ogg", "oga", "opus", "m4a", "aac", "wav", "wma", "aiff"];

/// Whether this is a playlist: it says so, or its first entry is an address or the path of a sound file.
pub(super) fn is_playlist(text: &[u8]) -> bool {
    if text.trim_ascii_start().starts_with(HEADER) {
        return true;
    }
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"));
    let Some(first) = first.and_then(|line| str::from_utf8(line).ok()) else { return false };
    let ending = first.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let scheme = first.split_once("://").is_some_and(|(scheme, _)| scheme.bytes().all(|b| b.is_ascii_alphanumeric()));
    scheme || ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// What the lines before an entry say of it.
#[derive(Default)]
struct About {
    /// Behind the comma of `#EXTINF`: `Artist - Title` or a title.
    name: Option<String>,
    album: String,
    genre: String,
}

/// Reads every entry.
pub(super) fn read(text: &[u8], entries: &mut Entries) {
    let mut about = About::default();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        let line = line.trim_ascii();
        let Ok(line) = str::from_utf8(line) else {
            if !line.starts_with(b"#") {
                // What was said of this song is not said of the next.
                about = About::default();
                entries.add(number, Err("is not UTF-8; save the playlist as M3U8".to_owned()));
            }
            continue;
        };
        if line.is_empty() {
            continue;
        }
        let Some(comment) = line.strip_prefix('#') else {
            if !entries.has_room() {
                return;
            }
            entries.add(number, entry(line, &std::mem::take(&mut about)));
            continue;
        };
        match comment.split_once(':') {
            Some(("EXTINF", rest)) => about.name = rest.split_once(',').map(|(_, name)| name.trim().to_owned()),
            Some(("EXTALB", album)) => album.trim().clone_into(&mut about.album),
            Some(("EXTGENRE", genre)) => genre.trim().clone_into(&mut about.genre),
            _ => {}
        }
    }
}

fn entry(uri: &str, about: &About) -> Result<Track, String> {
    let stem = || {
        let file = uri.rsplit(['/', '\\']).next().unwrap_or(uri);
        file.rsplit_once('.').map_or(file, |(stem, _)| stem)
    };
    let said = about.name.as_deref().filter(|name| !name.is_empty());
    let (artist, title) =
        said.map_or_else(|| artist_and_title(stem()), |name| name.split_once(" - ").unwrap_or((UNKNOWN_ARTIST, name)));
    track(|column| {
        Ok(Cow::Borrowed(match column {
            "uri" => uri,
            "title" => title,
            "artist" => artist,
            "album" => &about.album,
            "genres" => &about.genre,
            _ => "",
        }))
    })
}
