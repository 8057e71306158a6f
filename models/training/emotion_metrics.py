"""Accuracy and calibration of the classifier's probabilities."""

import numpy as np

from expression.faces import BOX

BINS = 15
CLASSES = len(BOX)
NEUTRAL = BOX.index("neutral")


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Calibrated probabilities [n, 7]. An eighth logit, contempt, counts as neutral."""
    scaled = logits.astype(np.float64) / temperature
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    raised[:, NEUTRAL] += raised[:, CLASSES:].sum(axis=1)
    raised = raised[:, :CLASSES]
    return raised / raised.sum(axis=1, keepdims=True)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature of least negative log likelihood (Guo et al. 2017), to .01."""
    candidates = np.arange(0.5, 5.0, 0.01)
    rows = np.arange(len(labels))
    losses = [-np.log(probabilities(logits, t)[rows, labels] + 1e-12).mean() for t in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 2)


def calibration_error(said: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error over 15 bins of the top probability."""
    confidence = said.max(axis=1)
    right = said.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return sum(abs(right[bins == b].sum() - confidence[bins == b].sum()) for b in range(BINS)) / len(labels)


def confusion(said: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Row m: the mean calibrated output while the true label is m."""
    return np.stack([said[labels == label].mean(axis=0) for label in range(CLASSES)])


def recall(said: np.ndarray, labels: np.ndarray) -> list[float]:
    """Of each class."""
    right = said.argmax(axis=1) == labels
    return [float(right[labels == label].mean()) for label in range(CLASSES)]


def calibrate(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray, dict]:
    """Temperature, confusion and figures.

    Two folds: each is calibrated with the temperature of the other, so that no face judges a temperature it helped
    to fit and the rare disgust (1.6 % of the faces) is counted whole.
    """
    fold = np.arange(len(labels)) % 2
    calibrated = np.empty((len(logits), CLASSES))
    for half in (0, 1):
        temperature = fit_temperature(logits[fold != half], labels[fold != half])
        calibrated[fold == half] = probabilities(logits[fold == half], temperature)
    temperature = fit_temperature(logits, labels)
    said = probabilities(logits, temperature)
    recalls = recall(said, labels)
    figures = {
        "faces": len(labels),
        "accuracy": round(float((said.argmax(axis=1) == labels).mean()), 4),
        "balanced_accuracy": round(float(np.mean(recalls)), 4),
        "calibration_error_before": round(calibration_error(probabilities(logits), labels), 4),
        "calibration_error_after": round(calibration_error(calibrated, labels), 4),
        "recall": [round(share, 4) for share in recalls],
    }
    return temperature, confusion(calibrated, labels), figures
