//! Skin tone as a picture shows it: the individual typology angle.

use image::RgbImage;
use moodbox_core::face::BBox;
use serde::Serialize;

use super::colour::lab;

/// The classes of the individual typology angle (ITA), from dark to very light: Chardon, Cretois and Hourseau 1991, with
/// the sixth that Del Bino and Bernerd 2013 added. They are of pixels, not of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tone {
    /// Up to -30 degrees.
    Dark,
    /// Up to 10 degrees.
    Brown,
    /// Up to 28 degrees.
    Tan,
    /// Up to 41 degrees.
    Intermediate,
    /// Up to 55 degrees.
    Light,
    /// Above.
    VeryLight,
}

/// What anybody who reads figures by tone has to know.
pub(crate) const CAUTION: &str = "Skin tone is the ITA angle of the cheeks' pixels, so it measures the light and the \
    camera's colours as much as the skin: half the light moves a cheek by two or three classes, and warm light makes it \
    look darker. Read it as \"cheeks that look so dark in this picture\". It says nothing about who somebody is, and \
    two groups whose intervals meet may differ all the same.";

impl Tone {
    /// All of them, from dark to very light.
    pub(crate) const ALL: [Self; 6] =
        [Self::Dark, Self::Brown, Self::Tan, Self::Intermediate, Self::Light, Self::VeryLight];

    /// The class with its angles.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark (to -30)",
            Self::Brown => "brown (to 10)",
            Self::Tan => "tan (to 28)",
            Self::Intermediate => "intermediate (to 41)",
            Self::Light => "light (to 55)",
            Self::VeryLight => "very light (above)",
        }
    }

    /// The class of an angle in degrees.
    pub(crate) fn of(ita: f64) -> Self {
        match ita {
            ..=-30.0 => Self::Dark,
            ..=10.0 => Self::Brown,
            ..=28.0 => Self::Tan,
            ..=41.0 => Self::Intermediate,
            ..=55.0 => Self::Light,
            _ => Self::VeryLight,
        }
    }
}

/// Where the cheeks are in the box of a face that looks into the camera, in parts of its width and height: left, top,
/// width, height. Below the eyes, beside the nose, above the mouth.
const CHEEKS: [BBox; 2] = [BBox { x: 0.17, y: 0.52, w: 0.16, h: 0.16 }, BBox { x: 0.67, y: 0.52, w: 0.16, h: 0.16 }];

/// Fewest pixels to tell a tone from.
const LEAST_PIXELS: usize = 24;

/// Pixels whose brightest channel is outside have lost their colour: overexposed, or little but noise.
const EXPOSED: std::ops::RangeInclusive<u8> = 20..=250;

/// Least yellow (b*) of skin. A grey picture has none, nor has one in blue light; the angle means nothing there.
const LEAST_YELLOW: f64 = 2.0;

/// The tone of a face: `atan((L* - 50) / b*)` of the medians over both cheeks. `None` where the picture does not show it.
pub(crate) fn tone(picture: &RgbImage, face: &BBox) -> Option<Tone> {
    let (mut lightness, mut yellow) = (Vec::new(), Vec::new());
    for cheek in CHEEKS {
        let part = BBox {
            x: face.x + cheek.x * face.w,
            y: face.y + cheek.y * face.h,
            w: cheek.w * face.w,
            h: cheek.h * face.h,
        };
        for pixel in pixels(picture, &part).filter(|p| p.iter().max().is_some_and(|v| EXPOSED.contains(v))) {
            let [l, _, b] = lab(pixel);
            lightness.push(l);
            yellow.push(b);
        }
    }
    if lightness.len() < LEAST_PIXELS {
        return None;
    }
    let (lightness, yellow) = (median(&mut lightness), median(&mut yellow));
    (yellow >= LEAST_YELLOW).then(|| Tone::of(((lightness - 50.0) / yellow).atan().to_degrees()))
}

/// The pixels whose middle is in a box, as far as it lies in the picture.
pub(crate) fn pixels<'a>(picture: &'a RgbImage, part: &BBox) -> impl Iterator<Item = [u8; 3]> + 'a {
    let range = |start: f32, length: f32, end: u32| {
        let clamped = |at: f32| (at.round().max(0.0) as u32).min(end);
        clamped(start)..clamped(start + length)
    };
    let (columns, rows) = (range(part.x, part.w, picture.width()), range(part.y, part.h, picture.height()));
    rows.flat_map(move |y| columns.clone().map(move |x| picture.get_pixel(x, y).0))
}

/// The upper median; the values are not empty.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use proptest::prelude::*;

    use super::*;
    use crate::eval::colour::{encoded, linear};

    const FACE: BBox = BBox { x: 10.0, y: 10.0, w: 60.0, h: 80.0 };

    fn of(pixel: [u8; 3]) -> Option<Tone> {
        tone(&RgbImage::from_pixel(100, 100, Rgb(pixel)), &FACE)
    }

    #[test]
    fn the_skin_patches_of_the_colour_checker_have_their_tones() {
        // The first two patches of the Macbeth ColorChecker in sRGB. Light skin is L* 65.7, b* 17.8: 41.4 degrees; dark
        // skin is L* 38.0, b* 14.1: -40.5 degrees (scikit-image's rgb2lab).
        assert_eq!(of([194, 150, 130]), Some(Tone::Light));
        assert_eq!(of([115, 82, 68]), Some(Tone::Dark));
    }

    #[test]
    fn classes_end_where_chardon_says() {
        let ends = [-30.0, 10.0, 28.0, 41.0, 55.0];
        for (end, pair) in ends.into_iter().zip(Tone::ALL.windows(2)) {
            assert_eq!([Tone::of(end), Tone::of(end + 0.01)], pair);
        }
    }

    #[test]
    fn half_the_light_looks_three_classes_darker() {
        let halved = [194, 150, 130].map(|v| encoded(linear(v) / 2.0));
        assert_eq!(of(halved), Some(Tone::Brown), "light, intermediate, tan, brown");
    }

    #[test]
    fn no_tone_is_told_where_none_is_seen() {
        for (pixel, why) in
            [([128; 3], "grey"), ([255, 230, 200], "overexposed"), ([12, 8, 6], "dark"), ([90, 100, 160], "blue light")]
        {
            assert_eq!(of(pixel), None, "{why}");
        }
        let picture = RgbImage::from_pixel(100, 100, Rgb([194, 150, 130]));
        assert_eq!(tone(&picture, &BBox { w: 12.0, h: 16.0, ..FACE }), None, "too few pixels");
        assert_eq!(tone(&picture, &BBox { x: 95.0, ..FACE }), None, "outside");
    }

    #[test]
    fn only_the_cheeks_count() {
        // Beard, hair, eyes and background in blue; the cheeks in skin.
        let picture = RgbImage::from_fn(100, 100, |x, y| {
            let inside = (54..64).contains(&y) && ((21..29).contains(&x) || (51..59).contains(&x));
            Rgb(if inside { [194, 150, 130] } else { [20, 40, 200] })
        });
        assert_eq!(tone(&picture, &FACE), Some(Tone::Light));
    }

    proptest! {
        #[test]
        fn any_box_is_taken(x in -1e4f32..1e4, y in -1e4f32..1e4, w in 0f32..1e4, h in 0f32..1e4) {
            let picture = RgbImage::from_pixel(40, 30, Rgb([194, 150, 130]));
            let seen = tone(&picture, &BBox { x, y, w, h });
            prop_assert!(seen.is_none_or(|t| t == Tone::Light));
        }
    }
}
