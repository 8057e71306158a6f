//! What is measured in every short frame: energy in mel bands, its rise, brightness and cepstrum.

use std::f32::consts::PI;

use crate::spectrum::Spectrum;

/// Cepstral coefficients that describe a timbre.
pub const TIMBRE: usize = 12;

/// Samples of a frame and from one to the next: 46 and 12 ms at [`crate::RATE`].
const LENGTH: usize = 1024;
const HOP: usize = 256;

/// Mel bands, and where they end, in Hz. Recordings at any usual rate have them all.
const BANDS: usize = 40;
const HIGHEST: f32 = 8000.0;

/// Frames this much quieter than the loudest, as a share of its power (-60 dB), are pauses and have no colour.
const PAUSE: f32 = 1e-6;

/// Power in a band below which nothing is heard, as a share of the loudest frame (-90 dB).
const FLOOR: f32 = 1e-9;

/// How strongly the logarithm in the flux compresses; Böck, Krebs & Schedl, "Evaluating the online capabilities of onset
/// detection methods", ISMIR 2012.
const COMPRESSION: f32 = 1e3;

/// What all frames together say.
pub(crate) struct Frames {
    /// Rise of the compressed energy over all bands, from frame to frame.
    pub(crate) flux: Vec<f32>,
    /// Frames in a second.
    pub(crate) per_second: f32,
    pub(crate) centroid: f32,
    pub(crate) spread: f32,
    pub(crate) timbre: [f32; TIMBRE],
}

impl Frames {
    /// Nothing where the samples are fewer than a frame or have no energy.
    pub(crate) fn of(samples: &[f32], rate: u32) -> Option<Self> {
        let mut spectrum = Spectrum::new(LENGTH);
        let bands = mel_bands(rate);
        let hertz = rate as f32 / LENGTH as f32;
        let mut mels: Vec<[f32; BANDS]> = Vec::with_capacity(samples.len() / HOP);
        // Moments of the whole spectrum: energy, energy times frequency, and times its square.
        let mut moments = [0f64; 3];
        for frame in samples.windows(LENGTH).step_by(HOP) {
            let power = spectrum.power(frame);
            for (bin, energy) in power.iter().enumerate() {
                let (frequency, energy) = (f64::from(bin as f32 * hertz), f64::from(*energy));
                moments[0] += energy;
                moments[1] += energy * frequency;
                moments[2] += energy * frequency * frequency;
            }
            mels.push(bands.each_ref().map(|band| band.iter().map(|(bin, weight)| weight * power[*bin]).sum()));
        }
        let total = |mel: &[f32; BANDS]| mel.iter().sum::<f32>();
        let loudest = mels.iter().map(total).fold(0.0, f32::max);
        if loudest <= 0.0 || moments[0] <= 0.0 || !moments[0].is_finite() {
            return None;
        }
        let centroid = moments[1] / moments[0];
        let variance = (moments[2] / moments[0] - centroid * centroid).max(0.0);
        let sounding: Vec<&[f32; BANDS]> = mels.iter().filter(|mel| total(mel) > PAUSE * loudest).collect();
        Some(Self {
            flux: flux(&mels, loudest),
            per_second: rate as f32 / HOP as f32,
            centroid: centroid as f32,
            spread: variance.sqrt() as f32,
            timbre: cepstrum(&sounding, FLOOR * loudest),
        })
    }
}

/// O'Shaughnessy's scale.
fn mel(frequency: f32) -> f32 {
    2595.0 * (1.0 + frequency / 700.0).log10()
}

/// For each band the bins that it takes in and their weights: triangles that are evenly apart on the mel scale and overlap
/// by half, none narrower than a bin.
fn mel_bands(rate: u32) -> [Vec<(usize, f32)>; BANDS] {
    let step = mel(HIGHEST) / (BANDS + 1) as f32;
    let bins: Vec<f32> = (0..=LENGTH / 2).map(|bin| mel(bin as f32 * rate as f32 / LENGTH as f32)).collect();
    std::array::from_fn(|band| {
        let centre = (band + 1) as f32 * step;
        let weight = |(bin, mel): (usize, &f32)| (bin, 1.0 - (mel - centre).abs() / step);
        let inside: Vec<(usize, f32)> =
            bins.iter().enumerate().map(weight).filter(|(_, weight)| *weight > 0.0).collect();
        if !inside.is_empty() {
            return inside;
        }
        let nearest =
            bins.iter().enumerate().min_by(|(_, a), (_, b)| (*a - centre).abs().total_cmp(&(*b - centre).abs()));
        nearest.map(|(bin, _)| vec![(bin, 1.0)]).unwrap_or_default()
    })
}

/// Spectral flux: Dixon, "Onset detection revisited", 2006, on compressed mel bands.
fn flux(mels: &[[f32; BANDS]], loudest: f32) -> Vec<f32> {
    let compressed = |energy: f32| (1.0 + COMPRESSION * (energy / loudest).sqrt()).ln();
    let rise = |(before, after): (f32, f32)| (compressed(after) - compressed(before)).max(0.0);
    mels.windows(2).map(|two| two[0].into_iter().zip(two[1]).map(rise).sum::<f32>() / BANDS as f32).collect()
}

/// Means of the coefficients 1 to 12 of Davis & Mermelstein, "Comparison of parametric representations for monosyllabic
/// word recognition", 1980. They are linear in the logarithms, so that the mean may be taken first.
fn cepstrum(mels: &[&[f32; BANDS]], floor: f32) -> [f32; TIMBRE] {
    let mut mean = [0f32; BANDS];
    for mel in mels {
        for (sum, energy) in mean.iter_mut().zip(*mel) {
            *sum += energy.max(floor).ln() / mels.len() as f32;
        }
    }
    let scale = (2.0 / BANDS as f32).sqrt();
    std::array::from_fn(|coefficient| {
        let angle = PI * (coefficient + 1) as f32 / BANDS as f32;
        scale * mean.iter().enumerate().map(|(band, log)| log * (angle * (band as f32 + 0.5)).cos()).sum::<f32>()
    })
}
