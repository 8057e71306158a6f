"""Files of arrays."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np


class DataError(SystemExit):
    """What is wrong with the data, in one line."""


def read(path: Path) -> dict[str, np.ndarray]:
    """All of an npz."""
    try:
        with path.open("rb") as file, np.load(file) as stored:
            return dict(stored)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (TypeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise DataError(f"{path} is not a file of arrays, as numpy's savez writes it") from None


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write as a compressed npz, whole or not at all."""
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(partial, **arrays)
    partial.replace(path)


def digest(parts: Iterable[np.ndarray]) -> str:
    """SHA-256 of all of them, one after the other."""
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
