//! What the lights show: the mood as a colour, how sure it is as brightness, and what is wrong as red blinks.

use std::f64::consts::TAU;
use std::time::Duration;

use crate::emotion::Emotion;
use crate::mood::RoomMood;

/// How bright each light is, 0..1 of its full power (the duty cycle of a PWM pin), not as an eye perceives it.
///
/// For lights that can only be on or off: of [`LedPattern`]'s colours, the channels at half of the brightest one or above
/// give each mood a colour of its own, but for fear and mixed, which share magenta.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Levels {
    /// The mood light's red channel.
    pub red: f32,
    /// Its green channel.
    pub green: f32,
    /// Its blue channel.
    pub blue: f32,
    /// The light that shows that the camera is on.
    pub camera: f32,
}

/// What keeps the box from its work, the most serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The camera gives no pictures: one blink.
    Camera,
    /// A network cannot be used: two blinks.
    Model,
    /// The broker does not answer: three blinks.
    Broker,
    /// The broker refuses the box, or the box the broker's certificate, and only a person can mend that: four blinks.
    Refused,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Camera, Self::Model, Self::Broker, Self::Refused];

    /// How often the light blinks.
    #[must_use]
    pub const fn blinks(self) -> u32 {
        match self {
            Self::Camera => 1,
            Self::Model => 2,
            Self::Broker => 3,
            Self::Refused => 4,
        }
    }
}

/// What the lights show until the next change.
///
/// | mood | colour |
/// |---|---|
/// | angry | red |
/// | disgust | green |
/// | fear | violet |
/// | happy | yellow |
/// | neutral | pale green-white |
/// | sad | deep blue |
/// | surprise | sky blue |
/// | mixed | pink |
/// | absent | dark |
///
/// A fault is N red blinks in the dark every six seconds; in between the mood goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LedPattern {
    /// The mood, as colour.
    pub mood: RoomMood,
    /// Belief in it, 0..1, as brightness.
    pub confidence: f32,
    /// Whether it is little more than a guess: then the light breathes.
    pub unsure: bool,
    /// What is wrong, if anything.
    pub fault: Option<Fault>,
    /// How the camera's light shines while the camera is open; at full power, and also when the others are off: who is filmed
    /// shall see it.
    pub camera: CameraLight,
    /// Whether the mood light may shine at all.
    pub lights_on: bool,
    /// Perceived brightness of the mood light at full confidence, 0..1.
    pub brightness: f32,
    /// While the LEDs are tested, the one that is lit at full power, also where the mood light may not shine.
    pub test: Option<TestLight>,
}

/// How the light beside the camera shines while the camera is open. Whether it is, only who opens it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraLight {
    /// All the time.
    Steady,
    /// Somebody looks through it.
    Blinks,
}

/// A step of the test of the LEDs: which channels of the mood light are lit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum TestLight {
    Red,
    Green,
    Blue,
    All,
}

impl TestLight {
    /// The test, step by step.
    pub const STEPS: [Self; 4] = [Self::Red, Self::Green, Self::Blue, Self::All];

    const fn levels(self) -> [f32; 3] {
        match self {
            Self::Red => [1.0, 0.0, 0.0],
            Self::Green => [0.0, 1.0, 0.0],
            Self::Blue => [0.0, 0.0, 1.0],
            Self::All => [1.0; 3],
        }
    }
}

/// Perceived brightness at no confidence, as a share of that at full confidence: dim, but the colour can be told.
const DIMMEST: f32 = 0.3;

/// Perceived brightness at the bottom of a breath, as a share of that at its top.
const EXHALED: f32 = 0.25;

/// Time of one breath, about that of a person at rest.
const BREATH: Duration = Duration::from_secs(4);

/// A fault is shown once in this time.
const FAULT_CYCLE: Duration = Duration::from_secs(6);

/// One blink; the light is on for its first half.
const BLINK: Duration = Duration::from_millis(500);

/// A blink of the camera's light while somebody looks through it; it is on for the first half.
const CAMERA_BLINK: Duration = Duration::from_millis(400);

/// From perceived brightness to power (CIE 1931 lightness is close to a power law of this exponent).
const GAMMA: f32 = 2.2;

