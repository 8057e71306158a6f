"""Measures which cut around MTCNN's box gives back the frame that FER2013 cuts around a face: how much margin, and whether to level the eyes.

Run by the environment that `pipeline.py export` makes: `crop.py --data ../shared/data`. The result is `expression.places.CROP_MARGIN`.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

import cascade
import conversion
import mtcnn_networks
import quantise
import sources
from environment import CACHE
from expression.export import OUTPUTS
from expression.faces import BOX, FER2013, SIDE
from expression.graph import normalised

FACES = 1200
SCENE_SIDE = 96
BORDER = 72
MARGINS = (-0.05, 0.0, 0.03, 0.06, 0.09, 0.12, 0.16, 0.2)
# Turned by so many degrees before it is found, as a head may be held.
TILTS = (0, 10, 20)


def main() -> None:
    """Print the geometry, and the accuracy at each margin and with level eyes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=conversion.ROOT.parent / "shared" / "data")
    validation = np.load(parser.parse_args().data / "fer" / "fer2013-validation.npz")
    chosen = np.random.default_rng(conversion.SEED).permutation(len(validation["pixels"]))[:FACES]
    labels = np.array([BOX.index(FER2013[label]) for label in validation["emotion"][chosen]])
    weights = sources.fetch(CACHE)
    networks = {name: conversion.in_float32(mtcnn_networks.load(name, weights[name])) for name in ("pnet", "rnet", "onet")}
    classify = quantise.Runner((conversion.ROOT / "models" / "fer.tflite").read_bytes(), OUTPUTS)
    for tilt in TILTS:
        found = [_found(face, tilt, networks) for face in validation["pixels"][chosen]]
        known = [(*place, label) for place, label in zip(found, labels, strict=True) if place is not None]
        squares = np.array([square for _, square, _, _ in known])
        if tilt == 0:
            sides = squares[:, 2] - squares[:, 0]
            centres = (squares[:, :2] + squares[:, 2:]) / 2 - (BORDER + SCENE_SIDE / 2)
            print(f"{len(known)} faces; side ratio {np.median(sides) / SCENE_SIDE:.3f}; centre off by {np.median(centres, axis=0) / SCENE_SIDE}")
        for margin in MARGINS if tilt == 0 else (0.0,):
            as_found, level = (
                np.mean([_read(classify, _cut(scene, square, margin, turn * angle)) == label for scene, square, angle, label in known])
                for turn in (0, 1)
            )
            print(f"tilt {tilt}, margin {margin}: {as_found:.4f} as found, {level:.4f} with level eyes")


def _found(face: np.ndarray, tilt: float, networks) -> tuple[np.ndarray, np.ndarray, float] | None:
    """The scene, the best box squared, and the angle of the line between the eyes in degrees."""
    scene = _scene(face)
    centre = BORDER + SCENE_SIDE / 2
    scene = cv2.warpAffine(scene, cv2.getRotationMatrix2D((centre, centre), tilt, 1), scene.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    boxes, landmarks = cascade.detect(np.repeat(scene[..., None], 3, axis=2), networks, 40)
    if not len(boxes):
        return None
    across = landmarks[0][1] - landmarks[0][0]
    return scene, cascade.square(boxes[:1])[0, :4], float(np.degrees(np.arctan2(across[1], across[0])))


def _scene(face: np.ndarray) -> np.ndarray:
    """The face in the middle of a soft continuation of its own edge."""
    large = cv2.resize(face, (SCENE_SIDE, SCENE_SIDE), interpolation=cv2.INTER_CUBIC)
    scene = cv2.GaussianBlur(cv2.copyMakeBorder(large, *[BORDER] * 4, cv2.BORDER_REPLICATE), (0, 0), 6)
    scene[BORDER:-BORDER, BORDER:-BORDER] = large
    return scene


def _cut(scene: np.ndarray, square: np.ndarray, margin: float, angle: float) -> np.ndarray:
    side = (square[2] - square[0]) * (1 + 2 * margin)
    centre = (square[:2] + square[2:]) / 2
    matrix = cv2.getRotationMatrix2D(tuple(map(float, centre)), angle, SIDE / side)
    matrix[:, 2] += SIDE / 2 - centre
    # Smoothed as the box smooths where it shrinks.
    return cv2.warpAffine(cv2.GaussianBlur(scene, (0, 0), max(0.3 * side / SIDE, 0.3)), matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _read(classify: quantise.Runner, face: np.ndarray) -> int:
    return int(classify(normalised(face[None]))["fer2013"].argmax())


if __name__ == "__main__":
    main()
