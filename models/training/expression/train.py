"""Trains the classifier of expressions. Interrupted, it goes on from its last epoch; a finished run starts anew with --again."""

import argparse
from pathlib import Path

import numpy as np
import torch

from expression import arrays, network, places, prepared, weights
from expression.arrays import DataError
from expression.faces import Faces
from expression.training import Answers, Recipe, Stage, Training, epochs

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
    parser.add_argument("--epochs", type=epochs, help=f"{RECIPE.epochs}, or {RECIPE_FROM_WEIGHTS.epochs} with --start-from, where it is not given")
    parser.add_argument("--again", action="store_true", help="start anew instead of going on")
    parser.add_argument("--start-from", type=Path, help="weights to begin with, such as the released ones, instead of random ones")
    parser.add_argument("--teacher", type=Path, help="answers to learn from beside the labels, as `pipeline.py teach` or `assist` writes them")
    arguments = parser.parse_args()
    faces, validation = prepared.splits()
    recipe = RECIPE_FROM_WEIGHTS if arguments.start_from else RECIPE
    recipe = recipe._replace(epochs=arguments.epochs or recipe.epochs)
    taught = arguments.teacher and answers_for(faces, arguments.teacher)
    training = Training(faces, recipe, SEED, taught)
    if arguments.start_from:
        start_from(training, arguments.start_from)
    if places.CHECKPOINT.is_file() and not arguments.again:
        training.restore(places.CHECKPOINT)
    training.run(validation, places.CHECKPOINT)
    write_weights(training, places.WEIGHTS, validation)
    print(f"written to {places.WEIGHTS}")


def answers_for(faces: Faces, path: Path) -> Answers:
    """What a teacher says of these faces."""
    stored = arrays.read(path)
    if not stored.keys() >= set(Answers._fields):
        raise DataError(f"{path} does not hold a teacher's answers, {' and '.join(Answers._fields)}, as `pipeline.py teach` writes them")
    if str(stored.get("faces")) != faces.digest:
        raise DataError(f"{path} does not answer the training faces as `make models-data` prepared them last, but others or in another order")
    return Answers(*(torch.from_numpy(stored[head]).float() for head in Answers._fields))


def start_from(training: Training, path: Path) -> None:
    """Begin with weights that `write_weights` wrote instead of random ones."""
    values = {name: torch.from_numpy(value).float() for name, value in weights.load(path).network.items()}
    wanted = {name: value.shape for name, value in training.network.state_dict().items() if value.ndim}
    if {name: value.shape for name, value in values.items()} != wanted:
        raise DataError(f"{path} does not hold the weights of this network, as `pipeline.py train` writes them")
    training.begin_with(values)


def write_weights(training: Training, path: Path, validation: Faces) -> None:
    """The averaged weights, with what they answer for some faces and what they were made from."""
    references = training.answers(validation[np.arange(REFERENCES)])
    values = {name: value.cpu() for name, value in training.average.state_dict().items() if value.ndim}
    # Half precision is far finer than the int8 that follows; what scales whole channels stays exact.
    stored = {name: (value.half() if value.ndim > 1 else value).numpy() for name, value in values.items()}
    logits = {head: answers.numpy() for head, answers in references._asdict().items()}
    weights.Weights(stored, logits, training.made_from | {"validation": validation.digest}).save(path)


if __name__ == "__main__":
    main()