impl LedPattern {
    /// The levels at a time, while the camera is open; `t` counts from any moment, as long as it is the same for the same pattern.
    #[must_use]
    pub fn levels_at(&self, t: Duration) -> Levels {
        let lit = match self.camera {
            CameraLight::Steady => true,
            CameraLight::Blinks => into(t, CAMERA_BLINK) < CAMERA_BLINK / 2,
        };
        let camera = if lit { 1.0 } else { 0.0 };
        if let Some([red, green, blue]) = self.test.map(TestLight::levels) {
            return Levels { red, green, blue, camera };
        }
        if !self.lights_on {
            return Levels { camera, ..Levels::default() };
        }
        let full = self.brightness.clamp(0.0, 1.0);
        let (colour, perceived) = match self.fault.and_then(|fault| blink_at(fault, t)) {
            Some(lit) => ([1.0, 0.0, 0.0], if lit { full } else { 0.0 }),
            None => (colour(self.mood), full * self.share_of_brightness(t)),
        };
        // A confidence that is not a number leaves the light dark.
        let power = if perceived > 0.0 { perceived.min(1.0).powf(GAMMA) } else { 0.0 };
        let [red, green, blue] = colour.map(|c| c * power);
        Levels { red, green, blue, camera }
    }

    /// Whether the levels are the same at all times, so that nothing needs to be done until the pattern changes.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        let breathes = self.unsure && self.mood != RoomMood::Absent;
        self.camera != CameraLight::Blinks
            && (self.test.is_some() || !self.lights_on || (self.fault.is_none() && !breathes))
    }

    /// Perceived brightness by confidence and breath, 0..1.
    fn share_of_brightness(&self, t: Duration) -> f32 {
        let by_confidence = DIMMEST + (1.0 - DIMMEST) * self.confidence.clamp(0.0, 1.0);
        if !self.unsure {
            return by_confidence;
        }
        let phase = into(t, BREATH).div_duration_f64(BREATH);
        let inhaled = f32::midpoint(1.0, (TAU * phase).cos() as f32);
        by_confidence * (EXHALED + (1.0 - EXHALED) * inhaled)
    }
}

/// Whether the fault's red light is on; `None` in the part of the cycle that belongs to the mood.
fn blink_at(fault: Fault, t: Duration) -> Option<bool> {
    let t = into(t, FAULT_CYCLE);
    // A dark moment before and after sets the blinks off from the mood, which may be red itself.
    let blinks = BLINK * fault.blinks();
    let Some(t) = t.checked_sub(BLINK) else { return Some(false) };
    (t < blinks + BLINK).then(|| t < blinks && into(t, BLINK) < BLINK / 2)
}

/// How far `t` is into its period.
fn into(t: Duration, period: Duration) -> Duration {
    Duration::from_nanos((t.as_nanos() % period.as_nanos()) as u64)
}

/// Red, green and blue power of a mood's colour, 0..1. Found by search for colours of the usual names that keep the
/// greatest distance from each other for common vision, protanopia and deuteranopia; they differ in lightness as much
/// as in hue, as two of the three have but one hue axis.
pub(crate) const fn colour(mood: RoomMood) -> [f32; 3] {
    match mood {
        RoomMood::Emotion(Emotion::Angry) => [0.50, 0.00, 0.00],
        RoomMood::Emotion(Emotion::Disgust) => [0.20, 0.45, 0.00],
        RoomMood::Emotion(Emotion::Fear) => [0.60, 0.00, 0.95],
        RoomMood::Emotion(Emotion::Happy) => [1.00, 0.75, 0.00],
        RoomMood::Emotion(Emotion::Neutral) => [0.65, 1.00, 0.80],
        RoomMood::Emotion(Emotion::Sad) => [0.00, 0.02, 0.30],
        RoomMood::Emotion(Emotion::Surprise) => [0.20, 0.55, 1.00],
        RoomMood::Mixed => [0.60, 0.10, 0.31],
        RoomMood::Absent => [0.00, 0.00, 0.00],
    }
}

#[cfg(test)]
mod tests;
