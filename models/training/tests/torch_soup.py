"""Trainings that are averaged, and the answers that they learn from. Only `pipeline.py check-training` has torch for it; see README.md."""

import argparse
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

import torch

from expression import arrays, assist, places, prepared, soup, train, weights
from expression.training import Training
from torch_training import FACES, RECIPE, drawn, said


class Soups(unittest.TestCase):
    """Of trainings on noise."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.start = self.folder / "start.npz"
        train.write_weights(Training(FACES, RECIPE, 1), self.start, FACES)

    def made(self, *options: str) -> weights.Weights:
        with (
            mock.patch("sys.argv", ["soup", *options]),
            mock.patch.object(prepared, "splits", return_value=(FACES, drawn(2))),
            mock.patch.multiple(places, RUN=self.folder, WEIGHTS=self.folder / "weights.npz"),
            mock.patch.object(soup, "LEGS", (RECIPE._replace(teacher_share=0), RECIPE._replace(dropout=0.1, teacher_share=0))),
        ):
            soup.main()
        return weights.load(self.folder / "weights.npz")

    def ended(self, leg: int, seed: int) -> dict[str, np.ndarray]:
        average = torch.load(self.folder / f"leg-{leg}-seed-{seed}" / "checkpoint.pt", weights_only=True)["average"]
        return {name: value.numpy().astype(np.float64) for name, value in average.items()}

    def test_a_soup_is_the_mean_of_trainings_that_began_with_the_mean_of_others(self) -> None:
        made = self.made("--start-from", str(self.start), "--seeds", "3,4")
        first, second = self.ended(2, 3), self.ended(2, 4)
        self.assertGreater(np.abs(first["stem.weight"] - second["stem.weight"]).max(), 1e-4)
        for name, value in made.network.items():
            np.testing.assert_allclose(value, (first[name] + second[name]) / 2, rtol=1e-3, atol=1e-6, err_msg=name)
        began = Training(FACES, RECIPE, 1)
        one, other = self.ended(1, 3), self.ended(1, 4)
        began.begin_with({name: torch.from_numpy((value + other[name]) / 2).float() for name, value in one.items() if value.ndim})
        self.assertEqual(torch.load(self.folder / "leg-2-seed-3" / "checkpoint.pt", weights_only=True)["made_from"]["start"], began.made_from["start"])
        train.start_from(began, self.start)
        self.assertEqual(made.made_from, {**began.made_from, "validation": drawn(2).digest, "seeds": "3,4"})

    def test_a_soup_that_was_interrupted_goes_on_with_what_had_ended(self) -> None:
        options = ("--start-from", str(self.start), "--seeds", "3,4")
        made = self.made(*options)
        (self.folder / "leg-2-seed-4" / "checkpoint.pt").unlink()
        with mock.patch("sys.stdout", io.StringIO()) as printed:
            again = self.made(*options)
        self.assertEqual(printed.getvalue().count("epoch 1 "), 1)
        np.testing.assert_array_equal(again.network["stem.weight"], made.network["stem.weight"])

    def test_seeds_are_numbers_once_each(self) -> None:
        self.assertEqual(soup.seeds("3,1"), [3, 1])
        for word in ("", "1,", "1,1", "1,01", "a", "-1"):
            self.assertRaises(argparse.ArgumentTypeError, soup.seeds, word)

    def test_an_assistants_answers_are_joined_with_the_teachers_and_the_students(self) -> None:
        path, checkpoint, told = self.folder / "answers.npz", self.folder / "checkpoint.pt", said(1)
        arrays.write(self.folder / "teacher.npz", {head: logits.numpy() for head, logits in told._asdict().items()} | {"faces": np.array(FACES.digest)})
        with (
            mock.patch("sys.argv", ["assist", "--teacher", str(self.folder / "teacher.npz"), "--student", str(self.start), "--epochs", "1"]),
            mock.patch.object(prepared, "splits", return_value=(FACES, drawn(2))),
            mock.patch.multiple(places, ASSISTANT_CHECKPOINT=checkpoint, ANSWERS=path),
            mock.patch.multiple(assist, RECIPE=RECIPE, OF_THE_BOX=RECIPE, VIEWS=1),
        ):
            assist.main()
        student = Training(FACES, RECIPE, 1)
        train.start_from(student, self.start)
        assistant = Training(FACES, RECIPE._replace(epochs=1), 1, assist.mean([student.answers(FACES), told]))
        assistant.restore(checkpoint)
        shares = [answers.emotions.softmax(1) for answers in (assistant.answers(FACES), student.answers(FACES), told)]
        torch.testing.assert_close(train.answers_for(FACES, path).emotions.softmax(1), sum(shares) / 3)

    def test_the_mean_of_answers_is_that_of_their_probabilities(self) -> None:
        a, b = said(1), said(2)
        for head, one, other in zip(assist.mean([a, b]), a, b, strict=True):
            torch.testing.assert_close(head.softmax(1), (one.softmax(1) + other.softmax(1)) / 2)


if __name__ == "__main__":
    unittest.main()
