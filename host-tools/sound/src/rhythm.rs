//! Onsets and tempo from the spectral flux.

/// An onset stands out from the flux around it by this much, and is the highest within this time in seconds.
const STANDS_OUT: f32 = 0.1;
const ALONE: f32 = 0.03;
const AROUND: f32 = 0.1;

/// Tempi that are looked for, in beats a minute.
const SLOWEST: f32 = 40.0;
const FASTEST: f32 = 220.0;

/// Where people prefer the beat, in seconds, and how much, in octaves: Ellis, "Beat tracking by dynamic programming", 2007.
const PREFERRED_PERIOD: f32 = 0.5;
const PREFERENCE: f32 = 1.4;

/// Autocorrelation below which there is no beat; that of noise stays under a third of it.
const BEAT: f32 = 0.1;

/// Standard deviation of the flux below which nothing happens; that of a held tone is a fifth of it, of drums ten times it.
const EVEN: f32 = 0.02;

/// Onsets in a second: local peaks of the flux, picked as by Dixon, "Onset detection revisited", 2006.
pub(crate) fn onset_rate(flux: &[f32], per_second: f32) -> f32 {
    let (alone, around) = ((ALONE * per_second).round() as usize, (AROUND * per_second).round() as usize);
    let is_onset = |&at: &usize| {
        let window = |reach: usize| &flux[at.saturating_sub(reach)..(at + reach + 1).min(flux.len())];
        let near = window(around);
        let mean = near.iter().sum::<f32>() / near.len() as f32;
        let first = at == 0 || flux[at - 1] < flux[at];
        first && window(alone).iter().all(|other| *other <= flux[at]) && flux[at] > mean + STANDS_OUT
    };
    (0..flux.len()).filter(is_onset).count() as f32 * per_second / flux.len().max(1) as f32
}

/// Beats a minute, nothing where none is felt. Of the octaves of a tempo that fit, the one that people would tap.
pub(crate) fn tempo(flux: &[f32], per_second: f32) -> Option<f32> {
    let shortest = (60.0 / FASTEST * per_second).floor().max(2.0) as usize;
    let longest = (60.0 / SLOWEST * per_second).ceil() as usize;
    // Three periods are looked at, and a half more to have their neighbours.
    let correlation = autocorrelation(&detrended(flux, per_second), 3 * longest + 2)?;
    let strength = |lag: usize| {
        let octaves = (lag as f32 / per_second / PREFERRED_PERIOD).log2() / PREFERENCE;
        (-0.5 * octaves * octaves).exp() * correlation[lag]
    };
    // A beat is strong where its double or triple is strong too: Ellis' duple and triple resampling.
    let with_multiple = |lag: usize, multiple: usize| {
        let far = multiple * lag;
        strength(lag) + 0.5 * strength(far) + 0.25 * (strength(far - 1) + strength(far + 1))
    };
    let score = |lag: usize| with_multiple(lag, 2).max(with_multiple(lag, 3));
    let best = (shortest..=longest).max_by(|a, b| score(*a).total_cmp(&score(*b)))?;
    if correlation[best] < BEAT {
        return None;
    }
    Some(60.0 * per_second / refined(&correlation, best))
}

/// The flux without what changes slowly.
fn detrended(flux: &[f32], per_second: f32) -> Vec<f32> {
    let reach = (per_second / 2.0) as usize;
    let mut sums = vec![0f64; flux.len() + 1];
    for (index, value) in flux.iter().enumerate() {
        sums[index + 1] = sums[index] + f64::from(*value);
    }
    let mean = |at: usize| {
        let (from, to) = (at.saturating_sub(reach), (at + reach + 1).min(flux.len()));
        ((sums[to] - sums[from]) / (to - from) as f64) as f32
    };
    flux.iter().enumerate().map(|(at, value)| value - mean(at)).collect()
}

/// Correlation of the values with themselves at lags up to `most`, 1 at none. Nothing for too few, or where all is even.
fn autocorrelation(values: &[f32], most: usize) -> Option<Vec<f32>> {
    let at_lag = |lag: usize| values.iter().zip(&values[lag..]).map(|(a, b)| a * b).sum::<f32>();
    let whole = at_lag(0);
    (values.len() > most && whole > EVEN * EVEN * values.len() as f32)
        .then(|| (0..=most).map(|lag| at_lag(lag) / whole).collect())
}

/// The top of the parabola through a peak and its neighbours.
fn refined(values: &[f32], peak: usize) -> f32 {
    let (before, top, after) = (values[peak - 1], values[peak], values[peak + 1]);
    let curvature = before - 2.0 * top + after;
    let shift = if curvature < 0.0 { 0.5 * (before - after) / curvature } else { 0.0 };
    peak as f32 + shift.clamp(-0.5, 0.5)
}
