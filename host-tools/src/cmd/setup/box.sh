#!/bin/sh
# What `moodbox setup` does on the box itself; it is sent there with each set-up.
#
#   box.sh look                what there is, as KEY=VALUE lines; changes nothing and takes no rights
#   box.sh apply FOLDER        installs what lies in FOLDER, as root; asks on stdout and reads `go` before the service starts
#   box.sh first-boot FOLDER   the same on the first start from a card, where nobody can be asked
#   box.sh undo                puts back what was there before the last set-up, as root
#
# FOLDER holds package.deb and moodbox.toml, and perhaps password, ca.pem and moodbox.service for Avahi.
#
# Before something is changed for the first time in a set-up, $STATE/journal says what, and $STATE/before keeps what was
# there. A set-up that was cut off goes on with the same journal, so that undo leads back to before its first attempt.
set -u
umask 022
# A host that goes away shall not stop a step in the middle; it shows where something is read from it.
trap '' HUP PIPE

PROTOCOL=1
STATE=/var/lib/moodbox-setup
LOCK=/run/moodbox-setup.lock
CONFIG=/etc/moodbox/moodbox.toml
SERVICE=moodboxd
TRIAL=moodboxd-trial.service
STORE=/var/lib/moodbox
DEV=/dev
VIDEO=/sys/class/video4linux

# Lines for the tool: kind, step, what came of it, in words; parted by tabs.
say() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" 2>/dev/null || true; }
step=start
begin() { step=$1; say step "$step" begin "$2"; }
done_with() { say step "$step" done "$1"; }
fail() { say step "$step" failed "$1"; exit 1; }
one_line() { tr '\n\t' '  ' | sed 's/  */ /g; s/ $//'; }

installed() { dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null | sed -n 's/^installed //p'; }

# --- look ---

first_of() { tr -d '\0' 2>/dev/null <"$1" | head -n1; }

# As the daemon finds it by itself: serial number, else address of the first wired network card, else machine id.
own_id() {
  serial=$(first_of /proc/device-tree/serial-number | tr 'A-Z' 'a-z' | sed 's/^0*//')
  [ ${#serial} -lt 4 ] || { echo "$serial"; return; }
  for card in /sys/class/net/*; do
    [ -e "$card/device" ] && [ ! -e "$card/phy80211" ] || continue
    address=$(first_of "$card/address" | tr -d ':')
    case $address in 000000000000 | '') ;; ????????????) echo "$address"; return ;; esac
  done
  cut -c1-16 /etc/machine-id 2>/dev/null
}

# The name by which udev keeps a camera over a replug and a reboot, which may change its number; the number where it has none.
lasting_name() { # node
  for link in "$DEV"/v4l/by-id/* "$DEV"/v4l/by-path/*; do
    if [ "$(readlink -f "$link")" = "$1" ]; then
      echo "$link"
      return
    fi
  done
  echo "$1"
}

# Cameras that speak for themselves; what a Raspberry Pi has in its chip are codecs, and cameras that need other software.
# Each with its lasting name, its node and what it calls itself.
cameras() {
  for camera in "$VIDEO"/video*; do
    [ -e "$camera/name" ] || continue
    [ "$(first_of "$camera/index")" = 0 ] || continue
    name=$(first_of "$camera/name")
    case $name in bcm2835-* | rpi-* | rpivid* | pispbe* | rp1-cfe* | unicam*) continue ;; esac
    node=$DEV/${camera##*/}
    printf 'camera=%s %s %s\n' "$(lasting_name "$node")" "$node" "$name"
  done
}

may_be_root() {
  if [ "$(id -u)" = 0 ]; then
    echo root
  elif ! command -v sudo >/dev/null; then
    echo no
  elif sudo -n true 2>/dev/null; then
    echo yes
  else
    echo password
  fi
}

look() {
  printf 'protocol=%s\nos=%s\n' "$PROTOCOL" "$(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME")"
  printf 'arch=%s\nboard=%s\n' "$(dpkg --print-architecture 2>/dev/null)" "$(first_of /proc/device-tree/model)"
  printf 'free_mb=%s\n' "$(for at in /usr /var/tmp; do df -Pm "$at"; done | awk '/%/ { print $4 }' | sort -n | head -n1)"
  printf 'root=%s\nid=%s\n' "$(may_be_root)" "$(own_id)"
  [ -d /run/systemd/system ] && echo systemd=yes || echo systemd=no
  [ -e /dev/gpiochip0 ] && echo gpio=yes || echo gpio=no
  printf 'installed=%s\n' "$(installed moodboxd)"
  cameras
  if [ -e "$CONFIG" ]; then
    # Its owner may have kept it from others.
    if sed 's/^/config=/' "$CONFIG" 2>/dev/null || sudo -n sed 's/^/config=/' "$CONFIG" 2>/dev/null; then
      echo installed_config=yes
    else
      echo installed_config=hidden
    fi
  fi
}

