#!/usr/bin/env python3
"""Converts the detector: `python3.11 models/training/convert.py`. See README.md in this folder."""

import sys

import environment


def main() -> None:
    """Hand over to `conversion.py` in its environment."""
    environment.hand_over("requirements.txt", "conversion", sys.argv[1:], environment.REPRODUCIBLE)


if __name__ == "__main__":
    main()
