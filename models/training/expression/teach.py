"""Trains large networks and writes what they say of the training faces, for `pipeline.py train --teacher` to learn from.

Each is trained on all parts of the faces but one and answers for that one. An answer about a face that a network was
trained on repeats the face's label, right or wrong, and every third label of FER2013 is not what raters see.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from expression import arrays, network, places, prepared
from expression.arrays import DataError
from expression.faces import Faces
from expression.training import VIEWS, Answers, Recipe, Stage, Training, epochs, measured, settings

SEED = 2026
PARTS = 5
RECIPE = Recipe(
    network.TEACHER, epochs=80, stages=(Stage(0.5, 32, 0.4), Stage(0.8, 40, 0.4), Stage(1.0, 48, 0.4)), dropout=0.3, mixing=0.3
)


def main() -> None:
    """From the prepared faces to teacher.npz; a part that was finished is not trained again."""
    parser = argparse.ArgumentParser(prog="pipeline.py teach", description=__doc__)
    parser.add_argument("--epochs", type=epochs, default=RECIPE.epochs)
    recipe = RECIPE._replace(epochs=parser.parse_args().epochs)
    faces, validation = prepared.splits()
    part = np.random.default_rng(SEED).permutation(len(faces)) % PARTS
    said = {number: arrays.read(answers_of(number)) for number in range(PARTS) if answers_of(number).is_file()}
    others = [
        str(answers_of(number)) for number, answers in said.items()
        if (str(answers.get("faces")), str(answers.get("settings"))) != (faces.digest, settings(recipe, SEED + number))
    ]
    if others:
        raise DataError(f"of other faces or settings, and to be deleted: {', '.join(others)}")
    for number in range(PARTS):
        if number not in said:
            said[number] = teach(faces, part, number, validation, recipe)
    joined = {head: np.zeros((len(faces), said[0][head].shape[1]), np.float16) for head in Answers._fields}
    for head, logits in joined.items():
        for number in range(PARTS):
            logits[part == number] = said[number][head]
    arrays.write(places.TEACHER, joined | {"faces": np.array(faces.digest)})
    together = {head: np.mean([answers[f"validation_{head}"] for answers in said.values()], axis=0) for head in Answers._fields}
    for what, answers, judged in (("each on the part left out", joined, faces), ("all on validation", together, validation)):
        print(f"{what}: {measured(Answers(*map(torch.from_numpy, answers.values())), judged)}")
    print(f"written to {places.TEACHER}")


def answers_of(number: int) -> Path:
    """Where the teacher that has not seen this part leaves what it says."""
    return places.TEACHERS / str(number) / "answers.npz"


def teach(faces: Faces, part: np.ndarray, number: int, validation: Faces, recipe: Recipe) -> dict[str, np.ndarray]:
    """Train without one part and answer for it."""
    path = answers_of(number)
    training = Training(faces[part != number], recipe, SEED + number)
    checkpoint = path.with_name("checkpoint.pt")
    if checkpoint.is_file():
        training.restore(checkpoint)
    print(f"teacher {number + 1} of {PARTS}")
    training.run(validation, checkpoint)
    answers = {"faces": np.array(faces.digest), "settings": np.array(settings(recipe, training.seed))}
    for head, logits in training.answers(faces[part == number], VIEWS)._asdict().items():
        answers[head] = logits.numpy()
    for head, logits in training.answers(validation, VIEWS)._asdict().items():
        answers[f"validation_{head}"] = logits.numpy()
    arrays.write(path, answers)
    checkpoint.unlink()
    return answers


if __name__ == "__main__":
    main()
