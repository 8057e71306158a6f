"""The trained classifier as a TensorFlow function, from the weights that the training left, batch normalisation folded in."""

import numpy as np
import tensorflow as tf

from expression.faces import BOX, RATED

SIDE = 48
INPUT_SHAPE = (1, SIDE, SIDE, 1)
_EPSILON = 1e-5


def normalised(pixels: np.ndarray) -> np.ndarray:
    """Grey pixels 0..255 [n, 48, 48] to the network's input [n, 48, 48, 1]; int8 holds it as `pixel - 128`."""
    return ((np.round(pixels.astype(np.float32)) - 128) / 128)[..., None]


class Classifier(tf.Module):
    """Normalised grey faces [n, 48, 48, 1] to logits `fer2013` [n, 7], in the box's order, and, where raters have taught it,
    `ferplus` [n, 8], in the same order with contempt behind."""

    def __init__(self, weights: dict[str, np.ndarray], is_rated: bool) -> None:
        super().__init__()
        self._weights, self._is_rated = weights, is_rated

    def concrete(self, shape):
        """The traced function for one input shape."""
        function = tf.function(self.__call__, input_signature=[tf.TensorSpec(shape, tf.float32, name="image")])
        return function.get_concrete_function()

    def __call__(self, image):
        features = self._features(image)
        answers = {"fer2013": self._head(features, "emotions", np.arange(len(BOX)))}
        return answers | {"ferplus": self._head(features, "votes", RATED)} if self._is_rated else answers

    def _head(self, features, name: str, order: np.ndarray):
        kernel, bias = self._weights[f"{name}.weight"][order].T, self._weights[f"{name}.bias"][order]
        return tf.linalg.matmul(features, tf.constant(kernel)) + tf.constant(bias)

    def _features(self, image):
        x = tf.nn.relu(self._conv(image, "stem", 1))
        x = tf.nn.relu(self._conv(x, "halve", 2))
        index = 0
        while f"blocks.{index}.first.weight" in self._weights:
            x = self._block(x, f"blocks.{index}")
            index += 1
        return tf.reduce_mean(x, axis=[1, 2])

    def _block(self, x, name: str):
        # Every block with a shortcut of its own also halves the sides.
        side, stride = x, 1
        if f"{name}.shortcut.weight" in self._weights:
            side, stride = self._conv(x, f"{name}.shortcut", 2), 2
        y = tf.nn.relu(self._conv(x, f"{name}.first", stride))
        return tf.nn.relu(self._conv(y, f"{name}.second", 1) + side)

    def _conv(self, x, name: str, stride: int):
        kernel, bias = self._folded(name)
        if stride == 2 and kernel.shape[0] == 3:
            # torch pads evenly on all sides, which TensorFlow's SAME does not at stride 2.
            x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        x = tf.nn.conv2d(x, tf.constant(kernel), stride, "VALID" if stride == 2 else "SAME")
        return tf.nn.bias_add(x, tf.constant(bias))

    def _folded(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        norm = {part: self._weights[f"{name}_norm.{part}"] for part in ("weight", "bias", "running_mean", "running_var")}
        gain = norm["weight"] / np.sqrt(norm["running_var"] + _EPSILON)
        return self._weights[f"{name}.weight"].transpose(2, 3, 1, 0) * gain, norm["bias"] - norm["running_mean"] * gain

