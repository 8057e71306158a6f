#!/usr/bin/env bash
# A real Home Assistant, a real Mosquitto and a real MPD, on loopback only, from a bare Debian 12 machine with amd64 or arm64.
#
#   up.sh build      what is missing (some minutes, once)
#   up.sh up         that, then all three started afresh
#   up.sh down       stops them
#   up.sh check      up, check.py, down; the exit code is that of check.py
#   up.sh pictures   up, the pictures of deploy/home-assistant with a real Chromium, down
#   up.sh restart mosquitto | home-assistant
#   up.sh forget     restarts mosquitto without what it had kept
#
# Everything lies in .cache/ha; .cache/ha/run/session.json says where they listen. Home Assistant needs a newer Python
# than Debian 12 has, so it lives in a chroot of a newer Debian, and that takes root.
set -euo pipefail
cd "$(dirname "$0")/../.."

HOME_ASSISTANT=2026.11.0
SUITE=forky
PYTHON=python3.14

SOURCES=$PWD/tests/ha
CACHE=$PWD/.cache/ha
CHROOT=$CACHE/chroot-$SUITE
VENV=$CACHE/venv
RUN=$CACHE/run
# In the chroot: /ha/venv with Home Assistant, /ha/config with what it keeps.
CONFIG=$CHROOT/ha/config

# The boxes that the broker knows.
BOXES="b827eb01 b827eb02"

# What the check and a person who looks at the device page need; the rest of Home Assistant's default set wants the
# internet. hassio brings aiohasupervisor, which the set-up of MQTT imports.
INTEGRATIONS="mqtt frontend history logbook recorder hassio automation blueprint trace mpd music_assistant
  binary_sensor button event image input_boolean light media_player number select sensor switch text update"

fail() { printf 'test-ha: %s\n' "$*" >&2; exit 3; }
say() { printf 'test-ha: %s\n' "$*"; }

[ "$(id -u)" = 0 ] || fail "building and entering a chroot takes root; run it with sudo"

running() { [ -s "$RUN/$1.pid" ] && kill -0 "$(cat "$RUN/$1.pid")" 2>/dev/null; }

stop() {
  if running "$1"; then
    local pid
    pid=$(cat "$RUN/$1.pid")
    kill "$pid"
    timeout 30 tail --pid="$pid" -f /dev/null || kill -9 "$pid"
  fi
  rm -f "$RUN/$1.pid"
}

down() { stop home-assistant; stop mpd; stop mosquitto; }

# /proc and /dev are mounted in a name space of their own: nothing stays mounted, however this ends.
IN_CHROOT=(unshare --mount
  sh -ec 'mount -t proc proc "$0/proc"; mount --bind /dev "$0/dev"; exec chroot "$0" "$@"' "$CHROOT")

build_chroot() {
  [ ! -e "$CHROOT/.built" ] || return 0
  say "making a Debian $SUITE for $PYTHON"
  rm -rf "$CHROOT"
  mkdir -p "$CACHE"
  local mirror codename check_age
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $codename" | head -n1)
  # A machine whose mirror stands still says so here.
  check_age=$(apt-config dump --format '%v' Acquire::Check-Valid-Until)
  # The compiler is for two packages of the voice assistant that have no wheels; without them the web page never loads.
  mmdebstrap --quiet --variant=minbase --components=main --dpkgopt='path-exclude=/usr/share/doc/*' \
    --aptopt="Acquire::Check-Valid-Until \"${check_age:-true}\"" \
    --include="ca-certificates,$PYTHON,$PYTHON-venv,$PYTHON-dev,g++,libturbojpeg0" "$SUITE" "$CHROOT" "$mirror" ||
    fail "mmdebstrap cannot make a Debian $SUITE from $mirror"
  touch "$CHROOT/.built"
}

install_home_assistant() {
  [ ! -e "$CHROOT/ha/.installed-$HOME_ASSISTANT" ] || return 0
  say "installing Home Assistant $HOME_ASSISTANT"
  mkdir -p "$CHROOT/ha"
  cp -L /etc/resolv.conf "$CHROOT/etc/resolv.conf"
  # A machine that trusts an authority of its own goes on trusting it inside.
  cp -L /etc/ssl/certs/ca-certificates.crt "$CHROOT/etc/ssl/certs/ca-certificates.crt"
  cp "$SOURCES/requirements_of.py" "$CHROOT/ha/"
  "${IN_CHROOT[@]}" /bin/sh -ec '
    cd /ha
    '"$PYTHON"' -m venv venv
    export VIRTUAL_ENV=/ha/venv UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
    export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
    venv/bin/pip install --quiet uv
    venv/bin/uv pip install --quiet "homeassistant==$0"
    venv/bin/python requirements_of.py "$@" >requirements.txt
    venv/bin/uv pip install --quiet -r requirements.txt \
      -c venv/lib/'"$PYTHON"'/site-packages/homeassistant/package_constraints.txt' \
    "$HOME_ASSISTANT" $INTEGRATIONS || fail "Home Assistant $HOME_ASSISTANT could not be installed"
  touch "$CHROOT/ha/.installed-$HOME_ASSISTANT"
}

# What our own programs need, as a file of requirements says it.
install_requirements() {
  cmp -s "$SOURCES/$1" "$VENV/$1" && return
  python3 -m venv "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check -r "$SOURCES/$1" ||
    fail "pip could not install what $1 names"
  cp "$SOURCES/$1" "$VENV/$1"
}