# --- the journal ---

lock() {
  # Where the redirection of exec itself fails, dash ends at once and says nothing of ours.
  (: >"$LOCK") 2>/dev/null || fail "cannot write to $LOCK; nothing was changed"
  exec 9>"$LOCK"
  flock -n 9 || fail "another set-up is at work on this box; nothing was changed"
}

# Whether the journal has this already.
noted() { cut -f1,2 "$STATE/journal" 2>/dev/null | grep -qxF "$(printf '%s\t%s' "$1" "$2")"; }

# Says in the journal what is going to be changed, with what undo needs to know; once in a set-up.
note() { # what, which, as it was
  if noted "$1" "$2"; then return; fi
  { mkdir -p -m 700 "$STATE" && printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$STATE/journal" && sync "$STATE/journal"; } ||
    fail "cannot write $STATE/journal; this was not changed: $2"
}

# What is changed after a set-up that went well belongs to the next one.
open_journal() {
  if [ -e "$STATE/complete" ]; then rm -rf "$STATE/journal" "$STATE/before" "$STATE/complete"; fi
}

kept_as() { echo "$STATE/before/$(echo "$1" | tr / _)"; }

note_file() {
  open_journal
  if noted file "$1"; then return; fi
  if [ ! -e "$1" ]; then
    note file "$1" absent
    return
  fi
  { mkdir -p -m 700 "$STATE" "$STATE/before" && cp -p "$1" "$(kept_as "$1")" && sync "$(kept_as "$1")"; } ||
    fail "cannot keep a copy of $1; it was not changed"
  note file "$1" kept
}

changed=no

# Puts a file where it belongs, unless it is there already.
put() { # from, to, mode, owner and group where they are not root's
  if cmp -s "$1" "$2" && [ "$(stat -c %a "$2")" = "$3" ]; then return; fi
  note_file "$2"
  { mkdir -p "${2%/*}" && install -m "$3" "$1" "$2.new" && chown "${4:-0:0}" "$2.new" && mv "$2.new" "$2"; } 2>"$work/error" || {
    rm -f "$2.new"
    fail "cannot write $2: $(one_line <"$work/error")"
  }
  changed=yes
}

# Each file of the journal, as it was before the set-up.
put_back_files() {
  while IFS="$(printf '\t')" read -r what which was; do
    [ "$what" = file ] || continue
    if [ "$was" = absent ]; then
      rm -f "$which"
    elif [ -e "$(kept_as "$which")" ]; then
      mkdir -p "${which%/*}" && cp -p "$(kept_as "$which")" "$which" || fail "$which cannot be put back"
    fi
  done <"$STATE/journal"
}

# What was sent here goes in any case: the computer may be gone, and there may be a password in it.
clean() {
  rm -rf "$work"
  case $folder in /var/tmp/moodbox-setup.*) rm -rf "$folder" ;; esac
}

# --- apply ---

