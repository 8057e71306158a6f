//! One row of output, a plane for each colour, until it is written.

use super::{centred, nearest_byte};
use crate::frame::Format;

/// Red, green and blue of one row; until they are written, what the frame has in their place: for YUYV the brightness and
/// the two differences of colour, for grey the brightness in the first.
#[derive(Debug, Default)]
pub(super) struct Planes([Vec<f32>; 3]);

impl Planes {
    /// Makes room for a row of this many pixels.
    pub(super) fn resize(&mut self, width: usize) {
        for plane in &mut self.0 {
            plane.resize(width, 0.0);
        }
    }

    /// Sets pixel `i`, each value from 0 to 255.
    pub(super) fn set(&mut self, i: usize, values: [f32; 3]) {
        for (plane, value) in self.0.iter_mut().zip(values) {
            plane[i] = value;
        }
    }

    /// Writes the first pixels, as many as `out` holds, in RGB.
    pub(super) fn write(&mut self, format: Format, out: &mut [i8]) {
        let [first, second, third] = &mut self.0;
        match format {
            Format::Rgb => {}
            Format::Grey => {
                second.copy_from_slice(first);
                third.copy_from_slice(first);
            }
            Format::Yuyv => {
                for ((y, cb), cr) in first.iter_mut().zip(&mut *second).zip(&mut *third) {
                    let rgb = yuv_to_rgb(*y, *cb, *cr);
                    (*y, *cb, *cr) = (rgb[0], rgb[1], rgb[2]);
                }
            }
        }
        let byte = |value: f32| centred(nearest_byte(value));
        for (pixel, ((r, g), b)) in out.chunks_exact_mut(3).zip(first.iter().zip(&*second).zip(&*third)) {
            (pixel[0], pixel[1], pixel[2]) = (byte(*r), byte(*g), byte(*b));
        }
    }
}

/// ITU-R BT.601, limited range, with the coefficients of [`crate::frame::yuv_to_rgb`].
fn yuv_to_rgb(y: f32, cb: f32, cr: f32) -> [f32; 3] {
    let (y, cb, cr) = (298.0 / 256.0 * (y - 16.0), cb - 128.0, cr - 128.0);
    let (r, g, b) = (y + 409.0 / 256.0 * cr, y - 100.0 / 256.0 * cb - 208.0 / 256.0 * cr, y + 516.0 / 256.0 * cb);
    [r, g, b].map(|v| v.clamp(0.0, 255.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame;

    proptest! {
        #[test]
        fn colours_are_those_of_single_pixels(y: u8, cb: u8, cr: u8) {
            let mut planes = Planes::default();
            planes.resize(1);
            planes.set(0, [y, cb, cr].map(f32::from));
            let mut out = [0; 3];
            planes.write(Format::Yuyv, &mut out);
            for (got, want) in out.into_iter().zip(frame::yuv_to_rgb(y.into(), cb.into(), cr.into())) {
                prop_assert!((i32::from(got) + 128 - i32::from(want)).abs() <= 1);
            }
        }

        #[test]
        fn a_number_becomes_the_nearest_byte(value in 0f32..=255.0) {
            let mut planes = Planes::default();
            planes.resize(1);
            planes.set(0, [value, 0.0, 0.0]);
            let mut out = [0; 3];
            planes.write(Format::Grey, &mut out);
            prop_assert!((f32::from(out[1]) + 128.0 - value).abs() <= 0.501);
        }
    }
}
