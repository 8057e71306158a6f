#!/usr/bin/env python3
"""Boots the boards and runs the tests on them: `tests.py CACHE [PART OF MODULE.NAME]`."""

import inspect
import subprocess
import sys
import time
import traceback
from pathlib import Path

import test_box
import test_camera
import test_camera_faults
import test_lights
import test_network_faults
import test_pi4
import test_power
import test_switch
import test_watchdog
from board import PI_4B, Board
from box import Box

MODULES = (test_camera, test_lights, test_box, test_camera_faults, test_network_faults, test_switch, test_watchdog, test_power)


class Times:
    """How long the box took to notice or to recover."""

    def __init__(self):
        self._rows = []

    def note(self, what, seconds, limit):
        """Fails where it took longer than the limit."""
        self._rows.append((what, seconds, limit))
        assert seconds <= limit, f"{what}: {seconds:.1f} s, which must be at most {limit} s"

    def table(self):
        rows = [f"| {what} | {seconds:.1f} s | {limit:g} s |" for what, seconds, limit in self._rows]
        return "\n".join(["| fault | took | at most |", "|---|---|---|", *rows]) if rows else ""


class Runner:
    """Runs tests one after the other and counts."""

    def __init__(self, part):
        self._part = part
        self._began = time.monotonic()
        self.passed = self.failed = 0

    def say(self, text):
        print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)

    def chosen(self, module):
        tests = [(name, test) for name, test in vars(module).items() if name.startswith("test_")]
        return [(name, test) for name, test in tests if self._part in f"{module.__name__}.{name}"]

    def run(self, module, **given):
        """Each test gets what its parameters name."""
        for name, test in self.chosen(module):
            try:
                test(**{parameter: given[parameter] for parameter in inspect.signature(test).parameters})
                self.passed += 1
                result = "ok"
            except Exception:  # whatever went wrong, the other tests are to be run
                traceback.print_exc(file=sys.stdout)
                self.failed += 1
                result = "FAILED"
                if "box" in given:
                    print(*given["box"].board.lines_since(0)[-40:], sep="\n    ")
                    given["box"].mend()
            self.say(f"{result:6} {name.removeprefix('test_').replace('_', ' ')}")


class Home:
    """A board with a card in it and the box that runs there."""

    def __init__(self, cache, times):
        self._cache = cache
        self._card = cache / "card"
        with open(self._card, "wb") as card:
            card.truncate(64 * 2**20)
        subprocess.run(["mkfs.ext4", "-q", self._card], check=True)
        self.board = Board(cache, card=self._card)
        self.box = Box(self.board, self.board.folder, times)

    def equip(self):
        """A camera and a network cable."""
        self.board.shell("vcam /tmp/camera /pictures/*.jpg 2>&1 | tee /tmp/vcam.log >/dev/ttyS1 &")
        self.board.shell("until [ -c /dev/video0 ]; do sleep 0.1; done; sleep 0.5", seconds=60)
        self.board.shell("until [ -d /sys/class/net/eth0 ]; do sleep 0.1; done; ip link set eth0 up", seconds=60)
        self.board.shell("ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2")

    def cut_power(self):
        """And gives it back."""
        self.board.stop()
        self.board = self.box.board = Board(self._cache, card=self._card)
        self.box.runs = False
        self.equip()

    def stop(self):
        self.box.close()
        self.board.stop()


def main():
    cache = Path(sys.argv[1]).resolve()
    runner = Runner(sys.argv[2] if len(sys.argv) > 2 else "")
    times = Times()
    home = Home(cache, times)
    try:
        home.equip()
        runner.say("a Raspberry Pi 3B has booted")
        for module in MODULES:
            runner.run(module, home=home, board=home.board, box=home.box)
    finally:
        home.stop()
    if runner.chosen(test_pi4):
        pi4 = Board(cache, model=PI_4B)
        try:
            runner.say("a Raspberry Pi 4B has booted")
            runner.run(test_pi4, pi4=pi4)
        finally:
            pi4.stop()
    print(times.table())
    print(f"{runner.passed} passed, {runner.failed} failed")
    return 1 if runner.failed or not runner.passed else 0


if __name__ == "__main__":
    sys.exit(main())
