"""Turns the trained weights into `models/fer.tflite`, proves the file, measures it, and writes its entry in the manifest."""

import argparse
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

import emotion_metrics
import manifest
import quantise
from expression import places
from expression.faces import BOX, FOLD, Faces
from expression.graph import INPUT_SHAPE, Classifier, Heads, normalised

SEED = 2026
# Few samples are better than many: each more stretches the ranges by rarer extremes.
CALIBRATION_FACES = 300
# In logits. The weights are stored in half precision.
PARITY = 0.03
MOST_ACCURACY_LOST = 0.005
OUTPUTS_A_CLASS = 200
OUTPUTS = {len(BOX): "emotions"}
ORIGIN = manifest.Origin(
    "trained on FER2013 (terms unclear) with the labels of FERPlus (MIT)", "MIT", "models/training/pipeline.py"
)


def main() -> None:
    """From weights.npz to models/fer.tflite, tests/fixtures/fer-float.tflite and the manifest."""
    parser = argparse.ArgumentParser(prog="pipeline.py export", description=__doc__)
    parser.add_argument("--weights", type=Path, default=places.RELEASED, help="what `make models-train` wrote, or the released weights")
    parser.add_argument("--out", type=Path, default=places.ROOT, help="repository to write models/ and tests/fixtures/ into")
    arguments = parser.parse_args()
    weights = {name: value.astype(np.float32) for name, value in np.load(arguments.weights).items()}
    train, validation = (Faces.load(places.DATA / f"{split}.npz") for split in ("train", "validation"))

    heads = Heads(weights)
    require_parity(heads, weights, validation)
    graph = Classifier(weights)
    function = graph.concrete(INPUT_SHAPE)
    model = quantise.to_int8(graph, function, calibration_samples(train))
    float_model = quantise.to_half(graph, function)
    for name, content in (("fer", model), ("fer-float", float_model)):
        quantise.require_one_partition(name, content, INPUT_SHAPE)

    inputs = normalised(validation.pixels)
    labels = validation.emotions.argmax(axis=1)
    int8, float32 = (logits_of(content, inputs) for content in (model, float_model))
    temperature, confusion, metrics = emotion_metrics.calibrate(int8, labels)
    raters = heads(tf.constant(inputs))["votes"].numpy()
    metrics |= further_metrics(int8, float32, raters, validation)
    lost = metrics["float_accuracy"] - metrics["accuracy"]
    if lost > MOST_ACCURACY_LOST:
        raise SystemExit(f"fer: int8 loses {lost * 100:.1f} points of accuracy to float, more than {MOST_ACCURACY_LOST * 100}")
    print(json.dumps(metrics, indent=1))
    write_outputs(arguments.out / "device" / "core" / "tests" / "data" / "classifier-outputs.csv",
                  emotion_metrics.softmax(int8, temperature), labels)
    (arguments.out / "models" / "fer.tflite").write_bytes(model)
    (arguments.out / "tests" / "fixtures" / "fer-float.tflite").write_bytes(float_model)
    emotions = {
        "order": list(BOX),
        "temperature": temperature,
        "confusion": manifest.rounded_rows(confusion),
        "crop_margin": places.CROP_MARGIN,
    }
    entry = manifest.entry("fer", model, OUTPUTS, metrics, {"emotions": emotions}, ORIGIN)
    manifest.replace(arguments.out / "models" / "manifest.toml", [entry])


def require_parity(graph: Heads, weights: dict[str, np.ndarray], validation: Faces) -> None:
    """Refuse a graph that does not answer what the trained network answered."""
    references = {name: weights[f"reference_{name}"] for name in ("emotions", "votes")}
    count = len(references["emotions"])
    answers = graph(tf.constant(normalised(validation.pixels[:count])))
    difference = max(float(np.abs(answers[name].numpy() - references[name]).max()) for name in references)
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


def logits_of(model: bytes, inputs: np.ndarray) -> np.ndarray:
    """What a model answers for each input, one at a time as on the box."""
    run = quantise.Runner(model, OUTPUTS)
    return np.concatenate([run(face[None])["emotions"] for face in inputs])


def further_metrics(int8: np.ndarray, float32: np.ndarray, raters: np.ndarray, validation: Faces) -> dict:
    """Beside FER2013's labels: recall by class, what FERPlus' raters said, and what quantisation changed."""
    labels, output = validation.emotions.argmax(axis=1), int8.argmax(axis=1)
    rated = validation.votes.sum(axis=1) > 0
    plurality = FOLD[validation.votes.argmax(axis=1)]
    return {
        "recall": [round(float((output[labels == label] == label).mean()), 4) for label in range(len(BOX))],
        "ferplus_faces": int(rated.sum()),
        "ferplus_accuracy": round(float((output == plurality)[rated].mean()), 4),
        "raters_head_ferplus_accuracy": round(float((FOLD[raters.argmax(axis=1)] == plurality)[rated].mean()), 4),
        "labels_that_agree_with_ferplus": round(float((labels == plurality)[rated].mean()), 4),
        "float_accuracy": round(float((float32.argmax(axis=1) == labels).mean()), 4),
        "same_top_class_as_float": round(float((output == float32.argmax(axis=1)).mean()), 4),
    }


def write_outputs(path: Path, probabilities: np.ndarray, labels: np.ndarray) -> None:
    """Outputs on some faces of each expression, for the simulation that tests the mood filter."""
    rng = np.random.default_rng(SEED)
    lines = ["expression," + ",".join(BOX)]
    for label, name in enumerate(BOX):
        for index in sorted(rng.permutation(np.flatnonzero(labels == label))[:OUTPUTS_A_CLASS]):
            thousandths = np.round(probabilities[index] * 1000).astype(int)
            lines.append(f"{name}," + ",".join(str(value) for value in thousandths))
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
