//! Which tracks are one recording: an album, a best-of and a second copy of the file all hold the same song.

use std::borrow::Cow;
use std::collections::HashMap;

use super::catalogue::Track;

/// Words that make it another recording, whatever stands beside them.
const OTHER_RECORDING: [&str; 10] =
    ["live", "remix", "mix", "acoustic", "demo", "instrumental", "unplugged", "rehearsal", "take", "outtake"];

/// Additions to a title that leave the recording what it is.
const SAME_RECORDING: [&str; 9] = [
    "remaster",
    "remastered",
    "album version",
    "single version",
    "original version",
    "explicit",
    "stereo",
    "mono",
    "bonus track",
];

/// What parts the main artist from guests.
const GUESTS: [&str; 5] = [" feat ", " feat. ", " ft ", " ft. ", " featuring "];

/// For each track the index of the first with the same recording: the same `MusicBrainz` id, ISRC, or artist and title.
/// `artists` numbers the artist of each track by [`artist_name`].
pub(super) fn first_of_each(tracks: &[Track], artists: &[u32]) -> Vec<u32> {
    let mut first: Vec<u32> = (0..tracks.len() as u32).collect();
    let (mut mbids, mut isrcs) = (HashMap::new(), HashMap::new());
    let mut names = HashMap::with_capacity(tracks.len());
    for (index, (track, artist)) in tracks.iter().zip(artists).enumerate() {
        let index = index as u32;
        let title = title_name(&track.title);
        // A title of signs alone has no letters to compare.
        let named = (!title.is_empty()).then(|| *names.entry((artist, title)).or_insert(index));
        let mbid = track.mbid.as_deref().map(|id| *mbids.entry(id).or_insert(index));
        let isrc = track.isrc.as_deref().map(|code| *isrcs.entry(code).or_insert(index));
        for same in [named, mbid, isrc].into_iter().flatten() {
            let (a, b) = (root(&first, index), root(&first, same));
            first[a.max(b) as usize] = a.min(b);
        }
    }
    (0..tracks.len() as u32).map(|index| root(&first, index)).collect()
}

/// The first of the recording so far; every entry points to an earlier one or to itself.
fn root(first: &[u32], mut index: u32) -> u32 {
    while first[index as usize] != index {
        index = first[index as usize];
    }
    index
}

/// The main artist in lower case, without guests and signs.
pub(super) fn artist_name(text: &str) -> String {
    let text = text.to_lowercase();
    let end = GUESTS.iter().filter_map(|word| text.find(word)).min().unwrap_or(text.len());
    let plain = letters(&text[..end]);
    // An artist called "!!!" is still somebody.
    if plain.is_empty() { text } else { plain }
}

/// The title in lower case, without guests, signs and additions that leave the recording what it is.
fn title_name(text: &str) -> String {
    let text = text.to_lowercase();
    letters(&without_additions(&text))
}

/// Cuts what stands in brackets or after " - " where that says the same recording.
fn without_additions(title: &str) -> Cow<'_, str> {
    let says_the_same = |addition: &str| {
        let addition = addition.trim();
        let guest = |word: &str| addition.strip_prefix(word.trim()).is_some_and(|rest| rest.starts_with([' ', '.']));
        let words = letters(addition);
        let says = |what: &&str| format!(" {words} ").contains(&format!(" {what} "));
        let same = SAME_RECORDING.iter().any(&says) && !OTHER_RECORDING.iter().any(says);
        same || GUESTS.iter().any(|word| guest(word))
    };
    let mut left = Cow::Borrowed(title);
    while let Some(open) = left.rfind(['(', '[']) {
        let Some(length) = left[open..].find([')', ']']) else { break };
        if !says_the_same(&left[open + 1..open + length]) {
            break;
        }
        left = Cow::Owned(format!("{}{}", &left[..open], &left[open + length + 1..]));
    }
    match left.rfind(" - ") {
        Some(dash) if says_the_same(&left[dash + 3..]) => Cow::Owned(left[..dash].to_owned()),
        _ => left,
    }
}

/// Words of letters and digits, parted by one space; an apostrophe parts no word.
fn letters(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    let mut parted = false;
    for c in text.chars().filter(|c| !matches!(c, '\'' | '\u{2019}')) {
        if c.is_alphanumeric() {
            if parted && !letters.is_empty() {
                letters.push(' ');
            }
            letters.push(c);
        }
        parted = !c.is_alphanumeric();
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(artist: &str, title: &str) -> Track {
        Track { artist: artist.to_owned(), title: title.to_owned(), ..Track::default() }
    }

    fn first(tracks: &[Track]) -> Vec<u32> {
        let names: Vec<_> = tracks.iter().map(|track| artist_name(&track.artist)).collect();
        let number = |name| names.iter().position(|other| other == name).unwrap() as u32;
        first_of_each(tracks, &names.iter().map(number).collect::<Vec<_>>())
    }

    fn same(a: (&str, &str), b: (&str, &str)) -> bool {
        first(&[track(a.0, a.1), track(b.0, b.1)]) == [0, 0]
    }

    #[test]
    fn copies_are_known_by_their_names() {
        for title in [
            "don't stop me now",
            "Don\u{2019}t Stop Me Now - Remastered 2011",
            "Don't Stop Me Now (2011 Remaster)",
            "Don't Stop Me Now [Explicit] (Album Version)",
            "Don't Stop Me Now (feat. Nobody)",
        ] {
            assert!(same(("Queen", "Don't Stop Me Now"), ("QUEEN", title)), "{title}");
        }
        assert!(same(("Starley", "Call on Me"), ("Starley feat. Somebody", "Call On Me")));
    }

    #[test]
    fn other_recordings_are_others() {
        for title in [
            "Hello (Live)",
            "Hello - Acoustic",
            "Hello (Dance Remix)",
            "Hello Again",
            "Hello (Live",
            "Hello - Live at Wembley / Remastered 2011",
            "Hello (Acoustic, Remastered)",
            "Hello (Mono Remix)",
            "Hello (Monologue)",
        ] {
            assert!(!same(("Adele", "Hello"), ("Adele", title)), "{title}");
        }
        assert!(!same(("Adele", "Hello"), ("Lionel Richie", "Hello")));
        assert!(!same(("!!!", "Slyd"), ("???", "Slyd")));
        assert!(!same(("Sigur Ros", "()"), ("Sigur Ros", "[]")));
    }

    #[test]
    fn ids_join_what_names_do_not() {
        let mut tracks = ["a", "b", "c", "d"].map(|name| track(name, name));
        tracks[0].mbid = Some("m".to_owned());
        tracks[2].mbid = Some("m".to_owned());
        tracks[2].isrc = Some("i".to_owned());
        tracks[3].isrc = Some("i".to_owned());
        assert_eq!(first(&tracks), [0, 1, 0, 0]);
    }
}
