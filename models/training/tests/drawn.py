"""Pictures for the tests."""

import cv2
import numpy as np


def drawn(count: int, seed: int = 1) -> np.ndarray:
    """Smooth pictures of 48x48 that differ from each other."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 6, 6)).astype(np.uint8)
    return np.stack([cv2.resize(picture, (48, 48), interpolation=cv2.INTER_CUBIC) for picture in coarse])
