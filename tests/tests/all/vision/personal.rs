//! Personal calibration on the two faces of the recording: learnt from the beginning of what one of them shows, tried on
//! the rest of it and on the other one. Nothing is simulated but the light.

use moodbox_core::config;
use moodbox_core::emotion::{Emotion, Probabilities};
use moodbox_core::mood::Confusion;
use moodbox_core::personal::{Bias, Evidence};
use moodbox_models::Models;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::jpeg::Decoder;
use moodbox_vision::{Vision, fer};

use super::recording;

/// When the second person of the recording is alone, and what is held, in seconds; see `evening.json`.
const OWN: [(Emotion, f32, f32); 2] = [(Emotion::Neutral, 38.5, 56.5), (Emotion::Angry, 58.25, 76.0)];
/// The same of the first person.
const OTHER: (Emotion, f32, f32) = (Emotion::Happy, 6.25, 25.5);
/// The calibration sees this much of each.
const LEARNT_S: f32 = 4.0;
const FPS: f32 = 4.0;

type Readings = Vec<(Emotion, Probabilities)>;

/// How a room is lit: the gamma of what the camera sees, and how dark the right edge is beside the left one.
#[derive(Debug, Clone, Copy)]
struct Light {
    gamma: f32,
    right_edge: f32,
}

impl Light {
    fn on(self, value: u8, along: f32) -> u8 {
        let lit = (f32::from(value) / 255.0).powf(self.gamma) * (1.0 - (1.0 - self.right_edge) * along);
        (255.0 * lit).round() as u8
    }
}

/// What the classifier says of the one face in every other frame between two times.
fn read(vision: &mut Vision, light: Light, (expression, from, to): (Emotion, f32, f32)) -> Readings {
    let mut decoder = Decoder::new(640 * 480);
    let frames = recording();
    let within = frames.iter().enumerate().filter(|(i, _)| (from..to).contains(&(*i as f32 / FPS))).step_by(2);
    let said = within.filter_map(|(_, jpeg)| {
        let frame = decoder.decode(jpeg).unwrap();
        let (width, height) = (frame.width(), frame.height());
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let lit = |(x, y)| frame.rgb(x, y).map(|value| light.on(value, x as f32 / width as f32));
        let lit: Vec<u8> = pixels.flat_map(lit).collect();
        let lit = Frame::new(&lit, Format::Rgb, width, height, 3 * width).unwrap();
        match vision.analyse(lit).unwrap().faces {
            [seen] => Some((expression, seen.emotions)),
            _ => None,
        }
    });
    said.collect()
}

/// Share that is right, and mean cost (negative logarithm).
fn quality(readings: &Readings, bias: &Bias) -> (f32, f32) {
    let n = readings.len() as f32;
    let read = readings.iter().map(|(expression, said)| (*expression, bias.apply(said)));
    let right = read.clone().filter(|(expression, q)| q.top().0 == *expression).count() as f32;
    let cost: f32 = read.map(|(expression, q)| -q[expression].max(1e-6).ln()).sum();
    (right / n, cost / n)
}

#[test]
fn the_rest_of_what_a_face_shows_is_read_better_and_the_other_face_as_well_as_before() {
    let models = Models::built_in().unwrap();
    let settings = config::Vision::default();
    let mut vision = Vision::new(&models, &settings).unwrap();
    let confusion = Confusion::try_from(fer::answer(&models, settings.labels).unwrap().confusion).unwrap();
    let mut cost_saved = 0.0;
    for light in [Light { gamma: 1.0, right_edge: 1.0 }, Light { gamma: 0.5, right_edge: 0.0 }] {
        let (mut held, mut rest) = (Vec::new(), Readings::new());
        for (expression, from, to) in OWN {
            let learnt = read(&mut vision, light, (expression, from, from + LEARNT_S));
            let sum = std::array::from_fn(|k| learnt.iter().map(|(_, said)| said.as_array()[k]).sum());
            held.push((expression, Probabilities::normalised(sum).unwrap()));
            rest.extend(read(&mut vision, light, (expression, from + LEARNT_S, to)));
        }
        let bias = Bias::fit(&Evidence::guided(held), &confusion);
        let other = read(&mut vision, light, OTHER);
        assert!(rest.len() > 40 && other.len() > 30, "{} {}", rest.len(), other.len());
        let (before, after) = (quality(&rest, &Bias::default()), quality(&rest, &bias));
        let (other_before, other_after) = (quality(&other, &Bias::default()), quality(&other, &bias));
        println!("{light:?}: own {before:.3?} -> {after:.3?}, other {other_before:.3?} -> {other_after:.3?}");
        assert!(after.0 >= before.0 && after.1 <= before.1 + 0.005, "{light:?}: {before:?} {after:?}");
        let other_loses_nothing = other_after.0 >= other_before.0 && other_after.1 <= other_before.1 + 0.02;
        assert!(other_loses_nothing, "{light:?}: {other_before:?} {other_after:?}");
        cost_saved += before.1 - after.1;
    }
    assert!(cost_saved > 0.0, "{cost_saved}");
}
