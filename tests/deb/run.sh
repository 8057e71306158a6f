#!/usr/bin/env bash
# Tests the packages in target/debian: the board's programs on an emulated processor, those of this machine on a clean
# Debian 12 that runs in a container with its own systemd; takes root.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=.cache/deb/bookworm

fail() { printf 'test-deb: %s\n' "$1" >&2; exit 3; }

build_root() {
  [ ! -e "$root/.built" ] || return 0
  echo "test-deb: making a Debian 12"
  rm -rf "$root"
  mkdir -p "$root"
  # What the packages need is there, so that their installation takes nothing but themselves.
  local check_age
  # A machine whose mirror stands still says so here.
  check_age=$(apt-config dump --format '%v' Acquire::Check-Valid-Until)
  mmdebstrap --quiet --variant=apt --components=main --aptopt="Acquire::Check-Valid-Until \"${check_age:-true}\"" \
    --include=init-system-helpers,libssl3,libstdc++6,mosquitto,mosquitto-clients,openssl,procps,systemd,udev \
    bookworm "$root" "$(mirror_of bookworm)" || fail "mmdebstrap cannot make a Debian 12"
  touch "$root/.built"
}

# The board's programs, on an emulated processor with the libraries of Debian's arm64.
check_arm64() {
  local place photo=host-tools/demo/faces/hopper.jpg
  place=$(mktemp -d)
  dpkg-deb -x target/debian/moodboxd_*_arm64.deb "$place"
  dpkg-deb -x target/debian/moodbox_*_arm64.deb "$place"
  local emulated=(qemu-aarch64-static -L /usr/aarch64-linux-gnu -E "LD_LIBRARY_PATH=$PWD/.cache/arm64/sysroot/usr/lib/aarch64-linux-gnu")
  "${emulated[@]}" "$place/usr/bin/moodboxd" --version
  "${emulated[@]}" "$place/usr/bin/moodboxd" --check-config --config "$place/etc/moodbox/moodbox.toml"
  "${emulated[@]}" "$place/usr/bin/moodbox" analyze --json "$photo" | grep --quiet '"emotion"' ||
    fail "the tool for arm64 finds no face in $photo"
  rm -rf "$place"
}

[ "$(id -u)" = 0 ] || fail "a container with its own systemd takes root"
source deploy/private-apt.sh
deploy/set-up-checkout.sh test-deb
check_arm64
build_root
python3 tests/deb/tests.py "$root" target/debian
