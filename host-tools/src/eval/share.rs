//! Shares of counts, with the interval in which the true share lies.

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Share {
    /// How many had it.
    pub(crate) hits: usize,
    /// How many were looked at.
    pub(crate) of: usize,
}

/// The standard normal's 97.5 % quantile, for intervals of 95 %.
const Z: f64 = 1.959_963_984_540_054;

impl Share {
    /// Counts one more.
    pub(crate) fn add(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.of += 1;
    }

    /// From 0 to 1; `None` of nothing.
    pub(crate) fn value(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }

    /// The 95 % interval of the true share (Wilson 1927), which unlike the textbook one stays inside 0..1 and holds for
    /// small counts and shares near the ends (Brown et al. 2001). Of nothing it is all of 0..1.
    pub(crate) fn interval(self) -> [f64; 2] {
        let Some(share) = self.value() else { return [0.0, 1.0] };
        let (n, z2) = (self.of as f64, Z * Z);
        let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let reach = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
        // Rounding must not push an end over the share itself where that is 0 or 1.
        [(centre - reach).clamp(0.0, share), (centre + reach).clamp(share, 1.0)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WILSON: [(usize, usize, [f64; 2]); 6] = [
        (0, 10, [0.0, 0.277_532_799_863]),
        (10, 10, [0.722_467_200_137, 1.0]),
        (1, 1, [0.206_549_314_377, 1.0]),
        (7, 20, [0.181_191_824_101, 0.567_145_723_315]),
        (41, 56, [0.604_054_440_708, 0.830_426_945_815]),
        (2306, 3543, [0.635_008_502_148, 0.666_386_418_491]),
    ];

    #[test]
    fn intervals_are_those_of_statsmodels() {
        // statsmodels.stats.proportion.proportion_confint(hits, of, method="wilson")
        for (hits, of, [low, high]) in WILSON {
            let interval = Share { hits, of }.interval();
            assert!((interval[0] - low).abs() < 1e-9 && (interval[1] - high).abs() < 1e-9, "{hits}/{of}: {interval:?}");
        }
        assert_eq!(Share::default().value(), None);
        assert_eq!(Share::default().interval().map(|end| end as u8), [0, 1]);
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_share_and_shrinks_with_more_counts(of in 1usize..5000, part in 0.0..=1.0f64) {
            let share = Share { hits: (part * of as f64) as usize, of };
            let [low, high] = share.interval();
            let value = share.value().unwrap();
            prop_assert!((0.0..=value).contains(&low) && (value..=1.0).contains(&high));
            let [more_low, more_high] = Share { hits: 4 * share.hits, of: 4 * of }.interval();
            prop_assert!(more_high - more_low < high - low);
        }

        #[test]
        fn hits_and_misses_mirror_each_other(of in 1usize..5000, part in 0.0..=1.0f64) {
            let hits = (part * of as f64) as usize;
            let ([low, high], [misses_low, misses_high]) =
                (Share { hits, of }.interval(), Share { hits: of - hits, of }.interval());
            prop_assert!((low - (1.0 - misses_high)).abs() < 1e-12 && (high - (1.0 - misses_low)).abs() < 1e-12);
        }
    }
}
