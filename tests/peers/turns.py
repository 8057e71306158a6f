"""Compares Python `fer` and `moodbox bench` on the same pictures.

    turns.py FOLDER

They take turns, so that what else the computer does meets both.
"""

import json
import os
import statistics
import subprocess
import sys

TURNS = 7
FER = [".cache/peers/venv/bin/python", "-W", "ignore", "tests/peers/bench_fer.py"]
MOODBOX = ["target/release/moodbox", "bench", "--threads", "1", "--rounds", "2", "--json", "--frames"]


def main(folder):
    # Both, and all that they start, on one and the same processor.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print("load", *os.getloadavg())
    fer = subprocess.Popen(
        [*FER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    if not fer.stdout.readline():
        sys.exit(f"bench-peers: fer does not start; see what it says: {' '.join([*FER, folder])}")
    theirs, ours = [], []
    for _ in range(TURNS):
        print(file=fer.stdin, flush=True)
        theirs.append(json.loads(fer.stdout.readline()))
        bench = subprocess.run([*MOODBOX, folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        ours.append(json.loads(bench.stdout))
    fer.stdin.close()
    fer.wait()
    print("load", *os.getloadavg())
    frames = {result["frames"] for result in theirs + ours}
    if len(frames) > 1:
        sys.exit("bench-peers: the two did not analyse the same pictures; is there one in the folder that is no JPEG?")
    fer_ms = [result["p50_ms"] for result in theirs]
    moodbox_ms = [result["cold"]["p50_ms"] for result in ours]
    ratios = [a / b for a, b in zip(fer_ms, moodbox_ms)]
    print(f"{frames.pop()} pictures, {TURNS} turns, one thread; median ms a whole cold picture, a turn and over all")
    for name, values in (("fer 25.10.3, mtcnn=True", fer_ms), ("moodbox", moodbox_ms), ("times faster", ratios)):
        print(f"{name:24}", *(f"{value:7.2f}" for value in values), f"  {statistics.median(values):7.2f}")


main(sys.argv[1])
