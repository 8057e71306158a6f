//! Where a face is in a frame, and what was seen of it.

use serde::{Deserialize, Serialize};

use crate::emotion::Probabilities;

/// A point in pixels; the origin is the frame's top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the top edge.
    pub y: f32,
}

/// How large a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// An axis-aligned box in pixels. It may reach over the frame's border.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct BBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width, never negative.
    pub w: f32,
    /// Height, never negative.
    pub h: f32,
}

impl BBox {
    /// Area in square pixels.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.w * self.h
    }

    /// Whether all its numbers are some. Networks that are not what they should be may say anything.
    #[must_use]
    pub const fn is_finite(&self) -> bool {
        self.x.is_finite() && self.y.is_finite() && self.w.is_finite() && self.h.is_finite()
    }

    /// The point in the middle.
    #[must_use]
    pub fn centre(&self) -> Point {
        Point { x: self.x + self.w / 2.0, y: self.y + self.h / 2.0 }
    }

    /// The area that both boxes cover, in square pixels.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> f32 {
        let w = (self.x + self.w).min(other.x + other.w) - self.x.max(other.x);
        let h = (self.y + self.h).min(other.y + other.h) - self.y.max(other.y);
        w.max(0.0) * h.max(0.0)
    }

    /// Intersection over union, 0..1; 0 where both boxes are empty.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let both = self.intersection(other);
        let either = self.area() + other.area() - both;
        if either > 0.0 { both / either } else { 0.0 }
    }

    /// The square with the same centre whose side is the longer side of the box.
    #[must_use]
    pub fn square(&self) -> Self {
        let side = self.w.max(self.h);
        let c = self.centre();
        Self { x: c.x - side / 2.0, y: c.y - side / 2.0, w: side, h: side }
    }
}

/// A detected face.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Where it is.
    pub bbox: BBox,
    /// The detector's confidence, 0..1.
    pub score: f32,
    /// Left eye, right eye, nose, left and right corner of the mouth; left is the picture's left.
    pub landmarks: [Point; 5],
}

impl Face {
    /// How much the face looks into the camera, 0..1: 1 when the nose is in the middle between the eyes, 0 when it
    /// lies on or beyond one of them.
    #[must_use]
    pub fn frontalness(&self) -> f32 {
        let [left, right, nose, ..] = self.landmarks;
        let (ex, ey) = (right.x - left.x, right.y - left.y);
        let eye_distance_squared = ex * ex + ey * ey;
        if eye_distance_squared <= 0.0 {
            return 0.0;
        }
        let along_the_eyes = ((nose.x - left.x) * ex + (nose.y - left.y) * ey) / eye_distance_squared;
        (1.0 - 2.0 * (along_the_eyes - 0.5).abs()).clamp(0.0, 1.0)
    }
}

/// A face and the expression read from it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeenFace {
    /// The face.
    pub face: Face,
    /// Calibrated probabilities of its expression.
    pub emotions: Probabilities,
    /// False when the crop is too blurred to read an expression from.
    pub sharp: bool,
    /// Whether the expression was read in this very frame; if not, it is the last one that was read from this face.
    pub fresh: bool,
    /// Which of the faces that are followed from frame to frame it is; `None` where none is followed.
    pub track: Option<u32>,
}
