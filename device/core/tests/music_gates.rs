//! The published gates of the two rankings, on tables of real songs.
//!
//! The tables may not be redistributed. Where they are absent the tests say so and pass, unless `MOODBOX_REQUIRE_DATA` is
//! set.

#![expect(clippy::unwrap_used, reason = "the tables are as they are")]

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use moodbox_core::affect::{Affect, Policy};
use moodbox_core::emotion::Emotion;
use moodbox_core::music::{Catalogue, Recommender, Track};

const SEED: u64 = 1;
const START: Duration = Duration::ZERO;

fn table(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/music").join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            assert!(std::env::var_os("MOODBOX_REQUIRE_DATA").is_none(), "{}: {error}", path.display());
            let _ = writeln!(std::io::stderr(), "skipped: {name} is not here");
            None
        }
    }
}

/// The rows of a table, as values of the named columns.
fn rows<const N: usize>(table: &[u8], delimiter: u8, names: [&str; N]) -> Vec<[String; N]> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(table);
    let header = reader.headers().unwrap().clone();
    let at = names.map(|name| header.iter().position(|found| found == name).unwrap());
    reader.records().map(Result::unwrap).map(|row| at.map(|column| row[column].to_owned())).collect()
}

/// A catalogue as a person would bring it, `affects` already in -1..1.
fn recommender(songs: &[(&str, &str, &str, &str)], affects: &[Affect]) -> Recommender {
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(["uri", "title", "artist", "genres", "tempo", "valence", "arousal"]).unwrap();
    for (number, ((title, artist, genre, tempo), at)) in songs.iter().zip(affects).enumerate() {
        let (uri, v, a) = (number.to_string(), at.valence.to_string(), at.arousal.to_string());
        file.write_record([uri.as_str(), title, artist, genre, tempo, &v, &a]).unwrap();
    }
    let import = Catalogue::import(&file.into_inner().unwrap()).unwrap();
    assert_eq!(import.rejected, []);
    Recommender::new(import.catalogue, SEED)
}

fn number(track: &Track) -> usize {
    track.uri.parse().unwrap()
}

fn numeric(text: &str) -> f32 {
    text.parse().unwrap()
}

/// Ranks in -1..1; equal values share their mean rank.
fn ranks(values: &[f32]) -> Vec<f32> {
    let count = |holds: &dyn Fn(f32) -> bool| values.iter().filter(|value| holds(**value)).count() as f32;
    let last = (values.len() - 1) as f32;
    values.iter().map(|v| (count(&|o| o < *v) + count(&|o| o <= *v) - 1.0) / last - 1.0).collect()
}

fn places(valences: &[f32], arousals: &[f32]) -> Vec<Affect> {
    ranks(valences).into_iter().zip(ranks(arousals)).map(|(v, a)| Affect::new(v, a)).collect()
}

/// The kind of a genre by the words it holds, written apart from the product's families: two songs of the table drawn at
/// random are of one kind in .31 of the cases.
fn kind(genre: &str) -> &str {
    let kinds: [(&str, &[&str]); 9] = [
        ("metal", &["metal"]),
        ("hip hop", &["hip hop", "rap", "g funk"]),
        (
            "electronic",
            &["house", "electro", "trance", "edm", "big room", "big beat", "hardcore", "gabba", "eurodance"],
        ),
        ("soul", &["soul", "funk", "disco", "motown"]),
        ("folk", &["folk", "singer-songwriter", "celtic", "country", "americana"]),
        ("blues", &["blues"]),
        ("reggae", &["reggae"]),
        ("rock", &["rock", "invasion", "wave", "punk", "britpop", "indie", "psych", "prog", "mellow gold"]),
        ("pop", &["pop", "boy band", "neo mellow"]),
    ];
    kinds.iter().find(|(_, words)| words.iter().any(|word| genre.contains(word))).map_or(genre, |(kind, _)| kind)
}

