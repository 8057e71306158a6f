//! A person in a changing mood before a camera, seeded: what is true, and what the classifier says of it.

use moodbox_core::config::Labels;
use moodbox_core::emotion::{Emotion, Probabilities};

/// What an answer of the box's classifier says of the validation faces of each expression by the labels that are true, calibrated,
/// in thousandths.
const fn said(answer: Labels, truth: Labels) -> &'static str {
    match (answer, truth) {
        (Labels::Fer2013, Labels::Fer2013) => include_str!("../data/classifier-outputs-fer2013-by-fer2013.csv"),
        (Labels::Fer2013, Labels::Ferplus) => include_str!("../data/classifier-outputs-fer2013-by-ferplus.csv"),
        (Labels::Ferplus, Labels::Fer2013) => include_str!("../data/classifier-outputs-ferplus-by-fer2013.csv"),
        (Labels::Ferplus, Labels::Ferplus) => include_str!("../data/classifier-outputs-ferplus-by-ferplus.csv"),
    }
}

/// How the person and the camera are.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    /// Whose word the box takes.
    pub(crate) answer: Labels,
    /// Which labels are true.
    pub(crate) truth: Labels,
    /// Frames a second.
    pub(crate) fps: f32,
    /// Share of the time that the face shows its mood.
    pub(crate) expressive: f32,
    /// Mean time that one expression stays on the face, in seconds.
    pub(crate) episode_s: f32,
    /// Mean time that the classifier sees the same expression the same way, in seconds; 0 is anew in each frame.
    pub(crate) misread_s: f32,
}

/// Mean time in one mood, in seconds.
pub(crate) const MOOD_S: f32 = 600.0;

pub(crate) struct World {
    scene: Scene,
    random: Random,
    outputs: Vec<Vec<Probabilities>>,
    mood: Emotion,
    expression: Emotion,
    output: Probabilities,
    mood_ends: f32,
    episode_ends: f32,
    time: f32,
}

impl World {
    pub(crate) fn new(scene: Scene, seed: u64) -> Self {
        let outputs = read_outputs(said(scene.answer, scene.truth));
        let output = outputs[Emotion::Neutral as usize][0];
        let random = Random(seed);
        let (mood, expression) = (Emotion::Neutral, Emotion::Neutral);
        Self { scene, random, outputs, mood, expression, output, mood_ends: 0.0, episode_ends: 0.0, time: 0.0 }
    }

    /// The next frame: the true mood and the classifier's output.
    pub(crate) fn next(&mut self) -> (Emotion, Probabilities) {
        let step = 1.0 / self.scene.fps;
        self.time += step;
        self.mood_ends -= step;
        self.episode_ends -= step;
        let mut changed = false;
        if self.mood_ends <= 0.0 {
            self.mood = self.random.other_than(self.mood);
            self.mood_ends = self.random.exponential(MOOD_S);
            changed = true;
        }
        if self.episode_ends <= 0.0 || changed {
            self.expression = self.random_expression();
            self.episode_ends = self.random.exponential(self.scene.episode_s);
            changed = true;
        }
        let anew = self.scene.misread_s <= 0.0 || self.random.unit() > (-step / self.scene.misread_s).exp();
        if changed || anew {
            let pool = &self.outputs[self.expression as usize];
            self.output = pool[self.random.below(pool.len())];
        }
        (self.mood, self.output)
    }

    /// The mood's own expression for its share of the time, else mostly neutral, now and then any other.
    fn random_expression(&mut self) -> Emotion {
        let dice = self.random.unit();
        let rest = (dice - self.scene.expressive) / (1.0 - self.scene.expressive);
        if rest < 0.0 {
            self.mood
        } else if rest < 0.85 {
            Emotion::Neutral
        } else {
            self.random.other_than(self.mood)
        }
    }
}

fn read_outputs(table: &str) -> Vec<Vec<Probabilities>> {
    let mut outputs = vec![Vec::new(); Emotion::ALL.len()];
    for line in table.lines().skip(1) {
        let (expression, thousandths) = line.split_once(',').unwrap();
        let expression: Emotion = expression.parse().unwrap();
        let weights: Vec<f32> = thousandths.split(',').map(|n| n.parse().unwrap()).collect();
        outputs[expression as usize].push(Probabilities::normalised(weights.try_into().unwrap()).unwrap());
    }
    outputs
}

/// `SplitMix64` (Steele, Lea and Flood 2014): small, seeded, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1, never 1.
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn exponential(&mut self, mean: f32) -> f32 {
        -mean * (1.0 - self.unit()).ln()
    }

    fn other_than(&mut self, emotion: Emotion) -> Emotion {
        Emotion::ALL[(emotion as usize + 1 + self.below(Emotion::ALL.len() - 1)) % Emotion::ALL.len()]
    }
}
