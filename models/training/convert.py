#!/usr/bin/env python3
"""Converts every model: `python3 models/training/convert.py`. See README.md in this folder.

Makes its own virtual environment with the pinned packages on the first run, so any Python 3.11 will do to start it.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "models-training"
PYTHON = (3, 11)


def main() -> None:
    """Prepare the environment and hand over to `conversion.py` in it."""
    if sys.version_info[:2] != PYTHON:
        raise SystemExit("convert.py needs Python 3.11, which TensorFlow 2.17 is built for: run it with python3.11")
    requirements = HERE / "requirements.txt"
    stamp = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    environment = CACHE / f"venv-{stamp}"
    ready = environment / "ready"
    python = environment / "bin" / "python"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", str(requirements)], check=True)
        ready.touch()
    # One thread and TensorFlow's own kernels: sums in another order would change the last bits of a range.
    settings = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "TF_DETERMINISTIC_OPS": "1", "CUDA_VISIBLE_DEVICES": ""}
    os.execve(python, [python, str(HERE / "conversion.py"), *sys.argv[1:]], {**os.environ, **settings})


if __name__ == "__main__":
    main()
