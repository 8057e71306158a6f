//! stub
use std::time::Duration;
use crate::config; use crate::emotion::{Emotion, Probabilities};
#[derive(Debug, Clone)] pub struct ExpressionFilter { p: Option<Probabilities> }
impl ExpressionFilter {
    pub fn new(_: &config::Mood) -> Self { Self { p: None } }
    pub fn observe(&mut self, p: Option<&Probabilities>, _now: Duration) { self.p = p.copied(); }
    pub fn current(&self) -> Option<(Emotion, f32)> { self.p.map(|p| p.top()).filter(|t| t.1 > 0.45) }
}
