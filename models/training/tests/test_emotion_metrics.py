"""How logits become probabilities, and how these are judged."""

import unittest

import numpy as np

import emotion_metrics
from expression.faces import BOX, FERPLUS, FOLD, RATED


class Probabilities(unittest.TestCase):
    """Of both answers."""

    def test_contempt_counts_as_neutral(self) -> None:
        logits = np.log(np.array([[0.1, 0.05, 0.05, 0.3, 0.15, 0.1, 0.05, 0.2]]))
        said = emotion_metrics.probabilities(logits)
        np.testing.assert_allclose(said, [[0.1, 0.05, 0.05, 0.3, 0.35, 0.1, 0.05]])

    def test_the_raters_order_is_the_boxs(self) -> None:
        self.assertEqual([FERPLUS[index] for index in RATED], [*BOX, "contempt"])
        self.assertEqual([BOX[FOLD[index]] for index in RATED], [*BOX, "neutral"])


class Calibration(unittest.TestCase):
    """What the manifest says of an answer."""

    def test_a_temperature_mends_what_is_too_sure(self) -> None:
        rng = np.random.default_rng(1)
        logits = rng.normal(0, 1, (4000, len(BOX)))
        shares = emotion_metrics.probabilities(logits)
        labels = np.array([rng.choice(len(BOX), p=row) for row in shares])
        temperature, _, figures = emotion_metrics.calibrate(3 * logits, labels)
        self.assertAlmostEqual(temperature, 3, delta=0.2)
        self.assertLess(figures["calibration_error_after"], figures["calibration_error_before"] / 5)


if __name__ == "__main__":
    unittest.main()
