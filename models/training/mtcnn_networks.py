"""The three networks of MTCNN, rebuilt for TensorFlow Lite from the weights of the PyPI package `mtcnn` 1.0.0.

Four things differ from the package, all exact in real numbers:

* PReLU is written in a form that TensorFlow Lite takes: `prelu` becomes its own operator, `mulrelu` stands in where
  that is int8, which XNNPACK does not take.
* The two face logits become one channel, their difference; the face probability is its sigmoid.
* The permutation in front of the dense layers is folded into their weights.
* The input is `(pixel - 127) / 128`, which int8 represents exactly; the half step to the package's
  `(pixel - 127.5) / 128` goes into the first bias.
"""

from collections.abc import Callable
from dataclasses import dataclass

import joblib
import numpy as np
import tensorflow as tf

INPUT_SCALE = 1.0 / 128.0
INPUT_ZERO_POINT = -1
# What the package's centre of 127.5 differs from ours of 127, in units of the normalised input.
_CENTRE_SHIFT = -0.5 / 128.0


# From what leaves a layer and the slopes of its channels to what its PReLU makes of it.
Activation = Callable[[tf.Tensor, np.ndarray], tf.Tensor]


@dataclass(frozen=True)
class Layer:
    """A convolution or dense layer: `weights` [h, w, in, out] or [in, out], and the PReLU behind it."""

    weights: np.ndarray
    bias: np.ndarray
    slope: np.ndarray | None = None


@dataclass(frozen=True)
class Pool:
    """A max-pooling layer."""

    size: int
    padding: str


@dataclass(frozen=True)
class Network:
    """A feed-forward trunk with several linear heads on its end."""

    name: str
    input_shape: tuple[int, int, int, int]
    trunk: tuple[Layer | Pool, ...]
    heads: dict[str, Layer]


def load(name: str, weights_file) -> Network:
    """Read `pnet`, `rnet` or `onet` from the package's weight file."""
    arrays = [np.asarray(array, dtype=np.float64) for array in joblib.load(weights_file)]
    return {"pnet": _pnet, "rnet": _rnet, "onet": _onet}[name](arrays)


def _pnet(a: list[np.ndarray]) -> Network:
    trunk = (_first(a[0:3]), Pool(2, "SAME"), _conv(a[3:6]), _conv(a[6:9]))
    return Network("pnet", (1, 12, 12, 3), trunk, {"face": _face(a[11:13]), "box": Layer(*a[9:11])})


def _rnet(a: list[np.ndarray]) -> Network:
    trunk = (
        _first(a[0:3]), Pool(3, "SAME"), _conv(a[3:6]), Pool(3, "VALID"), _conv(a[6:9]),
        _dense(a[9:12], side=3, channels=64),
    )
    return Network("rnet", (1, 24, 24, 3), trunk, {"face": _face(a[14:16]), "box": Layer(*a[12:14])})


def _onet(a: list[np.ndarray]) -> Network:
    trunk = (
        _first(a[0:3]), Pool(3, "SAME"), _conv(a[3:6]), Pool(3, "VALID"), _conv(a[6:9]), Pool(2, "SAME"),
        _conv(a[9:12]), _dense(a[12:15], side=3, channels=128),
    )
    heads = {"face": _face(a[19:21]), "box": Layer(*a[15:17]), "landmarks": Layer(*a[17:19])}
    return Network("onet", (1, 48, 48, 3), trunk, heads)


def _conv(arrays: list[np.ndarray]) -> Layer:
    weights, bias, slope = arrays
    return Layer(weights, bias, slope.reshape(-1))


def _first(arrays: list[np.ndarray]) -> Layer:
    layer = _conv(arrays)
    shift = layer.weights.sum(axis=(0, 1, 2)) * _CENTRE_SHIFT
    return Layer(layer.weights, layer.bias + shift, layer.slope)


def _dense(arrays: list[np.ndarray], side: int, channels: int) -> Layer:
    # The package flattens [x, y, channel]; the graph flattens [y, x, channel].
    weights, bias, slope = arrays
    units = weights.shape[1]
    weights = weights.reshape(side, side, channels, units).transpose(1, 0, 2, 3).reshape(-1, units)
    return Layer(weights, bias, slope)


def _face(arrays: list[np.ndarray]) -> Layer:
    weights, bias = arrays
    return Layer(weights[..., 1:] - weights[..., :1], bias[1:] - bias[:1])


class Graph(tf.Module):
    """`Network` as a TensorFlow function from the normalised image to the heads, in the order of `heads`."""

    def __init__(self, network: Network, activation: Activation):
        super().__init__()
        self.network = network
        self.activation = activation

    def concrete(self, shape):
        """The traced function for one input shape; None stands for any height or width."""
        function = tf.function(self.__call__, input_signature=[tf.TensorSpec(shape, tf.float32, name="image")])
        return function.get_concrete_function()

    def __call__(self, image):
        x = image
        for layer in self.network.trunk:
            x = _step(x, layer, self.activation)
        return {name: tf.identity(_linear(x, head), name=name) for name, head in self.network.heads.items()}


def activations(network: Network, image) -> list[np.ndarray]:
    """What leaves every layer of the trunk, in order."""
    found, x = [], tf.constant(image)
    for layer in network.trunk:
        x = _step(x, layer, prelu)
        if isinstance(layer, Layer):
            found.append(x.numpy())
    return found


def _step(x, layer: Layer | Pool, activation: Activation):
    if isinstance(layer, Pool):
        return tf.nn.max_pool2d(x, layer.size, strides=2, padding=layer.padding)
    return activation(_linear(x, layer), layer.slope)


def _linear(x, layer: Layer):
    weights = tf.constant(layer.weights, tf.float32)
    if layer.weights.ndim == 4:
        x = tf.nn.conv2d(x, weights, strides=1, padding="VALID")
    else:
        x = tf.reshape(x, [-1, layer.weights.shape[0]]) @ weights
    return tf.nn.bias_add(x, tf.constant(layer.bias, tf.float32))


def prelu(x, slope: np.ndarray):
    """PReLU in the form that the converter knows as one operator."""
    # One slope for each channel of a map: the converter looks for it without the batch.
    slope = slope.reshape((1,) * (len(x.shape) - 2) + (-1,))
    return tf.nn.relu(x) + tf.constant(-slope, tf.float32) * tf.nn.relu(-x)


def mulrelu(x, slope: np.ndarray):
    """PReLU as `x + s*relu(m*x)`, exact for any slope."""
    # The rectified term is (slope - 1) * x below zero and nothing above; a slope above 1 turns both signs around.
    steep = slope > 1
    factor = -np.abs(slope - 1)
    if not steep.any():
        return x + tf.nn.relu(tf.constant(factor, tf.float32) * x)
    # Signs of -1 and 127/128 fall on whole int8 steps, -1 and 1 would not; the factor makes up for the 127/128.
    sign = np.where(steep, -1.0, 127 / 128)
    return x + tf.constant(sign, tf.float32) * tf.nn.relu(tf.constant(factor / np.abs(sign), tf.float32) * x)
