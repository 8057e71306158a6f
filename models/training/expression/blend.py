"""How the two heads become the box's one answer: a logarithmic opinion pool (Genest & Zidek 1986), which is linear in the logits.

So the pool is one dense layer, and costs the box nothing.
"""

import numpy as np

from expression.faces import BOX, FERPLUS

# FERPlus' classes among the box's; contempt, the one too many, counts as neutral where faces are counted.
FOLD = np.array([BOX.index("neutral" if name == "contempt" else name) for name in FERPLUS])
# Share of the raters' head in the pool.
VOTES = 0.5


def pooled(weights: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Kernel [features, 7] and bias [7] of the pool of both heads, in the box's order."""
    same = [FERPLUS.index(name) for name in BOX]
    kernel, bias = ((1 - VOTES) * weights[f"emotions.{part}"] + VOTES * weights[f"votes.{part}"][same] for part in ("weight", "bias"))
    return kernel.T, bias
