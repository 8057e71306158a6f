//! Loudness as broadcasters measure it: ITU-R BS.1770-4, for one channel.

use std::f64::consts::PI;

/// Length of a block in seconds, and the share of it after which the next one starts.
const BLOCK: f64 = 0.4;
const STEP: f64 = 0.1;

/// Blocks quieter than this are silence, in LUFS; those this much quieter than the rest are pauses.
const ABSOLUTE_GATE: f64 = -70.0;
const RELATIVE_GATE: f64 = -10.0;

/// A filter of second order in direct form I.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    x: [f64; 2],
    y: [f64; 2],
}

impl Biquad {
    fn new(b: [f64; 3], a: [f64; 3]) -> Self {
        Self { b: b.map(|v| v / a[0]), a: [a[1] / a[0], a[2] / a[0]], x: [0.0; 2], y: [0.0; 2] }
    }

    fn step(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.b[1] * self.x[0] + self.b[2] * self.x[1]
            - self.a[0] * self.y[0]
            - self.a[1] * self.y[1];
        self.x = [x, self.x[0]];
        self.y = [y, self.y[0]];
        y
    }
}

/// The two K-weighting filters at any rate. The standard gives coefficients for 48 kHz only; these are the analogue
/// prototypes that they come from (De Man, "Evaluation of implementations of the EBU R128 loudness measurement", 2018).
fn k_weighting(rate: f64) -> [Biquad; 2] {
    let shelf = {
        let (frequency, gain, q) = (1_681.974_450_955_533, 3.999_843_853_973_347, 0.707_175_236_955_419_6);
        let k = (PI * frequency / rate).tan();
        let high = 10f64.powf(gain / 20.0);
        let band = high.powf(0.499_666_774_154_541_6);
        Biquad::new(
            [high + band * k / q + k * k, 2.0 * (k * k - high), high - band * k / q + k * k],
            [1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k],
        )
    };
    let high_pass = {
        let (frequency, q) = (38.135_470_876_024_44, 0.500_327_037_323_877_3);
        let k = (PI * frequency / rate).tan();
        let a = [1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k];
        // The standard leaves this filter's gain as it is.
        Biquad::new([a[0], -2.0 * a[0], a[0]], a)
    };
    [shelf, high_pass]
}

/// Integrated loudness in LUFS; nothing where all is silence.
pub(crate) fn integrated(samples: &[f32], rate: u32) -> Option<f32> {
    let rate = f64::from(rate);
    let mut filters = k_weighting(rate);
    let step = (STEP * rate).round().max(1.0) as usize;
    let steps_per_block = (BLOCK / STEP).round() as usize;
    let energies: Vec<f64> = samples
        .chunks_exact(step)
        .map(|chunk| {
            let energy = |x: &f32| filters.iter_mut().fold(f64::from(*x), |x, filter| filter.step(x)).powi(2);
            chunk.iter().map(energy).sum::<f64>() / step as f64
        })
        .collect();
    let blocks: Vec<f64> =
        energies.windows(steps_per_block).map(|block| block.iter().sum::<f64>() / steps_per_block as f64).collect();
    let mean_above = |gate: f64| {
        let loud: Vec<f64> = blocks.iter().copied().filter(|energy| lufs(*energy) > gate).collect();
        (!loud.is_empty()).then(|| loud.iter().sum::<f64>() / loud.len() as f64)
    };
    let ungated = mean_above(ABSOLUTE_GATE)?;
    let gated = mean_above((lufs(ungated) + RELATIVE_GATE).max(ABSOLUTE_GATE))?;
    Some(lufs(gated) as f32)
}

fn lufs(energy: f64) -> f64 {
    -0.691 + 10.0 * energy.log10()
}
