"""The labelled faces: read, checked, freed of duplicates, split. Everything is refused by name before an epoch is spent."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

SIDE = 48
# The order of FER2013's labels, of FERPlus' votes, and of the box.
FER2013 = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
FERPLUS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt")
BOX = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
# FERPlus' classes among the box's; contempt, the one too many, counts as neutral where faces are counted.
FOLD = np.array([BOX.index("neutral" if name == "contempt" else name) for name in FERPLUS])
# FERPlus' classes in the order of the box, with contempt behind.
RATED = np.array([FERPLUS.index(name) for name in (*BOX, "contempt")])
# What a rater may choose beside FERPlus' classes.
UNKNOWN, NOT_A_FACE = 8, 9
CHOICES = 10
LEAST_A_CLASS = 10
# A picture with fewer pixels a side, or longer for its width, is not the crop of a face.
LEAST_SIDE = SIDE // 2
MOST_RATIO = 2
# Standard deviation of the pixels up to which a picture shows nothing.
BLANK = 1
# Correlation of two faces at 16x16 pixels from which on they are taken for one photograph, with another watermark, cut or
# compression: of sixty such pairs that were looked at all were, and of twenty between .89 and .91 half.
SAME_PHOTOGRAPH = 0.93
COMPARED_AT_ONCE = 256
JPEG = b"\xff\xd8"
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


class DataError(SystemExit):
    """What is wrong with the data, in one line."""


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
        return hashlib.sha256(b"".join(part.tobytes() for part in (self.pixels, self.emotions, self.votes))).hexdigest()

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, chosen: np.ndarray) -> Faces:
        return Faces(self.pixels[chosen], self.emotions[chosen], self.votes[chosen])

    def save(self, path: Path) -> None:
        """Write as a compressed npz, whole or not at all."""
        partial = path.with_suffix(".partial.npz")
        np.savez_compressed(partial, pixels=self.pixels, emotions=self.emotions, votes=self.votes)
        partial.replace(path)

    @staticmethod
    def load(path: Path) -> Faces:
        """Read what `save` wrote."""
        try:
            with np.load(path) as stored:
                return Faces(stored["pixels"], stored["emotions"], stored["votes"])
        except FileNotFoundError:
            raise DataError(f"{path} is missing: run `make models-data` first") from None


def origin(source: Path) -> str:
    """What `read` finds there: "fer2013", or a "folder" of somebody's own."""
    return "fer2013" if _table(source, "train").is_file() else "folder"


def _table(source: Path, split: str) -> Path:
    return source / f"fer2013-{split}.npz"


def read(source: Path, split: str) -> Faces:
    """One split ("train" or "validation") of FER2013 with FERPlus' votes, or of a folder `split/emotion/picture`."""
    table = _table(source, split)
    if table.is_file():
        return _read_table(table)
    if (source / split).is_dir():
        return _read_folder(source / split)
    raise DataError(f"{source} has neither {table.name} nor a folder {split}/ with a folder for each of: {', '.join(BOX)}")


def _read_table(path: Path) -> Faces:
    try:
        with np.load(path) as table:
            pixels, labels, votes = table["pixels"], table["emotion"], table["votes"].astype(np.int64)
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if pixels.shape[1:] != (SIDE, SIDE) or pixels.dtype != np.uint8:
        raise DataError(f"{path}: pixels are {pixels.dtype} {list(pixels.shape)}, not u8 [n, {SIDE}, {SIDE}]")
    if labels.ndim != 1 or votes.shape[1:] != (CHOICES,):
        raise DataError(f"{path}: labels are {list(labels.shape)} and votes {list(votes.shape)}, not [n] and [n, {CHOICES}]")
    if not len(pixels):
        raise DataError(f"{path} holds no picture")
    if not len(pixels) == len(labels) == len(votes):
        raise DataError(f"{path}: {len(pixels)} pictures, {len(labels)} labels and {len(votes)} rows of votes")
    if labels.min() < 0 or labels.max() >= len(FER2013):
        raise DataError(f"{path}: labels run from {labels.min()} to {labels.max()}, not within 0..6")
    emotions = np.eye(len(BOX), dtype=np.float32)[[BOX.index(FER2013[label]) for label in labels]]
    rated = votes[:, 0] >= 0
    known = votes[:, : len(FERPLUS)].clip(0).astype(np.float32)
    # One vote among ten is more often a slip than a shade of the expression (Barsoum et al. 2016, arXiv 1608.01041).
    known[known <= 1] = 0
    leading = votes.argmax(axis=1)
    usable = rated & (leading < UNKNOWN) & (known.sum(axis=1) > 0)
    shares = np.where(usable[:, None], known / known.sum(axis=1, keepdims=True).clip(1), 0).astype(np.float32)
    return Faces(pixels, emotions, shares)[~(rated & (leading == NOT_A_FACE)) & _shows_something(pixels)]


