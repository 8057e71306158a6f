//! The seam between the rules of vision and whatever runs a network.

use moodbox_models::{Network, Quantisation, Tensor};

/// A quantised network with one input, ready to run.
pub trait Model: Send {
    /// Computes the outputs from the input values, row by row, channels last.
    ///
    /// # Errors
    /// When the runtime refuses, for one because there are more or fewer values than it takes; the outputs are then undefined.
    fn invoke(&mut self, input: &[i8]) -> Result<(), ModelError>;

    /// The values of one output, in the order of the manifest, as of the last [`Self::invoke`]; empty when there is none.
    fn output(&self, index: usize) -> &[i8];
}

/// Why a network cannot be loaded or run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model {model}: {reason}")]
pub struct ModelError {
    /// The network's name.
    pub model: String,
    /// What is wrong.
    pub reason: String,
}

impl ModelError {
    /// An error about a network.
    pub fn new(model: &str, reason: impl Into<String>) -> Self {
        Self { model: model.to_owned(), reason: reason.into() }
    }
}

/// Where an output is found and how to read it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Output {
    pub(crate) index: usize,
    pub(crate) quantisation: Quantisation,
}

/// The output of a name, which must have this many values (per cell, for a network that slides over its input).
pub(crate) fn output(network: &Network, name: &str, values: usize) -> Result<Output, ModelError> {
    let entry = &network.entry;
    let found = entry.outputs.iter().position(|t| t.name == name);
    let Some(index) = found else {
        return Err(ModelError::new(&entry.name, format!("the manifest names no output {name:?}")));
    };
    let tensor = &entry.outputs[index];
    if tensor.shape.last() != Some(&values) {
        let reason = format!("output {name:?} has the shape {:?}, its last side must be {values}", tensor.shape);
        return Err(ModelError::new(&entry.name, reason));
    }
    Ok(Output { index, quantisation: tensor.quantisation() })
}

/// Refuses a network whose input has another shape, or does not take a pixel of 0..255 as `pixel - 128`.
pub(crate) fn check_input(network: &Network, shape: &[usize]) -> Result<(), ModelError> {
    let Tensor { shape: found, zero_point, .. } = &network.entry.input;
    if found != shape {
        let reason = format!("the input has the shape {found:?}, expected {shape:?}");
        return Err(ModelError::new(&network.entry.name, reason));
    }
    // Every network is fed `pixel - 128`; some were trained on multiples of pixel - 127, others of pixel - 128.
    if !matches!(zero_point, -1 | 0) {
        let reason = format!("the input has the zero point {zero_point}, expected -1 or 0");
        return Err(ModelError::new(&network.entry.name, reason));
    }
    Ok(())
}
