#!/usr/bin/env bash
# Builds the targets with libFuzzer's instrumentation and runs each on what is kept of it and on what it finds.
#
#   run.sh SECONDS [TARGET...]   all targets, or these, for so long each
#
# Exit 1, and the input in artifacts/, when one fails. Copy that to regressions/TARGET once it is mended.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:?usage: run.sh SECONDS [TARGET...]}
shift
[ $# -gt 0 ] || set -- catalogue commands config engine feedback frames outputs

# The pass and its options are the ones that cargo-fuzz gives; the compiler is the stable one. With --target, build scripts
# and macros are left alone.
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
cargo build --quiet --release --locked --target "$host"
# Linked, as vision is, though no target runs a network.
export LD_LIBRARY_PATH="$PWD/../../.cache/tflite/${host%%-*}"

for target in "$@"; do
  mkdir -p "corpus/$target" artifacts
  kept=()
  for folder in "seeds/$target" "regressions/$target"; do
    [ ! -d "$folder" ] || kept+=("$folder")
  done
  log=$(mktemp)
  # A camera's frame is the largest input; nothing may need more than a box has.
  if "target/$host/release/$target" "corpus/$target" "${kept[@]}" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=1024 -max_len=65536 -artifact_prefix="artifacts/$target-" >"$log" 2>&1; then
    printf 'fuzz: %s: %s\n' "$target" "$(grep -E '^Done' "$log")"
  else
    cat "$log"
    printf 'fuzz: %s: failed; the input is in tests/fuzz/artifacts\n' "$target" >&2
    exit 1
  fi
  rm -f "$log"
done
