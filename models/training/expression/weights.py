"""A file of trained weights: the network without torch, what it answers for some faces, and what it was made from."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from expression import arrays
from expression.arrays import DataError

REFERENCE, MADE_FROM = "reference_", "made_from_"


class Weights(NamedTuple):
    """What is in such a file."""

    network: dict[str, np.ndarray]
    references: dict[str, np.ndarray]
    """logits by head for the first validation faces, so that the export can prove itself"""
    made_from: dict[str, str]
    """digests: `train` and `validation` of the faces, `teacher` of the answers and `start` of the weights that it began with, where there were such; and the
    `seeds` of the trainings of which it is the mean, where there were several"""

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        references = {REFERENCE + head: logits for head, logits in self.references.items()}
        made_from = {MADE_FROM + what: np.array(digest) for what, digest in self.made_from.items()}
        arrays.write(path, self.network | references | made_from)


def load(path: Path) -> Weights:
    """Read what `save` wrote."""
    stored = arrays.read(path)
    references, made_from = (
        {name.removeprefix(prefix): value for name, value in stored.items() if name.startswith(prefix)} for prefix in (REFERENCE, MADE_FROM)
    )
    network = {name: value for name, value in stored.items() if not name.startswith((REFERENCE, MADE_FROM))}
    if not ("stem.weight" in network and references):
        raise DataError(f"{path} does not hold the weights of a network, as `pipeline.py train` writes them")
    return Weights(network, references, {what: str(digest) for what, digest in made_from.items()})
