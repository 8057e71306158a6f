"""What a run is made from, and that it goes on from nothing else. Only `pipeline.py check-training` has torch for it; see README.md."""

import argparse
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

import torch

from expression import arrays, train, training, weights
from expression.arrays import DataError
from expression.faces import BOX, Faces
from expression.network import Plan
from expression.training import Answers, Recipe, Stage, Training

# Not smaller: a network of 4 and 8 channels corrupted torch's heap on a CPU.
RECIPE = Recipe(Plan(16, (32, 64), (1, 1)), epochs=2, stages=(Stage(1.0, 32, 0.4),), dropout=0.5, teacher_share=0.5)


def drawn(seed: int) -> Faces:
    """Noise with labels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (70, 48, 48), dtype=np.uint8)
    return Faces(pixels, np.eye(7, dtype=np.float32)[np.arange(70) % len(BOX)], np.zeros((70, 8), np.float32))


FACES = drawn(1)


def said(seed: int) -> Answers:
    """As a teacher would."""
    chances = torch.Generator().manual_seed(seed)
    return Answers(torch.randn(70, 7, generator=chances), torch.randn(70, 8, generator=chances))


def state(run: Training) -> np.ndarray:
    values = [*run.network.state_dict().values(), *run.average.state_dict().values()]
    return torch.cat([value.flatten().double().cpu() for value in values]).numpy()


class Runs(unittest.TestCase):
    """Interrupted, and taken up again."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.checkpoint = self.folder / "checkpoint.pt"

    def begun(self) -> Training:
        run = Training(FACES, RECIPE, 1, said(1))
        run.run_epoch()
        run.store(self.checkpoint)
        return run

    def written(self, name: str, seed: int) -> Path:
        path = self.folder / name
        train.write_weights(Training(FACES, RECIPE, seed), path, FACES)
        return path

    @unittest.skipIf(torch.cuda.is_available(), "a GPU sees a few faces more when it makes its graph anew")
    def test_a_run_goes_on_as_if_nothing_had_happened(self) -> None:
        whole = self.begun()
        whole.run_epoch()
        resumed = Training(FACES, RECIPE, 1, said(1))
        resumed.restore(self.checkpoint)
        resumed.run_epoch()
        np.testing.assert_allclose(state(resumed), state(whole), rtol=0, atol=1e-6)

    def test_the_average_of_a_short_run_forgets_what_it_began_with(self) -> None:
        run = Training(FACES, RECIPE._replace(epochs=20), 1, said(1))
        with torch.no_grad():
            for value in run.averaged[0]:
                value.fill_(1e6)
        for _ in range(20):
            run.run_epoch()
        self.assertLess(max(value.abs().max().item() for value in run.averaged[0]), 1e3)

    def test_a_run_goes_on_from_nothing_else(self) -> None:
        self.begun()
        others = {
            "faces": Training(drawn(2), RECIPE, 1, said(1)),
            "teacher": Training(FACES, RECIPE, 1, said(2)),
            "no teacher": Training(FACES, RECIPE, 1),
            "recipe": Training(FACES, RECIPE._replace(dropout=0.1), 1, said(1)),
            "seed": Training(FACES, RECIPE, 2, said(1)),
            "start": Training(FACES, RECIPE, 1, said(1)),
        }
        train.start_from(others["start"], self.written("a.npz", 1))
        for what, other in others.items():
            with self.subTest(what), self.assertRaises(SystemExit):
                other.restore(self.checkpoint)
        for constant in ("BALANCE", "PRIOR_SHARE", "SMOOTHING", "AVERAGE_DECAY", "TEACHER_TEMPERATURE"):
            run = Training(FACES, RECIPE, 1, said(1))
            with self.subTest(constant), mock.patch.object(training, constant, 0.9), self.assertRaises(SystemExit):
                run.restore(self.checkpoint)

    def test_weights_to_begin_with_are_told_from_others(self) -> None:
        a, b, again = (Training(FACES, RECIPE, 1) for _ in range(3))
        train.start_from(a, self.written("a.npz", 1))
        train.start_from(b, self.written("b.npz", 2))
        a.store(self.checkpoint)
        with self.assertRaises(SystemExit):
            b.restore(self.checkpoint)
        train.start_from(again, self.folder / "a.npz")
        again.restore(self.checkpoint)
        np.testing.assert_array_equal(state(again), state(a))

    @unittest.skipIf(torch.cuda.is_available(), "the other way round is not simulated")
    def test_what_a_gpu_began_a_cpu_can_end(self) -> None:
        run = self.begun()
        stored = torch.load(self.checkpoint, weights_only=True)
        # The state of a generator of CUDA: seed and offset.
        torch.save(stored | {"device": "cuda", "chances": torch.zeros(16, dtype=torch.uint8), "dropout": torch.zeros(16, dtype=torch.uint8)}, self.checkpoint)
        resumed = Training(FACES, RECIPE, 1, said(1))
        resumed.restore(self.checkpoint)
        self.assertEqual(resumed.epoch, 1)
        np.testing.assert_array_equal(state(resumed), state(run))

    def test_weights_say_what_they_were_made_from(self) -> None:
        run = Training(FACES, RECIPE, 1, said(1))
        validation = drawn(2)
        train.write_weights(run, self.folder / "a.npz", validation)
        made_from = weights.load(self.folder / "a.npz").made_from
        self.assertEqual(made_from["train"], FACES.digest)
        self.assertEqual(made_from["validation"], validation.digest)
        self.assertEqual(made_from.keys(), {"train", "validation", "teacher"})
        self.assertNotEqual(made_from["teacher"], Training(FACES, RECIPE, 1, said(2)).made_from["teacher"])

    def test_a_teacher_of_other_faces_or_of_another_order_is_refused(self) -> None:
        path = self.folder / "teacher.npz"
        answers = {head: logits.numpy() for head, logits in said(1)._asdict().items()}
        arrays.write(path, answers | {"faces": np.array(FACES.digest)})
        self.assertEqual(train.answers_for(FACES, path).emotions.tolist(), said(1).emotions.tolist())
        self.assertRaises(DataError, train.answers_for, FACES[np.arange(70)[::-1]], path)
        arrays.write(path, answers)
        self.assertRaises(DataError, train.answers_for, FACES, path)

    def test_a_teacher_answers_no_mixtures(self) -> None:
        self.assertRaises(ValueError, Training, FACES, RECIPE._replace(mixing=0.3), 1, said(1))

    def test_no_epochs_are_no_training(self) -> None:
        self.assertEqual(training.epochs("3"), 3)
        for word in ("0", "-3", "1.5", "many"):
            self.assertRaises(argparse.ArgumentTypeError, training.epochs, word)


if __name__ == "__main__":
    unittest.main()
