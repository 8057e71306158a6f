"""Turns the trained weights into `models/fer.tflite`, proves the file, measures it, and writes its entry in the manifest."""

import argparse
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

import emotion_metrics
import manifest
import quantise
from expression import places, prepared, weights
from expression.arrays import DataError
from expression.faces import BOX, RATED, Faces, is_rated
from expression.graph import INPUT_SHAPE, Classifier, normalised

SEED = 2026
# Few samples are better than many: each more stretches the ranges by rarer extremes.
CALIBRATION_FACES = 300
# In logits. The weights are stored in half precision.
PARITY = 0.03
MOST_ACCURACY_LOST = 0.005
OUTPUTS = {len(BOX): "fer2013", len(RATED): "ferplus"}
MADE_BY = "models/training/pipeline.py"
ORIGINS = {
    "fer2013": manifest.Origin("trained on FER2013 (terms unclear) with the labels of FERPlus (MIT)", "MIT", MADE_BY),
    "folder": manifest.Origin("trained on a folder of its owner's pictures", "its owner's", MADE_BY),
}


def main() -> None:
    """From weights.npz to models/fer.tflite, tests/fixtures/fer-float.tflite and the manifest."""
    parser = argparse.ArgumentParser(prog="pipeline.py export", description=__doc__)
    parser.add_argument("--weights", type=Path, help="where it is not given, what `make models-train` left, or else the released weights")
    parser.add_argument("--out", type=Path, default=places.ROOT, help="repository to write models/ and tests/fixtures/ into")
    arguments = parser.parse_args()
    path = arguments.weights or places.weights_to_export()
    print(f"weights: {path}")
    trained = weights.load(path)
    train, validation = prepared.splits()
    if any(trained.made_from.get(split) != faces.digest for split, faces in (("train", train), ("validation", validation))):
        raise DataError(f"{path} was not trained on the faces that `make models-data` prepared last")
    origin = prepared.report()["origin"]

    network = {name: value.astype(np.float32) for name, value in trained.network.items()}
    graph = Classifier(network, is_rated(train, validation))
    require_parity(graph, trained.references, validation)
    function = graph.concrete(INPUT_SHAPE)
    # FER2013's answer first, for whoever reads the first output without the manifest.
    model = quantise.in_order(quantise.to_int8(graph, function, calibration_samples(train)), OUTPUTS)
    float_model = quantise.in_order(quantise.to_half(graph, function), OUTPUTS)
    for name, content in (("fer", model), ("fer-float", float_model)):
        quantise.require_one_partition(name, content, INPUT_SHAPE)

    inputs = normalised(validation.pixels)
    labels, plurality = validation.emotions.argmax(axis=1), validation.plurality
    rated = plurality >= 0
    int8, float32 = (logits_of(content, inputs) for content in (model, float_model))
    truths = {"fer2013": (labels, np.full(len(labels), True)), "ferplus": (plurality, rated)}
    answers, metrics = {}, {}
    for name in int8:
        truth, faces = truths[name]
        answers[name], metrics[name] = answer(name, int8[name][faces], float32[name][faces], truth[faces])
    if "ferplus" in answers:
        metrics["labels_that_agree_with_ferplus"] = round(float((labels == plurality)[rated].mean()), 4)
    print(json.dumps(metrics, indent=1))
    for name, read in answers.items():
        said = emotion_metrics.probabilities(int8[name], read["temperature"])
        for judge in answers:
            truth, faces = truths[judge]
            path = arguments.out / "device" / "core" / "tests" / "data" / f"classifier-outputs-{name}-by-{judge}.csv"
            write_outputs(path, said[faces], truth[faces])
    (arguments.out / "models" / "fer.tflite").write_bytes(model)
    (arguments.out / "tests" / "fixtures" / "fer-float.tflite").write_bytes(float_model)
    emotions = {"crop_margin": places.CROP_MARGIN, **answers}
    entry = manifest.entry("fer", model, OUTPUTS, metrics, {"made_from": trained.made_from, "emotions": emotions}, ORIGINS[origin])
    manifest.replace(arguments.out / "models" / "manifest.toml", [entry])


def require_parity(graph: Classifier, said: dict[str, np.ndarray], validation: Faces) -> None:
    """Refuse a graph that does not answer what the trained network answered."""
    references = {"fer2013": said["emotions"], "ferplus": said["votes"][:, RATED]}
    answers = graph(tf.constant(normalised(validation.pixels[: len(references["fer2013"])])))
    difference = max(float(np.abs(logits.numpy() - references[name]).max()) for name, logits in answers.items())
    print(f"fer: differs from the trained network by {difference:.1e}")
    if difference > PARITY:
        raise SystemExit(f"fer: differs from the trained network by {difference:.1e}, more than {PARITY}")


def calibration_samples(train: Faces) -> list[np.ndarray]:
    """Training faces with a little more or less contrast and light, as a camera's own control leaves it."""
    rng = np.random.default_rng(SEED)
    chosen = train.pixels[rng.permutation(len(train))[:CALIBRATION_FACES]].astype(np.float32)
    contrast, light = rng.uniform(0.75, 1.2, (len(chosen), 1, 1)), rng.uniform(-25, 25, (len(chosen), 1, 1))
    exposed = np.clip((chosen - 127.5) * contrast + 127.5 + light, 0, 255)
    return [face[None] for face in normalised(exposed)]


def logits_of(model: bytes, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """What a model answers for each input, one at a time as on the box."""
    run = quantise.Runner(model, OUTPUTS)
    answers = [run(face[None]) for face in inputs]
    return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def answer(name: str, int8: np.ndarray, float32: np.ndarray, truth: np.ndarray) -> tuple[dict, dict]:
    """How the box reads an output, and how good it is."""
    temperature, confusion, metrics = emotion_metrics.calibrate(int8, truth)
    tops = [emotion_metrics.probabilities(logits, temperature).argmax(axis=1) for logits in (int8, float32)]
    metrics["float_accuracy"] = round(float((tops[1] == truth).mean()), 4)
    metrics["same_top_class_as_float"] = round(float((tops[0] == tops[1]).mean()), 4)
    lost = round(metrics["float_accuracy"] - metrics["accuracy"], 4)
    if lost > MOST_ACCURACY_LOST:
        raise SystemExit(f"fer: by {name} int8 loses {lost * 100:.1f} points of accuracy to float, more than {MOST_ACCURACY_LOST * 100}")
    order = [*BOX, "contempt"][: int8.shape[1]]
    return {"order": order, "temperature": temperature, "confusion": manifest.rounded_rows(confusion)}, metrics


def write_outputs(path: Path, probabilities: np.ndarray, labels: np.ndarray) -> None:
    """Outputs on the faces of each expression by some labels, for the simulation that tests the mood filter."""
    lines = ["expression," + ",".join(BOX)]
    for label, name in enumerate(BOX):
        for thousandths in np.round(probabilities[labels == label] * 1000).astype(int):
            lines.append(f"{name}," + ",".join(str(value) for value in thousandths))
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
