"""Trains the classifier of expressions. Interrupted, it goes on from its last epoch; a finished run starts anew with --again."""

import argparse
from pathlib import Path

import numpy as np
import torch

from expression import arrays, network, places
from expression.faces import DataError, Faces
from expression.training import Answers, Recipe, Stage, Training

SEED = 2026
# What is learnt on small faces holds on large ones, for half the work (Tan & Le 2021, arXiv 2104.00298). The strongest
# augmentation kept so small a network from fitting even its training faces.
RECIPE = Recipe(
    network.BOX, epochs=256, stages=(Stage(0.4, 32, 0.4), Stage(0.8, 40, 0.4), Stage(1.0, 48, 0.4)), dropout=0.2, teacher_share=0.6
)
# What the weights know is to be kept: a low rate, and the full size from the start.
RECIPE_FROM_WEIGHTS = RECIPE._replace(epochs=20, stages=(Stage(1.0, 48, 0.25),), peak_rate=0.03)
REFERENCES = 64


def main() -> None:
    """From the prepared faces to a checkpoint, its curves and the weights."""
    parser = argparse.ArgumentParser(prog="pipeline.py train", description=__doc__)
    parser.add_argument("--epochs", type=int, help=f"{RECIPE.epochs}, or {RECIPE_FROM_WEIGHTS.epochs} with --start-from, where it is not given")
    parser.add_argument("--again", action="store_true", help="start anew instead of going on")
    parser.add_argument("--start-from", type=Path, help="weights to begin with, such as the released ones, instead of random ones")
    parser.add_argument("--teacher", type=Path, help="answers to learn from beside the labels, as `pipeline.py teach` writes them")
    arguments = parser.parse_args()
    faces, validation = (Faces.load(places.DATA / f"{split}.npz") for split in ("train", "validation"))
    recipe = RECIPE_FROM_WEIGHTS if arguments.start_from else RECIPE
    recipe = recipe._replace(epochs=arguments.epochs or recipe.epochs)
    taught = arguments.teacher and answers_for(faces, arguments.teacher)
    training = Training(faces, recipe, SEED, taught)
    if places.CHECKPOINT.is_file() and not arguments.again:
        training.restore(places.CHECKPOINT)
    elif arguments.start_from:
        start_from(training, arguments.start_from)
    training.run(validation, places.CHECKPOINT)
    write_weights(training, places.WEIGHTS, validation)
    print(f"written to {places.WEIGHTS}")


def answers_for(faces: Faces, path: Path) -> Answers:
    """What a teacher says of these faces."""
    stored = arrays.read(path)
    if not stored.keys() >= set(Answers._fields):
        raise DataError(f"{path} does not hold a teacher's answers, {' and '.join(Answers._fields)}, as `pipeline.py teach` writes them")
    answers = Answers(*(torch.from_numpy(stored[head]).float() for head in Answers._fields))
    if any(len(head) != len(faces) for head in answers):
        raise DataError(f"{path} answers {len(answers.emotions)} faces, not the {len(faces)} of the training split")
    return answers


def start_from(training: Training, path: Path) -> None:
    """Begin with weights that `write_weights` wrote instead of random ones."""
    weights = {name: torch.from_numpy(value).float() for name, value in arrays.read(path).items() if not name.startswith("reference_")}
    wanted = {name: value.shape for name, value in training.network.state_dict().items() if value.ndim}
    if {name: value.shape for name, value in weights.items()} != wanted:
        raise DataError(f"{path} does not hold the weights of this network, as `pipeline.py train` writes them")
    for network_ in (training.network, training.average):
        network_.load_state_dict(weights, strict=False)


def write_weights(training: Training, path: Path, validation: Faces) -> None:
    """The averaged weights without torch, with what they answer for some faces, so that the export can prove itself."""
    references = training.answers(validation[np.arange(REFERENCES)])
    weights = {name: value.cpu() for name, value in training.average.state_dict().items() if value.ndim}
    # Half precision is far finer than the int8 that follows; what scales whole channels stays exact.
    stored = {name: (value.half() if value.ndim > 1 else value).numpy() for name, value in weights.items()}
    arrays.write(path, stored | {"reference_emotions": references.emotions.numpy(), "reference_votes": references.votes.numpy()})


if __name__ == "__main__":
    main()
