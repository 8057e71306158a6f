//! What somebody gets who aims the camera.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::json;
use crate::face::SeenFace;

/// A frame, small, and what the box sees in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreviewFrame {
    /// A small JPEG of the frame; base64 in the payload.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub jpeg: Vec<u8>,
    /// Width of the frame itself, in pixels.
    pub width: u32,
    /// Height of the frame itself, in pixels.
    pub height: u32,
    /// Mean brightness of its pixels, 0 (black) to 1 (white), as coded for a screen.
    pub light: f32,
    /// All faces of 24 pixels or more, best first.
    pub faces: Vec<PreviewFace>,
}

/// A face in a [`PreviewFrame`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreviewFace {
    /// Left edge, top edge, width and height in pixels of the frame; it may reach over the border.
    #[serde(rename = "box")]
    pub bbox: [i32; 4],
    /// The detector's confidence, 0..1.
    pub score: f32,
}

impl From<&SeenFace> for PreviewFace {
    fn from(seen: &SeenFace) -> Self {
        let b = seen.face.bbox;
        let rounded = |v: f32| v.round() as i32;
        Self { bbox: [b.x, b.y, b.w, b.h].map(rounded), score: (seen.face.score * 100.0).round() / 100.0 }
    }
}

/// What is said to who aims the camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Look {
    /// A frame.
    Frame {
        /// The frame.
        #[serde(flatten)]
        frame: PreviewFrame,
        /// Side of the smallest face that counts for the mood, in pixels.
        min_face: u32,
        /// Seconds after which the box ends it.
        seconds_left: u32,
    },
    /// No more frames come.
    Ended {
        /// Why, in one line.
        ended: String,
    },
}

impl Look {
    /// The same as one line of JSON, for the socket on the box.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let mut line = json(self);
        line.push(b'\n');
        line
    }
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64_STANDARD.decode(text).map_err(serde::de::Error::custom)
}
