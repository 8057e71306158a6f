#!/usr/bin/env python3
"""Lives through a package's life on a clean machine: `tests.py ROOT PACKAGES`, the folders of a Debian and of `make deb`."""

import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

import packages
import test_life
from machine import Machine

CHECKOUT = Path(__file__).resolve().parents[2]


def main():
    root, made = Path(sys.argv[1]), Path(sys.argv[2])
    tests = [(name, test) for name, test in vars(test_life).items() if name.startswith("test_")]
    started = time.monotonic()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder)
        shared.chmod(0o755)
        packages.make_all(made, shared)
        shutil.copytree(CHECKOUT / "deploy/broker", shared / "broker")
        shutil.copy(CHECKOUT / "host-tools/demo/evening.mjpeg", shared)
        shutil.copy(CHECKOUT / "host-tools/demo/faces/hopper.jpg", shared)
        machine = Machine(root, shared)
        try:
            for name, test in tests:
                test(machine)
                passed += 1
                sentence = name.removeprefix("test_").replace("_", " ")
                print(f"[{time.monotonic() - started:5.1f} s] ok     {sentence}", flush=True)
        except Exception:  # one test's machine is the next one's; after a failure none means anything
            traceback.print_exc(file=sys.stdout)
            print(machine.run("journalctl --no-pager --output cat --lines 40", check=False))
            failed = 1
        finally:
            machine.stop()
    print(f"{passed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
