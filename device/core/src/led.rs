//! The lights.

/// How bright each light is, 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Levels {
    /// Red of the mood light.
    pub red: f32,
    /// Green of the mood light.
    pub green: f32,
    /// Blue of the mood light.
    pub blue: f32,
    /// The light that is on while the camera is.
    pub camera: f32,
}
