#!/usr/bin/env bash
# Other face detectors and `moodbox bench` on the same pictures, in turns, each on the same single processor.
#
#   run.sh FOLDER [YUNET.onnx]     a folder of JPEG pictures; the file of OpenCV's YuNet, which no package carries
set -euo pipefail
folder=${1:-}
yunet=${2:-}
fail() { printf 'bench-peers: %s\n' "$*" >&2; exit 2; }
[ -d "$folder" ] || fail "FRAMES must name a folder of JPEG pictures: make bench-peers FRAMES=FOLDER"
[ -z "$yunet" ] || [ -f "$yunet" ] || fail "YUNET must name a file: make bench-peers FRAMES=FOLDER YUNET=face_detection_yunet_2023mar.onnx"
folder=$(realpath "$folder")
[ -z "$yunet" ] || yunet=$(realpath "$yunet")
cd "$(dirname "$0")/../.."

VENV=.cache/peers/venv
REQUIREMENTS=tests/peers/requirements.txt
# They ask for tools that a picture does not need.
ALONE=(fer==25.10.3 mtcnn==1.0.0 mediapipe==0.10.21)

if ! cmp -s "$REQUIREMENTS" "$VENV/requirements.txt"; then
  python3 -c 'import sys; sys.exit(not (3, 9) <= sys.version_info < (3, 13))' ||
    fail "the pinned torch and TensorFlow need Python 3.9 to 3.12"
  echo "bench-peers: installing ${ALONE[*]} with torch and TensorFlow (6 GB, some minutes, once)"
  rm -rf "$VENV"
  python3 -m venv "$VENV"
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -r "$REQUIREMENTS"
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "${ALONE[@]}"
  cp "$REQUIREMENTS" "$VENV/requirements.txt"
fi
[ -n "$yunet" ] || echo "bench-peers: without YuNet; YUNET=FILE names its model"

exec python3 tests/peers/turns.py "$folder" ${yunet:+"$yunet"}
