//! What `moodbox eval` measures with: counts, intervals, changes to pictures, and plots of the results.

pub(crate) mod classification;
pub(crate) mod colour;
pub(crate) mod detection;
pub(crate) mod labelled;
pub(crate) mod page;
pub(crate) mod perturbation;
pub(crate) mod plot;
pub(crate) mod share;
pub(crate) mod skin;
pub(crate) mod table;
