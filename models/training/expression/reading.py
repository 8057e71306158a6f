"""Reads labelled faces as people have them. What cannot be used is refused or passed over by name before an epoch is spent."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from expression import arrays
from expression.arrays import DataError
from expression.faces import BOX, FER2013, FERPLUS, SIDE, Faces

# What a rater may choose beside FERPlus' classes.
UNKNOWN, NOT_A_FACE = 8, 9
CHOICES = 10
# A picture with fewer pixels a side, or longer for its width, is not the crop of a face.
LEAST_SIDE = SIDE // 2
MOST_RATIO = 2
# Standard deviation of the pixels up to which a picture shows nothing.
BLANK = 1
JPEG = b"\xff\xd8"
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


class Read(NamedTuple):
    """One split."""

    faces: Faces
    names: list[str]
    """of each face: its row in the table, or its file"""
    passed_over: list[str]
    """what is no picture, shows nothing or, as most raters say, no face"""


def origin(source: Path) -> str:
    """What `read` finds there: "fer2013", or a "folder" of somebody's own."""
    return "fer2013" if _table(source, "train").is_file() else "folder"


def _table(source: Path, split: str) -> Path:
    return source / f"fer2013-{split}.npz"


def read(source: Path, split: str) -> Read:
    """One split ("train" or "validation") of FER2013 with FERPlus' votes, or of a folder `split/emotion/picture`."""
    table = _table(source, split)
    if table.is_file():
        return _read_table(table)
    if (source / split).is_dir():
        return _read_folder(source / split)
    raise DataError(f"{source} has neither {table.name} nor a folder {split}/ with a folder for each of: {', '.join(BOX)}")


def _read_table(path: Path) -> Read:
    table = arrays.read(path)
    if missing := {"pixels", "emotion", "votes"} - table.keys():
        raise DataError(f"{path} has no {' and no '.join(sorted(missing))}")
    pixels, labels, votes = table["pixels"], table["emotion"], table["votes"]
    if pixels.shape[1:] != (SIDE, SIDE) or pixels.dtype != np.uint8:
        raise DataError(f"{path}: pixels are {pixels.dtype} {list(pixels.shape)}, not u8 [n, {SIDE}, {SIDE}]")
    if labels.ndim != 1 or votes.shape[1:] != (CHOICES,) or any(kind.dtype.kind not in "iu" for kind in (labels, votes)):
        raise DataError(
            f"{path}: labels are {labels.dtype} {list(labels.shape)} and votes {votes.dtype} {list(votes.shape)}, not whole numbers [n] and [n, {CHOICES}]"
        )
    votes = votes.astype(np.int64)
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
    shows_a_face = ~(rated & (leading == NOT_A_FACE)) & _shows_something(pixels)
    return _of_use(Faces(pixels, emotions, shares), shows_a_face, [f"row {row}" for row in range(len(pixels))], [])


def _of_use(faces: Faces, used: np.ndarray, names: list[str], passed_over: list[str]) -> Read:
    kept, blank = ([names[index] for index in np.flatnonzero(chosen)] for chosen in (used, ~used))
    return Read(faces[used], kept, passed_over + blank)


def _read_folder(folder: Path) -> Read:
    missing = [name for name in BOX if not (folder / name).is_dir()]
    if missing:
        raise DataError(f"{folder} has no folder for: {', '.join(missing)}")
    unknown = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name not in BOX and not path.name.startswith("."))
    if unknown:
        raise DataError(f"{folder} has folders that stand for none of {', '.join(BOX)}: {', '.join(unknown)}")
    pixels, labels, names, passed_over, refused = [], [], [], [], []
    for label, name in enumerate(BOX):
        for path in sorted((folder / name).iterdir()):
            if path.suffix.lower() not in IMAGE_SUFFIXES:
                passed_over.append(str(path))
                continue
            picture = _read_picture(path)
            if picture is None:
                refused.append(str(path))
                continue
            pixels.append(picture)
            labels.append(label)
            names.append(str(path))
    if refused:
        raise DataError(
            f"{len(refused)} pictures cannot be read, are smaller than {LEAST_SIDE} pixels or have sides of a ratio above {MOST_RATIO}: {listed(refused)}"
        )
    if not pixels:
        raise DataError(f"{folder} holds no picture")
    faces = Faces(np.stack(pixels), np.eye(len(BOX), dtype=np.float32)[labels], np.zeros((len(pixels), len(FERPLUS)), np.float32))
    return _of_use(faces, _shows_something(faces.pixels), names, passed_over)


def _read_picture(path: Path) -> np.ndarray | None:
    """The crop of a face as the box looks at it: squared around its centre. None where there is no such crop."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    # OpenCV makes up what a JPEG lacks at its end: of a file always, from memory where zeros are in its place.
    if content.startswith(JPEG):
        content = content.rstrip(b"\0")
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE) if content else None
    except cv2.error:
        # A header that speaks of more pixels than it reads.
        return None
    if picture is None or min(picture.shape) < LEAST_SIDE or max(picture.shape) > MOST_RATIO * min(picture.shape):
        return None
    above, left = ((max(picture.shape) - side) // 2 for side in picture.shape)
    below, right = (max(picture.shape) - side - before for side, before in zip(picture.shape, (above, left), strict=True))
    square = cv2.copyMakeBorder(picture, above, below, left, right, cv2.BORDER_REPLICATE)
    return cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _shows_something(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(len(pixels), -1).std(axis=1) > BLANK


def listed(names: list[str]) -> str:
    """The first five, and how many more there are."""
    more = len(names) - 5
    return ", ".join(names[:5]) + (f" and {more} more" if more > 0 else "")
