//! `moodbox bench`: how fast pictures are analysed on this computer.

mod frames;
mod measure;
mod table;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use image::RgbImage;
use moodbox_core::config::{self, Bounded};
use moodbox_core::face::BBox;
use moodbox_models::Models;
use moodbox_vision::Vision;
use moodbox_vision::frame::MAX_SIDE;
use moodbox_vision::jpeg::Decoder;
use moodboxd::health::Machine;
use serde::Serialize;

use crate::failure::Failure;
use crate::picture;

use frames::Input;
use measure::{Bench, ByFaces, Frames, Percentiles, Sample, percentiles};

/// Quality at which webcams compress, about: 640x480 pixels make 30 to 60 kB.
const WEBCAM_QUALITY: u8 = 75;

/// Which pictures, and how often.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox bench --frames photos/")]
pub(crate) struct Arguments {
    /// JPEG pictures, or a folder of them.
    #[arg(long, value_name = "FOLDER")]
    frames: PathBuf,
    /// Threads that one network may use.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4))]
    threads: u32,
    /// Side of the smallest face to look for, in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(24..=400))]
    min_face: u32,
    /// How often each picture is analysed, after one round that does not count.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Cost against resolution, faces and the smallest face, besides.
    #[arg(long)]
    table: bool,
}

#[derive(Serialize)]
struct StageTimes {
    decode: Percentiles,
    pyramid: Percentiles,
    pnet: Percentiles,
    rnet: Percentiles,
    onet: Percentiles,
    fer: Percentiles,
}

/// One way in which a camera hands over its frames.
#[derive(Serialize)]
struct OfInput {
    input: &'static str,
    /// Mean size of a frame.
    kb: f64,
    cold: Frames,
    /// Of that, finding the faces: pyramid and cascade, without decoding and emotions.
    find: Percentiles,
    stages: StageTimes,
    /// Frames whose faces were followed; absent where none was.
    followed: Option<Frames>,
    followed_by_faces: Vec<ByFaces>,
    /// Frames with nobody in them and nothing that moves.
    idle: Option<Frames>,
}

#[derive(Serialize)]
struct Report<'a> {
    /// The pictures as they are: with nothing known from the frame before, and followed.
    cold: &'a Frames,
    followed: &'a Option<Frames>,
    stages: &'a StageTimes,
    inputs: &'a [OfInput],
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<Vec<table::Row>>,
    peak_rss_mb: f32,
    frames: usize,
    threads: u32,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let settings = config::Vision {
        min_face_px: Bounded(arguments.min_face),
        threads: Bounded(arguments.threads),
        ..config::Vision::default()
    };
    let models = Models::built_in().context("the built-in models")?;
    let decoder = || Decoder::new(MAX_SIDE * MAX_SIDE / 4);
    let mut bench = Bench { models: &models, settings: &settings, decoder: decoder() };
    let given = read(arguments, &models, &settings)?;
    let pictures = given.iter().map(|g| &g.picture);
    let empty: Vec<_> = given.iter().map(|g| frames::without(&g.picture, &g.faces)).collect();
    let compressed = |pictures: &mut dyn Iterator<Item = &RgbImage>| {
        pictures.map(|picture| frames::jpeg(picture, WEBCAM_QUALITY)).collect::<anyhow::Result<Vec<_>>>()
    };
    let (jpeg, jpeg_empty) = (compressed(&mut pictures.clone())?, compressed(&mut empty.iter())?);
    let (yuyv, yuyv_empty) = (pictures.map(frames::yuyv).collect(), empty.iter().map(frames::yuyv).collect());
    let as_given = given.iter().map(|g| Input::Jpeg(g.bytes.clone())).collect();
    let ways =
        [("JPEG as given", as_given, Vec::new()), ("JPEG, quality 75", jpeg, jpeg_empty), ("YUYV", yuyv, yuyv_empty)];
    let mut inputs = Vec::new();
    for (name, frames, empty) in &ways {
        inputs.push(measure(&mut bench, name, frames, empty, arguments.rounds)?);
    }
    let table = if arguments.table {
        let counted: Vec<_> = given.iter().map(|g| (g.picture.clone(), g.faces.len())).collect();
        Some(table::measure(&counted, &models, arguments.threads, arguments.rounds)?)
    } else {
        None
    };
    let report = Report {
        cold: &inputs[0].cold,
        followed: &inputs[0].followed,
        stages: &inputs[0].stages,
        inputs: &inputs,
        table,
        peak_rss_mb: Machine::default().peak_resident_mb().unwrap_or(0.0),
        frames: given.len(),
        threads: arguments.threads,
    };
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report).map_err(|e| anyhow!(e))?)?;
    } else {
        print(&mut out, &report)?;
    }
    Ok(())
}

