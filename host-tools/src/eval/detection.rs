//! Faces that were found against faces that are there.

use moodbox_core::face::BBox;
use serde::Serialize;

use super::share::Share;
use super::skin::Tone;

/// From this intersection over union on, a box is the face's (Everingham et al. 2010, "The PASCAL VOC Challenge").
pub(crate) const SAME_FACE: f32 = 0.5;

/// Of each face whether it was found, and of each box, best first, whether it is a face. A face is found once.
pub(crate) fn matched(faces: &[BBox], boxes: &[BBox]) -> (Vec<bool>, Vec<bool>) {
    let mut found = vec![false; faces.len()];
    let mut right = vec![false; boxes.len()];
    for (bbox, right) in boxes.iter().zip(&mut right) {
        let free = (0..faces.len()).filter(|i| !found[*i]);
        let best = free.max_by(|a, b| faces[*a].iou(bbox).total_cmp(&faces[*b].iou(bbox)));
        if let Some(best) = best.filter(|i| faces[*i].iou(bbox) >= SAME_FACE) {
            found[best] = true;
            *right = true;
        }
    }
    (found, right)
}

/// A face that is there or a box that was given, as its own pixels show it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged {
    /// The face was found; the box is a face.
    pub(crate) hit: bool,
    /// Longer side, in pixels.
    pub(crate) side: f32,
    /// Mean brightness of the face, 0..255; `None` where none of it is in the picture.
    pub(crate) face_luma: Option<f64>,
    /// Mean brightness of the whole picture, 0..255.
    pub(crate) picture_luma: f64,
    /// Tone of the cheeks; `None` where the picture does not show it.
    pub(crate) tone: Option<Tone>,
}

/// How many of the faces were found and how many of the boxes are faces.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Detected {
    /// Faces that are there.
    pub(crate) faces: usize,
    /// How many of them were found.
    pub(crate) found: usize,
    /// The share of them that was found; `None` where there are none.
    pub(crate) recall: Option<f64>,
    /// Its 95 % interval.
    pub(crate) recall_interval: [f64; 2],
    /// Boxes that were given.
    pub(crate) boxes: usize,
    /// How many of them are faces.
    pub(crate) right: usize,
    /// The share of them that are faces; `None` where there are none.
    pub(crate) precision: Option<f64>,
    /// Its 95 % interval.
    pub(crate) precision_interval: [f64; 2],
}

impl Detected {
    /// The figures over what is judged.
    pub(crate) fn of<'a>(faces: impl Iterator<Item = &'a Judged>, boxes: impl Iterator<Item = &'a Judged>) -> Self {
        let (mut recall, mut precision) = (Share::default(), Share::default());
        faces.for_each(|face| recall.add(face.hit));
        boxes.for_each(|bbox| precision.add(bbox.hit));
        Self {
            faces: recall.of,
            found: recall.hits,
            recall: recall.value(),
            recall_interval: recall.interval(),
            boxes: precision.of,
            right: precision.hits,
            precision: precision.value(),
            precision_interval: precision.interval(),
        }
    }
}

/// A part of the faces and boxes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Band {
    /// Which part.
    #[serde(rename = "band")]
    pub(crate) name: &'static str,
    /// Its figures.
    #[serde(flatten)]
    pub(crate) found: Detected,
}

/// The figures of each band, by the place of its name that `place` gives.
pub(crate) fn banded(
    names: &[&'static str],
    faces: &[Judged],
    boxes: &[Judged],
    place: impl Fn(&Judged) -> usize,
) -> Vec<Band> {
    let of = |all: &'_ [Judged], i: usize| all.iter().filter(|j| place(j) == i).copied().collect::<Vec<_>>();
    let band = |(i, name): (usize, &&'static str)| Band {
        name,
        found: Detected::of(of(faces, i).iter(), of(boxes, i).iter()),
    };
    names.iter().enumerate().map(band).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(x: f32) -> BBox {
        BBox { x, y: 0.0, w: 10.0, h: 10.0 }
    }

    #[test]
    fn a_face_is_found_once_and_by_the_better_box() {
        // The second box overlaps the face too, but it is taken.
        assert_eq!(matched(&[at(0.0)], &[at(1.0), at(0.0)]), (vec![true], vec![true, false]));
        // 10 wide, 4 off: 6 of 14 shared. 3 off: 7 of 13.
        assert_eq!(matched(&[at(0.0)], &[at(4.0)]), (vec![false], vec![false]));
        assert_eq!(matched(&[at(0.0)], &[at(3.0)]), (vec![true], vec![true]));
        assert_eq!(matched(&[at(0.0), at(2.0)], &[at(1.5), at(0.0)]), (vec![true, true], vec![true, true]));
        assert_eq!(matched(&[], &[at(0.0)]), (vec![], vec![false]));
    }

    proptest! {
        #[test]
        fn as_many_faces_are_found_as_boxes_are_right(
            faces in prop::collection::vec(0f32..60.0, 0..8),
            boxes in prop::collection::vec(0f32..60.0, 0..8),
        ) {
            let (faces, boxes): (Vec<_>, Vec<_>) = (faces.into_iter().map(at).collect(), boxes.into_iter().map(at).collect());
            let (found, right) = matched(&faces, &boxes);
            prop_assert_eq!(found.iter().filter(|f| **f).count(), right.iter().filter(|r| **r).count());
            prop_assert_eq!((found.len(), right.len()), (faces.len(), boxes.len()));
            let (all, _) = matched(&faces, &faces);
            prop_assert!(all.iter().all(|f| *f), "what is there finds itself");
        }
    }
}
