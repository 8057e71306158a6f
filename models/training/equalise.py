"""Evens out the channels of a network before it is quantised.

All channels of an activation share one int8 scale, so a quiet channel beside a loud one keeps few of its steps. Max
pooling and a PReLU let a positive factor through unchanged: a channel may be made louder by its own layer and
softer again by the next, and the network computes the same (cross-layer equalisation, Nagel et al. 2019).
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from mtcnn_networks import Layer, Network, activations

# How much of the difference to take away: 1 makes every channel as loud as the loudest, but moves the difference
# into the weights of the next layer. The square root leaves half on each side.
SHARE = 0.5


def equalised(network: Network, samples: Iterable[np.ndarray]) -> Network:
    """`network` with its channels evened out over normalised `samples`; the same function in real numbers."""
    layers = [index for index, layer in enumerate(network.trunk) if isinstance(layer, Layer)]
    trunk, heads = list(network.trunk), dict(network.heads)
    for place, peaks in enumerate(_peaks(network, samples)):
        gain = (peaks.max() / peaks) ** SHARE
        here = layers[place]
        trunk[here] = replace(trunk[here], weights=trunk[here].weights * gain, bias=trunk[here].bias * gain)
        if place + 1 < len(layers):
            following = layers[place + 1]
            trunk[following] = _undo(trunk[following], gain)
        else:
            heads = {name: _undo(head, gain) for name, head in heads.items()}
    return replace(network, trunk=tuple(trunk), heads=heads)


def _peaks(network: Network, samples: Iterable[np.ndarray]) -> list[np.ndarray]:
    """The largest magnitude of every channel behind each layer of the trunk."""
    peaks = None
    for sample in samples:
        found = [np.abs(value).reshape(-1, value.shape[-1]).max(axis=0) for value in activations(network, sample)]
        peaks = found if peaks is None else [np.maximum(a, b) for a, b in zip(peaks, found, strict=True)]
    # A channel that stays silent has no say in the range and needs no gain.
    return [np.where(peak > 0, peak, peak.max()) for peak in peaks]


def _undo(layer: Layer, gain: np.ndarray) -> Layer:
    if layer.weights.ndim == 4:
        return replace(layer, weights=layer.weights / gain[:, None])
    # A dense layer sees every channel once for each place of the map in front of it.
    repeated = np.tile(gain, layer.weights.shape[0] // len(gain))
    return replace(layer, weights=layer.weights / repeated[:, None])
