//! What light, cameras and distance do to a face, one step at a time.

use std::f64::consts::TAU;
use std::fmt;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ImageFormat, ImageResult, Rgb, RgbImage};
use serde::{Serialize, Serializer};

use super::colour::{encoded, linear, luma};

/// What a step changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Brightness, contrast and where the light comes from.
    Light,
    /// Grain of the sensor.
    Noise,
    /// Focus and movement.
    Blur,
    /// Distance.
    Scale,
    /// The camera's JPEG.
    Compression,
}

/// Where a light stands, as the picture shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
    Top,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    /// Values 0..1 to this power: below 1 brighter, above 1 darker.
    Gamma(f64),
    /// A light from one side, which falls off evenly to [`FAR_SIDE`] on the other.
    SideLight(Side),
    /// This share of the contrast is left, around the face's own mean.
    Contrast(f64),
    /// So many stops less light.
    Darkness(f64),
    /// Gaussian noise at this ratio of the face's mean square to the noise's, in dB.
    Noise(f64),
    /// Gaussian blur whose standard deviation is this share of the face's width.
    Focus(f64),
    /// Movement to the side over this share of the face's width.
    Motion(f64),
    /// Reduced until the shorter side has so many pixels; the box enlarges it again itself. Smaller faces stay as they are.
    SidePixels(u32),
    /// JPEG of this quality, 1..100.
    Jpeg(u8),
}

/// All steps, in the order of the tables.
pub(crate) const STEPS: [Step; 26] = [
    Step::Gamma(0.4),
    Step::Gamma(0.6),
    Step::Gamma(0.8),
    Step::Gamma(1.3),
    Step::Gamma(1.7),
    Step::Gamma(2.2),
    Step::SideLight(Side::Left),
    Step::SideLight(Side::Right),
    Step::SideLight(Side::Top),
    Step::Contrast(0.4),
    Step::Darkness(2.0),
    Step::Darkness(3.0),
    Step::Noise(30.0),
    Step::Noise(20.0),
    Step::Noise(10.0),
    Step::Focus(0.02),
    Step::Focus(0.04),
    Step::Focus(0.06),
    Step::Motion(0.06),
    Step::Motion(0.12),
    Step::SidePixels(36),
    Step::SidePixels(24),
    Step::SidePixels(16),
    Step::Jpeg(50),
    Step::Jpeg(20),
    Step::Jpeg(10),
];

/// Light on the far side of a face that is lit from the other: two stops less.
const FAR_SIDE: f64 = 0.25;

impl Step {
    /// What it changes.
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Gamma(_) | Self::SideLight(_) | Self::Contrast(_) | Self::Darkness(_) => Kind::Light,
            Self::Noise(_) => Kind::Noise,
            Self::Focus(_) | Self::Motion(_) => Kind::Blur,
            Self::SidePixels(_) => Kind::Scale,
            Self::Jpeg(_) => Kind::Compression,
        }
    }

    /// The face after this step. The same seed gives the same noise.
    ///
    /// # Errors
    /// When the picture cannot be written as JPEG or read again.
    pub(crate) fn applied(self, face: &RgbImage, seed: u64) -> ImageResult<RgbImage> {
        let (width, height) = face.dimensions();
        Ok(match self {
            Self::Gamma(gamma) => each_value(face, |v| 255.0 * (f64::from(v) / 255.0).powf(gamma)),
            Self::Contrast(share) => {
                let mean = face.pixels().map(|p| luma(p.0)).sum::<f64>() / f64::from(width * height);
                each_value(face, |v| mean + share * (f64::from(v) - mean))
            }
            Self::Darkness(stops) => each_value(face, |v| encoded(linear(v) * (-stops).exp2()).into()),
            Self::SideLight(from) => lit(face, from),
            Self::Noise(decibels) => noisy(face, decibels, seed),
            Self::Focus(share) => imageops::blur(face, (share * f64::from(width)) as f32),
            Self::Motion(share) => moved(face, ((share * f64::from(width)).round() as u32).max(1)),
            Self::SidePixels(side) => {
                let shrink = f64::from(side) / f64::from(width.min(height));
                let scaled = |length: u32| (f64::from(length) * shrink).round() as u32;
                if shrink < 1.0 {
                    imageops::resize(face, scaled(width), scaled(height), FilterType::Triangle)
                } else {
                    face.clone()
                }
            }
            Self::Jpeg(quality) => {
                let mut bytes = Vec::new();
                JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(face)?;
                image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg)?.into_rgb8()
            }
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gamma(gamma) => write!(f, "gamma {gamma:.1}"),
            Self::SideLight(Side::Left) => write!(f, "light from the left"),
            Self::SideLight(Side::Right) => write!(f, "light from the right"),
            Self::SideLight(Side::Top) => write!(f, "light from the top"),
            Self::Contrast(share) => write!(f, "contrast {:.0} %", 100.0 * share),
            Self::Darkness(stops) => write!(f, "{stops:.0} stops darker"),
            Self::Noise(decibels) => write!(f, "SNR {decibels:.0} dB"),
            Self::Focus(share) => write!(f, "Gaussian blur {:.0} %", 100.0 * share),
            Self::Motion(share) => write!(f, "motion blur {:.0} %", 100.0 * share),
            Self::SidePixels(side) => write!(f, "{side} px"),
            Self::Jpeg(quality) => write!(f, "JPEG quality {quality}"),
        }
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn each_value(face: &RgbImage, new: impl Fn(u8) -> f64) -> RgbImage {
    let table: [u8; 256] = std::array::from_fn(|v| new(v as u8).round().clamp(0.0, 255.0) as u8);
    let mut changed = face.clone();
    changed.iter_mut().for_each(|v| *v = table[usize::from(*v)]);
    changed
}

fn lit(face: &RgbImage, from: Side) -> RgbImage {
    let (width, height) = face.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let along = |at: u32, length: u32| (f64::from(at) + 0.5) / f64::from(length);
        let distance = match from {
            Side::Left => along(x, width),
            Side::Right => 1.0 - along(x, width),
            Side::Top => along(y, height),
        };
        let light = 1.0 - (1.0 - FAR_SIDE) * distance;
        Rgb(face.get_pixel(x, y).0.map(|v| encoded(light * linear(v))))
    })
}