check() {
  begin check "checking the package and the configuration"
  [ "$(id -u)" = 0 ] || fail "this takes root"
  name=$(dpkg-deb -f "$folder/package.deb" Package 2>/dev/null) && version=$(dpkg-deb -f "$folder/package.deb" Version) &&
    arch=$(dpkg-deb -f "$folder/package.deb" Architecture) || fail "this is no Debian package; nothing was changed"
  [ "$name" = moodboxd ] || fail "this is the package of $name, not of moodboxd; nothing was changed"
  case $arch in
  all | "$(dpkg --print-architecture)") ;;
  *) fail "the package is for $arch and this box is $(dpkg --print-architecture); nothing was changed" ;;
  esac
  # The daemon of the package says what it thinks of the configuration before anything is changed.
  dpkg-deb -x "$folder/package.deb" "$work/x" 2>"$work/error" ||
    fail "cannot unpack the package: $(one_line <"$work/error"); nothing was changed"
  said=$("$work/x/usr/bin/moodboxd" --check-config --config "$folder/moodbox.toml" 2>&1) ||
    fail "moodboxd $version does not take the configuration: $(echo "$said" | tail -n1 | sed "s|$folder/||g"); nothing was changed"
  # Not what dpkg says: after a version was put back it names the one that failed.
  if cmp -s "$work/x/usr/bin/moodboxd" /usr/bin/moodboxd; then runs=yes; else runs=no; fi
  rm -rf "$work/x"
  before=$(installed moodboxd)
  older=
  if [ -n "$before" ] && dpkg --compare-versions "$version" lt "$before"; then older=", and is older than $before, which is installed"; fi
  done_with "moodboxd $version takes the configuration$older"
}

configure() {
  begin configure "writing $CONFIG"
  # An owner who keeps it from others goes on to.
  put "$folder/moodbox.toml" "$CONFIG" "$(stat -c %a "$CONFIG" 2>/dev/null || echo 644)" "$(stat -c %u:%g "$CONFIG" 2>/dev/null)"
  [ "$changed" = yes ] && done_with "$CONFIG is written" || done_with "$CONFIG is as it should be"
  begin credentials "keeping the password and the broker's authority"
  [ ! -e "$folder/password" ] || put "$folder/password" /etc/moodbox/password 600
  [ ! -e "$folder/ca.pem" ] || put "$folder/ca.pem" /etc/moodbox/ca.pem 644
  if [ -d /etc/avahi/services ] && [ -e "$folder/moodbox.service" ]; then
    # A card is written for a box that nobody has seen; where it names no id, the daemon goes by this one.
    sed "s|id=</txt|id=$(own_id)</txt|" "$folder/moodbox.service" >"$work/moodbox.service"
    put "$work/moodbox.service" /etc/avahi/services/moodbox.service 644
  fi
  done_with "in /etc/moodbox, the password for root alone"
}

# What apt-get or dpkg says goes to a file, which is read later. Others keep packages locked for minutes, as the daily updates do
# soon after a first start: apt-get can be told to wait for dpkg's locks, for those of its lists and archives it never does, and
# dpkg for none. Where the power went while something was installed, apt-get does nothing before dpkg has ended that.
patiently() { # file, command
  log=$1
  tries=0
  ended=no
  shift
  while ! LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1; do
    if [ $ended = no ] && grep -q '^E: dpkg was interrupted' "$log"; then
      # What it cannot end is told by what comes next.
      ended=yes
      DEBIAN_FRONTEND=noninteractive dpkg --force-confold --configure -a </dev/null >/dev/null 2>&1
      continue
    fi
    grep -qE '^E: Unable to lock directory|^dpkg: error: .* was locked by ' "$log" && [ $tries -lt 60 ] || return 1
    tries=$((tries + 1))
    sleep 5
  done
}

apt_install() {
  # Another package of the same version counts as installed without --reinstall.
  patiently "$work/log" apt-get install -y -q --no-install-recommends --allow-downgrades --reinstall \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "$@"
}

