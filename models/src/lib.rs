//! The networks of moodbox as bytes, and the manifest that says what they are.
//!
//! [`Models::built_in`] hands out the set that is compiled into the program; [`Models::read`] takes another set, made by
//! the same pipeline, from a folder. Either way every file must have the checksum that its manifest names.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Version of the manifest's form that this crate reads.
const SCHEMA: u32 = 2;

/// How real numbers are written as 8-bit integers: `real = scale * (quantised - zero_point)`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Quantisation {
    /// Real difference between two neighbouring integers.
    pub scale: f32,
    /// The integer that stands for 0.
    pub zero_point: i32,
}

impl Quantisation {
    /// The real number that an integer stands for.
    #[must_use]
    pub fn real(self, quantised: i8) -> f32 {
        self.scale * (i32::from(quantised) - self.zero_point) as f32
    }

    /// The integer nearest to a real number; numbers beyond the range give its end.
    #[must_use]
    pub fn quantise(self, real: f32) -> i8 {
        let q = (real / self.scale).round() + self.zero_point as f32;
        q.clamp(f32::from(i8::MIN), f32::from(i8::MAX)) as i8
    }
}

/// An input or output of a network.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tensor {
    /// What it holds: `face`, `box`, `landmarks`, `fer2013` or `ferplus`; an input has no name.
    #[serde(default)]
    pub name: String,
    /// Batch, height, width, channels; or batch, values.
    pub shape: Vec<usize>,
    /// Real difference between two neighbouring integers.
    pub scale: f32,
    /// The integer that stands for 0.
    pub zero_point: i32,
}

impl Tensor {
    /// How its integers stand for real numbers.
    #[must_use]
    pub fn quantisation(&self) -> Quantisation {
        Quantisation { scale: self.scale, zero_point: self.zero_point }
    }
}

/// What must be known to feed the classifier and to read its outputs, of which each answers as one set of labels would.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emotions {
    /// Share of the squared box's side by which the crop is larger on each side.
    pub crop_margin: f32,
    /// The output that follows FER2013's labels, or those that the classifier was trained with instead.
    pub fer2013: Answer,
    /// The output that follows `FERPlus`' raters; nothing where the faces that it was trained with were not rated.
    pub ferplus: Option<Answer>,
}

/// How one output of the classifier is read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Names in the order of the output; `contempt`, where it is the last, counts as neutral.
    pub order: Vec<String>,
    /// What the logits are divided by before the softmax, fitted on validation data.
    pub temperature: f32,
    /// Mean calibrated output (column) for faces that show an emotion (row).
    pub confusion: [[f32; 7]; 7],
}

/// A network's entry in the manifest.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Entry {
    /// `pnet`, `rnet`, `onet` or `fer`.
    pub name: String,
    /// Name of the file beside the manifest.
    pub file: String,
    /// SHA-256 of the file, as lower-case hexadecimal.
    pub sha256: String,
    /// Where the weights come from.
    pub source: String,
    /// Licence of the weights.
    pub licence: String,
    /// Multiply-accumulates of one invocation at the stored input shape.
    pub macs: u64,
    /// The only input.
    pub input: Tensor,
    /// The outputs, in the order in which the interpreter has them.
    #[serde(rename = "output")]
    pub outputs: Vec<Tensor>,
    /// Of the classifier alone.
    pub emotions: Option<Emotions>,
}

#[derive(Deserialize)]
struct Schema {
    schema: u32,
}

#[derive(Deserialize)]
struct Manifest {
    model: Vec<Entry>,
}

/// Why a set of networks cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ModelsError {
    #[error("cannot read {path}: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is not a manifest of models: {reason}", path = path.display())]
    Manifest { path: PathBuf, reason: String },
    #[error("the manifest {path} has no model {name}", path = path.display())]
    Missing { path: PathBuf, name: &'static str },
    #[error("{path} is damaged or was replaced: its sha256 is {found}, the manifest says {expected}", path = path.display())]
    Checksum { path: PathBuf, expected: String, found: String },
}

