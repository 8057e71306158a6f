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

TURNS=3
VENV=.cache/peers/venv
REQUIREMENTS=tests/peers/requirements.txt
FER=fer==25.10.3

if ! cmp -s "$REQUIREMENTS" "$VENV/requirements.txt"; then
  python3 -c 'import sys; sys.exit(not (3, 9) <= sys.version_info < (3, 13))' || fail "the pinned torch and TensorFlow need Python 3.9 to 3.12"
  echo "bench-peers: installing $FER with torch and TensorFlow (6 GB, some minutes, once)"
  rm -rf "$VENV"
  python3 -m venv "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check -r "$REQUIREMENTS"
  # It asks for video tools that a picture does not need.
  "$VENV/bin/pip" install --quiet --disable-pip-version-check --no-deps "$FER"
  cp "$REQUIREMENTS" "$VENV/requirements.txt"
fi

results=$(mktemp)
trap 'rm -f "$results"' EXIT
on_one_processor=(taskset --cpu-list "$(python3 -c 'import os; print(max(os.sched_getaffinity(0)))')")
echo "load before: $(cut -d' ' -f1-3 /proc/loadavg)"
for _ in $(seq "$TURNS"); do
  "${on_one_processor[@]}" "$VENV/bin/python" tests/peers/bench_fer.py "$folder" >>"$results"
  "${on_one_processor[@]}" target/release/moodbox bench --frames "$folder" --threads 1 --json >>"$results"
done
echo "load after:  $(cut -d' ' -f1-3 /proc/loadavg)"
python3 - "$results" "$FER" <<'END'
import json, statistics, sys

lines = [json.loads(line) for line in open(sys.argv[1])]
peer, ours = lines[0::2], lines[1::2]
if {line["frames"] for line in lines} != {ours[0]["frames"]}:
    sys.exit("bench-peers: the two did not analyse the same number of pictures; is there a file in the folder that is no JPEG?")
rows = {
    f"{sys.argv[2]}, FER(mtcnn=True)": [line["p50_ms"] for line in peer],
    "moodbox, whole cold frame": [line["cold"]["p50_ms"] for line in ours],
}
print(f"{ours[0]['frames']} pictures, {len(ours)} turns, one thread; median ms a picture in each turn")
for name, times in rows.items():
    print(f"{name:32}", *(f"{time:8.2f}" for time in times))
theirs, own = rows.values()
ratios = [a / b for a, b in zip(theirs, own)]
print(f"{'times faster':32}", *(f"{ratio:8.1f}" for ratio in ratios), f"   median {statistics.median(ratios):.1f}")
END