#[test]
fn after_a_choice_the_kind_stays_and_the_artists_change() {
    let Some(table) = table("top2000.csv") else { return };
    let rows = rows(&table, b';', ["Title", "Artist", "Genre", "BPM", "Valence", "Energy"]);
    let percent = |column: usize| rows.iter().map(|row| numeric(&row[column]) / 50.0 - 1.0).collect::<Vec<_>>();
    let (valences, arousals) = (percent(4), percent(5));
    let songs: Vec<_> =
        rows.iter().map(|[title, artist, genre, tempo, ..]| (&**title, &**artist, &**genre, &**tempo)).collect();
    let affects: Vec<_> = valences.iter().zip(&arousals).map(|(v, a)| Affect::new(*v, *a)).collect();
    let recommender = recommender(&songs, &affects);
    let places = places(&valences, &arousals);
    let kinds: Vec<&str> = songs.iter().map(|song| kind(song.2)).collect();

    let (mut listed, mut same_kind, mut apart, mut artists) = (0, 0, 0.0, 0.0);
    let (mut pairs, mut pairs_same_kind) = (0, 0);
    for chosen in 0..songs.len() {
        let list = recommender.after(&chosen.to_string(), 10, START).unwrap();
        assert_eq!(list.len(), 10);
        for song in &list {
            let song = number(&song.track);
            listed += 1;
            same_kind += usize::from(kinds[song] == kinds[chosen]);
            apart += places[song].distance(places[chosen]);
        }
        artists += list.iter().map(|song| &song.track.artist).collect::<HashSet<_>>().len() as f32 / 10.0;
        pairs += songs.len();
        pairs_same_kind += kinds.iter().filter(|kind| **kind == kinds[chosen]).count();
    }
    let share = |count: usize, of: usize| count as f32 / of as f32;
    let (same_kind, random) = (share(same_kind, listed), share(pairs_same_kind, pairs));
    let (apart, artists) = (apart / listed as f32, artists / songs.len() as f32);
    println!("same kind {same_kind:.3} (random {random:.3}), unique artists {artists:.3}, distance {apart:.3}");
    assert!(same_kind >= 0.85, "same kind {same_kind}");
    assert!(artists >= 0.9, "unique artists {artists}");
    assert!(apart <= 0.5, "distance {apart}");
}

/// Normalised discounted cumulative gain of the first ten.
fn ndcg(relevance: &[f32], ideal: &[f32]) -> f32 {
    let gain = |list: &[f32]| -> f32 {
        list.iter().take(10).enumerate().map(|(at, rel)| (rel.exp2() - 1.0) / ((at + 2) as f32).log2()).sum()
    };
    gain(relevance) / gain(ideal)
}

#[test]
fn songs_for_a_mood_agree_with_human_ratings() {
    let Some(table) = table("rated.csv") else { return };
    let rows = rows(&table, b',', ["title", "artist", "tempo", "valence", "energy", "human_valence", "human_arousal"]);
    let column = |column: usize| rows.iter().map(|row| numeric(&row[column])).collect::<Vec<_>>();
    let songs: Vec<_> = rows.iter().map(|[title, artist, tempo, ..]| (&**title, &**artist, "", &**tempo)).collect();
    let affects: Vec<_> =
        column(3).iter().zip(column(4)).map(|(v, a)| Affect::new(2.0 * v - 1.0, 2.0 * a - 1.0)).collect();
    let recommender = recommender(&songs, &affects);
    let rated = places(&column(5), &column(6));

    let (mut ours, mut random) = (0.0, 0.0);
    for emotion in Emotion::ALL {
        let target = Affect::of(emotion);
        let relevance: Vec<f32> = rated.iter().map(|place| (1.0 - place.distance(target)).max(0.0)).collect();
        let mut ideal = relevance.clone();
        ideal.sort_unstable_by(|a, b| b.total_cmp(a));
        // In a random order every place has the mean gain of all songs.
        let mean_gain = relevance.iter().map(|rel| rel.exp2() - 1.0).sum::<f32>() / relevance.len() as f32;
        let by_chance = ndcg(&[(mean_gain + 1.0).log2(); 10], &ideal);
        // Ten lists, so that one lucky or unlucky experiment decides nothing.
        let lists =
            (0..10).map(|minute| recommender.for_mood(target, Policy::Match, 10, Duration::from_secs(60 * minute)));
        let found: f32 = lists
            .map(|list| {
                ndcg(&list.iter().map(|song| relevance[number(&song.track)]).collect::<Vec<_>>(), &ideal) / 10.0
            })
            .sum();
        println!("{emotion:8} nDCG@10 {found:.3} (random {by_chance:.3})");
        ours += found / Emotion::ALL.len() as f32;
        random += by_chance / Emotion::ALL.len() as f32;
    }
    println!("all moods nDCG@10 {ours:.3} (random {random:.3})");
    assert!(ours >= random + 0.10, "nDCG@10 {ours} against {random} by chance");
}

#[test]
fn the_demo_catalogue_stays_in_its_families() {
    // The first genre of a demo track is its family, by the rule of that file.
    let recommender = Recommender::new(Catalogue::demo(), SEED);
    let (mut listed, mut same_family) = (0, 0);
    for track in recommender.catalogue().tracks() {
        for song in recommender.after(&track.uri, 10, START).unwrap() {
            listed += 1;
            same_family += usize::from(song.track.genres[0] == track.genres[0]);
        }
    }
    let share = same_family as f32 / listed as f32;
    println!("demo catalogue: same family {share:.3} of {listed}");
    assert!(listed >= 2000 && share >= 0.85, "{share} of {listed}");
}
