#!/usr/bin/env bash
# Counts the instructions of a frame with callgrind, which is the same on a busy machine, and compares them with those that
# instructions.txt holds. More than 5 % above is a finding. They depend on the compiler and, in the networks, on the vector
# units that the processor has.
set -euo pipefail
cd "$(dirname "$0")/../../.."
EXPECTED=device/vision/benches/instructions.txt
command -v valgrind >/dev/null || { echo "bench-instructions: valgrind is missing; install the package valgrind" >&2; exit 3; }
cargo build --quiet --release --package moodbox-vision --example instructions
LD_LIBRARY_PATH=$PWD/.cache/tflite/$(uname -m)
export LD_LIBRARY_PATH
worse=0
printf '%-10s %14s %14s\n' frame instructions expected
for what in decode cold followed idle; do
  # 10 rounds. The library says what it does on stderr, too.
  said=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no --toggle-collect='instructions::counted*' \
    target/release/examples/instructions "$what" 2>&1)
  count=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$said")
  [ -n "$count" ] || { echo "bench-instructions: valgrind counted nothing: $(tail -n1 <<<"$said")" >&2; exit 3; }
  count=$((count / 10))
  expected=$(sed -n "s/^$what //p" "$EXPECTED")
  printf '%-10s %14d %14d\n' "$what" "$count" "$expected"
  [ $((100 * count)) -le $((105 * expected)) ] || worse=1
done
[ $worse = 0 ] || { echo "bench-instructions: more than 5 % above what $EXPECTED holds" >&2; exit 1; }
