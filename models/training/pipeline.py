#!/usr/bin/env python3
"""The classifier's way from faces to `models/fer.tflite`, a step at a time: `pipeline.py data|teach|assist|train|soup|export|eval|check|check-training|check-export`. See README.md."""

import sys

import environment

DATA, TRAIN, CONVERT = "requirements-data.txt", "requirements-train.txt", "requirements.txt"
STEPS = {
    "data": (TRAIN, "expression.prepare", {}),
    "teach": (TRAIN, "expression.teach", {}),
    "assist": (TRAIN, "expression.assist", {}),
    "train": (TRAIN, "expression.train", {}),
    "soup": (TRAIN, "expression.soup", {}),
    "export": (CONVERT, "expression.export", environment.REPRODUCIBLE),
    "eval": (TRAIN, "expression.evaluate", {}),
    "check": (DATA, "unittest", {}),
    "check-training": (TRAIN, "unittest", {}),
    "check-export": (CONVERT, "unittest", environment.REPRODUCIBLE),
}


def main() -> None:
    """Hand over to the step."""
    if len(sys.argv) < 2 or sys.argv[1] not in STEPS:
        raise SystemExit(f"say which step: pipeline.py {'|'.join(STEPS)}")
    requirements, module, settings = STEPS[sys.argv[1]]
    environment.hand_over(requirements, module, sys.argv[2:], settings)


if __name__ == "__main__":
    main()
