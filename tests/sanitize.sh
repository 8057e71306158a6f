#!/usr/bin/env bash
# Runs the tests that reach the `unsafe` blocks under AddressSanitizer: reads and writes beside what was allocated, or after it
# was freed, and memory that nobody frees end them with an error. deploy/security.md says what they reach.
set -euo pipefail
cd "$(dirname "$0")/.."

# The sanitizer comes with the stable compiler, its option does not; with --target, build scripts and macros are left alone.
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address
# RUSTFLAGS take the place of those in .cargo/config.toml, which say where the library lies.
export LD_LIBRARY_PATH="$PWD/.cache/tflite/${host%%-*}"
export ASAN_OPTIONS=detect_leaks=1

# The same packages each time, so that what they stand on has the same features and is built once.
sanitized() {
  cargo test --quiet --locked --target "$host" --target-dir target/sanitize \
    --package moodbox-vision --package moodboxd --package moodbox-tests "$@"
}

sanitized --lib
sanitized --test all vision::
