#!/usr/bin/env python3
"""Times two sets of detector models in turns on one thread: `invoke_time.py FOLDER FOLDER`, run by the environment's Python.

Prints the microseconds of an invoke for each network, P-Net over its whole pyramid, and of the cascade over one frame.
"""

import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

import cascade

FRAME = (480, 640)
MIN_FACE = 60
TURNS = 200
# Candidates in a frame, median over the test photos.
INVOKES = {"pnet": 1, "rnet": 22, "onet": 2}


def main() -> None:
    """Print a row for each network and one for the cascade, with the ratio of the second set to the first."""
    folders = [Path(argument) for argument in sys.argv[1:3]]
    total = np.zeros(2)
    for name, invokes in INVOKES.items():
        each = np.median(_turns(name, folders), axis=0) * 1e6
        total += each * invokes
        _print(name, each)
    _print("cascade", total)


def _print(name: str, microseconds: np.ndarray) -> None:
    first, second = microseconds
    print(f"{name:8} {first:8.0f} {second:8.0f}  {second / first:.3f}")


def _turns(name: str, folders: list[Path]) -> np.ndarray:
    sides = {"rnet": [(24, 24)], "onet": [(48, 48)], "pnet": _levels()}[name]
    sets = [[_interpreter(folder / f"{name}.tflite", size) for size in sides] for folder in folders]
    return np.array([[_time(interpreters) for interpreters in sets] for _ in range(TURNS)])


def _levels() -> list[tuple[int, int]]:
    return [level.shape[1:3] for _, level in cascade.pyramid(np.zeros((*FRAME, 3), np.uint8), MIN_FACE)]


def _interpreter(path: Path, size: tuple[int, int]) -> tf.lite.Interpreter:
    interpreter = tf.lite.Interpreter(model_path=str(path), num_threads=1)
    source = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(source["index"], (1, *size, 3))
    interpreter.allocate_tensors()
    noise = np.random.default_rng(0).integers(-128, 128, (1, *size, 3)).astype(np.int8)
    interpreter.set_tensor(source["index"], noise)
    return interpreter


def _time(interpreters: list[tf.lite.Interpreter]) -> float:
    start = time.thread_time()
    for interpreter in interpreters:
        interpreter.invoke()
    return time.thread_time() - start


if __name__ == "__main__":
    main()
