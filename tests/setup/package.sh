#!/usr/bin/env bash
# A package of the daemon as it was just built, to be installed by tests: package.sh FILE [VERSION]
set -euo pipefail
cd "$(dirname "$0")/../.."
file=$1
version=${2:-$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n1)}
arch=$(uname -m)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
install -D --strip target/debug/moodboxd "$tree/usr/bin/moodboxd"
install -D -m 644 ".cache/tflite/$arch/libtensorflowlite_c.so" "$tree/usr/lib/moodbox/libtensorflowlite_c.so"
install -D -m 644 deploy/moodbox.toml "$tree/etc/moodbox/moodbox.toml"
install -D -m 644 systemd/moodboxd.service "$tree/usr/lib/systemd/system/moodboxd.service"
install -d "$tree/DEBIAN"
echo /etc/moodbox/moodbox.toml >"$tree/DEBIAN/conffiles"
cat >"$tree/DEBIAN/control" <<CONTROL
Package: moodboxd
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: moodbox <moodbox@localhost>
Depends: libc6, libssl3t64 | libssl3, libstdc++6
Description: for tests
CONTROL
cat >"$tree/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
set -e
getent group gpio >/dev/null || groupadd --system gpio
POSTINST
chmod 755 "$tree/DEBIAN/postinst"
dpkg-deb --build --root-owner-group -Zgzip -z1 "$tree" "$file" >/dev/null
