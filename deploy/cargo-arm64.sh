#!/usr/bin/env bash
# Cargo for a 64-bit Raspberry Pi, on an x86 machine with Debian 12:
#
#   deploy/cargo-arm64.sh build --release --package moodboxd
#
# What is built lies under target/aarch64-unknown-linux-gnu. Rust comes from Debian, compiler and standard library of one
# version, and OpenSSL too; both are unpacked into .cache/arm64. The cross compiler for C is installed where it is missing.
# All is of Debian 12, so that the programs run there and on what came later.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cache=$root/.cache/arm64
target=aarch64-unknown-linux-gnu
source "$root/deploy/private-apt.sh"
source "$root/deploy/release-flags.sh"

fetch() {
  local scripts=("$root/deploy/private-apt.sh" "$root/deploy/cargo-arm64.sh") std llvm
  if [[ $(cat "$cache/fetched" 2>/dev/null) == "$(cat "${scripts[@]}" | sha256sum)" ]]; then return; fi
  mkdir -p "$cache"
  echo "arm64: fetch Rust and OpenSSL"
  use_private_apt
  unpack "$cache/sysroot" libssl-dev:arm64 libssl3:arm64
  cp -r "$cache/sysroot/usr/include/aarch64-linux-gnu/openssl" "$cache/sysroot/usr/include/"
  std=$(needed_by libstd-rust-web-dev libstd-rust-web)
  llvm=$(needed_by "$std" libllvm)
  unpack "$cache/rust" rustc-web "$std" libstd-rust-web-dev libstd-rust-web-dev:arm64 "$llvm"
  cat >"$cache/rustc" <<'END'
#!/bin/sh
rust=$(dirname "$0")/rust/usr
LD_LIBRARY_PATH=$rust/lib/x86_64-linux-gnu exec "$rust/bin/rustc" "$@"
END
  chmod +x "$cache/rustc"
  cat "${scripts[@]}" | sha256sum >"$cache/fetched"
}

[ "$(uname -m)" = x86_64 ] || { echo "arm64: this is not an x86-64 machine; on the Raspberry Pi itself plain cargo does it" >&2; exit 2; }
"$root/deploy/set-up-checkout.sh" arm64
fetch
export RUSTC=$cache/rustc CARGO_BUILD_TARGET=$target CARGO_TARGET_DIR=$root/target
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export BINDGEN_EXTRA_CLANG_ARGS_aarch64_unknown_linux_gnu='--target=aarch64-linux-gnu -I/usr/aarch64-linux-gnu/include'
export AARCH64_UNKNOWN_LINUX_GNU_OPENSSL_LIB_DIR=$cache/sysroot/usr/lib/aarch64-linux-gnu
export AARCH64_UNKNOWN_LINUX_GNU_OPENSSL_INCLUDE_DIR=$cache/sysroot/usr/include
release_flags "$root"
exec cargo "$@"
