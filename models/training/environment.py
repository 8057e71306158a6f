"""Virtual environments for the steps of the pipeline: made on first use, named after what they hold."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "models-training"
PYTHON = (3, 11)
# TensorFlow's own kernels and no GPU: sums in another order would change the last bits of a range.
REPRODUCIBLE = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "TF_DETERMINISTIC_OPS": "1", "CUDA_VISIBLE_DEVICES": ""}


def hand_over(requirements: str, module: str, arguments: list[str], settings: dict[str, str] | None = None) -> None:
    """Become `python -m module arguments` in the environment of `requirements`; does not come back."""
    if sys.version_info[:2] != PYTHON:
        raise SystemExit("the models' pipeline needs Python 3.11, which TensorFlow 2.17 is built for: run it with python3.11")
    python = _python(HERE / requirements)
    paths = {"PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    os.execve(python, [str(python), "-m", module, *arguments], {**os.environ, **paths, **(settings or {})})


def _python(requirements: Path) -> Path:
    stamp = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    environment = CACHE / f"venv-{stamp}"
    ready = environment / "ready"
    python = environment / "bin" / "python"
    if not ready.exists():
        print(f"installing what {requirements.name} names, once", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", str(requirements)], check=True)
        ready.touch()
    return python