# Waits for what the package itself makes of an upgrade, unless that is over already.
pass_trial() {
  begin package "waiting for moodboxd $version to pass its trial"
  systemctl -q start $TRIAL 2>/dev/null
  if systemctl -q is-failed $TRIAL; then
    said=$(journalctl -q -o cat -n 1 _SYSTEMD_UNIT=$TRIAL 2>/dev/null | one_line)
    # The version before was put back with the files for the new one, which were there first and may be more than it takes.
    if cut -f1 "$STATE/journal" | grep -qx file; then
      put_back_files
      systemctl -q reset-failed $SERVICE 2>/dev/null
      if systemctl -q restart $SERVICE 2>/dev/null; then
        said="$said; with the files from before it runs"
      else
        said="$said; nor does it start with the files from before"
      fi
    fi
    fail "$version did not pass its trial: $said"
  fi
}

install_package() {
  sum=$(sha256sum <"$folder/package.deb" | cut -d' ' -f1)
  begin package "installing moodboxd $version"
  if [ "$before" = "$version" ] && [ $runs = yes ] && [ "$(cat "$STATE/package.sha256" 2>/dev/null)" = "$sum" ]; then
    done_with "moodboxd $version is installed"
    return
  fi
  open_journal
  [ -e "$STORE" ] || note folder "$STORE" absent
  note package moodboxd "${before:-absent}"
  note service $SERVICE "$(systemctl is-enabled $SERVICE 2>/dev/null) $(systemctl is-active $SERVICE 2>/dev/null)"
  # The package that was there, should one want to go back to it.
  if [ -e "$STATE/package.deb" ] && [ ! -e "$STATE/before/package.deb" ]; then
    mkdir -p "$STATE/before" && mv "$STATE/package.deb" "$STATE/before/package.deb"
  fi
  # What it says afterwards is of this package.
  systemctl -q reset-failed $TRIAL 2>/dev/null
  if ! apt_install "$folder/package.deb"; then
    # Lists of packages may be old or missing; dependencies then need new ones.
    if ! grep -q 'unmet dependencies' "$work/log" || ! patiently "$work/update" apt-get update -q ||
      ! apt_install "$folder/package.deb"; then
      fail "the package cannot be installed: $(grep -hE '^ *(E:|dpkg: error|cannot|.*: error:)|Depends:|No space' "$work/log" | head -n2 | one_line)"
    fi
  fi
  # The package's example, which stands in the file that it left alone.
  rm -f "$CONFIG.dpkg-dist"
  changed=yes
  pass_trial
  cp "$folder/package.deb" "$STATE/package.deb" && echo "$sum" >"$STATE/package.sha256"
  done_with "moodboxd $version is installed${before:+, $before was}"
}

# What the computer answers; nothing where it has gone away. A connection that breaks without a word says so only after hours, and
# no other set-up could begin for as long. Nobody is asked there: the computer answers by itself within seconds.
answer() { timeout 60 head -n1 || true; }

start_service() {
  begin service "starting the service"
  if [ "$changed" = no ] && systemctl -q is-active $SERVICE && systemctl -q is-enabled $SERVICE; then
    say ask go unchanged ""
    [ "${1:-}" = unasked ] || answer >/dev/null
    done_with "the service runs"
    return
  fi
  note service $SERVICE "$(systemctl is-enabled $SERVICE 2>/dev/null) $(systemctl is-active $SERVICE 2>/dev/null)"
  say ask go changed ""
  if [ "${1:-}" != unasked ]; then
    [ "$(answer)" = go ] || fail "the computer went away before the service was started"
  fi
  [ ! -d /etc/avahi/services ] || systemctl -q reload avahi-daemon 2>/dev/null || true
  systemctl -q daemon-reload
  systemctl -q enable $SERVICE 2>"$work/error" || fail "the service cannot be enabled: $(one_line <"$work/error")"
  systemctl -q reset-failed $SERVICE 2>/dev/null || true
  systemctl -q restart $SERVICE 2>"$work/error" ||
    fail "the service does not start: $(journalctl -q -u $SERVICE -n 1 -o cat 2>/dev/null | one_line)"
  done_with "the service runs, also after a restart"
}

