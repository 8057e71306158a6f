//! The programs as a person starts them.

#![expect(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The recording of `moodbox demo`.
#[must_use]
pub fn recording() -> PathBuf {
    repository().join("host-tools/demo/evening.mjpeg")
}

/// A program of the workspace, such as `moodboxd`, built from the sources as they are now and like this test.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn program(name: &str) -> &'static Path {
    static PROGRAMS: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    PROGRAMS.get_or_init(build).get(name).expect("a program of this workspace")
}

/// Tests run beside each other; the first builds, the others wait for it. The whole workspace, so that the dependencies
/// have the features that `cargo test --workspace` has built them with.
fn build() -> HashMap<String, PathBuf> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--workspace", "--bins", "--message-format=json-render-diagnostics"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = cargo.current_dir(repository()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut programs = HashMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        if let (Some(name), Some(path)) = (message["target"]["name"].as_str(), message["executable"].as_str()) {
            programs.insert(name.to_owned(), path.into());
        }
    }
    programs
}

/// What a program wrote to stderr, line by line, without what TensorFlow Lite's C library writes there by itself and
/// offers no way to silence.
#[must_use]
pub fn lines_of(stderr: &str) -> Vec<&str> {
    const NOISE: &str = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.";
    stderr.lines().filter(|line| *line != NOISE).collect()
}
