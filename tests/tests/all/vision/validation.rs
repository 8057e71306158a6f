//! The shipped classifier on the faces that its metrics in the manifest were measured on, with the box's own code.

use std::fs;
use std::path::Path;
use std::process::Command;

use moodbox_core::config::Labels;
use moodbox_core::emotion::{COUNT, Emotion};
use moodbox_core::face::{BBox, Face, Point};
use moodbox_models::Models;
use moodbox_tests::shared_data;
use moodbox_vision::fer::Fer;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::mtcnn::Cost;

/// What the labels of FER2013 stand for.
const LABELS: [Emotion; COUNT] = [
    Emotion::Angry,
    Emotion::Disgust,
    Emotion::Fear,
    Emotion::Happy,
    Emotion::Sad,
    Emotion::Surprise,
    Emotion::Neutral,
];
/// What the raters may have seen, contempt last, which counts as neutral. "Unknown" and "not a face" follow in the table.
const SEEN: [Emotion; 8] = [
    Emotion::Neutral,
    Emotion::Happy,
    Emotion::Surprise,
    Emotion::Sad,
    Emotion::Angry,
    Emotion::Disgust,
    Emotion::Fear,
    Emotion::Neutral,
];
const VOTES: usize = SEEN.len() + 2;
/// Votes are -1 where nobody rated a face.
const NOT_RATED: u8 = 128;
const SIDE: usize = 48;

/// The pipeline leaves out two pictures that show no face, and TensorFlow's XNNPACK rounds a little otherwise.
const TOLERANCE: f64 = 0.005;

/// The bytes of an array in an npy file: behind ten bytes, of which the last two say how long the description is, and that.
fn array(folder: &Path, name: &str) -> Vec<u8> {
    let file = fs::read(folder.join(name)).unwrap();
    file[10 + usize::from(u16::from_le_bytes([file[8], file[9]]))..].to_vec()
}

fn metric(labels: Labels, name: &str) -> f64 {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/manifest.toml");
    let manifest: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let models = manifest["model"].as_array().unwrap();
    let fer = models.iter().find(|model| model["name"].as_str() == Some("fer")).unwrap();
    fer["metrics"][labels.name()][name].as_float().unwrap()
}

/// What most of the raters saw, where they saw one expression more often than any other; one vote is a slip.
fn plurality(votes: &[u8]) -> Option<Emotion> {
    let most = *votes.iter().max()?;
    let mut leading = votes.iter().enumerate().filter(|(_, n)| **n == most).map(|(seen, _)| SEEN.get(seen).copied());
    let first = leading.next()??;
    let ties = leading.flatten().any(|other| other != first);
    Some(first).filter(|_| !ties && (2..NOT_RATED).contains(&most))
}

fn check(labels: Labels, truths: &[Option<Emotion>], pixels: &[u8]) {
    let mut fer = Fer::new(&Models::built_in().unwrap(), labels, 1).unwrap();
    let bbox = BBox { x: 0.0, y: 0.0, w: SIDE as f32, h: SIDE as f32 };
    let whole = Face { bbox, score: 1.0, landmarks: [Point::default(); 5] };
    let (mut right, mut all) = ([0; COUNT], [0; COUNT]);
    for (face, truth) in pixels.chunks_exact(SIDE * SIDE).zip(truths) {
        let Some(truth) = *truth else { continue };
        let frame = Frame::new(face, Format::Grey, SIDE, SIDE, SIDE).unwrap();
        fer.prepare((frame.width(), frame.height()));
        let (read, _) = fer.read(frame, &whole, &mut Cost::default()).unwrap();
        all[truth as usize] += 1;
        right[truth as usize] += usize::from(read.top().0 == truth);
    }
    let recall = right.iter().zip(all).map(|(right, all)| f64::from(*right as u32) / f64::from(all as u32));
    let balanced = recall.sum::<f64>() / COUNT as f64;
    let accuracy = right.iter().sum::<usize>() as f64 / all.iter().sum::<usize>() as f64;
    println!("{}: accuracy {accuracy:.4}, balanced {balanced:.4}", labels.name());
    assert!((accuracy - metric(labels, "accuracy")).abs() < TOLERANCE, "accuracy {accuracy}");
    assert!((balanced - metric(labels, "balanced_accuracy")).abs() < 2.0 * TOLERANCE, "balanced accuracy {balanced}");
}

#[test]
fn the_shipped_file_is_as_good_as_its_manifest_says() {
    let Some(file) = shared_data::path("fer/fer2013-validation.npz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let unpacked = Command::new("python3").args(["-m", "zipfile", "-e"]).arg(file).arg(folder.path()).status();
    assert!(unpacked.unwrap().success());
    let [pixels, labels, votes] =
        ["pixels", "emotion", "votes"].map(|name| array(folder.path(), &format!("{name}.npy")));
    let labelled: Vec<_> = labels.iter().map(|label| Some(LABELS[usize::from(*label)])).collect();
    let rated: Vec<_> = votes.chunks_exact(VOTES).map(plurality).collect();
    check(Labels::Fer2013, &labelled, &pixels);
    check(Labels::Ferplus, &rated, &pixels);
}
