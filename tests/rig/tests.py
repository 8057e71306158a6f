#!/usr/bin/env python3
"""Boots the board once and runs the tests on it: `tests.py CACHE [PART OF A NAME]`."""

import sys
import time
import traceback
from pathlib import Path

import test_camera
import test_lights
from board import Board


def main():
    cache = Path(sys.argv[1]).resolve()
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    tests = [
        (name, test)
        for module in (test_camera, test_lights)
        for name, test in vars(module).items()
        if name.startswith("test_") and part in name
    ]
    started = time.monotonic()
    board = Board(cache)
    passed = failed = 0
    try:
        board.shell("vcam /tmp/camera >/tmp/vcam.log 2>&1 &")
        board.shell("until [ -c /dev/video0 ]; do sleep 0.1; done; sleep 0.5", seconds=60)
        print(f"[{time.monotonic() - started:5.1f} s] booted", flush=True)
        for name, test in tests:
            try:
                test(board)
                passed += 1
                result = "ok"
            except Exception:  # whatever went wrong, the other tests are to be run
                traceback.print_exc(file=sys.stdout)
                failed += 1
                result = "FAILED"
            sentence = name.removeprefix("test_").replace("_", " ")
            print(f"[{time.monotonic() - started:5.1f} s] {result:6} {sentence}", flush=True)
    finally:
        board.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
