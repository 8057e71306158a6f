//! What somebody gets who watches: faces as outlines, never a pixel of them.

use serde::{Deserialize, Serialize};

use crate::emotion::Named;
use crate::face::{SeenFace, Size};

/// Most faces in a payload, some 3 kB; who sees more sees the best ones.
pub const MAX_FACES: usize = 16;

/// Who is in a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Faces {
    /// Width of the frame in pixels.
    pub width: u32,
    /// Height of the frame in pixels.
    pub height: u32,
    /// At most [`MAX_FACES`], best first.
    pub faces: Vec<Outline>,
}

/// A face and what it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    /// Whose it is: a number from 1 that a person keeps while the place of the face can be followed, and that somebody else
    /// gets afterwards.
    pub person: u32,
    /// Left edge, top edge, width and height in pixels of the frame; it may reach over the border.
    #[serde(rename = "box")]
    pub bbox: [i32; 4],
    /// The detector's confidence, 0..1.
    pub score: f32,
    /// False where the face is too blurred to read.
    pub sharp: bool,
    /// What it shows, as the box reads it.
    pub emotions: Named,
}

impl Faces {
    /// The faces of a frame of this size, with the number of each one's person.
    #[must_use]
    pub fn of(frame: Size, faces: &[SeenFace], people: &[u32]) -> Self {
        let outlines = faces.iter().zip(people).take(MAX_FACES).map(|(seen, person)| Outline::of(seen, *person));
        Self { width: frame.width, height: frame.height, faces: outlines.collect() }
    }
}

impl Outline {
    fn of(seen: &SeenFace, person: u32) -> Self {
        let b = seen.face.bbox;
        let bbox = [b.x, b.y, b.w, b.h].map(|edge| edge.round() as i32);
        let score = (seen.face.score * 100.0).round() / 100.0;
        Self { person, bbox, score, sharp: seen.sharp, emotions: Named(seen.emotions) }
    }
}
