"""Real images for calibration: FER2013 training faces on photographs that PyPI packages carry.

None of them is among the test photos; `require_unseen` checks that by perceptual hash.
"""

from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np

FRAME = (480, 640)
FACES_A_SCENE = 8
SMALLEST_FACE = 24
LARGEST_FACE = 360
# Everyday colour photographs. The astronaut is the only one with a face of its own.
SCENES = {
    "skimage": ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "brick.png", "grass.png",
                "camera.png"),
    "sklearn.datasets": ("china.jpg", "flower.jpg"),
}
_FOLDERS = {"skimage": "data", "sklearn.datasets": "images"}
# The nearest pair of unrelated images is at about 14 of 64 bits, a re-encoded or resized copy below 6.
_SAME_IMAGE_BITS = 8


def scenes() -> dict[str, np.ndarray]:
    """The background photographs by name, RGB."""
    found = {}
    for package, names in SCENES.items():
        for name in names:
            path = files(package) / _FOLDERS[package] / name
            found[name] = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return found


def require_unseen(photos: Path) -> None:
    """Refuse to calibrate on anything that is one of the test photos."""
    tests = {path.name: _perceptual_hash(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)) for path in photos.glob("*.jpg")}
    for name, scene in scenes().items():
        bits = _perceptual_hash(cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY))
        nearest = min(tests, key=lambda test: np.sum(tests[test] != bits), default=None)
        if nearest and np.sum(tests[nearest] != bits) <= _SAME_IMAGE_BITS:
            raise SystemExit(f"calibration image {name} is the test photo {nearest}: take it out of SCENES")


def _perceptual_hash(grey: np.ndarray) -> np.ndarray:
    grey = _without_bars(grey)
    low = cv2.dct(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32))[:8, :8].reshape(-1)
    return low > np.median(low)


def _without_bars(grey: np.ndarray) -> np.ndarray:
    # The test photos are letterboxed; the scenes are not.
    rows = np.where(grey.max(axis=1) > 16)[0]
    columns = np.where(grey.max(axis=0) > 16)[0]
    return grey[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]


def frames(faces: np.ndarray, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """`count` frames of 640x480 RGB, each with up to eight of `faces` [n, 48, 48] pasted at 24 to 360 pixels."""
    backgrounds = list(scenes().values())
    return [_frame(faces, backgrounds[i % len(backgrounds)], rng) for i in range(count)]


def _frame(faces: np.ndarray, background: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    frame = _window(background, rng).astype(np.float32)
    for _ in range(rng.integers(1, FACES_A_SCENE + 1)):
        _paste(frame, faces[rng.integers(len(faces))], rng)
    return np.clip(_exposed(frame, rng), 0, 255).astype(np.uint8)


def _window(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random part of the photograph, filled to the frame and mirrored half of the time."""
    height, width = image.shape[:2]
    most = min(height / FRAME[0], width / FRAME[1])
    part = most * rng.uniform(0.5, 1.0)
    rows, columns = int(FRAME[0] * part), int(FRAME[1] * part)
    top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
    window = cv2.resize(image[top:top + rows, left:left + columns], FRAME[::-1], interpolation=cv2.INTER_AREA)
    return window[:, ::-1] if rng.random() < 0.5 else window


def _paste(frame: np.ndarray, face: np.ndarray, rng: np.random.Generator) -> None:
    side = int(np.exp(rng.uniform(np.log(SMALLEST_FACE), np.log(LARGEST_FACE))))
    top, left = rng.integers(FRAME[0] - side + 1), rng.integers(FRAME[1] - side + 1)
    pixels = cv2.resize(face.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)[..., None]
    # Skin under indoor light: red above green above blue; a tenth stays grey.
    tint = np.array([1.0, 1.0, 1.0]) if rng.random() < 0.1 else np.array([rng.uniform(1.0, 1.15), rng.uniform(0.8, 0.95), rng.uniform(0.6, 0.9)])
    edge = np.minimum(np.arange(side) + 1, side - np.arange(side)) / (side * 0.12)
    blend = np.clip(np.minimum.outer(edge, edge), 0, 1)[..., None]
    spot = frame[top:top + side, left:left + side]
    spot[:] = blend * pixels * tint + (1 - blend) * spot


def _exposed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A little more or less contrast and light, as a camera's own control leaves it."""
    return (image - 127.5) * rng.uniform(0.75, 1.2) + 127.5 + rng.uniform(-25, 25)