free_ports() {
  python3 -c '
import socket
listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(listener.getsockname()[1] for listener in listeners))'
}

read_ports() { read -r HTTP_PORT MQTTS_PORT MPD_PORT <"$RUN/ports"; }

# The broker as it is shipped, but for the address: nobody else shall reach it.
set_up_mosquitto() {
  local folder=$RUN/mosquitto box
  local shipped=(deploy/broker/broker.sh --folder "$folder/moodbox" --conf "$folder/conf.d" --port "$MQTTS_PORT")
  mkdir -p "$folder/store"
  "${shipped[@]}" set-up localhost 127.0.0.1 >"$folder/broker.log" 2>&1 || fail "$(tail -n1 "$folder/broker.log")"
  for box in $BOXES; do
    "${shipped[@]}" add-box "$box" >>"$folder/broker.log" 2>&1 || fail "$(tail -n1 "$folder/broker.log")"
  done
  sed -i 's/^listener .*/& 127.0.0.1/' "$folder/conf.d/moodbox.conf"
  cat >"$folder/mosquitto.conf" <<END
user root
persistence true
persistence_location $folder/store/
log_dest stderr
include_dir $folder/conf.d
END
}

start_mosquitto() {
  setsid mosquitto -c "$RUN/mosquitto/mosquitto.conf" >>"$RUN/mosquitto.log" 2>&1 </dev/null &
  echo $! >"$RUN/mosquitto.pid"
}

# A player that plays for nobody.
start_mpd() {
  local folder=$RUN/mpd
  mkdir -p "$folder/playlists"
  python3 "$SOURCES/songs.py" "$folder/music"
  cat >"$folder/mpd.conf" <<END
music_directory "$folder/music"
playlist_directory "$folder/playlists"
db_file "$folder/database"
log_file "$RUN/mpd.log"
bind_to_address "127.0.0.1"
port "$MPD_PORT"
zeroconf_enabled "no"
audio_output {
  type "null"
  name "nobody"
  mixer_type "null"
}
END
  setsid mpd --no-daemon "$folder/mpd.conf" >"$RUN/mpd.out" 2>&1 </dev/null &
  echo $! >"$RUN/mpd.pid"
}

# Onboarding has one step left, the user; the others would add services of the internet.
set_up_home_assistant() {
  rm -rf "$CONFIG"
  mkdir -p "$CONFIG/.storage"
  cat >"$CONFIG/.storage/onboarding" <<END
{"version": 4, "minor_version": 1, "key": "onboarding",
 "data": {"done": ["core_config", "analytics", "integration"]}}
END
  cat >"$CONFIG/configuration.yaml" <<END
homeassistant:
  name: Home
  time_zone: UTC
  unit_system: metric
http:
  server_host: 127.0.0.1
  server_port: $HTTP_PORT
frontend:
config:
history:
logbook:
automation: !include automations.yaml
# Without a server it has actions all the same.
music_assistant:
logger:
  default: warning
END
  echo '[]' >"$CONFIG/automations.yaml"
}

start_home_assistant() {
  setsid "${IN_CHROOT[@]}" /usr/bin/env -i PATH=/ha/venv/bin:/usr/bin:/bin HOME=/ha LANG=C.UTF-8 TZ=UTC \
    /ha/venv/bin/python -m homeassistant --config /ha/config --skip-pip >>"$RUN/home-assistant.log" 2>&1 </dev/null &
  echo $! >"$RUN/home-assistant.pid"
  curl --silent --output /dev/null --retry 120 --retry-delay 1 --retry-all-errors \
    "http://127.0.0.1:$HTTP_PORT/manifest.json" || fail "Home Assistant did not start, see $RUN/home-assistant.log"
}

build() {
  deploy/set-up-checkout.sh ha
  build_chroot
  install_home_assistant
  install_requirements requirements.txt
}

up() {
  down
  build
  rm -rf "$RUN"
  mkdir -p "$RUN"
  free_ports >"$RUN/ports"
  read_ports
  set_up_mosquitto
  start_mosquitto
  start_mpd
  set_up_home_assistant
  start_home_assistant
  "$VENV/bin/python" "$SOURCES/onboard.py" "http://127.0.0.1:$HTTP_PORT" "$MQTTS_PORT" "$MPD_PORT" "$RUN/mosquitto/moodbox" \
    >"$RUN/session.json.part" ||
    fail "Home Assistant could not be set up, see $RUN/home-assistant.log"
  mv "$RUN/session.json.part" "$RUN/session.json"
  say "Home Assistant $HOME_ASSISTANT on http://127.0.0.1:$HTTP_PORT (user moodbox, password moodbox-secret)"
}

case ${1:-} in
build) build ;;
up) up ;;
down) down ;;
check)
  trap down EXIT
  up
  "$VENV/bin/python" "$SOURCES/check.py"
  ;;
pictures)
  trap down EXIT
  up
  deploy/set-up-checkout.sh ui
  install_requirements requirements-pictures.txt
  "$VENV/bin/python" "$SOURCES/pictures.py" deploy/home-assistant
  ;;
restart)
  read_ports
  stop "$2"
  "start_${2//-/_}"
  ;;
forget)
  stop mosquitto
  rm -f "$RUN/mosquitto/store/mosquitto.db"
  start_mosquitto
  ;;
*) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
