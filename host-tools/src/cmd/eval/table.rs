//! A table of songs, with or without what listeners said of them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, anyhow};
use moodbox_core::affect::Affect;
use moodbox_core::music::{Catalogue, TEMPOS, Track};

/// Columns under the names that tables use for them, in lower case.
const COLUMNS: [(&str, &[&str]); 8] = [
    ("title", &["title", "track name", "song"]),
    ("artist", &["artist", "artist name(s)", "artists"]),
    ("genres", &["genres", "genre", "artist genres"]),
    ("tempo", &["tempo", "bpm"]),
    ("valence", &["valence"]),
    ("arousal", &["arousal", "energy"]),
    ("human_valence", &["human_valence"]),
    ("human_arousal", &["human_arousal"]),
];

/// Songs, and what is known of them apart from the product.
pub(super) struct Table {
    pub(super) catalogue: Catalogue,
    /// Valence and arousal as they stand in the table, brought to -1..1 by its range alone.
    pub(super) raw: Vec<Affect>,
    /// Where listeners put each song, by rank in -1..1; empty where the table does not say.
    pub(super) rated: Vec<Affect>,
    /// Rows that could not be used.
    pub(super) rejected: Vec<String>,
}

/// Reads a CSV with a header, parted by commas, semicolons or tabs.
pub(super) fn read(path: &Path) -> anyhow::Result<Table> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    parse(text).with_context(|| path.display().to_string())
}

fn parse(text: &[u8]) -> anyhow::Result<Table> {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| first.split(|byte| *byte == delimiter).count();
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text);
    let header: Vec<String> = reader.headers()?.iter().map(|name| name.trim().to_lowercase()).collect();
    let at: BTreeMap<&str, usize> = COLUMNS
        .iter()
        .filter_map(|(name, words)| Some((*name, header.iter().position(|found| words.contains(&found.as_str()))?)))
        .collect();
    for needed in ["title", "artist", "valence", "arousal"] {
        if !at.contains_key(needed) {
            return Err(anyhow!("the first line names no column {needed}"));
        }
    }
    // One song that nobody has rated cannot stand among others by its rank.
    let is_rated = ["human_valence", "human_arousal"].iter().all(|name| at.contains_key(name));
    let mut rows = Vec::new();
    let mut rejected = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                rejected.push(error.to_string());
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        match Row::read(|name| at.get(name).and_then(|column| record.get(*column)).unwrap_or_default().trim()) {
            Ok(row) if is_rated && row.rated.is_none() => {
                rejected.push(format!("line {line}: human_valence or human_arousal is missing"));
            }
            Ok(row) => rows.push(row),
            Err(reason) => rejected.push(format!("line {line}: {reason}")),
        }
    }
    finish(rows, rejected)
}

struct Row {
    track: Track,
    raw: [f32; 2],
    rated: Option<[f32; 2]>,
}

impl Row {
    fn read<'a>(text: impl Fn(&str) -> &'a str) -> Result<Self, String> {
        let number = |name: &str| match text(name) {
            "" => Ok(None),
            word => word
                .parse::<f32>()
                .ok()
                .filter(|number| number.is_finite())
                .map(Some)
                .ok_or_else(|| format!("{name} {word:?} is not a number")),
        };
        let needed = |name: &str| number(name)?.ok_or_else(|| format!("{name} is missing"));
        if text("title").is_empty() || text("artist").is_empty() {
            return Err("title or artist is missing".to_owned());
        }
        Ok(Self {
            raw: [needed("valence")?, needed("arousal")?],
            rated: number("human_valence")?.zip(number("human_arousal")?).map(|(valence, arousal)| [valence, arousal]),
            track: Track {
                title: text("title").to_owned(),
                artist: text("artist").to_owned(),
                genres: text("genres")
                    .split([';', ','])
                    .map(str::trim)
                    .filter(|g| !g.is_empty())
                    .map(str::to_owned)
                    .collect(),
                tempo: number("tempo")?.filter(|tempo| TEMPOS.contains(tempo)),
                confidence: 0.5,
                ..Track::default()
            },
        })
    }
}

fn finish(rows: Vec<Row>, rejected: Vec<String>) -> anyhow::Result<Table> {
    let range = |axis: usize| {
        let values = || rows.iter().map(|row| row.raw[axis]);
        (values().fold(f32::INFINITY, f32::min), values().fold(f32::NEG_INFINITY, f32::max))
    };
    // Tables give -1..1, 0..1 or percent.
    let scale = |(low, high): (f32, f32)| match (low, high) {
        (low, _) if low < 0.0 => (1.0, 0.0),
        (_, high) if high > 1.0 => (0.02, -1.0),
        _ => (2.0, -1.0),
    };
    let scales = [scale(range(0)), scale(range(1))];
    let on_scale = |raw: [f32; 2]| {
        let [valence, arousal] = [0, 1].map(|axis| raw[axis] * scales[axis].0 + scales[axis].1);
        Affect::new(valence, arousal)
    };
    let raw: Vec<Affect> = rows.iter().map(|row| on_scale(row.raw)).collect();
    let rated = rows.iter().map(|row| row.rated).collect::<Option<Vec<_>>>();
    let rated = rated.map_or_else(Vec::new, |rated| {
        let ranks = [0, 1].map(|axis| by_rank(&rated.iter().map(|at| at[axis]).collect::<Vec<_>>()));
        ranks[0].iter().zip(&ranks[1]).map(|(valence, arousal)| Affect::new(*valence, *arousal)).collect()
    });
    let numbered = rows.into_iter().zip(&raw).enumerate();
    let tracks: Vec<Track> =
        numbered.map(|(number, (row, at))| Track { uri: number.to_string(), affect: *at, ..row.track }).collect();
    let import = Catalogue::import(&serde_json::to_vec(&tracks)?)?;
    if let Some(first) = import.rejected.first() {
        return Err(anyhow!("song {}: {}", first.line, first.reason));
    }
    Ok(Table { catalogue: import.catalogue, raw, rated, rejected })
}

/// Ranks in -1..1; equal values share their mean rank.
fn by_rank(values: &[f32]) -> Vec<f32> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let last = (values.len().max(2) - 1) as f32;
    let rank = |value: &f32| {
        let below = sorted.partition_point(|other| other < value);
        let up_to = sorted.partition_point(|other| other <= value);
        (below + up_to - 1) as f32 / last - 1.0
    };
    values.iter().map(rank).collect()
}