/// A network: its bytes and what they are.
#[derive(Debug, Clone)]
pub struct Network {
    /// The `TFLite` flatbuffer; its checksum has been compared.
    pub bytes: Cow<'static, [u8]>,
    /// Its entry in the manifest.
    pub entry: Entry,
}

/// The four networks.
#[derive(Debug, Clone)]
pub struct Models {
    /// Proposes faces, on every level of the pyramid.
    pub pnet: Network,
    /// Refines proposals, 24x24.
    pub rnet: Network,
    /// Gives the final box and the landmarks, 48x48.
    pub onet: Network,
    /// Reads the expression, 48x48 grey.
    pub fer: Network,
}

impl Models {
    /// The networks compiled into the program.
    ///
    /// # Errors
    /// When the files and the manifest were not built together.
    pub fn built_in() -> Result<Self, ModelsError> {
        let manifest = include_str!("../manifest.toml");
        Self::assemble(Path::new("built-in"), manifest, |file| {
            let bytes: &'static [u8] = match file {
                "pnet.tflite" => include_bytes!("../pnet.tflite"),
                "rnet.tflite" => include_bytes!("../rnet.tflite"),
                "onet.tflite" => include_bytes!("../onet.tflite"),
                "fer.tflite" => include_bytes!("../fer.tflite"),
                _ => return Err(std::io::ErrorKind::NotFound.into()),
            };
            Ok(Cow::Borrowed(bytes))
        })
    }

    /// Networks from a folder with a `manifest.toml`.
    ///
    /// # Errors
    /// When a file is missing, unreadable or not the one that the manifest describes.
    pub fn read(folder: &Path) -> Result<Self, ModelsError> {
        let path = folder.join("manifest.toml");
        let manifest = fs::read_to_string(&path).map_err(|source| ModelsError::Read { path, source })?;
        Self::assemble(folder, &manifest, |file| fs::read(folder.join(file)).map(Cow::Owned))
    }

    /// A short name of the set: the first eight digits of the checksum over the four checksums.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut all = Sha256::new();
        for network in [&self.pnet, &self.rnet, &self.onet, &self.fer] {
            all.update(&network.entry.sha256);
        }
        format!("{:x}", all.finalize())[..8].to_owned()
    }

    fn assemble(
        folder: &Path,
        manifest: &str,
        load: impl Fn(&str) -> std::io::Result<Cow<'static, [u8]>>,
    ) -> Result<Self, ModelsError> {
        let path = folder.join("manifest.toml");
        let refuse = |reason: String| ModelsError::Manifest { path: path.clone(), reason };
        let unread = |e: toml::de::Error| refuse(e.message().replace('\n', " "));
        // Alone and first: what another schema holds would be refused for its first field.
        let Schema { schema } = toml::from_str(manifest).map_err(unread)?;
        if schema != SCHEMA {
            return Err(refuse(format!("its schema is {schema}, this program reads {SCHEMA}")));
        }
        let manifest: Manifest = toml::from_str(manifest).map_err(unread)?;
        let network = |name: &'static str| {
            let entry = manifest.model.iter().find(|m| m.name == name).cloned();
            let entry = entry.ok_or_else(|| ModelsError::Missing { path: path.clone(), name })?;
            if entry.file.contains(['/', '\\']) {
                return Err(refuse(format!("{:?} is not a plain file name", entry.file)));
            }
            let file = folder.join(&entry.file);
            let bytes = load(&entry.file).map_err(|source| ModelsError::Read { path: file.clone(), source })?;
            let found = format!("{:x}", Sha256::digest(&bytes));
            if found != entry.sha256 {
                return Err(ModelsError::Checksum { path: file, expected: entry.sha256, found });
            }
            Ok(Network { bytes, entry })
        };
        Ok(Self { pnet: network("pnet")?, rnet: network("rnet")?, onet: network("onet")?, fer: network("fer")? })
    }
}
