"""Compares `moodbox bench` with other ways of finding faces, on the same pictures.

    turns.py FOLDER [YUNET.onnx]

They take turns, so that what else the computer does meets all of them. Recall and precision are against the boxes of
FOLDER/boxes.json, where there is one.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys

TURNS = 3
PYTHON = [".cache/peers/venv/bin/python", "-W", "ignore", "tests/peers/bench_peer.py"]
MOODBOX = "target/release/moodbox"
BENCH = [MOODBOX, "bench", "--threads", "1", "--rounds", "1", "--json", "--frames"]
# The one that the others are compared with.
FER = "fer, MTCNN"
PEERS = [FER, "fer, Haar", "mtcnn", "facenet-pytorch", "MediaPipe, short", "MediaPipe, full"]
YUNET = ["YuNet, 320x240", "YuNet, 640x480"]
# Smaller faces than this need not be found, and are not false when they are. In pixels.
LEAST_SIDE = 60


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def accuracy(found, known):
    """The share of the faces of 60 px and more that were found, and the share of all boxes that show a face."""
    pairs = [(found.get(name, []), faces) for name, faces in known.items()]
    wanted = [(face, boxes) for boxes, faces in pairs for face in faces if max(face[2:]) >= LEAST_SIDE]
    boxes = [(box, faces) for found, faces in pairs for box in found if min(box[2:]) > 0]
    seen = sum(any(overlap(face, box) >= 0.5 for box in boxes) for face, boxes in wanted)
    right = sum(any(overlap(face, box) >= 0.4 for face in faces) for box, faces in boxes)
    return seen / len(wanted), right / max(len(boxes), 1)


class Peer:
    def __init__(self, name, folder, model):
        command = [*PYTHON, name, folder, *([model] if model else [])]
        self.name, self.command, self.answers = name, command, []
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def warm(self):
        if not self.process.stdout.readline():
            sys.exit(f"bench-peers: {self.name} does not start; see what it says: {' '.join(self.command)}")

    def turn(self):
        print(file=self.process.stdin, flush=True)
        self.answers.append(json.loads(self.process.stdout.readline()))


def ours(folder):
    """What moodbox finds."""
    command = [MOODBOX, "analyze", "--min-face", str(LEAST_SIDE), "--json", folder]
    lines = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.splitlines()
    pictures = map(json.loads, lines)
    return {pathlib.Path(p["path"]).name: [face["box"] for face in p["faces"]] for p in pictures}


def main(folder, model):
    # All, and what they start, on one and the same processor.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    peers = [Peer(name, folder, model) for name in PEERS + (YUNET if model else [])]
    for peer in peers:
        peer.warm()
    benches = []
    for _ in range(TURNS):
        for peer in peers:
            peer.turn()
        bench = subprocess.run([*BENCH, folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        benches.append(json.loads(bench.stdout))
    for peer in peers:
        peer.process.stdin.close()
        peer.process.wait()

    boxes = pathlib.Path(folder, "boxes.json")
    known = json.loads(boxes.read_text())["boxes"] if boxes.exists() else None
    rows = []
    for peer in peers:
        whole = [answer["whole_ms"] for answer in peer.answers]
        find = [answer["find_ms"] for answer in peer.answers]
        rows.append((peer.name, whole, find, peer.answers[-1]["boxes"]))
    found = ours(folder)
    for i, of_input in enumerate(benches[0]["inputs"]):
        inputs = [bench["inputs"][i] for bench in benches]
        find = [one["find"]["p50_ms"] for one in inputs]
        rows.append((f"moodbox, cold, {of_input['input']}", [one["cold"]["p50_ms"] for one in inputs], find, found))
        one_face = [[row["mean_ms"] for row in one["followed_by_faces"] if row["faces"] == 1] for one in inputs]
        if all(one_face):
            times = [times[0] for times in one_face]
            rows.append((f"moodbox, followed, 1 face, {of_input['input']}", times, None, None))
    fer = rows[0][1]
    print(f"{benches[0]['frames']} pictures, {TURNS} turns, one thread; medians over the turns")
    print("| | ms a frame | finding alone, ms | times faster than fer, MTCNN | recall, faces from 60 px | precision |")
    print("|---|---|---|---|---|---|")
    for name, whole, find, boxes in rows:
        times = statistics.median(a / b for a, b in zip(fer, whole))
        cells = [name, f"{statistics.median(whole):.2f}", f"{statistics.median(find):.2f}" if find else ""]
        cells.append(f"{times:.1f}")
        cells += [f"{share:.3f}" for share in accuracy(boxes, known)] if known and boxes is not None else ["", ""]
        print("|", " | ".join(cells), "|")


main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
