#!/usr/bin/env bash
# The invariants of ARCHITECTURE.md that a compiler does not check. One line a violation; exit 1 if there is any.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0
violation() { printf 'invariant: %s\n' "$*" >&2; failed=1; }

# 1. The rules depend on nothing that does I/O.
dependencies=$(cargo tree --locked --package moodbox-core --edges normal --prefix none | cut -d' ' -f1 | sort -u)
for crate in tokio rumqttc v4l tflitec rppal image; do
  if grep -qx "$crate" <<<"$dependencies"; then violation "moodbox-core depends on $crate"; fi
done
if grep -rnE 'std::(fs|net|thread|process|env)|Instant::now|SystemTime' device/core/src; then
  violation "moodbox-core touches files, network, threads or the clock (above)"
fi

# 2. `unsafe` has two rooms, and every block says why it is sound.
rooms='^device/(vision/src/tflite\.rs|daemon/src/camera/v4l2(\.rs|/.*\.rs))$'
for file in $(git ls-files '*.rs' | grep -v '^tests/rig/' | xargs grep -lE '\bunsafe (\{|impl|fn)' | grep -vE "$rooms"); do
  violation "unsafe in $file"
done
for file in $(git ls-files '*.rs' | grep -E "$rooms"); do
  blocks=$(grep -cE '\bunsafe (\{|impl)' "$file" || true)
  reasons=$(grep -c 'SAFETY:' "$file" || true)
  if [ "$reasons" -lt "$blocks" ]; then violation "$file has $blocks unsafe blocks and $reasons reasons"; fi
  if [ "$blocks" -gt 0 ] && ! grep -q "^| \`$file\` | $blocks |" deploy/security.md; then
    violation "$file has $blocks unsafe blocks, and deploy/security.md says something else"
  fi
done

# 3. Each outside world has one door.
door() { # crate, file pattern that may use it
  local file
  for file in $(git ls-files 'device/*.rs' 'host-tools/*.rs' | xargs grep -lE "\b$1::" | grep -vE "$2"); do
    violation "$file uses $1"
  done
}
door tflitec '^device/vision/src/tflite\.rs$'
door rumqttc '^(device/daemon/src/mqtt(\.rs|/)|host-tools/src/mqtt(\.rs|/))'
door mpd_client '^host-tools/src/mpd\.rs$'
door mqtt_protocol_core '^device/daemon/src/broker(\.rs|/)'
door v4l '^device/daemon/src/camera/v4l2(\.rs|/)'
# leds.rs names our own module of that name.
door rppal '^device/daemon/src/leds(\.rs|/rppal\.rs)$'
door gpiocdev '^device/daemon/src/(leds/(gpiochip|rppal)|switch)\.rs$'

# 5. Every queue is bounded.
for file in $(git ls-files 'device/*/src/*.rs' 'host-tools/src/*.rs' | grep -v '/tests\.rs$'); do
  if sed -e '/^#\[cfg(test)\]/,$d' -e '/^ *\/\//d' "$file" | grep -E 'unbounded_channel|\bchannel(::<.*>)?\(\)' | grep -v oneshot; then
    violation "$file has an unbounded queue (above)"
  fi
done

# 11. Nobody dies of words that cannot be written: these macros panic where a disk is full or a reader has gone.
for file in $(git ls-files 'device/*/src/*.rs' 'host-tools/src/*.rs' | grep -v '/tests\.rs$'); do
  if sed -e '/^#\[cfg(test)\]/,$d' -e '/^ *\/\//d' "$file" | grep -E '\be?print(ln)?!'; then violation "$file prints with a macro that panics (above)"; fi
done
exit $failed
