#!/usr/bin/env bash
# Python `fer` and `moodbox bench` on the same pictures, in turns, each on the same single processor.
#
#   run.sh FOLDER     a folder of JPEG pictures
set -euo pipefail
folder=${1:-}
fail() { printf 'bench-peers: %s\n' "$*" >&2; exit 2; }
[ -d "$folder" ] || fail "FRAMES must name a folder of JPEG pictures: make bench-peers FRAMES=FOLDER"
folder=$(realpath "$folder")
cd "$(dirname "$0")/../.."

VENV=.cache/peers/venv
REQUIREMENTS=tests/peers/requirements.txt
FER=fer==25.10.3

if ! cmp -s "$REQUIREMENTS" "$VENV/requirements.txt"; then
  python3 -c 'import sys; sys.exit(not (3, 9) <= sys.version_info < (3, 13))' ||
    fail "the pinned torch and TensorFlow need Python 3.9 to 3.12"
  echo "bench-peers: installing $FER with torch and TensorFlow (6 GB, some minutes, once)"
  rm -rf "$VENV"
  python3 -m venv "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check -r "$REQUIREMENTS"
  # It asks for video tools that a picture does not need.
  "$VENV/bin/pip" install --quiet --disable-pip-version-check --no-deps "$FER"
  cp "$REQUIREMENTS" "$VENV/requirements.txt"
fi

exec python3 tests/peers/turns.py "$folder"
