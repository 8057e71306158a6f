//! `moodbox eval faces`: how well faces are found.

mod page;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use image::RgbImage;
use moodbox_core::config::{self, Bounded};
use moodbox_core::face::BBox;
use moodbox_vision::frame::{Format, Frame};
use moodbox_vision::mtcnn::Mtcnn;
use serde::{Deserialize, Serialize};

use super::{Progress, models, print};
use crate::eval::colour::luma;
use crate::eval::detection::{Band, Detected, Judged, SAME_FACE, banded, matched};
use crate::eval::page::Place;
use crate::eval::skin::{Tone, pixels, tone};
use crate::failure::Failure;
use crate::picture;

/// Which pictures, and how.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox eval faces boxes.json --html page.html")]
pub(crate) struct Arguments {
    /// A JSON file beside the pictures: {"boxes": {"party.jpg": [[x, y, width, height], ...], ...}}, in pixels.
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
    /// Side of the smallest face to look for, in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 40, value_parser = clap::value_parser!(u32).range(24..=400))]
    min_face: u32,
    /// Write a page with plots there.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Measure the models of this folder, with their manifest.toml, instead of the built-in ones.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
}

/// What the file holds; what else it says about itself is not read.
#[derive(Deserialize)]
struct Annotations {
    boxes: BTreeMap<PathBuf, Vec<[f32; 4]>>,
}

#[derive(Serialize)]
struct Report {
    models: String,
    pictures: usize,
    iou: f32,
    min_face: u32,
    #[serde(flatten)]
    all: Detected,
    /// Faces and boxes at least as large as the smallest face that was looked for.
    looked_for: Detected,
    by_size: Vec<Band>,
    // The next three are over those that were looked for: small faces in a crowd would tell of size, not of light.
    by_face_light: Vec<Band>,
    by_picture_light: Vec<Band>,
    by_tone: Vec<Band>,
}

/// Bands of the longer side, and the pixels from which on the next begins.
const SIZES: [&str; 6] =
    ["under 40 px", "40 to 60 px", "60 to 100 px", "100 to 160 px", "160 to 240 px", "from 240 px"];
const SIZE_ENDS: [f32; 5] = [40.0, 60.0, 100.0, 160.0, 240.0];

/// Bands of the mean brightness, and the values from which on the next begins.
const LIGHTS: [&str; 5] = ["under 50", "50 to 90", "90 to 130", "130 to 170", "from 170"];
const LIGHT_ENDS: [f64; 4] = [50.0, 90.0, 130.0, 170.0];

const NOT_SEEN: &str = "not to be seen";

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let pictures = annotated(&arguments.file)?;
    let place = arguments.html.as_deref().map(Place::reserve).transpose()?;
    let models = models(arguments.models.as_deref())?;
    let settings = config::Vision { min_face_px: Bounded(arguments.min_face), ..config::Vision::default() };
    let mut mtcnn = Mtcnn::new(&models, &settings).context("the models")?;
    let (mut faces, mut boxes) = (Vec::new(), Vec::new());
    let progress = Progress::new(pictures.len(), "pictures");
    for (i, (path, annotated)) in pictures.iter().enumerate() {
        progress.at(i);
        let picture = picture::read(path)?;
        let found = detect(&mut mtcnn, &picture).with_context(|| path.display().to_string())?;
        let (hits, right) = matched(annotated, &found);
        let picture_luma = mean_luma(&picture, &whole(&picture)).unwrap_or_default();
        let judged = |(bbox, hit): (&BBox, bool)| Judged {
            hit,
            side: bbox.w.max(bbox.h),
            face_luma: mean_luma(&picture, bbox),
            picture_luma,
            tone: tone(&picture, bbox),
        };
        faces.extend(annotated.iter().zip(hits).map(judged));
        boxes.extend(found.iter().zip(right).map(judged));
    }
    drop(progress);
    let report = report(models.fingerprint(), pictures.len(), arguments.min_face, &faces, &boxes);
    if let Some(place) = place {
        place.fill(&page::page(&report))?;
    }
    print(&report, json, text::text)
}

fn report(models: String, pictures: usize, min_face: u32, faces: &[Judged], boxes: &[Judged]) -> Report {
    let large = |all: &[Judged]| all.iter().filter(|j| j.side >= min_face as f32).copied().collect::<Vec<_>>();
    let (large_faces, large_boxes) = (large(faces), large(boxes));
    let light = |luma: f64| LIGHT_ENDS.iter().filter(|end| luma >= **end).count();
    let seen_or_not = |names: &[&'static str], place: &dyn Fn(&Judged) -> Option<usize>| {
        let all = [names, &[NOT_SEEN]].concat();
        let mut bands = banded(&all, &large_faces, &large_boxes, |j| place(j).unwrap_or(names.len()));
        bands.retain(|b| b.name != NOT_SEEN || b.found.faces + b.found.boxes > 0);
        bands
    };
    Report {
        models,
        pictures,
        iou: SAME_FACE,
        min_face,
        all: Detected::of(faces.iter(), boxes.iter()),
        looked_for: Detected::of(large_faces.iter(), large_boxes.iter()),
        by_size: banded(&SIZES, faces, boxes, |j| SIZE_ENDS.iter().filter(|end| j.side >= **end).count()),
        by_face_light: seen_or_not(&LIGHTS, &|j| j.face_luma.map(light)),
        by_picture_light: seen_or_not(&LIGHTS, &|j| Some(light(j.picture_luma))),
        by_tone: seen_or_not(&Tone::ALL.map(Tone::name), &|j| j.tone.map(|tone| tone as usize)),
    }
}

/// The pictures that a file names, with their boxes; each can be read, and each box is one.
fn annotated(file: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<BBox>)>> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let Annotations { boxes } = serde_json::from_slice(&bytes).with_context(|| {
        format!("{}: not of the form {{\"boxes\": {{\"party.jpg\": [[x, y, w, h]]}}}}", file.display())
    })?;
    ensure!(!boxes.is_empty(), "{} names no picture", file.display());
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut pictures = Vec::new();
    for (name, boxes) in boxes {
        let path = folder.join(&name);
        let picture = whole(&picture::read(&path)?);
        let mut annotated = Vec::new();
        for [x, y, w, h] in boxes {
            let bbox = BBox { x, y, w, h };
            if !(bbox.w > 0.0 && bbox.h > 0.0 && bbox.intersection(&picture) > 0.0) {
                bail!("{}: {}: the box [{x}, {y}, {w}, {h}] is not in the picture", file.display(), name.display());
            }
            annotated.push(bbox);
        }
        pictures.push((path, annotated));
    }
    Ok(pictures)
}

/// What the box finds in a picture, best first.
fn detect(mtcnn: &mut Mtcnn, picture: &RgbImage) -> anyhow::Result<Vec<BBox>> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let frame = Frame::new(picture.as_raw(), Format::Rgb, width, height, 3 * width)?;
    Ok(mtcnn.detect(frame)?.0.iter().map(|face| face.bbox).collect())
}

fn whole(picture: &RgbImage) -> BBox {
    BBox { x: 0.0, y: 0.0, w: picture.width() as f32, h: picture.height() as f32 }
}

fn mean_luma(picture: &RgbImage, part: &BBox) -> Option<f64> {
    let (sum, count) = pixels(picture, part).fold((0.0, 0), |(sum, count), p| (sum + luma(p), count + 1));
    (count > 0).then(|| sum / f64::from(count))
}
