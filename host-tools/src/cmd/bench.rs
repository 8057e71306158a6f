//! `moodbox bench`: how fast pictures are analysed on this computer.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use moodbox_core::config::{self, Bounded};
use moodbox_models::Models;
use moodbox_vision::frame::MAX_SIDE;
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::{Stages, Vision};
use moodboxd::health::Machine;
use serde::Serialize;

use crate::failure::Failure;
use crate::picture;

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
}

/// Half and 95 % of the frames took no longer, in milliseconds.
#[derive(Serialize)]
struct Percentiles {
    p50_ms: f64,
    p95_ms: f64,
}

/// Whole frames, from compressed bytes to emotions, with nothing known from the frame before.
#[derive(Serialize)]
struct Cold {
    #[serde(flatten)]
    time: Percentiles,
    /// Median of the time inside the interpreters.
    invoke_ms: f64,
    /// Median of the multiply-accumulates.
    macs: u64,
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

#[derive(Serialize)]
struct Report {
    cold: Cold,
    stages: StageTimes,
    peak_rss_mb: f32,
    frames: usize,
    threads: u32,
}

/// What one frame took.
struct Sample {
    whole: Duration,
    decode: Duration,
    stages: Stages,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let settings = config::Vision {
        min_face_px: Bounded(arguments.min_face),
        threads: Bounded(arguments.threads),
        ..config::Vision::default()
    };
    let models = Models::built_in().context("the built-in models")?;
    let mut vision = Vision::new(&models, &settings).context("the built-in models")?;
    let files = picture::files(std::slice::from_ref(&arguments.frames))?;
    let mut decoder = Decoder::new(MAX_SIDE * MAX_SIDE / 4);
    let mut samples = Vec::new();
    for round in 0..=arguments.rounds {
        for path in &files {
            let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let clock = Instant::now();
            let frame = decoder.decode(&bytes).with_context(|| path.display().to_string())?;
            let decode = clock.elapsed();
            let stages = vision.analyse(&frame).with_context(|| path.display().to_string())?.stages;
            if round > 0 {
                samples.push(Sample { whole: clock.elapsed(), decode, stages });
            }
        }
    }
    let report = summarise(&samples, files.len(), arguments.threads);
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report).map_err(|e| anyhow!(e))?)?;
    } else {
        print(&mut out, &report)?;
    }
    Ok(())
}

fn summarise(samples: &[Sample], frames: usize, threads: u32) -> Report {
    let of = |part: &dyn Fn(&Sample) -> Duration| {
        let mut sorted: Vec<_> = samples.iter().map(part).collect();
        sorted.sort_unstable();
        let at = |share: usize| milliseconds(sorted[(sorted.len() * share / 100).min(sorted.len() - 1)]);
        Percentiles { p50_ms: at(50), p95_ms: at(95) }
    };
    let mut macs: Vec<_> = samples.iter().map(|s| s.stages.cost.macs).collect();
    macs.sort_unstable();
    Report {
        cold: Cold {
            time: of(&|s| s.whole),
            invoke_ms: of(&|s| s.stages.cost.invoke).p50_ms,
            macs: macs[macs.len() / 2],
        },
        stages: StageTimes {
            decode: of(&|s| s.decode),
            pyramid: of(&|s| s.stages.cost.pyramid),
            pnet: of(&|s| s.stages.cost.pnet),
            rnet: of(&|s| s.stages.cost.rnet),
            onet: of(&|s| s.stages.cost.onet),
            fer: of(&|s| s.stages.fer),
        },
        peak_rss_mb: Machine::default().peak_resident_mb().unwrap_or(0.0),
        frames,
        threads,
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report { cold, stages, peak_rss_mb, frames, threads } = report;
    writeln!(out, "{frames} pictures, {threads} thread(s), peak memory {peak_rss_mb:.0} MB")?;
    writeln!(out, "                p50 ms   p95 ms")?;
    let rows = [
        ("whole frame", &cold.time),
        ("  decode", &stages.decode),
        ("  pyramid", &stages.pyramid),
        ("  P-Net", &stages.pnet),
        ("  R-Net", &stages.rnet),
        ("  O-Net", &stages.onet),
        ("  emotions", &stages.fer),
    ];
    for (name, Percentiles { p50_ms, p95_ms }) in rows {
        writeln!(out, "{name:14} {p50_ms:8.2} {p95_ms:8.2}")?;
    }
    let ratio = cold.time.p50_ms / cold.invoke_ms;
    writeln!(out, "inside the networks {:.2} ms, so a whole frame is {ratio:.2} times that", cold.invoke_ms)?;
    writeln!(out, "{:.1} million multiply-accumulates a frame", cold.macs as f64 / 1e6)
}
