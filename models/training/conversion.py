"""Converts MTCNN, measures it, and writes its models and their entries in the manifest."""

import argparse
import hashlib
import importlib
import sys
from pathlib import Path

import cv2
import numpy as np
import tensorflow as tf

import calibration
import cascade
import detection_metrics
import equalise
import int8_ends
import manifest
import mtcnn_networks
import quantise
import sources
from environment import CACHE, HERE

ROOT = HERE.parent.parent
SEED = 2026
PARITY = 1e-5
DETECTOR_OUTPUTS = {1: "face", 4: "box", 10: "landmarks"}
CALIBRATION_FRAMES = 60
HELD_OUT_FRAMES = 240
# Faces up to this row of the training set calibrate, those behind it judge.
CALIBRATION_FACES = 20_000
# More samples stretch every range by rarer extremes and cost the common values steps: with 600 tiles and 1,500 crops
# the face logits were further from the float ones by up to a third.
SAMPLES = 100
TILE = 96
MIN_FACES = (40, 60)
# The smallest face that the box looks for unless it is told otherwise.
SHIPPED_MIN_FACE = 60
# The face probability down to which the detector's outputs are told apart: no threshold is as low.
LEAST_PROBABILITY = 0.1


def main() -> None:
    """One run from the weight files to models/."""
    parser = argparse.ArgumentParser(prog="convert.py", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with fer/ and photos/")
    parser.add_argument("--out", type=Path, default=ROOT, help="repository to write models/ into")
    parser.add_argument("--detector", choices=("dynamic", "int8"), default="dynamic",
                        help="int8 weights with float activations, or int8 throughout (see README.md)")
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    cv2.setNumThreads(1)

    weights = sources.fetch(CACHE)
    train = np.load(arguments.data / "fer" / "fer2013-train.npz")
    calibration.require_unseen(arguments.data / "photos")
    files, entries = {}, []
    for name, model, metrics in detectors(weights, train["pixels"], arguments.data / "photos", arguments.detector):
        files[f"models/{name}.tflite"] = model
        entries.append(manifest.entry(name, model, DETECTOR_OUTPUTS, metrics))
    write(arguments.out, files, entries)


def write(root: Path, files: dict[str, bytes], entries: list[dict]) -> None:
    """Put the files into the repository and their entries into its manifest."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        print(f"{hashlib.sha256(content).hexdigest()}  {path}")
    manifest.replace(root / "models" / "manifest.toml", entries)


def detectors(weights: dict[str, Path], faces: np.ndarray, photos: Path, form: str):
    """Yield name, model and metrics of the three networks in the given form."""
    networks = {name: mtcnn_networks.load(name, weights[name]) for name in ("pnet", "rnet", "onet")}
    in_float = {name: in_float32(network) for name, network in networks.items()}
    rng = np.random.default_rng(SEED)
    frames = calibration.frames(faces[:CALIBRATION_FACES], CALIBRATION_FRAMES, rng)
    fed = fed_inputs(frames, in_float, rng)
    samples = {name: inputs[:SAMPLES] for name, inputs in fed.items()}
    models, quantised = {}, {}
    for name, network in networks.items():
        network = equalise.equalised(network, samples[name])
        graph = mtcnn_networks.Graph(network, {"dynamic": mtcnn_networks.prelu, "int8": mtcnn_networks.mulrelu}[form])
        require_parity(name, graph, weights[name])
        function = graph.concrete(network.input_shape)
        if form == "int8":
            models[name] = quantise.to_int8(graph, function, samples[name])
        else:
            ranges = output_ranges(in_float[name], fed[name])
            models[name] = int8_ends.with_int8_ends(quantise.to_dynamic_range(graph, function), ranges)
        quantise.require_one_partition(name, models[name], network.input_shape)
        quantised[name] = quantise.Runner(models[name], DETECTOR_OUTPUTS)
    quantise.require_one_partition("pnet resized", models["pnet"], (1, 195, 260, 3))

    held_out = calibration.frames(faces[CALIBRATION_FACES:], HELD_OUT_FRAMES, rng)
    by_float = [cascade.detect(frame, in_float, SHIPPED_MIN_FACE) for frame in held_out]
    for name, model in models.items():
        alone = {**in_float, name: quantised[name]}
        metrics = {"alone_against_float": against_float(held_out, by_float, alone)}
        if name == "onet":
            metrics["cascade_against_float"] = against_float(held_out, by_float, quantised)
            metrics |= photo_metrics(photos, in_float, quantised)
        print(name, metrics)
        yield name, model, metrics


def against_float(frames, by_float, networks) -> dict:
    """The manifest's figures of `networks` beside the float cascade."""
    return detection_metrics.against_float(frames, by_float, networks, SHIPPED_MIN_FACE).summary()


def output_ranges(network, inputs: list[np.ndarray]) -> dict[int, int8_ends.Range]:
    """Least and largest value of the outputs by channels, where the network sees a face: nothing else is read."""
    outputs = [network(image) for image in inputs]
    joined = {name: np.concatenate([output[name].reshape(-1, channels) for output in outputs])
              for channels, name in DETECTOR_OUTPUTS.items() if name in outputs[0]}
    seen = cascade.sigmoid(joined["face"][:, 0]) > 0.5
    ranges = {values.shape[1]: (float(values[seen].min()), float(values[seen].max())) for values in joined.values()}
    return ranges | {1: (float(np.log(LEAST_PROBABILITY / (1 - LEAST_PROBABILITY))), ranges[1][1])}


def photo_metrics(photos: Path, in_float, quantised) -> dict[str, dict]:
    """The cascade on the test photos, against the float one and against the package."""
    images = detection_metrics.photo_frames(photos)
    by_float = [cascade.detect(image, in_float, SHIPPED_MIN_FACE) for image in images]
    return {"photos_against_float": against_float(images, by_float, quantised)} | {
        f"photos_min_face_{side}": detection_metrics.against_reference(photos, quantised, side).summary()
        for side in MIN_FACES
    }


def in_float32(network: mtcnn_networks.Network) -> quantise.Runner:
    """The network without any quantisation."""
    graph = mtcnn_networks.Graph(network, mtcnn_networks.prelu)
    return quantise.Runner(quantise.to_float(graph, graph.concrete(network.input_shape)), DETECTOR_OUTPUTS)


def require_parity(name: str, graph: mtcnn_networks.Graph, weights: Path) -> None:
    """Refuse a network that differs from the package's own by more than 1e-5 on random pixels."""
    sys.path.insert(0, str(sources.unpack("mtcnn", CACHE)))
    package = getattr(importlib.import_module(f"mtcnn.network.{name}"), name[0].upper() + "Net")()
    package.build()
    package.set_weights(importlib.import_module("joblib").load(weights))
    pixels = np.random.default_rng(SEED).integers(0, 256, (8, *graph.network.input_shape[1:])).astype(np.float32)
    theirs = [value.numpy() for value in package((pixels - 127.5) / 128.0)]
    ours = {key: value.numpy() for key, value in graph(tf.constant(cascade.normalised(pixels))).items()}
    # The package returns the boxes first, the two face probabilities last and the landmarks between.
    pairs = [(theirs[0], ours["box"]), (theirs[-1][..., 1:], cascade.sigmoid(ours["face"]))]
    pairs += [(theirs[1], ours["landmarks"])] if "landmarks" in ours else []
    difference = max(np.abs(a - b).max() for a, b in pairs)
    print(f"{name}: differs from the package by {difference:.1e}")
    if difference > PARITY:
        raise SystemExit(f"{name}: differs from the package by {difference:.1e}, more than {PARITY}")


def fed_inputs(frames, networks, rng: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """What the float cascade really feeds each network, in random order."""
    traces = [cascade.Trace() for _ in frames]
    for frame, trace in zip(frames, traces, strict=True):
        cascade.detect(frame, networks, calibration.SMALLEST_FACE, trace)
    fed = {
        "pnet": [tile for trace in traces for level in trace.levels for tile in _tiles(level[0])],
        "rnet": [crop for trace in traces for crop in trace.rnet],
        "onet": [crop for trace in traces for crop in trace.onet],
    }
    return {name: [cascade.normalised(inputs[i][None]) for i in rng.permutation(len(inputs))]
            for name, inputs in fed.items()}


def _tiles(level: np.ndarray) -> list[np.ndarray]:
    # The calibrator wants one shape. Edges are mirrored, which adds no pixel value that is not there.
    height, width = (-(-side // TILE) * TILE for side in level.shape[:2])
    padded = np.pad(level, ((0, height - level.shape[0]), (0, width - level.shape[1]), (0, 0)), mode="symmetric")
    return [padded[y:y + TILE, x:x + TILE] for y in range(0, height, TILE) for x in range(0, width, TILE)]


if __name__ == "__main__":
    main()
