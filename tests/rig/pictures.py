#!/usr/bin/env python3
"""Takes what the virtual camera shows out of the demo recording: `pictures.py RECORDING FOLDER`."""

import json
import sys
from pathlib import Path

# What is to be seen, and where in the recording: seconds.
SCENES = {"0-empty": 1.0, "1-happy": 15.0, "2-angry": 67.0, "3-neutral": 47.0, "4-two": 32.0}


def frames(recording):
    """Its JPEGs; in one the end marker cannot stand but at the end."""
    return [part + b"\xff\xd9" for part in recording.read_bytes().split(b"\xff\xd9")[:-1]]


def main():
    recording, folder = Path(sys.argv[1]), Path(sys.argv[2])
    fps = json.loads(recording.with_suffix(".json").read_text())["fps"]
    shown = frames(recording)
    folder.mkdir(parents=True, exist_ok=True)
    for name, second in SCENES.items():
        (folder / f"{name}.jpg").write_bytes(shown[int(second * fps)])


if __name__ == "__main__":
    main()
