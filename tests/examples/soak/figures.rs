//! What is measured, and whether it is good.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display};
use std::fs;
use std::time::Duration;

/// The most that memory may grow in an hour, in MB of 10^6 bytes: over a year a box would gain less than 10 a day, and
/// is updated long before that counts. An hour's own wandering is a fifth of it.
const GROWTH_MB_PER_HOUR: f32 = 0.4;

/// Longest time from the end of a fault until the box is as before.
const RECOVERY: Duration = Duration::from_secs(10);

/// Longest time after which a broker that is back has the state.
const BROKER_RECOVERY: Duration = Duration::from_secs(5);

/// The box is finding its size in the first of so many parts of the samples.
const WARM_UP: usize = 4;

/// The daemon at one time.
pub(crate) struct Sample {
    at: Duration,
    resident_mb: f32,
    descriptors: usize,
    threads: usize,
    answer_ms: f32,
    frame_ms: f32,
}

impl Sample {
    /// Looks at a process from outside, and adds what the box was asked.
    pub(crate) fn of(at: Duration, pid: u32, answer: Duration, frame_ms: f32) -> Result<Self, Box<dyn Error>> {
        let entries = |folder: &str| Ok::<_, std::io::Error>(fs::read_dir(format!("/proc/{pid}/{folder}"))?.count());
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kib: f32 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(Self {
            at,
            resident_mb: kib * 1024.0 / 1e6,
            descriptors: entries("fd")?,
            threads: entries("task")?,
            answer_ms: answer.as_secs_f32() * 1e3,
            frame_ms,
        })
    }
}

impl Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, resident_mb, descriptors, threads, answer_ms, frame_ms } = self;
        let seconds = at.as_secs();
        write!(f, "{seconds:5} | {resident_mb:4.1} | {descriptors:11} | {threads:7} | {answer_ms:9.1} {frame_ms:9.1}")
    }
}

/// All samples, and the longest recovery from each fault.
#[derive(Default)]
pub(crate) struct Figures {
    samples: Vec<Sample>,
    longest: BTreeMap<&'static str, Duration>,
}

impl Figures {
    /// Adds a sample.
    pub(crate) fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// Adds a recovery.
    pub(crate) fn recovered(&mut self, fault: &'static str, after: Duration) {
        let longest = self.longest.entry(fault).or_default();
        *longest = after.max(*longest);
    }

    /// Whether nothing grows, and everything came back in time.
    pub(crate) fn are_good(&self) -> bool {
        let (first, last) = (self.part(1), self.part(3));
        let same = |of: fn(&Sample) -> f32| median(last, of) <= median(first, of);
        let limit = |fault: &str| if fault.starts_with("broker") { BROKER_RECOVERY } else { RECOVERY };
        self.slope() <= GROWTH_MB_PER_HOUR
            && same(|sample| sample.descriptors as f32)
            && same(|sample| sample.threads as f32)
            && median(last, |sample| sample.answer_ms) <= 1.5 * median(first, |sample| sample.answer_ms) + 5.0
            && self.longest.iter().all(|(fault, time)| *time <= limit(fault))
    }

    /// A quarter of the samples.
    fn part(&self, quarter: usize) -> &[Sample] {
        let at = |quarter| quarter * self.samples.len() / 4;
        &self.samples[at(quarter)..at(quarter + 1)]
    }

    /// Growth of the memory after the warm-up, in MB an hour: the line through all samples with the least squares.
    fn slope(&self) -> f32 {
        let samples = &self.samples[self.samples.len() / WARM_UP..];
        let mean = |of: &dyn Fn(&Sample) -> f32| samples.iter().map(of).sum::<f32>() / samples.len().max(1) as f32;
        let hours = |sample: &Sample| sample.at.as_secs_f32() / 3600.0;
        let (time, memory) = (mean(&hours), mean(&|sample| sample.resident_mb));
        let spread = mean(&|sample| (hours(sample) - time).powi(2));
        let together = mean(&|sample| (hours(sample) - time) * (sample.resident_mb - memory));
        if spread > 0.0 { together / spread } else { 0.0 }
    }
}

impl Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.part(1), self.part(3));
        let mut line = |what: &str, of: fn(&Sample) -> f32| {
            writeln!(f, "{what}: {:.1} in the second quarter, {:.1} in the last", median(first, of), median(last, of))
        };
        line("memory, MB", |sample| sample.resident_mb)?;
        line("descriptors", |sample| sample.descriptors as f32)?;
        line("threads", |sample| sample.threads as f32)?;
        line("an answer, ms", |sample| sample.answer_ms)?;
        line("a frame (95th percentile), ms", |sample| sample.frame_ms)?;
        writeln!(f, "memory grows by {:.2} MB an hour after the first quarter", self.slope())?;
        for (fault, time) in &self.longest {
            writeln!(f, "{fault}: as before within {:.1} s", time.as_secs_f32())?;
        }
        write!(f, "{}", if self.are_good() { "good" } else { "NOT good" })
    }
}

fn median(samples: &[Sample], of: fn(&Sample) -> f32) -> f32 {
    let mut values: Vec<_> = samples.iter().map(of).collect();
    values.sort_unstable_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
