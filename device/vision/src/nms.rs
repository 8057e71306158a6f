//! Non-maximum suppression: of boxes that overlap, the best one stays.

use moodbox_core::face::BBox;

/// What share of overlap is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlap {
    /// Intersection over union.
    Union,
    /// Intersection over the smaller area: also removes a box inside another.
    Smaller,
}

impl Overlap {
    fn of(self, a: &BBox, b: &BBox) -> f32 {
        match self {
            Self::Union => a.iou(b),
            Self::Smaller => {
                let smaller = a.area().min(b.area());
                if smaller > 0.0 { a.intersection(b) / smaller } else { 0.0 }
            }
        }
    }
}

/// Something that NMS can rank.
pub(crate) trait Scored {
    fn bbox(&self) -> &BBox;
    fn score(&self) -> f32;
}

/// Keeps, best first, what does not overlap anything better that was kept by more than `threshold` (greedy NMS).
pub(crate) fn suppress<T: Scored>(found: &mut Vec<T>, overlap: Overlap, threshold: f32) {
    found.sort_unstable_by(|a, b| b.score().total_cmp(&a.score()));
    let mut kept = 0;
    for i in 0..found.len() {
        let stays = found[..kept].iter().all(|better| overlap.of(better.bbox(), found[i].bbox()) <= threshold);
        if stays {
            found.swap(kept, i);
            kept += 1;
        }
    }
    found.truncate(kept);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Candidate(BBox, f32);

    impl Scored for Candidate {
        fn bbox(&self) -> &BBox {
            &self.0
        }
        fn score(&self) -> f32 {
            self.1
        }
    }

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let one = (0f32..100.0, 0f32..100.0, 1f32..60.0, 1f32..60.0, 0f32..1.0)
            .prop_map(|(x, y, w, h, score)| Candidate(BBox { x, y, w, h }, score));
        prop::collection::vec(one, 0..40)
    }

    proptest! {
        #[test]
        fn what_is_left_does_not_overlap_and_what_is_gone_did(all in candidates(), threshold in 0.1f32..0.9) {
            let mut kept = all.clone();
            suppress(&mut kept, Overlap::Union, threshold);
            for (i, a) in kept.iter().enumerate() {
                for b in &kept[i + 1..] {
                    prop_assert!(a.1 >= b.1, "best first");
                    prop_assert!(a.0.iou(&b.0) <= threshold);
                }
            }
            for gone in all.iter().filter(|c| !kept.contains(c)) {
                prop_assert!(kept.iter().any(|k| k.1 >= gone.1 && k.0.iou(&gone.0) > threshold));
            }
        }

        #[test]
        fn a_second_pass_changes_nothing(all in candidates()) {
            let mut once = all;
            suppress(&mut once, Overlap::Smaller, 0.7);
            let mut twice = once.clone();
            suppress(&mut twice, Overlap::Smaller, 0.7);
            prop_assert_eq!(once, twice);
        }
    }
}
