"""The real daemon with its models on the emulated board, and a home around it: broker, camera, lights."""

import json
import re
import shlex
import time
from pathlib import Path

from broker import Broker, Listener

PINS = {"red": 17, "green": 27, "blue": 22, "camera": 23}
SWITCH = 24

# What the camera can show; the numbers are those of pictures.py.
EMPTY, HAPPY, ANGRY, NEUTRAL, TWO = range(5)

SERVICE = Path(__file__).resolve().parents[2] / "systemd/moodboxd.service"


def from_service(key):
    """A number of seconds in the shipped unit."""
    return re.search(rf"^{key}=(\d+)$", SERVICE.read_text(), re.MULTILINE)[1]


class Box:
    """The daemon under a stand-in for systemd, with the shipped unit's times; nothing runs before `start`."""

    def __init__(self, board, broker_folder, times):
        self.board = board
        self.times = times
        self.runs = False
        self.broker = Broker(broker_folder)
        self.broker.start()
        self.listener = Listener(self.broker)
        self.config = {
            "device": {"id": "rig"},
            "camera": {"fps": 15},
            # Emulated arithmetic is slow: large faces only, twice a second.
            "vision": {"fps": 2, "min_face_px": 80},
            "leds": {"driver": "gpiochip"},
            "mqtt": {"broker": f"mqtt://10.0.2.2:{self.broker.port}"},
            "store": {"folder": "/tmp/store"},
        }

    def start(self, watchdog=None, **changes):
        """Starts the daemon with some of the sections of the configuration changed, and waits until it is ready."""
        config = {name: values | changes.get(name, {}) for name, values in self.config.items()}
        self.board.shell("rm -f /tmp/notify /tmp/moodbox.toml")
        for name, values in config.items():
            lines = [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
            self.board.shell(f"printf '%s\\n' {shlex.join(lines)} >>/tmp/moodbox.toml")
        mark = self.board.mark()
        daemon = "exec moodboxd --config /tmp/moodbox.toml"
        times = f"{watchdog or from_service('WatchdogSec')} {from_service('RestartSec')}"
        self.board.shell(f"supervise {times} su moodbox -c {shlex.quote(daemon)} >/dev/ttyS1 2>&1 & service=$!")
        self.started(mark)
        self.runs = True

    def well(self):
        """Where most tests begin: somebody smiles, and the box sees it."""
        mark = self.listener.mark()
        self.camera(f"show {HAPPY}")
        if not self.runs:
            self.start()
            self.state(mark, expression="happy", faces=1, seconds=60)
            self.memory_at_first, _ = self.memory_mb()

    def started(self, mark, seconds=60):
        """Waits until the daemon that was started since `mark` is ready."""
        self.pid = int(self.board.wait_for(r"^service: started (\d+)$", mark, seconds)[1])
        self.board.wait_for("^service: says READY=1$", mark, seconds)

    def stop(self):
        if self.runs:
            self.board.shell(f"kill $service; kill {self.pid}; until [ ! -d /proc/{self.pid} ]; do sleep 0.1; done", 60)
            self.runs = False

    def mend(self):
        """As before the first start, whatever a test has left behind."""
        self.board.plug_cable(True)
        self.broker.stop()
        self.broker.start()
        # One that is just being started is called su.
        left = "moodboxd su capture light hang"
        self.board.shell(f"exec 8>&-; rm -f /tmp/hold; killall -9 supervise; killall -9 {left} sleep")
        self.board.shell(f"while pidof {left}; do sleep 0.1; done", 60)
        self.runs = False
        for command in ("thaw", "offer all", "unplug", "plug"):
            self.camera(command)

    def hang(self, thread):
        """Stops one of its threads until what is given back is called."""
        mark = self.board.mark()
        found = self.board.read(f"grep -l '^{thread}$' /proc/{self.pid}/task/*/comm")
        assert found, f"the daemon {self.pid} has no thread {thread}"
        tid = found.split("/")[4]
        self.board.shell(f"hang {tid} >/dev/ttyS1 & hang=$!")
        self.board.wait_for(f"^hangs {tid}$", mark)
        return lambda: self.board.shell("kill $hang")

    def now(self):
        """A time of the clock that messages and edges are stamped with."""
        return time.monotonic()

    def camera(self, command):
        """Tells the virtual camera what to do; when that was."""
        assert self.board.shell(f"echo {command} >/tmp/camera") == 0
        return time.monotonic()

    def command(self, name, payload):
        self.broker.publish(f"moodbox/rig/cmd/{name}", payload)

    def state(self, mark, seconds=30, **wanted):
        """The first state since `mark` with these values."""

        def matches(payload):
            state = json.loads(payload)
            return all(state.get(key) == value for key, value in wanted.items())

        return self.listener.until("moodbox/rig/state", matches, mark, seconds)

    def state_settles(self, **wanted):
        """Waits until the state last said has these values."""

        def is_so():
            said = [m for m in self.listener.since(0) if m.topic == "moodbox/rig/state"]
            state = json.loads(said[-1].payload) if said else {}
            return all(state.get(key) == value for key, value in wanted.items())

        self.board.wait_until(is_so, f"the state {wanted}")

    def lit(self):
        """Which of the lights are lit, by the levels of their pins."""
        return {name for name, pin in PINS.items() if self.board.high(pin)}

    def expect_lit(self, *names, seconds=20):
        self.board.wait_until(lambda: self.lit() == set(names), f"{names} lit, but {self.lit()}", seconds)

    def devices(self):
        """The devices that the daemon has open."""
        return set(self.board.read(f"ls -l /proc/{self.pid}/fd | sed -n 's/.* -> //p' | grep /dev/").split())

    def processor_time(self):
        """Seconds of a processor that the daemon's capture and main threads have taken."""
        stat = f"for t in /proc/{self.pid}/task/*; do grep -v -e vision $t/comm >/dev/null && cut -d')' -f2 $t/stat; done"
        ticks = [sum(map(int, line.split()[11:13])) for line in self.board.read(stat).splitlines()]
        return sum(ticks) / 100

    def memory_mb(self):
        """Resident memory now, and the most there was, in MB of 10^6 bytes."""
        status = self.board.read(f"grep -E '^Vm(RSS|HWM):' /proc/{self.pid}/status")
        now, most = (int(re.search(rf"{key}:\s+(\d+) kB", status)[1]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM"))
        return now, most

    def close(self):
        self.listener.stop()
        self.broker.stop()
