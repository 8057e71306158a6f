//! What says that a test could not be done here.

use std::io::{self, Write};

/// Says so where everybody sees it: the test runner holds back what a test prints, unless it fails.
pub(crate) fn because(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(io::stderr(), "skipped: {test}: {why}");
}
