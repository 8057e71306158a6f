"""Trains one larger network and writes the mean of what it, the teachers and a network like the box's say of the training faces, for
`pipeline.py train --teacher` to learn from.

It learns from the labels and from the mean of the other two's answers.
"""

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F

from expression import arrays, network, places, prepared
from expression.train import RECIPE as OF_THE_BOX
from expression.train import answers_for, start_from
from expression.training import VIEWS, Answers, Recipe, Stage, Training, epochs, measured

SEED = 1
# Larger networks fit the faces sooner, and are asked about faces that are harmed less.
RECIPE = Recipe(
    network.ASSISTANT, epochs=80, stages=(Stage(0.5, 32, 0.3), Stage(0.85, 40, 0.3), Stage(1.0, 48, 0.3)), dropout=0.3, teacher_share=0.4
)


def main() -> None:
    """From the teachers' answers and weights of the box's network to the assistant's checkpoint and answers.npz."""
    parser = argparse.ArgumentParser(prog="pipeline.py assist", description=__doc__)
    parser.add_argument("--epochs", type=epochs, default=RECIPE.epochs)
    parser.add_argument("--teacher", type=Path, default=places.TAUGHT, help="answers, as `pipeline.py teach` writes them")
    parser.add_argument("--student", type=Path, default=places.START, help="weights of the box's network, as `pipeline.py train` writes them")
    arguments = parser.parse_args()
    faces, validation = prepared.splits()
    student = Training(faces, OF_THE_BOX, SEED)
    start_from(student, arguments.student)
    said = [student.answers(faces, VIEWS), answers_for(faces, arguments.teacher)]
    assistant = Training(faces, RECIPE._replace(epochs=arguments.epochs), SEED, mean(said))
    if places.ASSISTANT_CHECKPOINT.is_file():
        assistant.restore(places.ASSISTANT_CHECKPOINT)
    assistant.run(validation, places.ASSISTANT_CHECKPOINT)
    print(f"validation, {VIEWS} views: {measured(assistant.answers(validation, VIEWS), validation)}")
    answers = mean([assistant.answers(faces, VIEWS), *said])
    arrays.write(places.ANSWERS, {head: logits.numpy() for head, logits in answers._asdict().items()} | {"faces": faces.digest})
    print(f"written to {places.ANSWERS}")


def mean(said: list[Answers]) -> Answers:
    """Of the probabilities, as logits."""
    return Answers(*(torch.log(sum(F.softmax(head, 1) for head in heads) / len(said)) for heads in zip(*said, strict=True)))


if __name__ == "__main__":
    main()
