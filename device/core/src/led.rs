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
use std::time::Duration;
use crate::mood::RoomMood;
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)] pub enum Fault { Models, Camera, Broker, Leds }
impl Fault { pub fn name(self) -> &'static str { match self { Self::Models => "models", Self::Camera => "camera", Self::Broker => "broker", Self::Leds => "leds" } } }
#[derive(Debug, Clone, Copy, PartialEq)] pub struct LedPattern { pub mood: RoomMood, pub confidence: f32, pub unsure: bool, pub camera_on: bool, pub error: Option<Fault>, pub leds_on: bool, pub brightness: f32 }
impl LedPattern {
    pub fn off() -> Self { Self { mood: RoomMood::Absent, confidence: 0.0, unsure: false, camera_on: false, error: None, leds_on: false, brightness: 0.0 } }
    pub fn is_steady(&self) -> bool { true }
    pub fn levels_at(&self, _t: Duration) -> Levels { Levels { camera: f32::from(self.camera_on), ..Levels::default() } }
    pub fn colour(&self) -> Option<[u8; 3]> { Some([1,2,3]) }
}
