//! Spectra of overlapping windows.

use std::f32::consts::TAU;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Turns windows of samples into power spectra.
pub(crate) struct Spectrum {
    fft: Arc<dyn Fft<f32>>,
    window: Vec<f32>,
    buffer: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Spectrum {
    /// For windows of this many samples, shaped as by Hann.
    pub(crate) fn new(length: usize) -> Self {
        let fft = FftPlanner::new().plan_fft_forward(length);
        Self {
            window: (0..length).map(|i| 0.5 - 0.5 * (TAU * i as f32 / length as f32).cos()).collect(),
            buffer: vec![Complex::default(); length],
            scratch: vec![Complex::default(); fft.get_inplace_scratch_len()],
            power: vec![0.0; length / 2 + 1],
            fft,
        }
    }

    /// Power in each bin from 0 Hz to half the rate; `samples` has the length of the window.
    pub(crate) fn power(&mut self, samples: &[f32]) -> &[f32] {
        for ((into, sample), weight) in self.buffer.iter_mut().zip(samples).zip(&self.window) {
            *into = Complex::new(sample * weight, 0.0);
        }
        self.fft.process_with_scratch(&mut self.buffer, &mut self.scratch);
        for (power, bin) in self.power.iter_mut().zip(&self.buffer) {
            *power = bin.norm_sqr();
        }
        &self.power
    }
}
