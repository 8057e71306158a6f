//! Data that may be measured with but not be given away lies beside the checkout, where somebody has it.

use std::path::{Path, PathBuf};

use crate::skipped;

/// Set where nothing may be skipped.
const REQUIRED: &str = "MOODBOX_REQUIRE_DATA";

/// A path in `../shared/data`; `None`, and a line that says so, where it is not there.
///
/// # Panics
/// When it is not there and `MOODBOX_REQUIRE_DATA` is set.
#[must_use]
pub fn path(below: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(below);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os(REQUIRED).is_none(), "../shared/data/{below} is not there, and {REQUIRED} is set");
    skipped::because(&format!("../shared/data/{below} is not there"));
    None
}
