//! What a person who mounts the box should do about what it sees.

use std::fmt;
use std::mem::discriminant;

use moodbox_core::topics::PreviewFrame;

use crate::light::{BRIGHT, DARK};

/// Share of the frame's width or height next to a border in which a face is not to be: there it is cut off by the first
/// movement.
const MARGIN: f32 = 0.2;

/// A size in pixels that is this many times the smallest one leaves room for leaning back.
const ROOM_TO_MOVE: f32 = 1.3;

/// One piece of advice; the first that applies is the one to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// There is too little light.
    Dark,
    /// There is too much.
    Bright,
    /// There is nobody.
    Nobody,
    /// The largest face is too small to count.
    Far {
        /// Its longer side, in pixels.
        side: u32,
        /// What it needs.
        needs: u32,
    },
    /// The face is near a border; the box shall be turned or tilted this way.
    Move(Way),
    /// It counts, but hardly.
    Hardly {
        /// Its longer side, in pixels.
        side: u32,
        /// What it needs.
        needs: u32,
    },
    /// All is well.
    Good {
        /// Faces that count.
        faces: usize,
        /// Longer side of the largest, in pixels.
        side: u32,
    },
}

/// Where to turn a box, as it looks itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
    Left,
    Right,
}

impl Advice {
    /// What to do about a frame, given the smallest face that counts (pixels).
    pub(super) fn on(frame: &PreviewFrame, min_face: u32) -> Self {
        if frame.light < DARK {
            return Self::Dark;
        }
        if frame.light > BRIGHT {
            return Self::Bright;
        }
        let side = |[_, _, w, h]: [i32; 4]| w.max(h).max(0) as u32;
        let Some(largest) = frame.faces.iter().map(|face| face.bbox).max_by_key(|bbox| side(*bbox)) else {
            return Self::Nobody;
        };
        let (faces, side, needs) = (&frame.faces, side(largest), min_face);
        if side < needs {
            return Self::Far { side, needs };
        }
        if let Some(way) = way_to(largest, frame.width, frame.height) {
            return Self::Move(way);
        }
        if (side as f32) < needs as f32 * ROOM_TO_MOVE {
            return Self::Hardly { side, needs };
        }
        let faces = faces.iter().filter(|face| face.bbox[2].max(face.bbox[3]) >= needs as i32).count();
        Self::Good { faces, side }
    }

    /// Whether it asks for the same as another, whatever the numbers.
    pub(super) fn asks_the_same_as(self, other: Self) -> bool {
        match (self, other) {
            (Self::Move(way), Self::Move(other)) => way == other,
            _ => discriminant(&self) == discriminant(&other),
        }
    }

    /// Whether nothing needs to be done.
    pub(super) const fn is_good(self) -> bool {
        matches!(self, Self::Good { .. })
    }
}

/// Towards a face whose middle is too near a border.
fn way_to([x, y, w, h]: [i32; 4], width: u32, height: u32) -> Option<Way> {
    let across = (x as f32 + w as f32 / 2.0) / width.max(1) as f32;
    let down = (y as f32 + h as f32 / 2.0) / height.max(1) as f32;
    match (across, down) {
        (_, down) if down < MARGIN => Some(Way::Up),
        (_, down) if down > 1.0 - MARGIN => Some(Way::Down),
        (across, _) if across < MARGIN => Some(Way::Left),
        (across, _) if across > 1.0 - MARGIN => Some(Way::Right),
        _ => None,
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dark => f.write_str("too dark: put a lamp where it shines on the faces"),
            Self::Bright => f.write_str("too bright: turn the camera away from the window or lamp"),
            Self::Nobody => f.write_str("nobody is seen: sit where you listen, and look at the box"),
            Self::Far { side, needs } => {
                write!(f, "too far: the face has {side} px and needs {needs}; move nearer, or set vision.min_face_px")
            }
            Self::Move(Way::Up) => f.write_str("tilt up: the face is at the upper border"),
            Self::Move(Way::Down) => f.write_str("tilt down: the face is at the lower border"),
            Self::Move(Way::Left) => f.write_str("turn left, as the box looks: the face is at the border"),
            Self::Move(Way::Right) => f.write_str("turn right, as the box looks: the face is at the border"),
            Self::Hardly { side, needs } => {
                write!(f, "just near enough: the face has {side} px and needs {needs}; leaning back loses it")
            }
            Self::Good { faces: 1, side } => write!(f, "good: one face of {side} px"),
            Self::Good { faces, side } => write!(f, "good: {faces} faces, the largest of {side} px"),
        }
    }
}

#[cfg(test)]
mod tests {
    use moodbox_core::topics::PreviewFace;
    use proptest::prelude::*;

    use super::*;

    fn frame(light: f32, boxes: &[[i32; 4]]) -> PreviewFrame {
        let faces = boxes.iter().map(|bbox| PreviewFace { bbox: *bbox, score: 0.9 }).collect();
        PreviewFrame { jpeg: Vec::new(), width: 640, height: 480, light, faces }
    }

    #[test]
    fn what_is_wrong_most_is_said_first() {
        let cases: [(f32, &[[i32; 4]]); 12] = [
            (0.05, &[[300, 200, 90, 100]]),
            (0.9, &[[300, 200, 90, 100]]),
            (0.4, &[]),
            (0.4, &[[300, 200, 30, 34]]),
            (0.4, &[[300, 20, 90, 100]]),
            (0.4, &[[300, 370, 90, 100]]),
            (0.4, &[[10, 200, 90, 100]]),
            (0.4, &[[540, 200, 90, 100]]),
            (0.4, &[[300, 200, 60, 66]]),
            (0.4, &[[300, 200, 90, 100]]),
            (0.4, &[[300, 200, 90, 100], [10, 10, 70, 80]]),
            (0.4, &[[300, 200, 90, 100], [10, 10, 30, 40]]),
        ];
        let said: Vec<_> =
            cases.iter().map(|(light, boxes)| Advice::on(&frame(*light, boxes), 60).to_string()).collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    proptest! {
        #[test]
        fn whatever_a_box_says_there_is_advice(
            light in any::<f32>(),
            boxes in prop::collection::vec(any::<[i16; 4]>(), 0..4),
            (width, height, min_face) in any::<(u32, u32, u32)>(),
        ) {
            let boxes: Vec<_> = boxes.into_iter().map(|b| b.map(i32::from)).collect();
            let frame = PreviewFrame { width, height, ..frame(light, &boxes) };
            prop_assert!(!Advice::on(&frame, min_face).to_string().contains('\n'));
        }
    }
}
