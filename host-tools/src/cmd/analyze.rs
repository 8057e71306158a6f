//! `moodbox analyze`: what the box would see in a picture.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use moodbox_core::config::{self, Bounded};
use moodbox_core::emotion::{Emotion, Probabilities};
use moodbox_core::face::SeenFace;
use moodbox_models::Models;
use moodbox_vision::Vision;
use moodbox_vision::frame::{Format, Frame};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::labels::By;
use crate::failure::{Failure, complain};
use crate::picture;

/// Which pictures, and how.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  moodbox analyze holiday.jpg photos/")]
pub(crate) struct Arguments {
    /// Pictures (JPEG or PNG), or folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Side of the smallest face to look for, in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 40, value_parser = clap::value_parser!(u32).range(24..=400))]
    min_face: u32,
    /// Whose word for an expression to take.
    #[arg(long, value_enum, default_value_t = By::Fer2013)]
    labels: By,
}

/// One picture, as one line of JSON.
#[derive(Serialize)]
struct Report<'a> {
    path: &'a Path,
    width: u32,
    height: u32,
    faces: Vec<FaceReport>,
}

/// One face; pixels.
#[derive(Serialize)]
struct FaceReport {
    r#box: [f32; 4],
    score: f32,
    landmarks: [[f32; 2]; 5],
    #[serde(serialize_with = "by_name")]
    emotions: Probabilities,
    emotion: Emotion,
    sharp: bool,
}

impl From<&SeenFace> for FaceReport {
    fn from(seen: &SeenFace) -> Self {
        let tenths = |v: f32| (v * 10.0).round() / 10.0;
        let b = seen.face.bbox;
        Self {
            r#box: [b.x, b.y, b.w, b.h].map(tenths),
            score: seen.face.score,
            landmarks: seen.face.landmarks.map(|p| [tenths(p.x), tenths(p.y)]),
            emotions: seen.emotions,
            emotion: seen.emotions.top().0,
            sharp: seen.sharp,
        }
    }
}

fn by_name<S: Serializer>(emotions: &Probabilities, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(Emotion::ALL.len()))?;
    for (emotion, probability) in emotions.iter() {
        map.serialize_entry(emotion.name(), &probability)?;
    }
    map.end()
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<(), Failure> {
    let labels = arguments.labels.into();
    let settings = config::Vision { min_face_px: Bounded(arguments.min_face), labels, ..config::Vision::default() };
    let models = Models::built_in().context("the built-in models")?;
    let mut vision = Vision::new(&models, &settings).context("the built-in models")?;
    let mut out = io::stdout().lock();
    let files = picture::files(&arguments.paths)?;
    let mut unreadable = 0;
    for path in &files {
        let picture = match picture::read(path) {
            Ok(picture) => picture,
            Err(error) if files.len() == 1 => return Err(Failure::Input(error)),
            Err(error) => {
                complain(&error);
                unreadable += 1;
                continue;
            }
        };
        let (width, height) = picture.dimensions();
        let (columns, rows) = (width as usize, height as usize);
        let frame = Frame::new(picture.as_raw(), Format::Rgb, columns, rows, 3 * columns)
            .with_context(|| path.display().to_string())?;
        let seen = vision.analyse(frame).with_context(|| path.display().to_string())?;
        let report = Report { path, width, height, faces: seen.faces.iter().map(FaceReport::from).collect() };
        if json {
            writeln!(out, "{}", serde_json::to_string(&report).map_err(|e| anyhow!(e))?)?;
        } else {
            print(&mut out, &report)?;
        }
    }
    if unreadable > 0 {
        return Err(Failure::Input(anyhow!("{unreadable} of {} pictures could not be read", files.len())));
    }
    Ok(())
}

fn print(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let Report { path, width, height, faces } = report;
    let count = match faces.len() {
        0 => "no face".to_owned(),
        1 => "1 face".to_owned(),
        n => format!("{n} faces"),
    };
    writeln!(out, "{}: {width}x{height}, {count}", path.display())?;
    for face in faces {
        let [x, y, w, h] = face.r#box;
        let (emotion, probability) = face.emotions.top();
        let blurred = if face.sharp { "" } else { ", blurred" };
        let percent = 100.0 * probability;
        writeln!(out, "  {emotion:8} {percent:3.0} %  at {x:.0},{y:.0} size {w:.0}x{h:.0}{blurred}")?;
    }
    Ok(())
}
