#!/usr/bin/env bash
# `moodbox setup`, `discover`, `doctor`, `logs`, `aim` and `fleet update`, with the package in target/debian, against a machine
# that is not there yet: a fresh Debian as Raspberry Pi OS is made of, booted in a container with its own systemd, sshd, journal
# and Avahi, on loopback only; and a real Mosquitto.
#
#   run.sh [TEST...]      for example: run.sh test_setup.Guided
#
# Everything lies in .cache/setup; every test boots a machine of its own from what lies there, and leaves it as it was. Making a
# root file system and booting it takes root.
set -euo pipefail
cd "$(dirname "$0")/../.."

SUITE=trixie
# cloud-init does on a card's first start what the card says.
PACKAGES=systemd,systemd-sysv,dbus,openssh-server,sudo,avahi-daemon,cloud-init,libssl3t64,libstdc++6

CACHE=$PWD/.cache/setup
ROOT=$CACHE/$SUITE

fail() { printf 'test-setup: %s\n' "$*" >&2; exit 3; }
say() { printf 'test-setup: %s\n' "$*"; }

[ "$(id -u)" = 0 ] || fail "making and booting a machine takes root; run it with sudo"

# The machine's accounts: root and `pi`, with a key for tests, and a password for `pi`, who has sudo.
make_accounts() {
  ssh-keygen -q -t ed25519 -N '' -C test -f "$CACHE/key"
  ssh-keygen -q -t ed25519 -N '' -C test -f "$CACHE/other-key"
  chroot "$ROOT" useradd --create-home --shell /bin/bash --groups sudo pi
  echo 'pi:raspberry' | chroot "$ROOT" chpasswd
  local home
  for home in "$ROOT/root" "$ROOT/home/pi"; do
    install -d -m 700 "$home/.ssh"
    install -m 600 "$CACHE/key.pub" "$home/.ssh/authorized_keys"
  done
  chroot "$ROOT" chown -R pi:pi /home/pi/.ssh
}

make_machine() {
  [ ! -e "$ROOT/.made" ] || return 0
  say "making a Debian $SUITE"
  rm -rf "$CACHE"
  mkdir -p "$CACHE"
  local mirror codename check_age
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $codename" | head -n1)
  # A machine whose mirror stands still says so here.
  check_age=$(apt-config dump --format '%v' Acquire::Check-Valid-Until)
  mmdebstrap --quiet --variant=minbase --components=main \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --aptopt="Acquire::Check-Valid-Until \"${check_age:-true}\"" --include="$PACKAGES" "$SUITE" "$ROOT" "$mirror" ||
    fail "mmdebstrap cannot make a Debian $SUITE from $mirror"
  make_accounts
  # Nobody else shall hear of it.
  sed -i 's/^#\?allow-interfaces=.*/allow-interfaces=lo/' "$ROOT/etc/avahi/avahi-daemon.conf"
  echo moodbox-test >"$ROOT/etc/hostname"
  : >"$ROOT/etc/machine-id"
  touch "$ROOT/.made"
}

make_machine
cp "target/debian/moodboxd_"*"_$(dpkg --print-architecture).deb" "$CACHE/moodboxd.deb"
cargo build --quiet --package moodbox
cd tests/setup
MOODBOX_SETUP_CACHE=$CACHE exec python3 -m unittest "${@:-discover}"