/// The same noise on the three channels, so that the ratio holds for the brightness, which is all that the box reads.
fn noisy(face: &RgbImage, decibels: f64, seed: u64) -> RgbImage {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut gaussian = || (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (TAU * random.f64()).cos();
    let (width, height) = face.dimensions();
    let power = face.pixels().map(|p| luma(p.0).powi(2)).sum::<f64>() / f64::from(width * height);
    let deviation = (power / 10f64.powf(decibels / 10.0)).sqrt();
    let mut changed = face.clone();
    for pixel in changed.pixels_mut() {
        let noise = deviation * gaussian();
        pixel.0 = pixel.0.map(|v| (f64::from(v) + noise).round().clamp(0.0, 255.0) as u8);
    }
    changed
}

/// The mean of so many neighbours in a row; beyond the border its pixel goes on.
fn moved(face: &RgbImage, length: u32) -> RgbImage {
    let (width, height) = face.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let mut sums = [length / 2; 3];
        for i in 0..length {
            let at = (x + i).saturating_sub(length / 2).min(width - 1);
            for (sum, v) in sums.iter_mut().zip(face.get_pixel(at, y).0) {
                *sum += u32::from(v);
            }
        }
        Rgb(sums.map(|sum| (sum / length) as u8))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn face(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(37 * x + 90) as u8, (91 * y) as u8, (13 * (x + y)) as u8]))
    }

    fn even(value: u8) -> RgbImage {
        RgbImage::from_pixel(48, 48, Rgb([value; 3]))
    }

    fn value_after(step: Step, value: u8) -> u8 {
        step.applied(&even(value), 0).unwrap().get_pixel(24, 24).0[0]
    }

    #[test]
    fn light_follows_its_formulas() {
        assert_eq!(value_after(Step::Gamma(2.2), 186), 127, "255 (186/255)^2.2 = 127.3");
        assert_eq!(value_after(Step::Gamma(0.4), 64), 147, "255 (64/255)^.4 = 146.6");
        // sRGB 188 is half of the light, 99 an eighth.
        assert_eq!((value_after(Step::Darkness(2.0), 188), value_after(Step::Darkness(1.0), 255)), (99, 188));
        assert_eq!(value_after(Step::Contrast(0.4), 90), 90, "around the mean");
        let halves = RgbImage::from_fn(48, 48, |x, _| Rgb([if x < 24 { 50 } else { 150 }; 3]));
        let flat = Step::Contrast(0.4).applied(&halves, 0).unwrap();
        assert_eq!((flat.get_pixel(0, 0).0, flat.get_pixel(47, 0).0), ([80; 3], [120; 3]));
    }

    #[test]
    fn a_light_stands_where_its_name_says() {
        for (from, bright, dark) in
            [(Side::Left, (0, 24), (47, 24)), (Side::Right, (47, 24), (0, 24)), (Side::Top, (24, 0), (24, 47))]
        {
            let lit = Step::SideLight(from).applied(&even(200), 0).unwrap();
            let at = |(x, y)| linear(lit.get_pixel(x, y).0[0]) / linear(200);
            assert!(
                at(bright) > 0.97 && (at(dark) / FAR_SIDE - 1.0).abs() < 0.05,
                "{from:?}: {} {}",
                at(bright),
                at(dark)
            );
        }
    }

    #[test]
    fn noise_has_the_ratio_it_is_named_after() {
        for decibels in [30.0, 20.0] {
            let clean = RgbImage::from_pixel(200, 200, Rgb([120; 3]));
            let noisy = Step::Noise(decibels).applied(&clean, 7).unwrap();
            let noise = noisy.pixels().map(|p| (f64::from(p.0[0]) - 120.0).powi(2)).sum::<f64>() / 40_000.0;
            let measured = 10.0 * (120.0f64.powi(2) / noise).log10();
            assert!((measured - decibels).abs() < 0.3, "{measured} dB");
        }
    }

    #[test]
    fn motion_smears_a_line_over_its_length() {
        let line = RgbImage::from_fn(50, 4, |x, _| Rgb([if x == 25 { 180 } else { 0 }; 3]));
        let smeared = Step::Motion(0.12).applied(&line, 0).unwrap();
        for x in 0..50 {
            let expected = if (23..29).contains(&x) { 30 } else { 0 };
            assert_eq!(smeared.get_pixel(x, 0).0, [expected; 3], "at {x}");
        }
    }

    #[test]
    fn each_step_has_a_name_of_its_own() {
        let names: BTreeSet<_> = STEPS.iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), STEPS.len());
    }

    proptest! {
        #[test]
        fn every_step_takes_a_face_of_any_size(width in 1u32..70, height in 1u32..70, step in 0..STEPS.len(), seed: u64) {
            let (face, step) = (face(width, height), STEPS[step]);
            let changed = step.applied(&face, seed).unwrap();
            prop_assert_eq!(&changed, &step.applied(&face, seed).unwrap());
            if step.kind() == Kind::Scale {
                prop_assert!(changed.width() <= width && changed.height() <= height && changed.width() > 0);
            } else {
                prop_assert_eq!(changed.dimensions(), face.dimensions());
            }
        }
    }
}
