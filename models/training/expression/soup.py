"""Trains on from the same weights with several seeds and takes the mean of what comes out; twice, the second time from that mean.

Trainings with the same start err in other ways but stay near each other, so that the mean of their weights is a network, and a better one than
they are on average (a model soup, Wortsman et al. 2022, arXiv 2203.05482).
"""

import argparse
from pathlib import Path

import torch

from expression import places, prepared
from expression.train import RECIPE as FROM_NOTHING
from expression.train import answers_for, start_from, write_weights
from expression.training import Stage, Training, measured

# Less than half of the rate that random weights want: away from each other, and not from what the weights know.
AWAY = FROM_NOTHING._replace(epochs=105, stages=(Stage(0.4, 40, 0.35), Stage(0.85, 48, 0.3), Stage(1.0, 48, 0.15)), dropout=0.1, peak_rate=0.06)
# Harmed faces have been learnt by then.
HOME = AWAY._replace(epochs=16, stages=(Stage(1.0, 48, 0.05),), peak_rate=0.02)
LEGS = (AWAY, HOME)


def main() -> None:
    """From the prepared faces to a checkpoint and curves of each training, and the mean of the weights."""
    parser = argparse.ArgumentParser(prog="pipeline.py soup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start-from", type=Path, required=True, help="weights to begin with, as `pipeline.py train` writes them")
    parser.add_argument("--teacher", type=Path, help="answers to learn from beside the labels, as `pipeline.py assist` writes them")
    parser.add_argument("--seeds", type=seeds, default=[1, 2], help="of the trainings: 1,2 where it is not given")
    arguments = parser.parse_args()
    faces, validation = prepared.splits()
    taught = arguments.teacher and answers_for(faces, arguments.teacher)
    made_from, mean = None, None
    for leg, recipe in enumerate(LEGS, 1):
        ended = []
        for seed in arguments.seeds:
            print(f"leg {leg} of {len(LEGS)}, seed {seed}")
            training = Training(faces, recipe, seed, taught)
            if mean is None:
                start_from(training, arguments.start_from)
                made_from = training.made_from
            else:
                training.begin_with(mean)
            checkpoint = places.RUN / f"leg-{leg}-seed-{seed}" / "checkpoint.pt"
            if checkpoint.is_file():
                training.restore(checkpoint)
            training.run(validation, checkpoint)
            ended.append(training.average.state_dict())
        mean = mean_of(ended)
        training.average.load_state_dict(mean)
        print(f"the mean: {measured(training.answers(validation), validation)}")
    training.made_from = made_from | {"seeds": ",".join(map(str, arguments.seeds))}
    write_weights(training, places.WEIGHTS, validation)
    print(f"written to {places.WEIGHTS}")


def seeds(word: str) -> list[int]:
    """An argument: numbers, none of them twice."""
    numbers = word.split(",")
    if not all(number.isdecimal() for number in numbers) or len(set(map(int, numbers))) < len(numbers):
        raise argparse.ArgumentTypeError(f"{word} are no seeds, such as 1,2")
    return [int(number) for number in numbers]


def mean_of(networks: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Of all that is a number with a fraction; the counts of steps are the first one's."""
    return {name: torch.stack([values[name] for values in networks]).mean(0) if value.is_floating_point() else value for name, value in networks[0].items()}


if __name__ == "__main__":
    main()
