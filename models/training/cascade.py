"""The detection cascade exactly as the PyPI package `mtcnn` 1.0.0 runs it, around any three networks.

Boxes are rows of [x1, y1, x2, y2, score] in pixels of the frame. Each network is a function from normalised
inputs [n, h, w, 3] to a dictionary of outputs, see `mtcnn_networks.Graph`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

CELL = 12
STRIDE = 2
FACTOR = 0.709
THRESHOLDS = {"pnet": 0.6, "rnet": 0.7, "onet": 0.8}
NMS_IN_SCALE = 0.5
NMS_OVERALL = 0.7
# What a sample outside the frame reads: 0 in the package's units, which is a grey of 127.5.
OUTSIDE = 127.5

Network = Callable[[np.ndarray], dict[str, np.ndarray]]


@dataclass
class Trace:
    """What every network was fed, as float pixels."""

    levels: list[np.ndarray] = field(default_factory=list)
    rnet: np.ndarray | None = None
    onet: np.ndarray | None = None


def normalised(pixels: np.ndarray) -> np.ndarray:
    """Float pixels to the input of the networks, rounded to whole pixel values as int8 holds them."""
    return ((np.round(pixels) - 127.0) / 128.0).astype(np.float32)


def pyramid(frame: np.ndarray, min_face: int) -> list[tuple[float, np.ndarray]]:
    """Scales and shrunken frames down to the size of one cell, in float pixels."""
    height, width = frame.shape[:2]
    levels, scale = [], CELL / min_face
    # The package counts the levels from the frame's size alone and fails where one falls below a cell.
    while min(height, width) * scale >= CELL:
        size = [int(height * scale), int(width * scale)]
        level = tf.image.resize(frame[None].astype(np.float32), size, method="area")
        levels.append((scale, level.numpy()))
        scale *= FACTOR
    return levels


def detect(frame: np.ndarray, networks: dict[str, Network], min_face: int, trace: Trace | None = None):
    """Boxes [n, 5] and landmarks [n, 5, 2] of the faces in `frame` [h, w, RGB]."""
    trace = trace if trace is not None else Trace()
    boxes = _propose(frame, networks["pnet"], min_face, trace)
    trace.rnet = crops(frame, boxes, 24)
    boxes, _ = _refine(boxes, _outputs(networks["rnet"], trace.rnet), THRESHOLDS["rnet"])
    boxes = square(nms(boxes, NMS_OVERALL)[0])
    trace.onet = crops(frame, boxes, 48)
    boxes, landmarks = _refine(boxes, _outputs(networks["onet"], trace.onet), THRESHOLDS["onet"])
    boxes, kept = nms(boxes, NMS_OVERALL, smaller_area=True)
    limit = np.array([frame.shape[1], frame.shape[0]] * 2) - 1
    boxes[:, :4] = np.clip(boxes[:, :4], 0, limit)
    return boxes, landmarks[kept]


def _outputs(network: Network, pixels: np.ndarray) -> dict[str, np.ndarray]:
    single = [network(crop[None]) for crop in normalised(pixels)]
    return {name: np.concatenate([outputs[name] for outputs in single]) for name in single[0]} if single else {}


def _propose(frame: np.ndarray, pnet: Network, min_face: int, trace: Trace) -> np.ndarray:
    found = [np.empty((0, 5))]
    for scale, level in pyramid(frame, min_face):
        trace.levels.append(level)
        outputs = pnet(normalised(level))
        score = sigmoid(outputs["face"][0, :, :, 0])
        row, column = np.where(score > THRESHOLDS["pnet"])
        start = np.stack([column, row, column, row], axis=1) * STRIDE
        corners = start + np.array([1, 1, CELL, CELL]) + outputs["box"][0, row, column] * (CELL - 1)
        cells = np.concatenate([corners / scale, score[row, column, None]], axis=1)
        found.append(nms(cells, NMS_IN_SCALE)[0])
    return square(nms(np.concatenate(found), NMS_OVERALL)[0])


def _refine(boxes: np.ndarray, outputs: dict[str, np.ndarray], threshold: float):
    if not len(boxes):
        return boxes, np.empty((0, 5, 2))
    score = sigmoid(outputs["face"][:, 0])
    size = boxes[:, 2:4] - boxes[:, :2] + 1
    corners = boxes[:, :4] + outputs["box"] * np.tile(size, 2)
    refined = np.concatenate([corners, score[:, None]], axis=1)
    # Landmarks lie in the box that the network saw, not in the corrected one.
    points = outputs.get("landmarks", np.zeros((len(boxes), 10))).reshape(-1, 2, 5).transpose(0, 2, 1)
    points = points * size[:, None] + boxes[:, None, :2] - 1
    keep = score > threshold
    return refined[keep], points[keep]


def sigmoid(logit: np.ndarray) -> np.ndarray:
    """The face probability of a logit difference."""
    return 1.0 / (1.0 + np.exp(-logit.astype(np.float64)))


def nms(boxes: np.ndarray, threshold: float, *, smaller_area: bool = False):
    """Drop every box that a higher-scored one overlaps, dropped itself or not; returns boxes and their indices."""
    order = np.argsort(-boxes[:, 4], kind="stable")
    boxes = boxes[order]
    overlaps = np.triu(overlap(boxes, boxes, smaller_area=smaller_area) > threshold, k=1)
    keep = ~overlaps.any(axis=0)
    return boxes[keep], order[keep]


def overlap(a: np.ndarray, b: np.ndarray, *, smaller_area: bool = False) -> np.ndarray:
    """Intersection over union of every pair, or over the smaller area of the two."""
    corner = np.maximum(a[:, None, :2], b[None, :, :2])
    opposite = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    shared = np.prod(np.maximum(opposite - corner, 0), axis=2)
    area_a = np.prod(a[:, 2:4] - a[:, :2], axis=1)[:, None]
    area_b = np.prod(b[:, 2:4] - b[:, :2], axis=1)[None]
    return shared / (np.minimum(area_a, area_b) if smaller_area else area_a + area_b - shared)


def square(boxes: np.ndarray) -> np.ndarray:
    """Grow the shorter side around the same centre."""
    size = boxes[:, 2:4] - boxes[:, :2]
    side = size.max(axis=1, keepdims=True)
    start = boxes[:, :2] + (size - side) / 2
    return np.concatenate([start, start + side, boxes[:, 4:]], axis=1)


def crops(frame: np.ndarray, boxes: np.ndarray, side: int) -> np.ndarray:
    """Bilinear crops [n, side, side, 3] in float pixels, corner to corner, as `tf.image.crop_and_resize` samples."""
    if not len(boxes):
        return np.empty((0, side, side, 3), np.float32)
    height, width = frame.shape[:2]
    relative = boxes[:, [1, 0, 3, 2]] / np.array([height, width, height, width])
    sampled = tf.image.crop_and_resize(
        frame[None].astype(np.float32), relative.astype(np.float32), np.zeros(len(boxes), np.int32), (side, side),
        extrapolation_value=OUTSIDE,
    )
    return sampled.numpy()
