"""Writes manifest.toml: what the runtime checks at start and what a reader may want to know about each model."""

import hashlib
import json
from dataclasses import dataclass
import tomllib
from pathlib import Path

import numpy as np
import tensorflow as tf

from sources import SOURCES

MADE_BY = "models/training/convert.py"
_HEADER = "# Written by the scripts in models/training; do not edit.\nschema = 2"
_BLOCK = "[[model]]\n"


@dataclass(frozen=True)
class Origin:
    """Whose weights they are, and what made the file."""

    source: str
    licence: str
    made_by: str = MADE_BY


def entry(
    name: str, model: bytes, names_by_channels: dict[int, str], metrics: dict, extra: dict | None = None, origin: Origin | None = None
) -> dict:
    """One [[model]] table; outputs stand in the interpreter's order. Without an `origin` the weights are the package's."""
    origin = origin or Origin(SOURCES[name].title, SOURCES[name].licence)
    interpreter = tf.lite.Interpreter(model_content=model)
    source = interpreter.get_input_details()[0]
    return {
        "name": name,
        "file": f"{name}.tflite",
        "sha256": hashlib.sha256(model).hexdigest(),
        "bytes": len(model),
        "source": origin.source,
        "licence": origin.licence,
        "made_by": origin.made_by,
        "macs": macs(model),
        "input": _tensor(source),
        "output": [
            {"name": names_by_channels[int(detail["shape"][-1])], **_tensor(detail)}
            for detail in interpreter.get_output_details()
        ],
        **(extra or {}),
        "metrics": metrics,
    }


def _tensor(detail: dict) -> dict:
    scale, zero_point = detail["quantization"]
    return {"shape": detail["shape"].tolist(), "scale": float(scale), "zero_point": int(zero_point)}


def macs(model: bytes) -> int:
    """Multiply-accumulates of the convolutions and dense layers at the stored input shape."""
    interpreter = tf.lite.Interpreter(
        model_content=model,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    shapes = {detail["index"]: detail["shape"] for detail in interpreter.get_tensor_details()}
    total = 0
    for node in interpreter._get_ops_details():  # noqa: SLF001: Python has no other view of the operators
        if node["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            weights = shapes[node["inputs"][1]]
            # [out, h, w, in] and [out, in] cost h*w*in a result; the depthwise [1, h, w, channels] costs h*w.
            each = weights[1:3].prod() if node["op_name"] == "DEPTHWISE_CONV_2D" else weights[1:].prod()
            total += int(shapes[node["outputs"][0]].prod() * each)
    return total


def replace(path: Path, entries: list[dict]) -> None:
    """Write `entries` in the place of those with the same names, new ones at the end; all others stay as they are."""
    blocks = path.read_text().split(_BLOCK)[1:] if path.exists() else []
    by_name = {tomllib.loads(block)["name"]: block.strip() for block in blocks}
    for entry in entries:
        by_name[entry["name"]] = "\n".join(_table("", "model", entry)).strip()
    path.write_text("\n\n".join([_HEADER, *(_BLOCK + block for block in by_name.values())]) + "\n")


def _table(header: str, name: str, table: dict) -> list[str]:
    """A TOML table, its own values first; a list of dictionaries is an array of tables."""
    lines, nested = ["", header], []
    for key, value in table.items():
        below = f"{name}.{key}"
        if isinstance(value, dict):
            nested += _table(f"[{below}]", below, value)
        elif isinstance(value, list) and isinstance(value[0], dict):
            nested += [line for item in value for line in _table(f"[[{below}]]", below, item)]
        elif isinstance(value, list) and isinstance(value[0], list):
            rows = [f"    {json.dumps(row)}," for row in value]
            lines += [f"{key} = [", *rows, "]"]
        else:
            # Strings, numbers and flat lists of them read the same in TOML and JSON.
            lines.append(f"{key} = {json.dumps(value)}")
    return (lines if len(lines) > 2 else []) + nested


def rounded_rows(matrix: np.ndarray) -> list[list[float]]:
    """Rows to four places that still sum to 1."""
    rows = np.round(matrix, 4)
    rows[np.arange(len(rows)), rows.argmax(axis=1)] += np.round(1 - rows.sum(axis=1), 4)
    return [[round(float(value), 4) for value in row] for row in rows]
