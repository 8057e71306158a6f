//! Frames in, faces with emotions out.
//!
//! A [`Frame`](frame::Frame) borrows the camera's pixels. [`Vision`] runs the MTCNN cascade and the expression classifier
//! over it. After the first frame of a size nothing is allocated any more.

pub mod fer;
pub mod frame;
pub mod jpeg;
pub mod model;
pub mod mtcnn;
mod nms;
mod resample;
pub mod tflite;
mod vision;

pub use vision::{Analysis, Stages, Vision};
