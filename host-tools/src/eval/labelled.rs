//! A folder of face crops, sorted into folders that are named after the expression.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use image::RgbImage;
use moodbox_core::emotion::Emotion;
use serde::Deserialize;

use crate::picture;

/// Shortest side of a crop from which a person could tell an expression, in pixels.
const LEAST_SIDE: u32 = 16;

/// A crop of one face, and what it shows.
#[derive(Debug, Clone)]
pub(crate) struct LabelledFace {
    /// The file.
    pub(crate) path: PathBuf,
    /// Its path below the folder that was named.
    below: PathBuf,
    /// What it shows.
    pub(crate) truth: Emotion,
}

/// Finds the faces below a folder and makes sure that each can be read.
///
/// # Errors
/// When a folder in it names no expression or holds no picture, a picture is damaged or no crop of a face, or there are
/// fewer than two.
pub(crate) fn read(folder: &Path) -> anyhow::Result<Vec<LabelledFace>> {
    let cannot = || format!("cannot read the folder {}", folder.display());
    let mut entries = fs::read_dir(folder).with_context(cannot)?.collect::<Result<Vec<_>, _>>().with_context(cannot)?;
    entries.retain(|entry| entry.path().is_dir() && !entry.file_name().to_string_lossy().starts_with('.'));
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut faces = Vec::new();
    for entry in entries {
        let word = entry.file_name().to_string_lossy().into_owned();
        let Some(truth) = expression(&word) else {
            bail!(
                "the folder {} names no expression; known are angry, disgust, fear, happy, neutral, sad, surprise",
                entry.path().display()
            );
        };
        for path in picture::files(&[entry.path()])? {
            let below = Path::new(&word).join(path.file_name().unwrap_or_default());
            faces.push(LabelledFace { path, below, truth });
        }
    }
    ensure!(
        !faces.is_empty(),
        "{} holds no folder named after an expression, such as happy, with pictures of faces in it",
        folder.display()
    );
    ensure!(faces.len() > 1, "{} holds one picture; one face measures nothing", folder.display());
    for face in &faces {
        read_face(&face.path)?;
    }
    Ok(faces)
}

/// Reads the crop of a face.
///
/// # Errors
/// When it is damaged, too small, or so long that it can hardly be a face alone.
pub(crate) fn read_face(path: &Path) -> anyhow::Result<RgbImage> {
    let face = picture::read(path)?;
    let (width, height) = face.dimensions();
    let (shorter, longer) = (width.min(height), width.max(height));
    ensure!(
        shorter >= LEAST_SIDE && longer <= 2 * shorter,
        "{} is {width}x{height}: the crop of a face has at least {LEAST_SIDE} pixels a side and is about square",
        path.display()
    );
    Ok(face)
}

/// The expression that a folder is named after, also as other collections spell it.
fn expression(word: &str) -> Option<Emotion> {
    Some(match word.to_lowercase().as_str() {
        "angry" | "anger" => Emotion::Angry,
        "disgust" | "disgusted" => Emotion::Disgust,
        "fear" | "fearful" | "afraid" => Emotion::Fear,
        "happy" | "happiness" | "joy" => Emotion::Happy,
        "neutral" => Emotion::Neutral,
        "sad" | "sadness" => Emotion::Sad,
        "surprise" | "surprised" => Emotion::Surprise,
        _ => return None,
    })
}

/// One row of a groups file.
#[derive(Deserialize)]
struct Row {
    file: PathBuf,
    group: String,
}

/// Which group each face belongs to, by its place in `faces`.
///
/// # Errors
/// When the file cannot be read, names a picture that is not there, or could mean several.
pub(crate) fn groups(file: &Path, faces: &[LabelledFace]) -> anyhow::Result<BTreeMap<String, BTreeSet<usize>>> {
    let mut places: HashMap<&Path, Vec<usize>> = HashMap::new();
    for (i, face) in faces.iter().enumerate() {
        places.entry(&face.below).or_default().push(i);
        places.entry(face.below.file_name().unwrap_or_default().as_ref()).or_default().push(i);
    }
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut groups = BTreeMap::<String, BTreeSet<usize>>::new();
    let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(&bytes[..]);
    for row in rows.deserialize() {
        let row: Row = row.with_context(|| format!("{}: not a table with the columns file,group", file.display()))?;
        let name = row.file.display();
        match places.get(row.file.as_path()).map(Vec::as_slice) {
            Some(&[i]) => groups.entry(row.group).or_default().insert(i),
            Some(_) => bail!("{}: several pictures are called {name}; write the folder too", file.display()),
            None => bail!("{}: there is no picture {name} in the folder", file.display()),
        };
    }
    ensure!(!groups.is_empty(), "{}: holds no row", file.display());
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(below: &str, truth: Emotion) -> LabelledFace {
        LabelledFace { path: below.into(), below: below.into(), truth }
    }

    #[test]
    fn rows_name_a_picture_by_its_path_or_its_name() {
        let faces =
            [face("happy/a.png", Emotion::Happy), face("sad/a.png", Emotion::Sad), face("sad/b.png", Emotion::Sad)];
        let folder = tempfile::tempdir().unwrap();
        let told = |text: &str| {
            let file = folder.path().join("groups.csv");
            fs::write(&file, text).unwrap();
            groups(&file, &faces).map_err(|e| format!("{e:#}"))
        };
        let found = told("file, group\nhappy/a.png, indoors\nb.png,indoors\nb.png,young\n").unwrap();
        let expected = [("indoors".to_owned(), BTreeSet::from([0, 2])), ("young".to_owned(), BTreeSet::from([2]))];
        assert_eq!(found, BTreeMap::from(expected));
        assert!(told("file,group\na.png,x\n").unwrap_err().contains("several pictures are called a.png"));
        assert!(told("file,group\nc.png,x\n").unwrap_err().contains("there is no picture c.png"));
        assert!(told("name,group\na.png,x\n").unwrap_err().contains("columns file,group"));
        assert!(told("file,group\n").unwrap_err().contains("holds no row"));
    }

    #[test]
    fn every_name_of_ours_and_of_other_collections_is_known() {
        for emotion in Emotion::ALL {
            assert_eq!(expression(emotion.name()), Some(emotion));
        }
        assert_eq!((expression("Happiness"), expression("anger")), (Some(Emotion::Happy), Some(Emotion::Angry)));
        assert_eq!(expression("contempt"), None);
    }
}
