"""The course of a training as a picture."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402: the backend has to be chosen first


def draw(history: list[dict], path: Path) -> None:
    """Losses on the left, accuracies on validation on the right, over the epochs."""
    epochs = [row["epoch"] for row in history]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for name in ("loss_emotions", "loss_votes"):
        left.plot(epochs, [row[name] for row in history], label=name.replace("loss_", ""))
    left.set(title="Loss on augmented training faces", xlabel="epoch")
    for name, label in (("accuracy", "FER2013"), ("balanced", "FER2013, mean recall"), ("votes", "FERPlus plurality")):
        if name in history[0]:
            right.plot(epochs, [row[name] for row in history], label=label)
    right.set(title="Accuracy on validation", xlabel="epoch", ylim=(0.4, 0.9))
    for axis in (left, right):
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
