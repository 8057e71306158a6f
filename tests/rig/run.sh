#!/bin/bash
# Runs the daemon on an emulated Raspberry Pi 3B with the real drivers of Debian's kernel, and makes all go wrong around it.
#
#   tests/rig/run.sh            all stages
#   tests/rig/run.sh STAGE...   some of: fetch build image test
#   RIG_TEST=switch tests/rig/run.sh test   the tests with this in their name
#
# QEMU, the kernel and busybox come from Debian by package name into $RIG_CACHE (.cache/rig where that is not set); nothing of
# them is installed. deploy/cargo-arm64.sh brings what builds for the board.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${RIG_CACHE:-$root/.cache/rig}
arm64=$root/.cache/arm64
built=$root/target/aarch64-unknown-linux-gnu/release

say() { echo "rig: $*"; }
die() { echo "rig: $*" >&2; exit 1; }
source "$root/deploy/private-apt.sh"

# Says loudly that nothing was tested; where tests are required that is a failure.
skip() {
  [[ ${CI:-} != true && -z ${MOODBOX_REQUIRE_DATA:-} ]] || die "$*"
  say "SKIPPED, nothing was tested: $*"
  exit 0
}

fetch() {
  local scripts=("$root/deploy/private-apt.sh" "$here/run.sh") kernel version kbuild
  if [[ $(cat "$cache/fetched" 2>/dev/null) == "$(cat "${scripts[@]}" | sha256sum)" ]]; then return; fi
  use_private_apt
  say "fetch QEMU"
  unpack_all "$cache/qemu" qemu-system-arm
  kernel=$(needed_by linux-image-arm64:arm64 linux-image)
  version=${kernel#linux-image-}
  kbuild=$(needed_by "linux-headers-$version:arm64" linux-kbuild)
  say "fetch $kernel and busybox"
  unpack "$cache/kernel" "$kernel:arm64"
  unpack "$cache/headers" "linux-headers-$version:arm64" "linux-headers-${version%-arm64}-common" "$kbuild"
  unpack "$cache/busybox" busybox-static:arm64
  cat "${scripts[@]}" | sha256sum >"$cache/fetched"
}

build() {
  say "build for aarch64"
  # The packages are optimised as wholes; for the three programs here that takes minutes of the compiler.
  export CARGO_PROFILE_RELEASE_LTO=off
  # Beside the tool, so that the daemon has the features that it has in the packages.
  local packages=(--release --locked --package moodboxd --package moodbox)
  # What makes tflitec looks at headers that it has copied itself: it runs once more after its first time, and what needs it is
  # compiled after that.
  (cd "$root" && deploy/cargo-arm64.sh check --quiet --release --locked --package tflitec)
  # The tool is not run there, but this is where CI sees that it compiles.
  (cd "$root" && deploy/cargo-arm64.sh check --quiet "${packages[@]}")
  (cd "$root" && deploy/cargo-arm64.sh build --quiet "${packages[@]}" --bin moodboxd --examples)
  for tool in vcam helpers; do (cd "$here/$tool" && "$root/deploy/cargo-arm64.sh" build --quiet --release --locked); done
}

build_gpiomem() {
  local headers
  headers=$(echo "$cache"/headers/usr/src/linux-headers-*-arm64)
  rm -rf "$cache/gpiomem"
  cp -r "$here/gpiomem" "$cache/gpiomem"
  # The packaged Makefile names its other half by where it would be installed; this folder may have moved since.
  sed -i "s#^include .*/usr/src#include $cache/headers/usr/src#" "$headers/Makefile"
  make -s -C "$headers" M="$cache/gpiomem" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- modules >"$cache/gpiomem.log" 2>&1 ||
    die "the kernel module gpiomem does not build: see $cache/gpiomem.log"
}

image() {
  build_gpiomem
  say "pack the file system"
  python3 "$here/pictures.py" "$root/host-tools/demo/evening.mjpeg" "$cache/pictures"
  python3 "$here/initramfs.py" "$cache/initramfs" \
    --init "$here/guest/init" \
    --busybox "$cache/busybox/bin/busybox" \
    --modules "$(echo "$cache"/kernel/lib/modules/*)" \
    --load vhci_hcd uvcvideo dwc2 cdc_ether rndis_host sdhci_iproc bcm2835 crc32c_generic ext4 bcm2835_thermal \
    --files "$cache/pictures" \
    --script "$here/guest/unattended" \
    --extra-module "$cache/gpiomem/gpiomem.ko" \
    --libraries /usr/aarch64-linux-gnu/lib \
    --libraries "$arm64/sysroot/usr/lib/aarch64-linux-gnu" \
    --libraries "$root/.cache/tflite/aarch64" \
    "$built/moodboxd" "$built/examples/capture" "$built/examples/light" "$built/vcam" "$built/hang" "$built/supervise"
}

test_board() {
  say "boot and test"
  python3 "$here/tests.py" "$cache" ${RIG_TEST:+"$RIG_TEST"}
}

mkdir -p "$cache"
if ((! $#)); then
  [[ $(uname -m) == x86_64 ]] || skip "the emulator is fetched for x86-64 alone"
  command -v apt-get >/dev/null || skip "the emulator comes from Debian, and there is no apt-get"
  "$root/deploy/set-up-checkout.sh" rig
  # What brings the compiler uses the same second apt; after that the network and the compiler do not wait for each other.
  "$root/deploy/cargo-arm64.sh" --version >/dev/null
  "$0" fetch & fetching=$!
  "$0" build
  wait "$fetching" || skip "the emulator and its kernel cannot be fetched (above)"
  set -- image test
fi
for stage; do
  case $stage in
    fetch | build | image) $stage ;;
    test) test_board ;;
    *) die "there is no stage $stage: fetch, build, image or test" ;;
  esac
done
