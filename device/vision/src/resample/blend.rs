//! Means of rows, as the bytes of a frame lie in them, and the brightness of what comes out.

use crate::frame::Format;

/// Values that are added up in registers before they are written.
const AT_ONCE: usize = 64;

/// Writes the mean of rows, in 1/256: `row(k)` counts as often as `weights[k]` says, and the weights sum to 256. `value` reads a
/// byte.
pub(crate) fn blend<'a, T: Copy + 'a>(
    row: impl Fn(usize) -> &'a [T],
    weights: &[u16],
    value: impl Fn(T) -> u8,
    means: &mut [u16],
) {
    let (chunks, rest) = means.as_chunks_mut::<AT_ONCE>();
    let last = AT_ONCE * chunks.len();
    for (i, chunk) in chunks.iter_mut().enumerate() {
        let mut sums = [0; AT_ONCE];
        for (k, weight) in weights.iter().enumerate() {
            add(&row(k)[AT_ONCE * i..][..AT_ONCE], *weight, &value, &mut sums);
        }
        *chunk = sums;
    }
    rest.fill(0);
    for (k, weight) in weights.iter().enumerate() {
        add(&row(k)[last..], *weight, &value, rest);
    }
}

fn add<T: Copy>(row: &[T], weight: u16, value: impl Fn(T) -> u8, sums: &mut [u16]) {
    for (sum, byte) in sums.iter_mut().zip(row) {
        *sum += u16::from(value(*byte)) * weight;
    }
}

/// Writes the brightness, 0..255, of the mean of rows of a format, each of as many pixels as `out` has: Y' of ITU-R BT.601, full
/// range. `means` is room for it.
pub(crate) fn blend_luma<'a>(
    format: Format,
    row: impl Fn(usize) -> &'a [u8],
    weights: &[u16],
    means: &mut Vec<u16>,
    out: &mut [f32],
) {
    match format {
        Format::Rgb => {
            means.resize(3 * out.len(), 0);
            blend(row, weights, |byte| byte, means);
            for (luma, [r, g, b]) in out.iter_mut().zip(means.as_chunks().0) {
                *luma = (0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)) / 256.0;
            }
        }
        Format::Grey => {
            means.resize(out.len(), 0);
            blend(row, weights, |byte| byte, means);
            for (luma, y) in out.iter_mut().zip(means) {
                *luma = f32::from(*y) / 256.0;
            }
        }
        // Limited range, 16..235, stretched.
        Format::Yuyv => {
            means.resize(out.len(), 0);
            blend(|k| row(k).as_chunks().0, weights, |[y, _]: [u8; 2]| y, means);
            for (luma, y) in out.iter_mut().zip(means) {
                *luma = (298.0 / 256.0 * (f32::from(*y) / 256.0 - 16.0)).clamp(0.0, 255.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brightness_follows_bt_601() {
        let luma = |format, upper: &[u8], lower: &[u8]| {
            let mut luma = [0.0; 2];
            blend_luma(format, |k| if k == 0 { upper } else { lower }, &[128, 128], &mut Vec::new(), &mut luma);
            luma
        };
        // Black and white in limited range, and what lies beyond them.
        for (y, want) in [(16, 0.0), (235, 255.0), (0, 0.0), (255, 255.0)] {
            let got = luma(Format::Yuyv, &[y, 0, y, 255], &[y, 255, y, 0]);
            assert!(got.iter().all(|got| (got - want).abs() < 0.1), "{y}: {got:?}");
        }
        let got = luma(Format::Rgb, &[255, 0, 0, 0, 255, 0], &[255, 0, 0, 0, 255, 0]);
        assert!((got[0] - 76.2).abs() < 0.1 && (got[1] - 149.7).abs() < 0.1, "{got:?}");
        let got = luma(Format::Grey, &[7, 9], &[7, 10]);
        assert!((got[0] - 7.0).abs() < 1e-6 && (got[1] - 9.5).abs() < 1e-6, "{got:?}");
    }

    #[test]
    fn a_blend_is_the_weighted_mean_whatever_the_length() {
        for length in [1, 31, 32, 33, 100] {
            let rows: Vec<Vec<u8>> = (0..3).map(|k| (0..length).map(|i| (i * 7 + k * 50) as u8).collect()).collect();
            let mut means = vec![1; length];
            blend(|k| &rows[k], &[64, 128, 64], |byte| byte, &mut means);
            for (i, mean) in means.iter().enumerate() {
                let want: u16 = [64, 128, 64].iter().zip(&rows).map(|(weight, row)| weight * u16::from(row[i])).sum();
                assert_eq!(*mean, want, "{i} of {length}");
            }
        }
    }
}
