//! The inverse discrete cosine transform of a block: whole, or at half of its size from its low frequencies alone.

use std::array;
use std::f32::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

/// A block of N x N values. Of coefficients the first index is the frequency across, of samples the row.
pub(super) type Block<const N: usize> = [[f32; N]; N];

/// Where the coefficients lie that come one after the other: (frequency across, frequency down).
pub(super) const ZIGZAG: [(usize, usize); 64] = zigzag();

const fn zigzag() -> [(usize, usize); 64] {
    let mut order = [(0, 0); 64];
    let (mut k, mut diagonal) = (0, 0);
    while diagonal < 15 {
        let mut step = 0;
        while step <= diagonal {
            let across = if diagonal % 2 == 0 { step } else { diagonal - step };
            let down = diagonal - across;
            if across < 8 && down < 8 {
                order[k] = (across, down);
                k += 1;
            }
            step += 1;
        }
        diagonal += 1;
    }
    order
}

/// What a coefficient is to be multiplied with before [`whole`].
pub(super) fn whole_scale(across: usize, down: usize) -> f32 {
    let scale = |frequency: usize| if frequency == 0 { 1.0 } else { SQRT_2 * (frequency as f32 * PI / 16.0).cos() };
    scale(across) * scale(down) / 8.0
}

/// What a coefficient is to be multiplied with before [`half`]; those of high frequencies have no place in it.
pub(super) fn half_scale(across: usize, down: usize) -> f32 {
    let scale = |frequency: usize| if frequency == 0 { FRAC_1_SQRT_2 } else { 1.0 };
    scale(across) * scale(down) / 4.0
}

/// The samples of a block. Both ways by the algorithm of Arai, Agui and Nakajima (1988), with 5 multiplications for 8 values.
pub(super) fn whole(coefficients: &Block<8>) -> Block<8> {
    eight(&transposed(&eight(coefficients)))
}

/// The samples of a block at half of its size.
pub(super) fn half(coefficients: &Block<4>) -> Block<4> {
    four(&transposed(&four(coefficients)))
}

fn transposed<const N: usize>(block: &Block<N>) -> Block<N> {
    array::from_fn(|i| array::from_fn(|k| block[k][i]))
}

/// Several values at once, which the compiler turns into vectors.
fn each<const N: usize>(a: &[f32; N], b: &[f32; N], of: impl Fn(f32, f32) -> f32) -> [f32; N] {
    array::from_fn(|i| of(a[i], b[i]))
}

fn sum<const N: usize>(a: &[f32; N], b: &[f32; N]) -> [f32; N] {
    each(a, b, |a, b| a + b)
}

fn difference<const N: usize>(a: &[f32; N], b: &[f32; N]) -> [f32; N] {
    each(a, b, |a, b| a - b)
}

/// Along the first index.
fn eight(v: &Block<8>) -> Block<8> {
    let (sum04, difference04) = (sum(&v[0], &v[4]), difference(&v[0], &v[4]));
    let sum26 = sum(&v[2], &v[6]);
    let turned26 = each(&difference(&v[2], &v[6]), &sum26, |d, s| d * SQRT_2 - s);
    let even = [
        sum(&sum04, &sum26),
        sum(&difference04, &turned26),
        difference(&difference04, &turned26),
        difference(&sum04, &sum26),
    ];
    let (sum53, difference53) = (sum(&v[5], &v[3]), difference(&v[5], &v[3]));
    let (sum17, difference17) = (sum(&v[1], &v[7]), difference(&v[1], &v[7]));
    let both = each(&difference53, &difference17, |a, b| (a + b) * 1.847_759);
    let odd0 = sum(&sum17, &sum53);
    let odd1 = difference(&each(&both, &difference53, |z, d| z - d * 2.613_126), &odd0);
    let odd2 = difference(&each(&sum17, &sum53, |a, b| (a - b) * SQRT_2), &odd1);
    let odd3 = difference(&each(&both, &difference17, |z, d| z - d * 1.082_392_2), &odd2);
    let odd = [odd0, odd1, odd2, odd3];
    array::from_fn(|i| if i < 4 { sum(&even[i], &odd[i]) } else { difference(&even[7 - i], &odd[7 - i]) })
}

/// Along the first index.
fn four(v: &Block<4>) -> Block<4> {
    // The cosine and the sine of an eighth of half a turn.
    const C: f32 = 0.923_879_5;
    const S: f32 = 0.382_683_43;
    let even = [each(&v[0], &v[2], |a, b| a + FRAC_1_SQRT_2 * b), each(&v[0], &v[2], |a, b| a - FRAC_1_SQRT_2 * b)];
    let odd = [each(&v[1], &v[3], |a, b| C * a + S * b), each(&v[1], &v[3], |a, b| S * a - C * b)];
    [sum(&even[0], &odd[0]), sum(&even[1], &odd[1]), difference(&even[1], &odd[1]), difference(&even[0], &odd[0])]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sample (x, y) of N x N by the definition (T.81, A.3.3, with the gain of 8 x 8).
    fn sample<const N: usize>(coefficients: &[[f32; 8]; 8], x: usize, y: usize) -> f32 {
        let basis = |frequency: usize, at: usize| {
            let gain = if frequency == 0 { FRAC_1_SQRT_2 } else { 1.0 };
            gain * ((2 * at + 1) as f32 * frequency as f32 * PI / (2 * N) as f32).cos()
        };
        let mut sum = 0.0;
        for (u, column) in coefficients.iter().enumerate().take(N) {
            for (v, value) in column.iter().enumerate().take(N) {
                sum += basis(u, x) * basis(v, y) * value / 4.0;
            }
        }
        sum
    }

    proptest! {
        #[test]
        fn both_follow_the_definition(values in prop::array::uniform8(prop::array::uniform8(-200f32..200.0))) {
            let all: Block<8> = array::from_fn(|u| array::from_fn(|v| values[u][v] * whole_scale(u, v)));
            let low: Block<4> = array::from_fn(|u| array::from_fn(|v| values[u][v] * half_scale(u, v)));
            let (all, low) = (whole(&all), half(&low));
            for (i, got) in all.as_flattened().iter().enumerate() {
                prop_assert!((got - sample::<8>(&values, i % 8, i / 8)).abs() < 0.05);
            }
            for (i, got) in low.as_flattened().iter().enumerate() {
                prop_assert!((got - sample::<4>(&values, i % 4, i / 4)).abs() < 0.05);
            }
        }
    }

    #[test]
    fn the_zigzag_is_that_of_the_standard() {
        let order = ZIGZAG.map(|(across, down)| 8 * down + across);
        assert_eq!(order[..12], [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25]);
        assert_eq!(order[60..], [47, 55, 62, 63]);
    }
}
