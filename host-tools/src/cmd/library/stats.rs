//! `moodbox library stats`: how the songs spread over moods and genres.

use std::collections::BTreeMap;
use std::io::{self, Write};

use moodbox_core::music::{Source, Track};
use serde_json::json;

use super::counted;
use crate::failure::Failure;
use crate::library::Library;

/// Size of the plot in characters, each odd so that there is a middle.
const WIDTH: usize = 61;
const HEIGHT: usize = 21;

/// From no song in a place to as many as anywhere.
const SHADES: [char; 6] = [' ', '.', ':', 'o', 'O', '@'];

/// Genres that are listed.
const GENRES: usize = 12;

pub(super) fn run(library: &Library, json: bool) -> Result<(), Failure> {
    let tracks = library.songs()?;
    let mut out = io::stdout().lock();
    if json {
        let sources: BTreeMap<_, _> = sources(tracks).map(|(source, songs, _)| (source.name(), songs)).collect();
        let with = |known: fn(&Track) -> bool| tracks.iter().filter(|track| known(track)).count();
        let report = json!({
            "tracks": tracks.len(), "sources": sources, "genres": genres(tracks).into_iter().collect::<BTreeMap<_, _>>(),
            "with": {
                "genre": with(|t| !t.genres.is_empty()), "tempo": with(|t| t.tempo.is_some()), "mode": with(|t| t.mode.is_some()),
                "timbre": with(|t| t.timbre.is_some()), "mbid": with(|t| t.mbid.is_some()), "isrc": with(|t| t.isrc.is_some()),
            },
        });
        writeln!(out, "{report}")?;
        return Ok(());
    }
    writeln!(out, "{}: {}", library.path().display(), counted(tracks.len(), "song"))?;
    writeln!(out)?;
    for line in plot(tracks) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    writeln!(out, "where the mood is known from")?;
    for (source, songs, confidence) in sources(tracks) {
        writeln!(out, "  {:34} {songs:7}  trusted {:2.0} %", meaning(source), 100.0 * confidence)?;
    }
    writeln!(out)?;
    writeln!(out, "genres")?;
    let genres = genres(tracks);
    for (genre, songs) in genres.iter().take(GENRES) {
        writeln!(out, "  {genre:34} {songs:7}")?;
    }
    if genres.len() > GENRES {
        writeln!(out, "  and {} more", genres.len() - GENRES)?;
    }
    let without = tracks.iter().filter(|track| track.genres.is_empty()).count();
    if without > 0 {
        writeln!(out, "  {:34} {without:7}", "none")?;
    }
    Ok(())
}

const fn meaning(source: Source) -> &'static str {
    match source {
        Source::Tags => "mood words in the files",
        Source::Table => "a table",
        Source::Sound => "the sound itself",
        Source::Genre => "what its genre is like",
        Source::Demo => "the demo catalogue",
        Source::Unknown => "nowhere: put in the middle",
    }
}

/// The sources there are, with the number of songs and the mean confidence.
fn sources(tracks: &[Track]) -> impl Iterator<Item = (Source, usize, f32)> {
    Source::ALL.into_iter().filter_map(|source| {
        let trusted: Vec<f32> =
            tracks.iter().filter(|track| track.source == source).map(|track| track.confidence).collect();
        (!trusted.is_empty()).then(|| (source, trusted.len(), trusted.iter().sum::<f32>() / trusted.len() as f32))
    })
}

/// Every genre with its number of songs, the most frequent first.
fn genres(tracks: &[Track]) -> Vec<(String, usize)> {
    let mut songs: BTreeMap<String, usize> = BTreeMap::new();
    for genre in tracks.iter().flat_map(|track| &track.genres) {
        *songs.entry(genre.to_lowercase()).or_default() += 1;
    }
    let mut genres: Vec<_> = songs.into_iter().collect();
    genres.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    genres
}

/// The plane seen from above, the denser the darker. Songs of which nothing is known are left out.
fn plot(tracks: &[Track]) -> Vec<String> {
    let mut cells = [[0usize; WIDTH]; HEIGHT];
    let cell = |value: f32, cells: usize| (f32::midpoint(value, 1.0) * (cells - 1) as f32).round() as usize;
    for track in tracks.iter().filter(|track| track.source != Source::Unknown) {
        cells[HEIGHT - 1 - cell(track.affect.arousal, HEIGHT)][cell(track.affect.valence, WIDTH)] += 1;
    }
    let most = cells.iter().flatten().copied().max().unwrap_or(0).max(1);
    let shade = |songs: usize| {
        // On a logarithmic scale a lone song is seen beside a crowd.
        let share = (songs as f32).ln_1p() / (most as f32).ln_1p();
        SHADES[(share * (SHADES.len() - 1) as f32).ceil() as usize]
    };
    let axis = |text: &str| format!("  {text:^WIDTH$}").trim_end().to_owned();
    let mut lines = vec![axis("lively"), format!("  +{}+", "-".repeat(WIDTH))];
    for (row, songs) in cells.iter().enumerate() {
        let inside = songs.iter().enumerate().map(|(column, songs)| {
            match (shade(*songs), row == HEIGHT / 2, column == WIDTH / 2) {
                (' ', true, true) => '+',
                (' ', true, false) => '-',
                (' ', false, true) => '|',
                (shade, ..) => shade,
            }
        });
        lines.push(format!("  |{}|", inside.collect::<String>()));
    }
    lines.push(format!("  +{}+", "-".repeat(WIDTH)));
    lines.push(format!("  {:<1$}{2}", "dark", WIDTH + 2 - "bright".len(), "bright"));
    lines.push(axis("calm"));
    lines
}
