//! `moodbox recommend`: the songs that the box would recommend, and why.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use moodbox_core::affect::{Affect, Policy};
use moodbox_core::emotion::Emotion;
use moodbox_core::music::{Aim, Part, Recommended, Recommender, UnknownTrack, default_policy};
use serde::Serialize;

use crate::failure::Failure;
use crate::library;

/// For which mood, from which songs.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox recommend --mood sad --policy lift -n 5")]
pub(crate) struct Arguments {
    /// The mood: angry, disgust, fear, happy, neutral, sad or surprise.
    #[arg(long, required_unless_present = "after")]
    mood: Option<Emotion>,
    /// match, lift or soothe; by default what suits the mood.
    #[arg(long, requires = "mood")]
    policy: Option<Policy>,
    /// A file with tracks; your own library, or else the demo catalogue, where it is left out.
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,
    /// More of the same kind as this track, which was chosen; with a mood, how its list goes on near the kind of this track,
    /// which it had played.
    #[arg(long, value_name = "URI")]
    after: Option<String>,
    /// Show what each score is made of.
    #[arg(long)]
    explain: bool,
    /// How many.
    #[arg(short, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    n: u16,
    /// Decides which songs are tried out now and then; the same number gives the same list.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Serialize)]
struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    mood: Option<Emotion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Policy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    tracks: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    uri: String,
    title: String,
    artist: String,
    album: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<u16>,
    genre: String,
    genres: Vec<String>,
    valence: f32,
    arousal: f32,
    score: f32,
    /// What the score is the sum of, for who wants it explained.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    why: String,
}

impl Row {
    fn new(Recommended { track, score, parts, why }: Recommended, explain: bool) -> Self {
        Self {
            genre: track.genres.first().cloned().unwrap_or_default(),
            uri: track.uri,
            title: track.title,
            artist: track.artist,
            album: track.album,
            year: track.year,
            genres: track.genres,
            valence: track.affect.valence,
            arousal: track.affect.arousal,
            score,
            parts: if explain { parts } else { Vec::new() },
            why,
        }
    }
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let n = arguments.n.into();
    let recommender = Recommender::new(library::read(arguments.library.as_deref())?, arguments.seed);
    let row = |recommended| Row::new(recommended, arguments.explain);
    let report = match (&arguments.after, arguments.mood) {
        (Some(uri), None) => {
            let tracks = recommender.after(uri, n, Duration::ZERO).map_err(|e| anyhow!(e))?;
            let tracks = tracks.into_iter().map(row).collect();
            Report { mood: None, policy: None, after: Some(uri.clone()), tracks }
        }
        (playing, mood) => {
            let mood = mood.ok_or_else(|| anyhow!("say which mood, with --mood"))?;
            if let Some(uri) = playing.as_ref().filter(|uri| recommender.catalogue().get(uri).is_none()) {
                return Err(anyhow!(UnknownTrack(uri.clone())).into());
            }
            let policy = arguments.policy.unwrap_or(default_policy(mood));
            // As the box counts: the first song of the way that a lift takes has been played.
            let climbed = usize::from(playing.is_some());
            let aim = Aim { mood: Affect::of(mood), policy, climbed, playing: playing.as_deref(), keeps_kind: true };
            let tracks = recommender.toward(&aim, n, Duration::ZERO).into_iter().map(row).collect();
            Report { mood: Some(mood), policy: Some(policy), after: playing.clone(), tracks }
        }
    };
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report).map_err(|e| anyhow!(e))?)?;
    } else {
        for (i, row) in report.tracks.iter().enumerate() {
            let year = row.year.map(|y| format!(", {y}")).unwrap_or_default();
            writeln!(out, "{:2}. {} \u{2013} {} ({}{year})", i + 1, row.artist, row.title, row.genre)?;
            writeln!(out, "    {}", row.why)?;
            if arguments.explain {
                let parts: Vec<_> = row.parts.iter().map(|part| format!("{} {:+.2}", part.name, part.value)).collect();
                writeln!(out, "    score {:.2}: {}", row.score, parts.join(", "))?;
            }
        }
    }
    Ok(())
}
