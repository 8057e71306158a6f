//! `moodbox eval music`: recommendations measured on a table of songs.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use moodbox_core::affect::{Affect, Policy};
use moodbox_core::emotion::Emotion;
use moodbox_core::music::Recommender;
use serde::Serialize;

use super::measures::{self, Continuity, LENGTH, best, ndcg, ndcg_by_chance, relevance};
use super::table::{self, Table};
use crate::failure::{Failure, tell};

/// Lists for one mood that are averaged, so that one lucky experiment decides nothing.
const LISTS: u64 = 10;

/// Songs after which others are asked for; of a larger table every so many.
const CHOSEN: usize = 500;

/// On which table.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox eval music ratings.csv")]
pub(crate) struct Arguments {
    /// A CSV with title, artist, valence and arousal (or energy), and where it has them genres, tempo (or BPM), and
    /// `human_valence` and `human_arousal` as listeners said.
    file: PathBuf,
    /// Decides which songs are tried out, and what chance draws.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Serialize)]
struct Report {
    songs: usize,
    /// Against what listeners said; absent where the table does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    mood: Option<Moods>,
    /// After a chosen song; absent where the table names no genre.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    after: Vec<(&'static str, Continuity)>,
}

#[derive(Serialize)]
struct Moods {
    each: Vec<Row>,
    /// Mean over the moods, for each way to rank.
    mean: Vec<(&'static str, f32)>,
}

#[derive(Serialize)]
struct Row {
    mood: Emotion,
    ndcg: f32,
    by_chance: f32,
    /// Mean distance between the mood and where listeners put the songs.
    distance: f32,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let table = table::read(&arguments.file)?;
    for rejected in &table.rejected {
        tell(format_args!("moodbox: {}: {rejected}", arguments.file.display()));
    }
    let recommender = Recommender::new(table.catalogue.clone(), arguments.seed);
    let has_genres = table.catalogue.tracks().iter().any(|track| !track.genres.is_empty());
    let report = Report {
        songs: table.raw.len(),
        mood: (!table.rated.is_empty()).then(|| moods(&table, &recommender, arguments.seed)),
        after: if has_genres { after(&table, &recommender, arguments.seed)? } else { Vec::new() },
    };
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report).map_err(|e| anyhow!(e))?)?;
    } else {
        print(&mut out, &report)?;
    }
    if table.rejected.is_empty() {
        return Ok(());
    }
    Err(Failure::Finding(anyhow!("{} rows of {} could not be used", table.rejected.len(), arguments.file.display())))
}

fn index(uri: &str) -> Result<usize, Failure> {
    uri.parse().map_err(|_| Failure::Input(anyhow!("the song {uri} is not of this table")))
}

fn moods(table: &Table, recommender: &Recommender, seed: u64) -> Moods {
    let songs = table.raw.len();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut each = Vec::new();
    let mut sums = [
        ("moodbox", 0.0),
        ("by chance", 0.0),
        ("distance, raw scale", 0.0),
        ("valence alone", 0.0),
        ("arousal alone", 0.0),
    ];
    for mood in Emotion::ALL {
        let target = Affect::of(mood);
        let relevant: Vec<f32> = table.rated.iter().map(|place| relevance(*place, target)).collect();
        let of = |list: &[usize]| ndcg(&list.iter().map(|song| relevant[*song]).collect::<Vec<_>>(), &relevant);
        let lists: Vec<Vec<usize>> = (0..LISTS)
            .map(|minute| {
                let list = recommender.for_mood(target, Policy::Match, LENGTH, Duration::from_secs(60 * minute));
                list.iter().filter_map(|song| song.track.uri.parse().ok()).collect()
            })
            .collect();
        let away = |song: &usize| table.rated[*song].distance(target);
        let row = Row {
            mood,
            ndcg: lists.iter().map(|list| of(list)).sum::<f32>() / LISTS as f32,
            by_chance: ndcg_by_chance(&relevant),
            distance: lists.iter().flatten().map(away).sum::<f32>() / lists.iter().flatten().count().max(1) as f32,
        };
        let place = |song: usize| table.catalogue.place(&song.to_string()).unwrap_or_default();
        let found = [
            row.ndcg,
            row.by_chance,
            of(&best(songs, None, &mut random, |song| -table.raw[song].distance(target))),
            of(&best(songs, None, &mut random, |song| -(place(song).valence - target.valence).abs())),
            of(&best(songs, None, &mut random, |song| -(place(song).arousal - target.arousal).abs())),
        ];
        for ((_, sum), found) in sums.iter_mut().zip(found) {
            *sum += found / Emotion::ALL.len() as f32;
        }
        each.push(row);
    }
    Moods { each, mean: sums.to_vec() }
}

