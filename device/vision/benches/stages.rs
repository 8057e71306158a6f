//! What each stage of a frame takes, on frames of the demo's recording: `cargo bench -p moodbox-vision`.

#![expect(clippy::unwrap_used, reason = "a benchmark that is surprised fails")]

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use moodbox_core::config;
use moodbox_models::Models;
use moodbox_vision::frame::Frame;
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::{Stages, Tracker, Vision};

/// A frame of the recording that shows two people. It holds no thumbnails, so that each end marker ends a frame.
fn jpeg() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host-tools/demo/evening.mjpeg");
    let bytes = std::fs::read(path).unwrap();
    let mut ends = bytes.windows(2).enumerate().filter(|(_, pair)| *pair == [0xff, 0xd9]).map(|(i, _)| i + 2);
    let (start, end) = (ends.nth(119).unwrap(), ends.next().unwrap());
    bytes[start..end].to_vec()
}

/// Reads the time of one stage.
type Part = fn(&Stages) -> Duration;

fn stages(criterion: &mut Criterion) {
    let jpeg = jpeg();
    let mut decoder = Decoder::new(640 * 480);
    criterion.bench_function("decode JPEG", |b| b.iter(|| decoder.open(black_box(&jpeg)).unwrap().size()));

    let frame = decoder.decode(&jpeg).unwrap();
    let models = Models::built_in().unwrap();
    let settings = config::Vision::default();
    let mut vision = Vision::new(&models, &settings).unwrap();
    let parts: [(&str, Part); 6] = [
        ("pyramid", |s| s.cost.pyramid),
        ("P-Net", |s| s.cost.pnet),
        ("R-Net", |s| s.cost.rnet),
        ("O-Net", |s| s.cost.onet),
        ("emotions", |s| s.fer),
        ("inside the networks", |s| s.cost.invoke),
    ];
    for (name, part) in parts {
        criterion.bench_function(name, |b| {
            b.iter_custom(|rounds| (0..rounds).map(|_| part(&vision.analyse(frame).unwrap().stages)).sum());
        });
    }
    criterion.bench_function("cold frame, decoded", |b| b.iter(|| vision.analyse(frame).unwrap().faces.len()));
    followed(criterion, &frame, &models, &settings);
}

fn followed(criterion: &mut Criterion, frame: &Frame<'_>, models: &Models, settings: &config::Vision) {
    let mut tracker = Tracker::new(models, settings).unwrap();
    let mut at = Duration::ZERO;
    criterion.bench_function("followed frame, decoded", |b| {
        b.iter_custom(|rounds| {
            let (mut counted, mut time) = (0, Duration::ZERO);
            while counted < rounds {
                at += Duration::from_millis(200);
                let clock = std::time::Instant::now();
                let searched = tracker.track(frame, at).unwrap().searched;
                if !searched {
                    time += clock.elapsed();
                    counted += 1;
                }
            }
            time
        });
    });
}

criterion_group!(benches, stages);
criterion_main!(benches);