def _read_folder(folder: Path) -> Faces:
    missing = [name for name in BOX if not (folder / name).is_dir()]
    if missing:
        raise DataError(f"{folder} has no folder for: {', '.join(missing)}")
    pixels, labels, refused = [], [], []
    for label, name in enumerate(BOX):
        for path in sorted((folder / name).iterdir()):
            if path.suffix.lower() not in IMAGE_SUFFIXES:
                continue
            picture = _read_picture(path)
            if picture is None:
                refused.append(path)
                continue
            pixels.append(picture)
            labels.append(label)
    if refused:
        named = ", ".join(str(path) for path in refused[:5])
        raise DataError(
            f"{len(refused)} pictures cannot be read, are smaller than {LEAST_SIDE} pixels or have sides of a ratio above {MOST_RATIO}: {named}"
        )
    if not pixels:
        raise DataError(f"{folder} holds no picture")
    faces = Faces(np.stack(pixels), np.eye(len(BOX), dtype=np.float32)[labels], np.zeros((len(pixels), len(FERPLUS)), np.float32))
    return faces[_shows_something(faces.pixels)]


def _read_picture(path: Path) -> np.ndarray | None:
    """The crop of a face as the box looks at it: squared around its centre. None where there is no such crop."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    # OpenCV makes up what a JPEG lacks at its end: of a file always, from memory where zeros are in its place.
    if content.startswith(JPEG):
        content = content.rstrip(b"\0")
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE) if content else None
    if picture is None or min(picture.shape) < LEAST_SIDE or max(picture.shape) > MOST_RATIO * min(picture.shape):
        return None
    above, left = ((max(picture.shape) - side) // 2 for side in picture.shape)
    below, right = (max(picture.shape) - side - before for side, before in zip(picture.shape, (above, left), strict=True))
    square = cv2.copyMakeBorder(picture, above, below, left, right, cv2.BORDER_REPLICATE)
    return cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _shows_something(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(len(pixels), -1).std(axis=1) > BLANK


def without_duplicates(faces: Faces) -> Faces:
    """One of each picture, with the mean of the labels that its copies carry."""
    _, first, group = np.unique(faces.pixels.reshape(len(faces), -1), axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1)
    merged = faces[first]
    merged.emotions = _means(faces.emotions, group, len(first))
    merged.votes = _means(faces.votes, group, len(first))
    return merged[np.argsort(first)]


def _means(rows: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    sums = np.zeros((groups, rows.shape[1]), np.float32)
    np.add.at(sums, group, rows)
    return sums / sums.sum(axis=1, keepdims=True).clip(1e-9)


def require_usable(faces: Faces, split: str) -> None:
    """Refuse a split in which a class has too few faces to learn or to measure."""
    counts = np.bincount(faces.emotions.argmax(axis=1), minlength=len(BOX))
    few = [f"{name} ({count})" for name, count in zip(BOX, counts, strict=True) if count < LEAST_A_CLASS]
    if few:
        raise DataError(f"{split} has fewer than {LEAST_A_CLASS} faces of: {', '.join(few)}")


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
    """Indices of training faces that look the same as one of the validation split: same fingerprint, close pixels."""
    by_print: dict[int, list[int]] = {}
    for index, mark in enumerate(fingerprint(validation.pixels)):
        by_print.setdefault(int(mark), []).append(index)
    return np.array([
        index for index, mark in enumerate(fingerprint(train.pixels))
        for other in by_print.get(int(mark), [])[:1]
        if np.abs(train.pixels[index].astype(int) - validation.pixels[other]).mean() < 8
    ], dtype=int)


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
