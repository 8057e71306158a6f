"""What the export refuses. Only `pipeline.py check-export` has TensorFlow for it; see README.md."""

import unittest

import numpy as np
import tensorflow as tf

import quantise
from expression import export
from expression.faces import BOX

SHAPE = (1, 8, 8, 1)


def converted(layers) -> bytes:
    """A float graph of one convolution, with what `layers` puts before and behind it."""
    kernel = tf.constant(np.random.default_rng(1).normal(size=(3, 3, 1, 4)).astype(np.float32))
    function = tf.function(lambda x: layers(x, lambda y: tf.nn.conv2d(y, kernel, 1, "SAME")))
    concrete = function.get_concrete_function(tf.TensorSpec(SHAPE, tf.float32))
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


class Delegation(unittest.TestCase):
    """XNNPACK has no kernel for REVERSE_V2."""

    def test_a_graph_that_is_taken_whole_passes(self) -> None:
        quantise.require_one_partition("whole", converted(lambda x, convolve: convolve(x)), SHAPE)

    def test_an_operator_outside_is_refused_wherever_it_stands(self) -> None:
        cut = {
            "before": lambda x, convolve: convolve(tf.reverse(x, [1])),
            "behind": lambda x, convolve: tf.reverse(convolve(x), [1]),
            "between": lambda x, convolve: tf.nn.relu(tf.reverse(convolve(x), [1])),
            "everything": lambda x, _: tf.reverse(x, [1]),
        }
        for where, layers in cut.items():
            with self.subTest(where), self.assertRaises(SystemExit) as caught:
                quantise.require_one_partition(where, converted(layers), SHAPE)
            self.assertIn("REVERSE_V2", str(caught.exception))


class Loss(unittest.TestCase):
    """Of 1,000 faces that float reads right."""

    def read_by_int8(self, wrong: int) -> None:
        truth = np.arange(1000) % len(BOX)
        right = np.eye(len(BOX), dtype=np.float32)[truth] * 8
        int8 = right.copy()
        int8[:wrong] = np.roll(right[:wrong], 1, axis=1)
        export.answer("fer2013", int8, right, truth)

    def test_half_a_point_may_be_lost_and_no_more(self) -> None:
        self.read_by_int8(wrong=5)
        with self.assertRaises(SystemExit) as caught:
            self.read_by_int8(wrong=6)
        self.assertIn("int8 loses 0.6 points", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
