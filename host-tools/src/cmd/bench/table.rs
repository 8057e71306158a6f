//! `moodbox bench --table`: cost against resolution, faces and the smallest face.

use std::io::{self, Write};

use image::RgbImage;
use moodbox_core::config::{self, Bounded};
use moodbox_models::Models;
use moodbox_vision::jpeg::Decoder;
use serde::Serialize;

use super::frames::{self, Input};
use super::measure::{self, Bench, ByFaces};

const SIZES: [(u32, u32); 4] = [(320, 240), (640, 480), (1280, 720), (1920, 1080)];
const MIN_FACES: [u32; 3] = [40, 60, 120];
const FACES: [usize; 3] = [1, 2, 5];
/// Most pictures of one number of faces.
const PICTURES: usize = 6;

/// One size of the frame and of the smallest face.
#[derive(Serialize)]
pub(super) struct Row {
    width: u32,
    height: u32,
    min_face: u32,
    /// Every frame for itself, by the faces in it.
    cold: Vec<ByFaces>,
    /// Frames in which all faces were followed.
    followed: Vec<ByFaces>,
}

/// Measures all of them on pictures of which it is known how many faces they show.
pub(super) fn measure(
    pictures: &[(RgbImage, usize)],
    models: &Models,
    threads: u32,
    rounds: u32,
) -> anyhow::Result<Vec<Row>> {
    let of = |faces| pictures.iter().filter(move |(_, count)| *count == faces).take(PICTURES);
    let chosen: Vec<&RgbImage> = FACES.into_iter().flat_map(of).map(|(picture, _)| picture).collect();
    let mut rows = Vec::new();
    for size in SIZES {
        let inputs: Vec<Input> = chosen.iter().map(|p| frames::yuyv(&frames::fitted(p, size))).collect();
        for min_face in MIN_FACES {
            let settings = config::Vision {
                min_face_px: Bounded(min_face),
                threads: Bounded(threads),
                ..config::Vision::default()
            };
            let mut bench = Bench { models, settings: &settings, decoder: Decoder::new(0) };
            let among = |samples: &[measure::Sample]| {
                let mut rows = measure::by_faces(samples);
                rows.retain(|row| FACES.contains(&row.faces));
                rows
            };
            let cold = among(&bench.cold(&inputs, rounds)?);
            let followed = among(&bench.calm(&inputs, rounds)?);
            rows.push(Row { width: size.0, height: size.1, min_face, cold, followed });
        }
    }
    Ok(rows)
}

/// Writes the table in Markdown: of cold frames the median, of followed ones the mean.
pub(super) fn print(out: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    writeln!(out, "| YUYV frame | smallest face | cold: 1, 2, 5 faces | followed: 1, 2, 5 faces |")?;
    writeln!(out, "|---|---|---|---|")?;
    for Row { width, height, min_face, cold, followed } in rows {
        let (cold, followed) = (cells(cold, |row| row.p50_ms), cells(followed, |row| row.mean_ms));
        writeln!(out, "| {width}x{height} | {min_face} px | {cold} ms | {followed} ms |")?;
    }
    Ok(())
}

fn cells(found: &[ByFaces], time: impl Fn(&ByFaces) -> f64) -> String {
    let cell = |faces| match found.iter().find(|row| row.faces == faces) {
        Some(row) => format!("{:.2}", time(row)),
        None => "-".to_owned(),
    };
    FACES.map(cell).join(", ")
}
