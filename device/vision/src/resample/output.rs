//! One row of output, until it is written.

use std::array;

use super::{centred, nearest_byte};
use crate::frame::Format;

/// The pixels of one row, each value from 0 to 255: red, green and blue; or the brightness; or for YUYV two parts of the
/// brightness, with one difference of colour between them and the other behind.
#[derive(Debug, Default)]
pub(super) struct OutputRow(Vec<[f32; 4]>);

impl OutputRow {
    /// Makes room for a row of this many pixels.
    pub(super) fn resize(&mut self, width: usize) {
        self.0.resize(width, [0.0; 4]);
    }

    /// The pixels, to be set.
    pub(super) fn pixels(&mut self) -> &mut [[f32; 4]] {
        &mut self.0
    }

    /// Writes the first pixels, as many as `out` holds, in RGB.
    pub(super) fn write(&self, format: Format, out: &mut [i8]) {
        match format {
            Format::Rgb => self.write_as(|rgb| rgb, out),
            Format::Grey => self.write_as(|[y, ..]| [y; 4], out),
            Format::Yuyv => self.write_as(|[y0, cb, y1, cr]| yuv_to_rgb(y0 + y1, cb, cr), out),
        }
    }

    fn write_as(&self, rgb: impl Fn([f32; 4]) -> [f32; 4], out: &mut [i8]) {
        for (pixel, values) in out.as_chunks_mut().0.iter_mut().zip(&self.0) {
            let [r, g, b, _] = rgb(*values).map(|value| centred(nearest_byte(value)));
            *pixel = [r, g, b];
        }
    }
}

/// Red, green, blue and nothing: ITU-R BT.601, limited range, with the coefficients of [`crate::frame::yuv_to_rgb`].
fn yuv_to_rgb(y: f32, cb: f32, cr: f32) -> [f32; 4] {
    const Y: f32 = 298.0 / 256.0;
    const CB: [f32; 4] = [0.0, -100.0 / 256.0, 516.0 / 256.0, 0.0];
    const CR: [f32; 4] = [409.0 / 256.0, -208.0 / 256.0, 0.0, 0.0];
    let (y, cb, cr) = (Y * (y - 16.0), cb - 128.0, cr - 128.0);
    // Four values at once, though one is of no use.
    array::from_fn(|c| (y + CB[c] * cb + CR[c] * cr).clamp(0.0, 255.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame;

    proptest! {
        #[test]
        fn colours_are_those_of_single_pixels(y: u8, cb: u8, cr: u8) {
            let want = frame::yuv_to_rgb(y.into(), cb.into(), cr.into());
            let mut row = OutputRow::default();
            row.resize(1);
            let (y, cb, cr) = (f32::from(y), f32::from(cb), f32::from(cr));
            row.pixels()[0] = [y / 4.0, cb, 0.75 * y, cr];
            let mut out = [0; 3];
            row.write(Format::Yuyv, &mut out);
            for (got, want) in out.into_iter().zip(want) {
                prop_assert!((i32::from(got) + 128 - i32::from(want)).abs() <= 1);
            }
        }

        #[test]
        fn a_number_becomes_the_nearest_byte(value in 0f32..=255.0) {
            let mut row = OutputRow::default();
            row.resize(1);
            row.pixels()[0] = [value, 0.0, 0.0, 0.0];
            let mut out = [0; 3];
            row.write(Format::Grey, &mut out);
            prop_assert!((f32::from(out[1]) + 128.0 - value).abs() <= 0.501);
        }
    }
}
