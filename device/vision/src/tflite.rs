//! Networks run by TensorFlow Lite with the XNNPACK delegate; the only file that touches `tflitec`.
//!
//! `tflitec` hands out tensors that borrow the interpreter shared, lets it be invoked while they live, and allocates for
//! each look at one. Here the outputs' memory is looked up once, after allocation, and the borrow checker sees to it
//! that nobody reads an output while the network runs.
#![allow(unsafe_code, reason = "tensor memory is owned by the C library")]

use std::slice;
use std::sync::Arc;

use moodbox_models::Network;
use tflitec::interpreter::{Interpreter, Options};
use tflitec::model::Model as Flatbuffer;
use tflitec::tensor::{DataType, Shape, Tensor};

use crate::model::{Model, ModelError};

/// A loaded network, from which interpreters of several input sizes can be made.
#[derive(Clone)]
pub struct Loaded {
    // Declared before the network, into whose bytes it points, so that it is dropped first.
    flatbuffer: Arc<Flatbuffer<'static>>,
    network: Arc<Network>,
}

/// Memory of an output tensor: its first value and how many there are.
struct Memory {
    first: *const i8,
    values: usize,
}

/// A network with its tensors allocated.
pub struct TfliteModel {
    // Dropped first: it points into `loaded`.
    interpreter: Interpreter<'static>,
    loaded: Loaded,
    outputs: Vec<Memory>,
}

// SAFETY: the interpreter is `Send`; the pointers lead into its memory, move with it, and are used through `&self` or
// `&mut self` only.
unsafe impl Send for TfliteModel {}

impl Loaded {
    /// Parses a network's bytes.
    ///
    /// # Errors
    /// When they are no `TFLite` model.
    pub fn new(network: &Network) -> Result<Self, ModelError> {
        let network = Arc::new(network.clone());
        // SAFETY: the bytes lie in an `Arc` that every holder of the flatbuffer also holds, and holds for longer (fields
        // are dropped in the order of their declaration), and nothing changes or moves what an `Arc` points to.
        let unbounded: &'static [u8] = unsafe { slice::from_raw_parts(network.bytes.as_ptr(), network.bytes.len()) };
        let flatbuffer = Flatbuffer::from_bytes(unbounded)
            .map_err(|_| ModelError::new(&network.entry.name, "the file is not a TensorFlow Lite model"))?;
        Ok(Self { flatbuffer: Arc::new(flatbuffer), network })
    }

    /// An interpreter for one input shape, `[batch, height, width, channels]`.
    ///
    /// # Errors
    /// When the network does not have the tensors that its manifest describes, does not take this shape, or XNNPACK
    /// cannot be applied.
    pub fn interpreter(&self, shape: [usize; 4], threads: u32) -> Result<TfliteModel, ModelError> {
        let name = &self.network.entry.name;
        let refuse = |reason: String| ModelError::new(name, reason);
        let options = Options { thread_count: threads as i32, is_xnnpack_enabled: true };
        // SAFETY: as for the bytes: the result keeps `loaded`, declared after the interpreter, for longer.
        let flatbuffer: &'static Flatbuffer<'static> = unsafe { &*Arc::as_ptr(&self.flatbuffer) };
        // Creation fails when the delegate does: the library falls back to its own kernels only where that is allowed.
        let interpreter = Interpreter::new(flatbuffer, Some(options))
            .map_err(|_| refuse("TensorFlow Lite cannot build it with XNNPACK".to_owned()))?;
        if interpreter.input_tensor_count() != 1
            || interpreter.output_tensor_count() != self.network.entry.outputs.len()
        {
            return Err(refuse("it has not the inputs and outputs that the manifest names".to_owned()));
        }
        // Left alone, the input shows whether the file has the shape that its manifest says.
        let resized = if self.network.entry.input.shape == shape {
            Ok(())
        } else {
            interpreter.resize_input(0, Shape::new(shape.to_vec()))
        };
        resized
            .and_then(|()| interpreter.allocate_tensors())
            .map_err(|_| refuse(format!("it does not take the input shape {shape:?}")))?;
        let input = interpreter.input(0).map_err(|e| refuse(format!("input: {e}")))?;
        let found = input.shape().dimensions();
        if *found != shape {
            return Err(refuse(format!("the input has the shape {found:?}, expected {shape:?}")));
        }
        memory(name, &input, &self.network.entry.input)?;
        let outputs = (self.network.entry.outputs.iter().enumerate())
            .map(|(i, spec)| {
                let tensor = interpreter.output(i).map_err(|e| refuse(format!("output {:?}: {e}", spec.name)))?;
                memory(name, &tensor, spec)
            })
            .collect::<Result<_, _>>()?;
        Ok(TfliteModel { interpreter, loaded: self.clone(), outputs })
    }
}

/// Where a tensor's values lie, once it was found to be what the manifest says.
fn memory(model: &str, tensor: &Tensor<'_>, spec: &moodbox_models::Tensor) -> Result<Memory, ModelError> {
    if tensor.data_type() != DataType::Int8 {
        return Err(ModelError::new(model, format!("tensor {:?} is {:?}, not Int8", spec.name, tensor.data_type())));
    }
    let dimensions = tensor.shape().dimensions();
    if dimensions.len() != spec.shape.len() || dimensions.last() != spec.shape.last() {
        let reason = format!("tensor {:?} has the shape {dimensions:?}, the manifest says {:?}", spec.name, spec.shape);
        return Err(ModelError::new(model, reason));
    }
    let found = tensor.quantization_parameters();
    // Put so that a scale that is no number is not the same as any.
    if !found.is_some_and(|q| (q.scale - spec.scale).abs() <= 1e-6 * spec.scale && q.zero_point == spec.zero_point) {
        return Err(ModelError::new(model, format!("tensor {:?} is not quantised as the manifest says", spec.name)));
    }
    let data = tensor.data::<i8>();
    Ok(Memory { first: data.as_ptr(), values: data.len() })
}

impl Model for TfliteModel {
    fn invoke(&mut self, input: &[i8]) -> Result<(), ModelError> {
        let name = &self.loaded.network.entry.name;
        let run = self.interpreter.copy(input, 0).and_then(|()| self.interpreter.invoke());
        run.map_err(|_| ModelError::new(name, "TensorFlow Lite failed to run it"))
    }

    fn output(&self, index: usize) -> &[i8] {
        let Some(memory) = self.outputs.get(index) else { return &[] };
        // SAFETY: the tensor was allocated with this many values and is never resized again; only `invoke`, which takes
        // `&mut self`, makes the library write to it.
        unsafe { slice::from_raw_parts(memory.first, memory.values) }
    }
}
