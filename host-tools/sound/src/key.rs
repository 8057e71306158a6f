//! Major or minor, from how often each of the twelve pitch classes sounds.

use crate::spectrum::Spectrum;

/// Samples of a frame at [`crate::RATE`]: .37 s, enough to tell semitones apart from 65 Hz up.
const LENGTH: usize = 8192;

/// Between these, in Hz, notes and their first overtones lie.
const LOWEST: f32 = 65.0;
const HIGHEST: f32 = 2100.0;

/// Peaks of a spectrum below this share of the highest (-40 dB in power) are leakage and hiss.
const FAINT: f32 = 1e-4;

/// Standard deviation of the pitch classes over their mean below which no key is heard; noise stays under a third of it.
const TONAL: f32 = 0.2;

/// How well each pitch class above the keynote fits the key: Krumhansl & Kessler, "Tracing the dynamic changes in perceived
/// tonal organization", 1982.
const MAJOR: [f32; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR: [f32; 12] = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];

/// How much better the best major key fits than the best minor one, as a difference of correlations. Nothing where there
/// is no key.
pub(crate) fn majorness(samples: &[f32], rate: u32) -> Option<f32> {
    let chroma = chroma(samples, rate);
    let mean = chroma.iter().sum::<f32>() / 12.0;
    let deviation = (chroma.iter().map(|c| (c - mean).powi(2)).sum::<f32>() / 12.0).sqrt();
    if mean <= 0.0 || deviation < TONAL * mean {
        return None;
    }
    let best = |profile: &[f32; 12]| {
        let fits = (0..12).map(|keynote| correlation(profile, &std::array::from_fn(|i| chroma[(i + keynote) % 12])));
        fits.fold(-1.0, f32::max)
    };
    Some(best(&MAJOR) - best(&MINOR))
}

/// Strength of each pitch class, from C: amplitudes of the spectral peaks, folded into one octave.
fn chroma(samples: &[f32], rate: u32) -> [f32; 12] {
    let mut chroma = [0f32; 12];
    let mut spectrum = Spectrum::new(LENGTH);
    let hertz = rate as f32 / LENGTH as f32;
    let (first, last) = ((LOWEST / hertz) as usize, (HIGHEST / hertz) as usize);
    for frame in samples.windows(LENGTH).step_by(LENGTH / 2) {
        let power = spectrum.power(frame);
        let last = last.min(power.len() - 2);
        let highest = power[first.min(last)..=last].iter().copied().fold(0.0, f32::max);
        for bin in first.max(1)..=last {
            let [before, here, after] = [power[bin - 1], power[bin], power[bin + 1]];
            if here <= before || here < after || here < FAINT * highest {
                continue;
            }
            // A parabola through logarithms finds the top of a Hann window's peak to a few cents.
            let [l, m, r] = [before, here, after].map(|power| power.max(f32::MIN_POSITIVE).ln());
            let curvature = l - 2.0 * m + r;
            let shift = if curvature < 0.0 { (0.5 * (l - r) / curvature).clamp(-0.5, 0.5) } else { 0.0 };
            let semitones = 12.0 * ((bin as f32 + shift) * hertz / 440.0).log2() + 9.0;
            chroma[(semitones.round() as i32).rem_euclid(12) as usize] += here.sqrt();
        }
    }
    chroma
}

/// Pearson's.
fn correlation(a: &[f32; 12], b: &[f32; 12]) -> f32 {
    let mean = |values: &[f32; 12]| values.iter().sum::<f32>() / 12.0;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    ab / (aa * bb).sqrt().max(f32::MIN_POSITIVE)
}