/// A picture with the faces that are found in it.
struct Given {
    bytes: Vec<u8>,
    picture: RgbImage,
    faces: Vec<BBox>,
}

fn read(arguments: &Arguments, models: &Models, settings: &config::Vision) -> Result<Vec<Given>, Failure> {
    let mut vision = Vision::new(models, settings).context("the built-in models")?;
    let mut decoder = Decoder::new(MAX_SIDE * MAX_SIDE / 4);
    let mut given = Vec::new();
    for path in picture::files(std::slice::from_ref(&arguments.frames))? {
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if !bytes.starts_with(&[0xff, 0xd8]) {
            let reason = "is no JPEG picture, which is what cameras send; name a folder of such alone";
            return Err(Failure::Input(anyhow!("{} {reason}", path.display())));
        }
        let frame = decoder.decode(&bytes).with_context(|| path.display().to_string())?;
        let seen = vision.analyse(frame).with_context(|| path.display().to_string())?;
        let faces = seen.faces.iter().map(|f| f.face.bbox).collect();
        given.push(Given { picture: frames::picture(&frame), bytes, faces });
    }
    Ok(given)
}

fn measure(
    bench: &mut Bench<'_>,
    name: &'static str,
    frames: &[Input],
    empty: &[Input],
    rounds: u32,
) -> anyhow::Result<OfInput> {
    let cold = bench.cold(frames, rounds)?;
    let followed: Vec<_> = bench.calm(frames, rounds)?.into_iter().filter(|s| s.faces > 0).collect();
    let idle: Vec<_> = bench.calm(empty, rounds)?.into_iter().filter(|s| s.faces == 0).collect();
    let bytes: usize = frames.iter().map(Input::bytes).sum();
    let find = |s: &Sample| {
        let cost = s.stages.cost;
        cost.pyramid + cost.pnet + cost.rnet + cost.onet
    };
    Ok(OfInput {
        input: name,
        kb: (bytes as f64 / frames.len() as f64 / 100.0).round() / 10.0,
        find: percentiles(&cold, find),
        stages: StageTimes {
            decode: percentiles(&cold, |s| s.decode),
            pyramid: percentiles(&cold, |s| s.stages.cost.pyramid),
            pnet: percentiles(&cold, |s| s.stages.cost.pnet),
            rnet: percentiles(&cold, |s| s.stages.cost.rnet),
            onet: percentiles(&cold, |s| s.stages.cost.onet),
            fer: percentiles(&cold, |s| s.stages.fer),
        },
        cold: measure::frames(&cold).context("there is no picture")?,
        followed: measure::frames(&followed),
        followed_by_faces: measure::by_faces(&followed),
        idle: measure::frames(&idle),
    })
}

fn print(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let Report { inputs, peak_rss_mb, frames, threads, .. } = report;
    writeln!(out, "{frames} pictures, {threads} thread(s), peak memory {peak_rss_mb:.0} MB")?;
    for OfInput { input, kb, cold, find, stages, followed, followed_by_faces, idle } in *inputs {
        writeln!(out, "\n{input} ({kb:.0} kB)    p50 ms   p95 ms")?;
        let rows = [
            ("whole cold frame", &cold.time),
            ("  decode", &stages.decode),
            ("  pyramid", &stages.pyramid),
            ("  P-Net", &stages.pnet),
            ("  R-Net", &stages.rnet),
            ("  O-Net", &stages.onet),
            ("  emotions", &stages.fer),
            ("finding alone", find),
        ];
        for (name, Percentiles { p50_ms, p95_ms }) in rows {
            writeln!(out, "{name:18} {p50_ms:8.3} {p95_ms:8.3}")?;
        }
        let ratio = cold.time.p50_ms / cold.invoke_ms;
        writeln!(out, "inside the networks {:.3} ms, so a whole frame is {ratio:.2} times that", cold.invoke_ms)?;
        writeln!(out, "{:.1} million multiply-accumulates a frame", cold.macs as f64 / 1e6)?;
        if let Some(Frames { time, .. }) = followed {
            writeln!(out, "{:18} {:8.3} {:8.3}", "followed", time.p50_ms, time.p95_ms)?;
        }
        for ByFaces { faces, frames, mean_ms, mean_invoke_ms, .. } in followed_by_faces {
            let ratio = mean_ms / mean_invoke_ms;
            writeln!(
                out,
                "  {faces} face(s)       {mean_ms:8.3} on average, {ratio:.2} times its networks ({frames} frames)"
            )?;
        }
        if let Some(Frames { time, .. }) = idle {
            writeln!(out, "{:18} {:8.3} {:8.3}", "nobody, no motion", time.p50_ms, time.p95_ms)?;
        }
    }
    if let Some(rows) = &report.table {
        writeln!(out)?;
        table::print(out, rows)?;
    }
    Ok(())
}
