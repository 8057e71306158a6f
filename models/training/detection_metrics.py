"""How well one cascade finds what another found."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

import cascade

SAME_FACE = 0.6
NOT_A_FACE = 0.4
REFERENCE_SIDE = 60
REFERENCE_SCORE = 0.9


@dataclass
class Tally:
    """Counts over many frames; `add` one frame at a time."""

    wanted: int = 0
    missed: list[str] = field(default_factory=list)
    false_boxes: int = 0
    overlaps: list[float] = field(default_factory=list)
    landmark_errors: list[float] = field(default_factory=list)

    def add(self, name: str, boxes, landmarks, truth, truth_landmarks, wanted) -> None:
        """`wanted` marks the true faces that count as misses; a box is false only where no true face at all is near."""
        shared = cascade.overlap(truth, boxes)
        for i in np.where(wanted)[0]:
            self.wanted += 1
            best = shared[i].argmax() if len(boxes) else None
            if best is None or shared[i, best] < SAME_FACE:
                self.missed.append(f"{name} {np.round(truth[i, :4]).astype(int).tolist()}")
                continue
            self.overlaps.append(shared[i, best])
            distance = np.linalg.norm(landmarks[best] - truth_landmarks[i], axis=1).mean()
            self.landmark_errors.append(distance / (truth[i, 2] - truth[i, 0]))
        near = shared.max(axis=0) if len(truth) else np.zeros(len(boxes))
        self.false_boxes += int((near < NOT_A_FACE).sum())

    def summary(self) -> dict:
        """The manifest's figures: landmark error in parts of the face width."""
        return {
            "faces": self.wanted,
            "recall": round(1 - len(self.missed) / max(self.wanted, 1), 4),
            "false_boxes": self.false_boxes,
            "median_iou": round(float(np.median(self.overlaps)), 4),
            "median_landmark_error": round(float(np.median(self.landmark_errors)), 4),
        }


def against_float(frames, found_by_float, networks, min_face: int) -> Tally:
    """`networks` against what the float cascade found in the same frames."""
    tally = Tally()
    for number, (frame, (truth, truth_landmarks)) in enumerate(zip(frames, found_by_float, strict=True)):
        boxes, landmarks = cascade.detect(frame, networks, min_face)
        tally.add(f"frame {number}", boxes, landmarks, truth, truth_landmarks, np.ones(len(truth), bool))
    return tally


def photo_frames(photos: Path) -> list[np.ndarray]:
    """The test photos, RGB."""
    return [_read(path) for path in sorted(photos.glob("*.jpg"))]


def _read(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def against_reference(photos: Path, networks, min_face: int) -> Tally:
    """`networks` against the package's own detections in the test photos, faces of 60 px and score .9 on."""
    reference = json.loads((photos / "reference-mtcnn.json").read_text())["faces"]
    tally = Tally()
    for name, faces in reference.items():
        frame = _read(photos / name)
        truth = np.array([[*face["box"], face["score"]] for face in faces]).reshape(-1, 5)
        wanted = (truth[:, 2:4].max(axis=1) >= REFERENCE_SIDE) & (truth[:, 4] >= REFERENCE_SCORE)
        truth[:, 2:4] += truth[:, :2]
        truth_landmarks = np.array([face["landmarks"] for face in faces]).reshape(-1, 5, 2)
        boxes, landmarks = cascade.detect(frame, networks, min_face)
        tally.add(name, boxes, landmarks, truth, truth_landmarks, wanted)
    return tally
