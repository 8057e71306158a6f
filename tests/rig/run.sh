#!/bin/bash
# Runs the camera and the lights on an emulated Raspberry Pi 3B with the real drivers of Debian's kernel.
#
#   tests/rig/run.sh            all stages
#   tests/rig/run.sh STAGE...   some of: fetch build image test
#
# QEMU, the kernel, a Rust toolchain for aarch64 and libraries come from Debian by package name into $RIG_CACHE (.cache/rig
# where that is not set); nothing of them is installed. The cross compiler is installed where it is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${RIG_CACHE:-$root/.cache/rig}
suite=bookworm
target=aarch64-unknown-linux-gnu
built=$cache/target/$target/release

say() { echo "rig: $*"; }
die() { echo "rig: $*" >&2; exit 1; }

# Installs what must lie where the compiler looks for it.
install_cross_compiler() {
  local packages=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross libstdc++6-arm64-cross libclang-dev binutils make python3)
  local missing=() package sudo=()
  for package in "${packages[@]}"; do
    [[ $(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "install ${missing[*]}"
  ((EUID)) && sudo=(sudo)
  "${sudo[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    die "cannot install ${missing[*]}: try apt-get update, or install them by hand"
}

# The mirror that this machine's apt takes a suite from.
mirror_of() {
  env -u APT_CONFIG apt-get indextargets --format '$(CODENAME) $(REPO_URI)' | awk -v suite="$1" '$1 == suite { print $2; exit }'
}

# A second apt beside the machine's own: it knows both architectures and backports, and believes that nothing is installed.
make_private_apt() {
  local apt=$cache/apt main security options
  main=$(mirror_of "$suite")
  security=$(mirror_of "$suite-security")
  [[ $main && $security ]] || die "apt knows no mirror of Debian $suite and $suite-security: add them to its sources"
  mkdir -p "$apt"/etc/{apt.conf.d,preferences.d,trusted.gpg.d} "$apt"/state/lists/partial "$apt"/cache/archives/partial
  : >"$apt/state/status"
  options='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg arch=amd64,arm64]'
  for name in "$suite" "$suite-updates" "$suite-backports"; do echo "deb $options $main $name main"; done >"$apt/etc/sources.list"
  echo "deb $options $security $suite-security main" >>"$apt/etc/sources.list"
  cat >"$apt/apt.conf" <<END
Dir::Etc "$apt/etc/";
Dir::Etc::sourcelist "$apt/etc/sources.list";
Dir::State "$apt/state/";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache/";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
END
  export APT_CONFIG=$apt/apt.conf
  apt-get -qq update
}

# download FOLDER PACKAGE... : unpacks packages, without what they depend on.
download() {
  local folder=$1
  shift
  rm -rf "$cache/debs" "${cache:?}/$folder"
  mkdir -p "$cache/debs"
  (cd "$cache/debs" && apt-get -qq download "$@")
  for deb in "$cache"/debs/*.deb; do dpkg-deb -x "$deb" "$cache/$folder"; done
  rm -rf "$cache/debs"
}

# download_all FOLDER PACKAGE : unpacks a package from backports and all that it depends on.
download_all() {
  rm -rf "${cache:?}/$1"
  apt-get -qq install -y --download-only --no-install-recommends -t "$suite-backports" "$2" >/dev/null
  for deb in "$cache"/apt/cache/archives/*.deb; do dpkg-deb -x "$deb" "$cache/$1"; done
}

# needed_by PACKAGE NAME : the package whose name begins with NAME that PACKAGE depends on.
needed_by() {
  apt-cache depends "$1" | awk -v name="$2" '$1 == "Depends:" && index($2, name) == 1 { sub(":arm64", "", $2); print $2; exit }'
}

fetch() {
  install_cross_compiler
  if [[ $(cat "$cache/fetched" 2>/dev/null) == "$(sha256sum <"$here/run.sh")" ]]; then return; fi
  make_private_apt
  say "fetch QEMU"
  download_all qemu qemu-system-arm
  local kernel version kbuild std llvm
  kernel=$(needed_by linux-image-arm64:arm64 linux-image)
  version=${kernel#linux-image-}
  kbuild=$(needed_by "linux-headers-$version:arm64" linux-kbuild)
  say "fetch $kernel"
  download kernel "$kernel:arm64"
  download headers "linux-headers-$version:arm64" "linux-headers-${version%-arm64}-common" "$kbuild"
  say "fetch busybox, OpenSSL and Rust for aarch64"
  download arm64 busybox-static:arm64 libssl-dev:arm64 libssl3:arm64
  cp -r "$cache/arm64/usr/include/aarch64-linux-gnu/openssl" "$cache/arm64/usr/include/"
  std=$(needed_by libstd-rust-web-dev libstd-rust-web)
  llvm=$(needed_by "$std" libllvm)
  download rust rustc-web "$std" libstd-rust-web-dev libstd-rust-web-dev:arm64 "$llvm"
  rm -rf "$cache/apt"
  sha256sum <"$here/run.sh" >"$cache/fetched"
}

build() {
  "$root/deploy/set-up-checkout.sh" rig
  cat >"$cache/rustc" <<END
#!/bin/sh
LD_LIBRARY_PATH=$cache/rust/usr/lib/x86_64-linux-gnu exec $cache/rust/usr/bin/rustc "\$@"
END
  chmod +x "$cache/rustc"
  export RUSTC=$cache/rustc CARGO_TARGET_DIR=$cache/target CARGO_PROFILE_RELEASE_LTO=off
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
  export BINDGEN_EXTRA_CLANG_ARGS_aarch64_unknown_linux_gnu='--target=aarch64-linux-gnu -I/usr/aarch64-linux-gnu/include'
  export AARCH64_UNKNOWN_LINUX_GNU_OPENSSL_LIB_DIR=$cache/arm64/usr/lib/aarch64-linux-gnu
  export AARCH64_UNKNOWN_LINUX_GNU_OPENSSL_INCLUDE_DIR=$cache/arm64/usr/include
  say "build for aarch64"
  (cd "$root" && cargo build --quiet --release --locked --target $target -p moodboxd --examples)
  (cd "$here/vcam" && cargo build --quiet --release --locked --target $target)
  build_gpiomem
}

build_gpiomem() {
  local headers
  headers=$(echo "$cache"/headers/usr/src/linux-headers-*-arm64)
  rm -rf "$cache/gpiomem"
  cp -r "$here/gpiomem" "$cache/gpiomem"
  # The packaged Makefile names its other half by where it would be installed.
  sed -i "s#include /usr/src#include $cache/headers/usr/src#" "$headers/Makefile"
  make -s -C "$headers" M="$cache/gpiomem" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- modules >"$cache/gpiomem.log" 2>&1 ||
    die "the kernel module gpiomem does not build: see $cache/gpiomem.log"
}

image() {
  say "pack the file system"
  python3 "$here/initramfs.py" "$cache/initramfs" \
    --init "$here/guest/init" \
    --busybox "$cache/arm64/bin/busybox" \
    --modules "$(echo "$cache"/kernel/lib/modules/*)" \
    --load vhci_hcd uvcvideo \
    --extra-module "$cache/gpiomem/gpiomem.ko" \
    --libraries /usr/aarch64-linux-gnu/lib \
    --libraries "$cache/arm64/usr/lib/aarch64-linux-gnu" \
    --libraries "$root/.cache/tflite/aarch64" \
    "$built/examples/capture" "$built/examples/light" "$built/vcam"
}

test_board() {
  say "boot and test"
  python3 "$here/tests.py" "$cache"
}

mkdir -p "$cache"
(($#)) || set -- fetch build image test
for stage; do
  case $stage in
    fetch | build | image) $stage ;;
    test) test_board ;;
    *) die "there is no stage $stage: fetch, build, image or test" ;;
  esac
done
