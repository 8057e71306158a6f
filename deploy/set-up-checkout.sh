#!/usr/bin/env bash
# Brings a Debian 12 or Raspberry Pi OS machine to the point where this checkout builds: system packages, the Rust
# toolchain's version, the TensorFlow Lite C library. Does nothing that is done already.
#
#   set-up-checkout.sh build     what `make demo` needs
#   set-up-checkout.sh test      what `make test` needs besides
#   set-up-checkout.sh setup     what `make test-setup` needs besides
#   set-up-checkout.sh ha        what `make test-ha` needs besides, but for Home Assistant itself
#   set-up-checkout.sh ui        what `make test-ui` needs besides
#   set-up-checkout.sh check     what `make check` needs besides
#   set-up-checkout.sh portable  what `make check-portable` needs besides
#   set-up-checkout.sh deb       what `make deb` needs besides
#   set-up-checkout.sh test-deb  what `make test-deb` needs besides
#   set-up-checkout.sh arm64     what building for the board on an x86 machine needs besides
#   set-up-checkout.sh rig       what the emulated board needs on the host besides
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'set-up: %s\n' "$*" >&2; exit 3; }

# The library comes in a wheel of the Open Home Foundation; the wheel is fetched by name and checked by content.
WHEEL=pymicro-wakeword==2.5.0
declare -A LIBRARY_SHA256=(
  [x86_64]=25465edb5cd7aadd00249d4d28f1d922ce5cc90195ad4403458111dd63493bae
  [aarch64]=12062437bfde367b1be592ebc4a9fe64b8453f90b3b7dc21fade002c38e1ac1a
)
CARGO_DENY=0.20.2
CARGO_DEB=3.8.0

install_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = 'ii ' ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || fail "these packages are missing and there is no apt-get to install them: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing; install them as root: apt-get install ${missing[*]}"
    echo "set-up: installing ${missing[*]} (asks for your password)"
    as_root=(sudo)
  fi
  # Tests start their own brokers and players; the packages' services shall not take the ports.
  local log
  log=$(mktemp)
  { "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    fail "apt-get could not install ${missing[*]}: $(grep -m1 '^E:' "$log" || tail -n1 "$log")"
  rm -f "$log"
}

check_rust() {
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  command -v cargo >/dev/null || fail "Rust is missing; install $wanted or newer with rustup (package rustup, or https://rustup.rs)"
  found=$(rustc --version | cut -d' ' -f2)
  [ "$(printf '%s\n' "$wanted" "${found%%-*}" | sort -V | head -n1)" = "$wanted" ] ||
    fail "Rust $found is too old; this needs $wanted or newer: rustup update stable"
}

fetch_tflite() {
  local arch=$1 folder=.cache/tflite/$1 library=.cache/tflite/$1/libtensorflowlite_c.so
  if [ -e "$library" ] && echo "${LIBRARY_SHA256[$arch]}  $library" | sha256sum --check --status; then return; fi
  local download
  download=$(mktemp -d)
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --platform "manylinux_2_35_$arch" --dest "$download" "$WHEEL" >"$download/log" 2>&1 ||
    fail "pip cannot download $WHEEL for $arch: $(tail -n1 "$download/log")"
  mkdir -p "$folder"
  python3 -m zipfile -e "$download"/*.whl "$download/wheel"
  mv "$download/wheel/pymicro_wakeword/lib/libtensorflowlite_c.so" "$library"
  rm -rf "$download"
  echo "${LIBRARY_SHA256[$arch]}  $library" | sha256sum --check --status ||
    fail "$library is not the library that was pinned (sha256 differs); delete it and try again"
}

install_tool() {
  local name=$1 version=$2
  [ "$(.cache/tools/bin/"$name" --version 2>/dev/null | awk '{print $2}')" = "$version" ] && return
  echo "set-up: building $name $version (some minutes, once)"
  # Unoptimised: it runs for seconds, and compiling it is what takes the time.
  cargo install --quiet --debug --locked --root .cache/tools "$name" --version "$version" ||
    fail "cargo cannot install $name $version"
}

# The standard library of other systems, of the Rust that builds here.
install_targets() {
  command -v rustup >/dev/null || fail "rustup is missing, which brings Rust's standard library for other systems"
  rustup --quiet target add "$@" || fail "rustup cannot install $*"
}

# What programs in Python need, as a file of requirements says it, in a place of its own.
install_requirements() {
  local file=$1 venv=$2
  cmp -s "$file" "$venv/requirements.txt" && return
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$file" >"$venv/log" 2>&1 ||
    fail "pip could not install what $file names: $(tail -n1 "$venv/log")"
  cp "$file" "$venv/requirements.txt"
}

case ${1:-build} in
build | test | setup | ha | ui | check | portable | deb | test-deb | arm64 | rig) ;;
*) fail "unknown stage $1; known are build, test, setup, ha, ui, check, portable, deb, test-deb, arm64, rig" ;;
esac
arch=$(uname -m)
[ -n "${LIBRARY_SHA256[$arch]:-}" ] || fail "there is no TensorFlow Lite library for $arch; this needs x86_64 or aarch64 (64-bit Raspberry Pi OS)"
install_packages gcc g++ libc6-dev make pkg-config libssl-dev libclang-dev python3 python3-pip
check_rust
fetch_tflite "$arch"
[ "${1:-build}" != test ] || install_packages mosquitto mosquitto-clients mpd openssl strace iproute2 libfaketime gpg gpg-agent
[ "${1:-build}" != rig ] || install_packages mosquitto mosquitto-clients e2fsprogs binutils
[ "${1:-build}" != setup ] || install_packages mosquitto mosquitto-clients openssl mmdebstrap systemd-container openssh-client
[ "${1:-build}" != ha ] || install_packages mmdebstrap mosquitto mpd openssl curl python3-venv
if [ "${1:-build}" = ui ]; then
  install_packages mosquitto chromium fonts-dejavu-core python3-venv
  install_requirements tests/ui/requirements.txt .cache/ui
fi
if [ "${1:-build}" = check ]; then
  install_packages systemd git
  install_tool cargo-deny "$CARGO_DENY"
fi
[ "${1:-build}" != portable ] || install_targets aarch64-apple-darwin x86_64-pc-windows-gnu
[ "${1:-build}" != test-deb ] || install_packages mmdebstrap qemu-user-static systemd-container
[ "${1:-build}" != deb ] || install_tool cargo-deb "$CARGO_DEB"
if [ "${1:-build}" = arm64 ]; then
  install_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross libstdc++6-arm64-cross
  fetch_tflite aarch64
fi
