//! How the time of a recommendation grows with the library, and what the library takes in memory.

#![expect(clippy::unwrap_used, reason = "a benchmark that is surprised fails")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use moodbox_core::affect::{Affect, Policy};
use moodbox_core::emotion::Emotion;
use moodbox_core::music::{Catalogue, Recommender, Track};

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

const NOW: Duration = Duration::from_secs(1_790_000_000);

/// As libraries are: ten songs an artist, three hundred genres, one or two for each song.
fn library(size: usize) -> Vec<u8> {
    let kinds = ["rock", "pop", "house", "folk", "jazz", "soul", "rap", "metal", "samba", "opera"];
    let tracks = (0..size).map(|n| {
        let mixed = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let unit = |shift: u32| (mixed >> shift & 0xff) as f32 / 127.5 - 1.0;
        let kind = kinds[n % kinds.len()];
        Track {
            uri: format!("library/artist {}/album {}/{n:07} some title.flac", n / 10, n / 10),
            title: format!("Some title {n}"),
            artist: format!("Artist {}", n / 10),
            album: format!("Album {}", n / 10),
            genres: vec![kind.to_owned(), format!("area{} {kind}", mixed >> 40 & 0x1f)],
            affect: Affect::new(unit(0), unit(8)),
            tempo: Some(120.0 + 50.0 * unit(16)),
            confidence: 0.5,
            ..Track::default()
        }
    });
    Catalogue::to_file(&tracks.collect::<Vec<_>>()).unwrap()
}

/// Memory of this process that is not in a file, in MiB.
fn memory_mib() -> f32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f32>().unwrap_or(f32::NAN) / 1024.0
}

fn music(criterion: &mut Criterion) {
    for size in SIZES {
        let file = library(size);
        let before = memory_mib();
        let mut recommender = Recommender::new(Catalogue::from_file(&file).unwrap(), 1);
        println!("{size} songs: {:.0} MiB for the catalogue, {:.0} MiB in all", memory_mib() - before, memory_mib());
        let uris: Vec<String> =
            recommender.catalogue().tracks().iter().step_by(7).take(200).map(|t| t.uri.clone()).collect();
        for uri in &uris {
            recommender.liked(uri, NOW).unwrap();
        }

        let mut group = criterion.benchmark_group("music");
        group.sample_size(10).throughput(Throughput::Elements(size as u64));
        for policy in [Policy::Match, Policy::Lift] {
            group.bench_function(BenchmarkId::new(policy.name(), size), |bencher| {
                bencher.iter(|| black_box(recommender.for_mood(Affect::of(Emotion::Sad), policy, 10, NOW)));
            });
        }
        group.bench_function(BenchmarkId::new("after", size), |bencher| {
            bencher.iter(|| black_box(recommender.after(&uris[0], 10, NOW)));
        });
        group.bench_function(BenchmarkId::new("start", size), |bencher| {
            bencher.iter_batched(|| (), |()| black_box(Catalogue::from_file(&file)), BatchSize::PerIteration);
        });
        group.finish();
    }
}

criterion_group!(benches, music);
criterion_main!(benches);
