"""The labelled faces, and what is told of them: which are copies, which leak from one split into the other, and whether they are enough."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from expression import arrays
from expression.arrays import DataError

SIDE = 48
# The order of FER2013's labels, of FERPlus' votes, and of the box.
FER2013 = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
FERPLUS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")
BOX = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
# FERPlus' classes among the box's; contempt, the one too many, counts as neutral where faces are counted.
FOLD = np.array([BOX.index("neutral" if name == "contempt" else name) for name in FERPLUS])
# FERPlus' classes in the order of the box, with contempt behind.
RATED = np.array([FERPLUS.index(name) for name in (*BOX, "contempt")])
LEAST_A_CLASS = 10
# Correlation of two faces at 16x16 pixels from which on they are taken for one photograph, with another watermark, cut or
# compression: of sixty such pairs that were looked at all were, and of twenty between .89 and .91 half.
SAME_PHOTOGRAPH = 0.93
COMPARED_AT_ONCE = 256
# Mean difference of two faces with one fingerprint, of 255, from which on they are two.
DIFFERENT = 8


@dataclass
class Faces:
    """Grey faces with their two kinds of labels; either kind may be missing, which is a row of zeros."""

    pixels: np.ndarray
    """u8 [n, 48, 48]"""
    emotions: np.ndarray
    """f32 [n, 7]: shares of the classes in the order of the box"""
    votes: np.ndarray
    """f32 [n, 8]: shares of FERPlus' raters, without "unknown" and "not a face" """

    @property
    def plurality(self) -> np.ndarray:
        """i64 [n]: what most raters saw, as the box counts; -1 where nobody has rated the face or two classes lead."""
        leading = (self.votes == self.votes.max(axis=1, keepdims=True)) & (self.votes > 0)
        leads = np.stack([leading[:, FOLD == label].any(axis=1) for label in range(len(BOX))], axis=1)
        return np.where(leads.sum(axis=1) == 1, leads.argmax(axis=1), -1)

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, by which what was made of other faces is told."""
        return arrays.digest((self.pixels, self.emotions, self.votes))

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, chosen: np.ndarray) -> Faces:
        return Faces(self.pixels[chosen], self.emotions[chosen], self.votes[chosen])

    def save(self, path: Path) -> None:
        """Write as a compressed npz, whole or not at all."""
        arrays.write(path, {"pixels": self.pixels, "emotions": self.emotions, "votes": self.votes})

    @staticmethod
    def load(path: Path) -> Faces:
        """Read what `save` wrote."""
        stored = arrays.read(path)
        if not stored.keys() >= {"pixels", "emotions", "votes"}:
            raise DataError(f"{path} does not hold faces, as `make models-data` writes them")
        return Faces(stored["pixels"], stored["emotions"], stored["votes"])


def without_duplicates(faces: Faces) -> tuple[Faces, np.ndarray]:
    """One of each picture, with the mean of the labels that its copies carry; and the index of each, the first of its copies."""
    _, first, group = np.unique(faces.pixels.reshape(len(faces), -1), axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    merged = faces[first]
    merged.emotions = _means(faces.emotions, group, len(first))
    merged.votes = _means(faces.votes, group, len(first))
    order = np.argsort(first)
    return merged[order], first[order]


def _means(rows: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    sums = np.zeros((groups, rows.shape[1]), np.float32)
    np.add.at(sums, group, rows)
    return sums / sums.sum(axis=1, keepdims=True).clip(1e-9)


def require_usable(faces: Faces, what: str) -> None:
    """Refuse faces of which a class has too few to learn or to measure."""
    counts = np.bincount(faces.emotions.argmax(axis=1), minlength=len(BOX))
    few = [f"{name} ({count})" for name, count in zip(BOX, counts, strict=True) if count < LEAST_A_CLASS]
    if few:
        raise DataError(f"{what} has fewer than {LEAST_A_CLASS} faces of: {', '.join(few)}")


def is_rated(train: Faces, validation: Faces) -> bool:
    """Whether raters said enough of the faces to learn their answer, and to measure it class by class."""
    leading = validation.plurality
    counts = np.bincount(leading[leading >= 0], minlength=len(BOX))
    return bool((train.votes.sum(axis=1) > 0).any() and counts.min() >= LEAST_A_CLASS)


def fingerprint(pixels: np.ndarray) -> np.ndarray:
    """64 bits a face that stay the same under scaling and re-encoding: signs of horizontal differences at 9x8."""
    small = np.stack([cv2.resize(face, (9, 8), interpolation=cv2.INTER_AREA) for face in pixels]).astype(np.int16)
    return np.packbits((small[:, :, 1:] > small[:, :, :-1]).reshape(len(pixels), -1), axis=1).view(np.uint64).reshape(-1)


def leaks(train: Faces, validation: Faces) -> np.ndarray:
    """i64 [n, 2]: training faces that look the same as one of the validation split (same fingerprint, close pixels), and the first that they do so as."""
    by_print: dict[int, list[int]] = {}
    for index, mark in enumerate(fingerprint(validation.pixels)):
        by_print.setdefault(int(mark), []).append(index)
    pairs = []
    for index, mark in enumerate(fingerprint(train.pixels)):
        alike = by_print.get(int(mark))
        if not alike:
            continue
        differences = np.abs(train.pixels[index].astype(int) - validation.pixels[alike]).mean(axis=(1, 2))
        pairs.extend((index, alike[place]) for place in np.flatnonzero(differences < DIFFERENT)[:1])
    return np.array(pairs, dtype=int).reshape(-1, 2)


def copied(validation: Faces, train: Faces) -> np.ndarray:
    """bool [n]: whether training has another copy of the photograph, which `leaks` knows by its pixels alone."""
    ours, others = _thumbnails(validation.pixels), _thumbnails(train.pixels)
    starts = range(0, len(ours), COMPARED_AT_ONCE)
    nearest = [(ours[start : start + COMPARED_AT_ONCE] @ others.T).max(axis=1) for start in starts]
    return np.concatenate(nearest) >= SAME_PHOTOGRAPH


def _thumbnails(pixels: np.ndarray) -> np.ndarray:
    """f32 [n, 256] of length 1 around a mean of 0, so that a product is a correlation."""
    small = np.stack([cv2.resize(face, (16, 16), interpolation=cv2.INTER_AREA) for face in pixels])
    rows = small.reshape(len(pixels), -1).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-6)
