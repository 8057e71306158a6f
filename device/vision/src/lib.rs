//! Frames in, faces with emotions out.
//!
//! A [`Frame`](frame::Frame) borrows the camera's pixels. [`Vision`] runs the MTCNN cascade and the expression classifier
//! over it; [`Tracker`] follows the faces of a sequence of frames and runs as little as it can. After the first frame of a
//! size nothing is allocated any more.

pub mod fer;
pub mod frame;
pub mod jpeg;
pub mod model;
mod motion;
pub mod mtcnn;
mod nms;
pub mod pixels;
mod resample;
pub mod tflite;
mod tracker;
mod vision;

pub use tracker::{Activity, Sight, Tracker};
pub use vision::{Analysis, Stages, Vision};
