//! sRGB (IEC 61966-2-1) and CIELAB (ISO/CIE 11664-4).

/// Light of a channel's value, 0..1.
pub(crate) fn linear(value: u8) -> f64 {
    let v = f64::from(value) / 255.0;
    if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

/// The channel's value for an amount of light; more than 1 is cut off.
pub(crate) fn encoded(light: f64) -> u8 {
    let v = if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (255.0 * v).round() as u8
}

/// L*, a* and b* of a pixel, under the white of sRGB (D65).
pub(crate) fn lab(pixel: [u8; 3]) -> [f64; 3] {
    let [r, g, b] = pixel.map(linear);
    let xyz = [
        (0.412_456_4 * r + 0.357_576_1 * g + 0.180_437_5 * b) / 0.950_47,
        0.212_672_9 * r + 0.715_152_2 * g + 0.072_175_0 * b,
        (0.019_333_9 * r + 0.119_192_0 * g + 0.950_304_1 * b) / 1.088_83,
    ];
    let [x, y, z] = xyz.map(|t| if t > 216.0 / 24_389.0 { t.cbrt() } else { (24_389.0 / 27.0 * t + 16.0) / 116.0 });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// Brightness of a pixel, 0..255: Y' of ITU-R BT.601, as the box weighs it.
pub(crate) fn luma([r, g, b]: [u8; 3]) -> f64 {
    0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lab_is_as_published() {
        // Lindbloom's CIE colour calculator (sRGB, D65, no adaptation).
        for (pixel, want) in [
            ([255, 255, 255], [100.0, 0.0, 0.0]),
            ([255, 0, 0], [53.24, 80.09, 67.20]),
            ([0, 0, 255], [32.30, 79.19, -107.86]),
            ([119, 119, 119], [50.03, 0.0, 0.0]),
            ([0, 0, 0], [0.0, 0.0, 0.0]),
        ] {
            for (got, want) in lab(pixel).into_iter().zip(want) {
                assert!((got - want).abs() < 0.02, "{pixel:?}: {:?}", lab(pixel));
            }
        }
    }

    #[test]
    fn every_value_survives_the_way_to_light_and_back() {
        for value in 0..=255 {
            assert_eq!(encoded(linear(value)), value);
        }
        assert_eq!(encoded(3.0), 255);
    }
}
