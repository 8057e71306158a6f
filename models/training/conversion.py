"""Converts MTCNN and the emotion classifier to int8, measures them, and writes the models and their manifest."""

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
import emotion_metrics
import equalise
import fer_network
import manifest
import mtcnn_networks
import quantise
import sources
from convert import CACHE, HERE

ROOT = HERE.parent.parent
SEED = 2026
PARITY = 1e-5
DETECTOR_OUTPUTS = {1: "face", 4: "box", 10: "landmarks"}
CLASSIFIER_OUTPUTS = {7: "emotions"}
CALIBRATION_FRAMES = 60
HELD_OUT_FRAMES = 60
# Faces up to this row of the training set calibrate, those behind it judge.
CALIBRATION_FACES = 20_000
# More samples stretch every range by rarer extremes and cost the common values steps: with 600 tiles and 1,500 crops
# the face logits were further from the float ones by up to a third.
SAMPLES = {"pnet": 100, "rnet": 100, "onet": 100, "fer": 200}
TILE = 96
MIN_FACES = (40, 60)


def main() -> None:
    """One run from the weight files to models/ and tests/fixtures/."""
    parser = argparse.ArgumentParser(prog="convert.py", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder with fer/ and photos/")
    parser.add_argument("--out", type=Path, default=ROOT, help="repository to write models/ and tests/fixtures/ into")
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    cv2.setNumThreads(1)

    weights = sources.fetch(CACHE)
    train = np.load(arguments.data / "fer" / "fer2013-train.npz")
    calibration.require_unseen(arguments.data / "photos")
    files: dict[str, bytes] = {}
    entries = []
    for name, model, metrics in detectors(weights, train["pixels"], arguments.data / "photos"):
        files[f"models/{name}.tflite"] = model
        entries.append(manifest.entry(name, model, DETECTOR_OUTPUTS, metrics))
    model, float_model, metrics, emotions = classifier(weights["fer"], train["pixels"], arguments.data / "fer")
    files["models/fer.tflite"] = model
    files["tests/fixtures/fer-float.tflite"] = float_model
    entries.append(manifest.entry("fer", model, CLASSIFIER_OUTPUTS, metrics, {"emotions": emotions}))
    for path, content in files.items():
        target = arguments.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        print(f"{hashlib.sha256(content).hexdigest()}  {path}")
    manifest.write(arguments.out / "models" / "manifest.toml", entries)


def detectors(weights: dict[str, Path], faces: np.ndarray, photos: Path):
    """Yield name, int8 model and metrics of the three networks."""
    networks = {name: mtcnn_networks.load(name, weights[name]) for name in ("pnet", "rnet", "onet")}
    in_float = {name: eager(mtcnn_networks.Graph(network)) for name, network in networks.items()}
    rng = np.random.default_rng(SEED)
    frames = calibration.frames(faces[:CALIBRATION_FACES], CALIBRATION_FRAMES, rng)
    samples = calibration_samples(frames, in_float, rng)
    models, in_int8 = {}, {}
    for name, network in networks.items():
        graph = mtcnn_networks.Graph(equalise.equalised(network, samples[name]))
        require_parity(name, graph, weights[name])
        shape = graph.network.input_shape
        models[name] = quantise.to_int8(graph, graph.concrete(shape), samples[name])
        quantise.require_one_partition(name, models[name], shape)
        in_int8[name] = quantise.Runner(models[name], DETECTOR_OUTPUTS)
    quantise.require_one_partition("pnet resized", models["pnet"], (1, 195, 260, 3))

    held_out = calibration.frames(faces[CALIBRATION_FACES:], HELD_OUT_FRAMES, rng)
    by_float = [cascade.detect(frame, in_float, MIN_FACES[0]) for frame in held_out]
    photo_metrics = {
        f"photos_min_face_{side}": detection_metrics.against_reference(photos, in_int8, side).summary() for side in MIN_FACES
    }
    for name, model in models.items():
        alone = detection_metrics.against_float(held_out, by_float, {**in_float, name: in_int8[name]}, MIN_FACES[0])
        metrics = {"alone_in_int8_against_float": alone.summary()}
        if name == "onet":
            together = detection_metrics.against_float(held_out, by_float, in_int8, MIN_FACES[0])
            metrics |= {"cascade_against_float": together.summary(), **photo_metrics}
        print(name, metrics)
        yield name, model, metrics


def eager(graph: mtcnn_networks.Graph):
    """The float network as a function from normalised pixels to outputs by name."""
    function = graph.concrete((None, None, None, 3))
    return lambda image: {name: value.numpy() for name, value in function(tf.constant(image)).items()}


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
    _refuse_difference(name, max(np.abs(a - b).max() for a, b in pairs))


def _refuse_difference(name: str, difference: float) -> None:
    print(f"{name}: differs from the package by {difference:.1e}")
    if difference > PARITY:
        raise SystemExit(f"{name}: differs from the package by {difference:.1e}, more than {PARITY}")


def calibration_samples(frames, networks, rng: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """What the float cascade really feeds each network, thinned to `SAMPLES`."""
    traces = [cascade.Trace() for _ in frames]
    for frame, trace in zip(frames, traces, strict=True):
        cascade.detect(frame, networks, calibration.SMALLEST_FACE, trace)
    fed = {
        "pnet": [tile for trace in traces for level in trace.levels for tile in _tiles(level[0])],
        "rnet": [crop for trace in traces for crop in trace.rnet],
        "onet": [crop for trace in traces for crop in trace.onet],
    }
    return {name: [cascade.normalised(inputs[i][None]) for i in rng.permutation(len(inputs))[:SAMPLES[name]]]
            for name, inputs in fed.items()}


def _tiles(level: np.ndarray) -> list[np.ndarray]:
    # The calibrator wants one shape. Edges are mirrored, which adds no pixel value that is not there.
    height, width = (-(-side // TILE) * TILE for side in level.shape[:2])
    padded = np.pad(level, ((0, height - level.shape[0]), (0, width - level.shape[1]), (0, 0)), mode="symmetric")
    return [padded[y:y + TILE, x:x + TILE] for y in range(0, height, TILE) for x in range(0, width, TILE)]


def classifier(weights: Path, faces: np.ndarray, data: Path):
    """The int8 model, the float model, metrics and the manifest's [model.emotions]."""
    graph = fer_network.Graph(fer_network.read_weights(weights))
    rng = np.random.default_rng(SEED)
    pixels = calibration.classifier_inputs(faces[rng.permutation(len(faces))[:SAMPLES["fer"]]], rng)
    package = tf.keras.models.load_model(weights, compile=False)
    theirs = package([pixels[:64] / 127.5 - 1]).numpy()[:, fer_network.REORDER]
    ours = emotion_metrics.softmax(graph(tf.constant(fer_network.normalised(pixels[:64])))["emotions"].numpy())
    _refuse_difference("fer", np.abs(theirs - ours).max())

    function = graph.concrete(fer_network.INPUT_SHAPE)
    model = quantise.to_int8(graph, function, [fer_network.normalised(face[None]) for face in pixels])
    float_model = quantise.to_float(graph, function)
    for name, content in (("fer", model), ("fer-float", float_model)):
        quantise.require_one_partition(name, content, fer_network.INPUT_SHAPE)

    validation = np.load(data / "fer2013-validation.npz")
    labels = np.array([fer_network.REORDER.index(label) for label in validation["emotion"]])
    inputs = fer_network.normalised(calibration.enlarged(validation["pixels"]))
    logits = {
        name: np.concatenate([run(face[None])["emotions"] for face in inputs])
        for name, run in (("int8", quantise.Runner(model, CLASSIFIER_OUTPUTS)),
                          ("float", quantise.Runner(float_model, CLASSIFIER_OUTPUTS)))
    }
    temperature, confusion, metrics = emotion_metrics.calibrate(logits["int8"], labels)
    metrics["float_accuracy"] = round(float((logits["float"].argmax(axis=1) == labels).mean()), 4)
    metrics["same_top_class_as_float"] = round(
        float((logits["int8"].argmax(axis=1) == logits["float"].argmax(axis=1)).mean()), 4)
    print("fer", metrics)
    emotions = {
        "order": list(fer_network.ORDER),
        "temperature": temperature,
        "confusion": manifest.rounded_rows(confusion),
        "crop_margin": fer_network.CROP_MARGIN,
    }
    return model, float_model, metrics, emotions


if __name__ == "__main__":
    main()
