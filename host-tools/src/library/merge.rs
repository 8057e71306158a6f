//! What is known of a song once something new was learnt of it.

use std::path::Path;

use moodbox_core::music::{Source, Track, UNKNOWN_ARTIST, artist_and_title};

/// The new track, with what only the old one tells, and the place that is trusted more; the new one's where both are as much.
pub(super) fn listed(old: Track, new: Track) -> Track {
    let old_place = old.confidence > new.confidence;
    merged(old, new, old_place)
}

/// The same for what a scan has found, but mood words that are not in the file any more count no longer.
pub(super) fn scanned(mut old: Track, new: Track) -> Track {
    let outdated = old.source == Source::Tags && new.source != Source::Unknown;
    if outdated {
        old.tags.clear();
    }
    let old_place = !outdated && old.confidence > new.confidence;
    merged(old, new, old_place)
}

/// Whether a track that may be called otherwise now is plainly the new one: they agree in what a person would tell of them, or
/// of the old one nobody has told more than its file's name.
pub(super) fn is_one_song(old: &Track, new: &Track) -> bool {
    let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let artists = same(&old.artist, &new.artist) || [&old.artist, &new.artist].iter().any(|who| *who == UNKNOWN_ARTIST);
    let name = Path::new(&old.uri).file_stem().unwrap_or_default().to_string_lossy();
    let nameless = (old.artist.as_str(), old.title.as_str()) == (UNKNOWN_ARTIST, artist_and_title(&name).1);
    nameless || artists && same(&old.title, &new.title)
}

fn merged(old: Track, mut new: Track, old_place: bool) -> Track {
    if old_place {
        (new.affect, new.source, new.confidence) = (old.affect, old.source, old.confidence);
    }
    // Where nothing says who plays it, the title may be the file's name.
    if new.artist == UNKNOWN_ARTIST && old.artist != UNKNOWN_ARTIST {
        (new.artist, new.title) = (old.artist, old.title);
    }
    if new.album.is_empty() {
        new.album = old.album;
    }
    if new.genres.is_empty() {
        new.genres = old.genres;
    }
    if new.tags.is_empty() {
        new.tags = old.tags;
    }
    Track {
        year: new.year.or(old.year),
        mbid: new.mbid.or(old.mbid),
        isrc: new.isrc.or(old.isrc),
        tempo: new.tempo.or(old.tempo),
        mode: new.mode.or(old.mode),
        timbre: new.timbre.or(old.timbre),
        ..new
    }
}

#[cfg(test)]
mod tests {
    use moodbox_core::affect::Affect;

    use super::*;

    fn placed(source: Source, confidence: f32) -> Track {
        let affect = Affect::new(confidence, -confidence);
        Track {
            uri: "u".to_owned(),
            title: "T".to_owned(),
            artist: "A".to_owned(),
            affect,
            source,
            confidence,
            ..Track::default()
        }
    }

    #[test]
    fn what_only_the_old_one_tells_stays() {
        let old = Track {
            album: "Album".to_owned(),
            year: Some(1971),
            genres: vec!["folk".to_owned()],
            tempo: Some(92.0),
            timbre: Some([1.0; 12]),
            ..placed(Source::Sound, 0.35)
        };
        let bare = Track { title: "01".to_owned(), artist: UNKNOWN_ARTIST.to_owned(), ..placed(Source::Unknown, 0.0) };
        assert_eq!(listed(old.clone(), bare.clone()), old);
        assert_eq!(scanned(old.clone(), bare), old);
        let told = Track {
            album: "Other".to_owned(),
            tempo: Some(93.0),
            artist: "B".to_owned(),
            ..placed(Source::Table, 0.5)
        };
        let known = Track { year: Some(1971), genres: old.genres.clone(), timbre: old.timbre, ..told.clone() };
        assert_eq!(listed(old, told), known);
    }

    #[test]
    fn a_song_is_known_again_by_artist_and_title() {
        let called = |uri: &str, artist: &str, title: &str| Track {
            uri: uri.to_owned(),
            artist: artist.to_owned(),
            title: title.to_owned(),
            ..Track::default()
        };
        let new = called("file:///b/01.wav", "Queen", "Innuendo");
        for (old, is_one) in [
            (called("b/01.wav", "queen", "INNUENDO"), true),
            (called("b/01.wav", UNKNOWN_ARTIST, "Innuendo"), true),
            // Its file's name is all that is known of it.
            (called("b/01.wav", UNKNOWN_ARTIST, "01"), true),
            (called("b/01.wav", "Queen", "Under Pressure"), false),
            (called("b/01.wav", "David Bowie", "Innuendo"), false),
            (called("b/01.wav", UNKNOWN_ARTIST, "Under Pressure"), false),
        ] {
            assert_eq!(is_one_song(&old, &new), is_one, "{old:?}");
        }
        let nameless = called("file:///b/01.wav", UNKNOWN_ARTIST, "01");
        assert!(!is_one_song(&called("b/01.wav", "Queen", "Innuendo"), &nameless));
    }

    #[test]
    fn the_place_is_that_which_is_trusted_more() {
        let [table, sound, genre] = [(Source::Table, 0.5), (Source::Sound, 0.35), (Source::Genre, 0.2)]
            .map(|(source, trust)| placed(source, trust));
        for merge in [listed, scanned] {
            for (better, worse) in [(&table, &sound), (&table, &genre), (&sound, &genre)] {
                assert_eq!(merge(better.clone(), worse.clone()), *better);
                assert_eq!(merge(worse.clone(), better.clone()), *better);
            }
            // Corrected.
            let again = Track { affect: Affect::new(-0.5, 0.5), ..table.clone() };
            assert_eq!(merge(table.clone(), again.clone()), again);
        }
    }

    #[test]
    fn mood_words_that_were_taken_out_of_the_file_are_forgotten_by_a_scan_alone() {
        let worded = Track { tags: vec!["calm".to_owned()], ..placed(Source::Tags, 0.7) };
        let genre = placed(Source::Genre, 0.2);
        assert_eq!(listed(worded.clone(), genre.clone()), worded);
        assert_eq!(scanned(worded.clone(), genre.clone()), genre);
        assert_eq!(scanned(worded.clone(), placed(Source::Unknown, 0.0)), worded);
    }
}
