"""What `make models-data` left."""

import json

from expression import places
from expression.arrays import DataError
from expression.faces import Faces


def report() -> dict:
    """What it said at its end; it comes last, so that all else is there and of one run."""
    try:
        return json.loads(places.REPORT.read_text())
    except (OSError, ValueError):
        raise DataError(f"there are no faces in {places.DATA}, or not all: run `make models-data` to its end first") from None


def splits() -> tuple[Faces, Faces]:
    """Training and validation."""
    report()
    train, validation = (Faces.load(places.DATA / f"{split}.npz") for split in ("train", "validation"))
    return train, validation