fn after(table: &Table, recommender: &Recommender, seed: u64) -> Result<Vec<(&'static str, Continuity)>, Failure> {
    let (catalogue, songs) = (&table.catalogue, table.raw.len());
    let tracks = catalogue.tracks();
    let mut random = fastrand::Rng::with_seed(seed);
    let chosen: Vec<usize> = (0..songs).step_by(songs.div_ceil(CHOSEN)).collect();
    let mut ours = Vec::new();
    for &song in &chosen {
        let list = recommender.after(&tracks[song].uri, LENGTH, Duration::ZERO).map_err(|e| anyhow!(e))?;
        ours.push((song, list.iter().map(|found| index(&found.track.uri)).collect::<Result<_, _>>()?));
    }
    let mut by = |score: &dyn Fn(usize, usize) -> f32| -> Vec<(usize, Vec<usize>)> {
        chosen.iter().map(|&a| (a, best(songs, Some(a), &mut random, |b| score(a, b)))).collect()
    };
    let uri = |song: usize| tracks[song].uri.as_str();
    let place = |song: usize| catalogue.place(uri(song)).unwrap_or_default();
    let tempo = |a: usize, b: usize| match (tracks[a].tempo, tracks[b].tempo) {
        (Some(a), Some(b)) => -(a / b).log2().abs(),
        _ => -1.0,
    };
    let lists = [
        ("moodbox", ours),
        ("by chance", by(&|_, _| 0.0)),
        ("genre alone", by(&|a, b| catalogue.kinship(uri(a), uri(b)).map_or(0.0, |kinship| kinship.nearness))),
        ("place alone", by(&|a, b| -place(a).distance(place(b)))),
        ("tempo alone", by(&tempo)),
    ];
    Ok(lists.into_iter().map(|(name, lists)| (name, measures::continuity(catalogue, &lists))).collect())
}

fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    writeln!(out, "{} songs", report.songs)?;
    if let Some(moods) = &report.mood {
        writeln!(out, "\nSongs for a mood, against what listeners said\n")?;
        writeln!(out, "{:20} {:>8} {:>10} {:>9}", "mood", "nDCG@10", "by chance", "distance")?;
        for row in &moods.each {
            writeln!(out, "{:20} {:8.3} {:10.3} {:9.2}", row.mood, row.ndcg, row.by_chance, row.distance)?;
        }
        writeln!(out, "\n{:20} {:>8}", "mean of all moods", "nDCG@10")?;
        for (name, ndcg) in &moods.mean {
            writeln!(out, "{name:20} {ndcg:8.3}")?;
        }
    }
    if !report.after.is_empty() {
        writeln!(out, "\nAfter a chosen song\n")?;
        let [family, artists, distance, diversity, coverage] =
            ["same family", "unique artists", "distance", "diversity", "coverage"];
        writeln!(out, "{:20} {family:>11} {artists:>14} {distance:>8} {diversity:>9} {coverage:>8}", "")?;
        for (name, c) in &report.after {
            writeln!(
                out,
                "{name:20} {:11.3} {:14.3} {:8.2} {:9.2} {:8.2}",
                c.same_family, c.unique_artists, c.distance, c.diversity, c.coverage
            )?;
        }
    }
    if report.mood.is_none() && report.after.is_empty() {
        writeln!(out, "nothing to measure: the table names neither genres nor what listeners said")?;
    }
    Ok(())
}
