//! What analysing frames takes: cold, followed, and with nobody there.

use std::time::{Duration, Instant};

use moodbox_core::config;
use moodbox_models::Models;
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::{Stages, Tracker, Vision};
use serde::Serialize;

use super::frames::Input;

/// Time between two frames of a sequence: the default rate of analysis.
const FRAME: Duration = Duration::from_millis(200);

/// Frames of a sequence: those between two runs of the cascade, which is tried again after 2 s.
const SEQUENCE: u32 = 11;

/// What one frame took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) whole: Duration,
    pub(super) decode: Duration,
    pub(super) stages: Stages,
    pub(super) faces: usize,
}

/// Half and 95 % of the frames took no longer, in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Percentiles {
    pub(super) p50_ms: f64,
    pub(super) p95_ms: f64,
}

/// Whole frames, from what the camera sends to emotions.
#[derive(Debug, Serialize)]
pub(super) struct Frames {
    #[serde(flatten)]
    pub(super) time: Percentiles,
    /// Median of the time inside the interpreters.
    pub(super) invoke_ms: f64,
    /// Median of the multiply-accumulates.
    pub(super) macs: u64,
    /// Means, which go on being right where some frames do more than others.
    pub(super) mean_ms: f64,
    pub(super) mean_invoke_ms: f64,
}

/// Whole frames with this many faces. On average, for some of those that are followed do more than others; and at the median.
#[derive(Debug, Serialize)]
pub(super) struct ByFaces {
    pub(super) faces: usize,
    pub(super) frames: usize,
    pub(super) p50_ms: f64,
    pub(super) mean_ms: f64,
    pub(super) mean_invoke_ms: f64,
}

/// Where all frames of this session go through.
pub(super) struct Bench<'a> {
    pub(super) models: &'a Models,
    pub(super) settings: &'a config::Vision,
    pub(super) decoder: Decoder,
}

impl Bench<'_> {
    /// Every frame for itself, `rounds` times after one that does not count.
    pub(super) fn cold(&mut self, inputs: &[Input], rounds: u32) -> anyhow::Result<Vec<Sample>> {
        let mut vision = Vision::new(self.models, self.settings)?;
        let mut samples = Vec::new();
        for round in 0..=rounds {
            for input in inputs {
                let clock = Instant::now();
                let pixels = input.open(&mut self.decoder)?;
                let decode = clock.elapsed();
                let analysis = vision.analyse(pixels)?;
                if round > 0 {
                    let faces = analysis.faces.len();
                    samples.push(Sample { whole: clock.elapsed(), decode, stages: analysis.stages, faces });
                }
            }
        }
        Ok(samples)
    }

    /// Each frame shown again and again. Those in which the cascade did not run: with the faces followed, or with nobody and
    /// nothing that moves.
    pub(super) fn calm(&mut self, inputs: &[Input], rounds: u32) -> anyhow::Result<Vec<Sample>> {
        let mut tracker = Tracker::new(self.models, self.settings)?;
        let (mut samples, mut at) = (Vec::new(), Duration::ZERO);
        for input in inputs.iter().cycle().take(inputs.len() * rounds as usize) {
            // Long enough for all to be forgotten.
            at += 60 * FRAME;
            for _ in 0..SEQUENCE {
                at += FRAME;
                let clock = Instant::now();
                let pixels = input.open(&mut self.decoder)?;
                let decode = clock.elapsed();
                let sight = tracker.track(pixels, at)?;
                if !sight.searched {
                    let faces = sight.faces.len();
                    samples.push(Sample { whole: clock.elapsed(), decode, stages: sight.stages, faces });
                }
            }
        }
        Ok(samples)
    }
}

/// Percentiles of a part of the samples, of which there is at least one.
pub(super) fn percentiles(samples: &[Sample], part: impl Fn(&Sample) -> Duration) -> Percentiles {
    let mut sorted: Vec<_> = samples.iter().map(part).collect();
    sorted.sort_unstable();
    let at = |share: usize| milliseconds(sorted[(sorted.len() * share / 100).min(sorted.len() - 1)]);
    Percentiles { p50_ms: at(50), p95_ms: at(95) }
}

/// The whole of it; `None` without samples.
pub(super) fn frames(samples: &[Sample]) -> Option<Frames> {
    if samples.is_empty() {
        return None;
    }
    let mut macs: Vec<_> = samples.iter().map(|s| s.stages.cost.macs).collect();
    macs.sort_unstable();
    Some(Frames {
        time: percentiles(samples, |s| s.whole),
        invoke_ms: percentiles(samples, |s| s.stages.cost.invoke).p50_ms,
        macs: macs[macs.len() / 2],
        mean_ms: mean(samples, |s| s.whole),
        mean_invoke_ms: mean(samples, |s| s.stages.cost.invoke),
    })
}

/// Samples of 1, 2, 3 ... faces, as far as there are any.
pub(super) fn by_faces(samples: &[Sample]) -> Vec<ByFaces> {
    let most = samples.iter().map(|s| s.faces).max().unwrap_or(0);
    let of = |faces| {
        let those: Vec<_> = samples.iter().filter(|s| s.faces == faces).copied().collect();
        (!those.is_empty()).then(|| ByFaces {
            faces,
            frames: those.len(),
            p50_ms: percentiles(&those, |s| s.whole).p50_ms,
            mean_ms: mean(&those, |s| s.whole),
            mean_invoke_ms: mean(&those, |s| s.stages.cost.invoke),
        })
    };
    (1..=most).filter_map(of).collect()
}

fn mean(samples: &[Sample], part: impl Fn(&Sample) -> Duration) -> f64 {
    milliseconds(samples.iter().map(part).sum::<Duration>() / samples.len().max(1) as u32)
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
