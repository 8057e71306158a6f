//! `moodbox eval fer`: how well expressions are read.

mod page;
mod text;

use std::path::PathBuf;

use anyhow::Context;
use image::RgbImage;
use moodbox_core::config::Labels;
use moodbox_core::emotion::{Emotion, Probabilities};
use moodbox_core::face::{BBox, Face};
use moodbox_models::Models;
use moodbox_vision::fer::Fer;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::mtcnn::Cost;
use serde::Serialize;

use super::{Progress, models, print};
use crate::cmd::labels::By;
use crate::eval::classification::{Metrics, Tally};
use crate::eval::labelled::{self, LabelledFace};
use crate::eval::page::Place;
use crate::eval::perturbation::{Kind, STEPS, Step};
use crate::failure::Failure;

/// Which faces, and what else to measure on them.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox eval fer faces/ --html page.html")]
pub(crate) struct Arguments {
    /// A folder with a folder for each expression (angry, disgust, fear, happy, neutral, sad, surprise), and in those
    /// JPEG or PNG pictures of one face each, cut as tightly as a detector's box.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// A CSV file (file,group): measure each group too.
    #[arg(long, value_name = "FILE")]
    groups: Option<PathBuf>,
    /// Whose word for an expression to take.
    #[arg(long, value_enum, default_value_t = By::Fer2013)]
    labels: By,
    /// Measure too what poor light, noise, blur, distance and compression cost.
    #[arg(long)]
    perturb: bool,
    /// Write a page with plots there.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Measure the models of this folder instead of the built-in ones.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
}

/// Fewest faces of which anything is said. With as many, a share is known to 10 points up and down at 95 %.
const LEAST_GROUP: usize = 100;

#[derive(Serialize)]
struct Report {
    models: String,
    labels: Labels,
    #[serde(flatten)]
    metrics: Metrics,
    missing: Vec<Emotion>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    perturbations: Vec<Perturbed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Perturbed {
    kind: Kind,
    step: Step,
    /// Percentage points of accuracy, against the faces as they are.
    points_lost: f64,
    #[serde(flatten)]
    metrics: Metrics,
}

#[derive(Serialize)]
struct Group {
    #[serde(rename = "group")]
    name: String,
    /// There are too few faces to say anything about it.
    too_small: bool,
    #[serde(flatten)]
    metrics: Metrics,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let faces = labelled::read(&arguments.folder)?;
    let groups = arguments.groups.as_deref().map(|file| labelled::groups(file, &faces)).transpose()?;
    let place = arguments.html.as_deref().map(Place::reserve).transpose()?;
    let labels = arguments.labels.into();
    let mut reader = Reader::new(models(arguments.models.as_deref())?, labels)?;
    let steps: &[Step] = if arguments.perturb { &STEPS } else { &[] };
    let (mut clean, mut perturbed) = (Tally::default(), vec![Tally::default(); steps.len()]);
    let groups = groups.unwrap_or_default();
    let mut by_group = vec![Tally::default(); groups.len()];
    let progress = Progress::new(faces.len(), "faces");
    for (i, LabelledFace { path, truth, .. }) in faces.iter().enumerate() {
        progress.at(i);
        let what = || path.display().to_string();
        let face = labelled::read_face(path)?;
        let (read, sharp) = reader.read(&face).with_context(what)?;
        clean.add(*truth, &read, sharp);
        for (tally, _) in by_group.iter_mut().zip(groups.values()).filter(|(_, members)| members.contains(&i)) {
            tally.add(*truth, &read, sharp);
        }
        for (step, tally) in steps.iter().zip(&mut perturbed) {
            let (read, sharp) = reader.read(&step.applied(&face, i as u64).with_context(what)?).with_context(what)?;
            tally.add(*truth, &read, sharp);
        }
    }
    drop(progress);
    let metrics = clean.metrics();
    let perturbations = steps.iter().zip(&perturbed).map(|(step, tally)| Perturbed::new(*step, tally, &metrics));
    let report = Report {
        models: reader.name,
        labels,
        missing: metrics.per_class.iter().filter(|(_, class)| class.support == 0).map(|(e, _)| *e).collect(),
        perturbations: perturbations.collect(),
        groups: groups.into_keys().zip(&by_group).map(|(name, tally)| Group::new(name, tally)).collect(),
        metrics,
    };
    if let Some(place) = place {
        place.fill(&page::page(&report))?;
    }
    print(&report, json, text::text)
}

impl Perturbed {
    fn new(step: Step, tally: &Tally, clean: &Metrics) -> Self {
        let metrics = tally.metrics();
        Self { kind: step.kind(), step, points_lost: 100.0 * (clean.accuracy - metrics.accuracy), metrics }
    }
}

impl Group {
    fn new(name: String, tally: &Tally) -> Self {
        let metrics = tally.metrics();
        Self { name, too_small: metrics.n < LEAST_GROUP, metrics }
    }
}

/// The expressions of which all groups have faces, those aside of which nothing is said: groups are balanced over these, for
/// one that has none of the harder expressions would look better for that alone.
fn in_common(groups: &[Group]) -> Vec<Emotion> {
    let have = |e: &Emotion| groups.iter().filter(|g| !g.too_small).all(|g| g.metrics.per_class[e].support > 0);
    Emotion::ALL.into_iter().filter(have).collect()
}

/// The box's classifier, on pictures that are a face and nothing else.
struct Reader {
    fer: Fer,
    name: String,
}

impl Reader {
    fn new(mut models: Models, labels: Labels) -> anyhow::Result<Self> {
        let name = models.fingerprint();
        // The picture is what the network shall see: a margin would reach over its border.
        if let Some(emotions) = &mut models.fer.entry.emotions {
            emotions.crop_margin = 0.0;
        }
        Ok(Self { fer: Fer::new(&models, labels, 1).context("the models")?, name })
    }

    fn read(&mut self, picture: &RgbImage) -> anyhow::Result<(Probabilities, bool)> {
        let (width, height) = picture.dimensions();
        let frame = Frame::new(picture.as_raw(), Format::Rgb, width as usize, height as usize, 3 * width as usize)?;
        let bbox = BBox { x: 0.0, y: 0.0, w: width as f32, h: height as f32 };
        let face = Face { bbox, score: 1.0, landmarks: <_>::default() };
        Ok(self.fer.read(frame, &face, &mut Cost::default())?)
    }
}