apply() {
  lock
  work=$(mktemp -d /var/tmp/moodbox-work.XXXXXX) || fail "cannot write to /var/tmp; nothing was changed"
  trap clean EXIT
  check
  configure
  install_package
  # The service may not have seen yet what a set-up or an undo has changed that was cut off.
  if [ -e "$STATE/journal" ] && [ ! -e "$STATE/complete" ]; then changed=yes; fi
  start_service "$@"
  # A set-up that changed nothing leaves the one before to be undone.
  [ ! -e "$STATE/journal" ] || : >"$STATE/complete"
}

# --- undo ---

undo() {
  [ "$(id -u)" = 0 ] || fail "this takes root"
  [ -s "$STATE/journal" ] || fail "there is no set-up that could be undone; nothing was changed"
  lock
  work=$(mktemp -d /var/tmp/moodbox-work.XXXXXX) || fail "cannot write to /var/tmp; nothing was changed"
  trap clean EXIT
  # What is put back by half is not a set-up that went well: the next one goes on with its journal.
  rm -f "$STATE/complete"
  # The package goes before the files: a purge takes some of them with it.
  before=$(sed -n 's/^package\tmoodboxd\t//p' "$STATE/journal")
  begin package "putting back the package"
  if [ "$before" = absent ]; then systemctl -q disable --now $SERVICE 2>/dev/null || true; fi
  case $before in
  '') done_with "the package was not changed" ;;
  absent)
    if [ -n "$(dpkg-query -W -f '${db:Status-Status}' moodboxd 2>/dev/null)" ]; then
      patiently "$work/log" dpkg --purge moodboxd ||
        fail "moodboxd cannot be taken away: $(grep -m1 -A1 '^dpkg: error' "$work/log" | one_line)"
    fi
    done_with "moodboxd is gone, as before"
    ;;
  *)
    if [ "$(dpkg-deb -f "$STATE/before/package.deb" Version 2>/dev/null)" = "$before" ]; then
      # It is tried with the files that it ran with: what came later may be more than it takes.
      put_back_files
      systemctl -q reset-failed $TRIAL 2>/dev/null
      apt_install "$STATE/before/package.deb" || fail "moodboxd $before cannot be installed again: $(grep -m1 '^E:' "$work/log")"
      version=$before
      pass_trial
      cp "$STATE/before/package.deb" "$STATE/package.deb"
      sha256sum <"$STATE/package.deb" | cut -d' ' -f1 >"$STATE/package.sha256"
      done_with "moodboxd $before is back"
    else
      done_with "moodboxd $(installed moodboxd) stays: the package of $before was not kept; install it with --package"
    fi
    ;;
  esac
  begin files "putting back the files"
  put_back_files
  if noted folder "$STORE"; then rm -rf "$STORE" "/var/lib/private/${STORE##*/}"; fi
  rmdir /etc/moodbox 2>/dev/null || true
  done_with "all files are as they were"
  begin service "putting back the service"
  systemctl -q daemon-reload
  was=$(sed -n "s/^service\t$SERVICE\t//p" "$STATE/journal")
  if [ "$before" = absent ] || [ -z "$was" ]; then
    done_with "there is no service that was changed"
  else
    [ "${was% *}" = enabled ] || systemctl -q disable $SERVICE
    if [ "${was#* }" = active ]; then
      systemctl -q restart $SERVICE || fail "the service does not start as it was: journalctl -u $SERVICE says why"
      done_with "the service runs with what was there before"
    else
      systemctl -q stop $SERVICE
      done_with "the service rests, as before"
    fi
  fi
  if [ -d /etc/avahi/services ]; then systemctl -q reload avahi-daemon 2>/dev/null || true; fi
  if [ "$before" = absent ]; then rm -rf "$STATE"; else rm -rf "$STATE/journal" "$STATE/before" "$STATE/complete"; fi
}

folder=${2:-}
case ${1:-} in
look) look ;;
apply) apply asked ;;
first-boot) apply unasked ;;
undo) undo ;;
*) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
