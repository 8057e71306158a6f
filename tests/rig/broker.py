"""A real Mosquitto on the host, and somebody who listens to all that is said on it."""

import json
import signal
import socket
import subprocess
import threading
import time
from collections import namedtuple

# A message, when it came, by the host's monotonic clock, and where in the order of all.
Message = namedtuple("Message", "number at topic payload retained")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """Runs from `start` to `stop`, on the same port each time."""

    def __init__(self, folder):
        self.port = free_port()
        self._folder = folder
        self._process = None

    def start(self, *lines):
        config = [f"listener {self.port} 127.0.0.1", "user root", "log_dest stderr"]
        file = self._folder / "mosquitto.conf"
        file.write_text("\n".join([*config, *(lines or ["allow_anonymous true"])]) + "\n")
        self.log = self._folder / "mosquitto.log"
        self._process = subprocess.Popen(["mosquitto", "-c", file], stdout=open(self.log, "w"), stderr=subprocess.STDOUT)
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                assert self._process.poll() is None, self.log.read_text()
                time.sleep(0.02)

    def stop(self):
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        self._process.wait()

    def freeze(self):
        """Stops it without ending it: its connections stay open and silent."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def publish(self, topic, payload):
        command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-q", "1", "-t", topic, "-m", payload]
        subprocess.run(command, check=True, timeout=10)


class Listener:
    """Hears everything on a broker, until `stop`; comes back with it, and at once, so that what is measured is the box."""

    def __init__(self, broker):
        self._messages = []
        self._news = threading.Condition()
        self._command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "#", "-F", "%j"]
        self._ended = False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while not self._ended:
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            for line in self._process.stdout:
                self._hear(json.loads(line))
            time.sleep(0.1)

    def _hear(self, said):
        with self._news:
            message = Message(len(self._messages), time.monotonic(), said["topic"], said["payload"], said["retain"])
            self._messages.append(message)
            self._news.notify_all()

    def mark(self):
        """The place from which `until` and `since` shall look."""
        with self._news:
            return len(self._messages)

    def since(self, mark):
        with self._news:
            return self._messages[mark:]

    def until(self, topic, wanted, mark, seconds=30):
        """The first message on a topic since `mark` whose payload is as wanted."""
        deadline = time.monotonic() + seconds
        seen = mark
        with self._news:
            while True:
                for message in self._messages[seen:]:
                    if message.topic == topic and wanted(message.payload):
                        return message
                seen = len(self._messages)
                left = deadline - time.monotonic()
                if left <= 0:
                    heard = [(m.topic, m.payload[:200]) for m in self._messages[mark:] if not m.topic.endswith("/card")]
                    raise AssertionError(f"not heard on {topic} in {seconds} s, but {heard[-12:]}")
                self._news.wait(left)

    def stop(self):
        self._ended = True
        self._process.kill()
        self._process.wait()
