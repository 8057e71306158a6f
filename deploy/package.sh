#!/usr/bin/env bash
# Makes the Debian packages moodboxd and moodbox in target/debian, with a list of checksums: for arm64 and amd64 on an x86
# machine with Debian 12, for arm64 on a Raspberry Pi. Where SIGNING_KEY names a key of gpg, the list is signed.
set -euo pipefail
cd "$(dirname "$0")/.."
source deploy/release-flags.sh
out=target/debian

# The state of the sources, so that the same sources make the same bytes.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
# Each package is newer than those of earlier commits, so that apt installs it over them.
[ "$(git rev-parse --is-shallow-repository)" = false ] ||
  { echo "deb: this clone lacks the history that gives a package its revision; git fetch --unshallow" >&2; exit 2; }
revision=$(git rev-list --count HEAD)

# build TARGET : both programs.
build() {
  local words=(build --release --locked --package moodboxd --package moodbox)
  if [ "$1" = "$native" ]; then
    release_flags "$PWD"
    cargo "${words[@]}" --target "$1"
  else
    deploy/cargo-arm64.sh "${words[@]}"
  fi
}

# manuals : man pages and completions, which the native tool makes of its own definitions, and of the daemon's.
manuals() {
  local tool=target/$native/release/moodbox folder=target/manuals
  export LD_LIBRARY_PATH=$PWD/.cache/tflite/$(uname -m)
  rm -rf "$folder"
  mkdir -p "$folder/completions"
  "$tool" man --out "$folder/man"
  gzip --best --no-name "$folder"/man/*
  "$tool" completions bash >"$folder/completions/moodbox"
  "$tool" completions zsh >"$folder/completions/_moodbox"
  "$tool" completions fish >"$folder/completions/moodbox.fish"
}

# pack TARGET : the packages of what was built.
pack() {
  local folder=target/$1/release/package package
  rm -rf "$folder"
  for package in moodboxd moodbox; do python3 deploy/deb/parts.py $package "$1" "$folder/$package"; done
  cp ".cache/tflite/${1%%-*}/libtensorflowlite_c.so" "$folder/"
  cp -r target/manuals/{man,completions} "$folder/moodbox/"
  mv "$folder/moodbox/man/moodboxd.1.gz" "$folder/moodboxd/"
  for package in moodboxd moodbox; do
    # The symbols stay, for the sake of legible crash reports.
    .cache/tools/bin/cargo-deb --quiet --target "$1" --no-build --no-strip --package $package --deb-revision "$revision" \
      --output "$out/"
  done
}

native=$(rustc -vV | sed -n 's/^host: //p')
targets=("$native")
[ "$native" != x86_64-unknown-linux-gnu ] || targets+=(aarch64-unknown-linux-gnu)
deploy/set-up-checkout.sh deb
rm -rf "$out"
mkdir -p "$out"
for target in "${targets[@]}"; do build "$target"; done
manuals
for target in "${targets[@]}"; do pack "$target"; done
deploy/checksums.sh "$out"
