"""A real broker, real boxes that look at recordings, `moodbox ui`, and somebody who hears all that is said."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import paho.mqtt.client as mqtt

ROOT = pathlib.Path(__file__).resolve().parents[2]
# As `make test` builds them.
PROGRAMS = ROOT / "target/debug"
RECORDING = f"replay:{ROOT}/host-tools/demo/evening.mjpeg"
SMILE = f"replay:{ROOT}/host-tools/demo/faces/collins.jpg"
PATIENCE_S = 90

CONFIG = """
[device]
id = "{id}"
name = "{name}"
[store]
folder = "{folder}/store"
[mqtt]
broker = "mqtt://127.0.0.1:{port}"
[camera]
source = "{source}"
fps = 4
"""


class Broker:
    """Mosquitto on a port of this machine, always the same."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nuser root\nallow_anonymous true\nlog_dest stderr\n")
        self.start()

    def start(self):
        environment = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin"}
        command = ["mosquitto", "-c", self._config]
        self._process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        if not any(" running" in line for line in self._process.stderr):
            raise RuntimeError("mosquitto did not start")
        # It must not stop because nobody reads its log.
        threading.Thread(target=self._process.stderr.read, daemon=True).start()

    def kill(self):
        self._process.kill()
        self._process.wait()


class Box:
    """`moodboxd`, which sees what its source gives."""

    def __init__(self, folder, port, id, name, source):
        self.id, self._folder = id, folder / id
        self._folder.mkdir()
        text = CONFIG.format(id=id, name=name, folder=self._folder, port=port, source=source)
        (self._folder / "moodbox.toml").write_text(text)
        self.start()

    def start(self):
        with open(self._folder / "log", "ab") as log:
            command = [PROGRAMS / "moodboxd", "--config", self._folder / "moodbox.toml"]
            self._process = subprocess.Popen(command, stderr=log)

    def kill(self):
        """As a power cut does."""
        self._process.kill()
        self._process.wait()

    def hang(self):
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)


class Ui:
    """`moodbox ui`, without a browser of its own."""

    def __init__(self, port):
        command = [PROGRAMS / "moodbox", "ui", "--broker", f"mqtt://127.0.0.1:{port}", "--no-open", "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.origin, self.key = self.url.split("/#")

    def stop(self):
        """As Ctrl-C does; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)


class Listener:
    """A client that has subscribed to everything."""

    def __init__(self, port):
        self.said = []
        """Topic and payload of every message, oldest first."""
        self._news = threading.Condition()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_message = lambda client, data, message: self._hear(message.topic, message.payload.decode())
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _hear(self, topic, payload):
        with self._news:
            self.said.append((topic, payload))
            self._news.notify_all()

    def last(self, topic):
        """The last payload on a topic, as JSON; nothing where there was none."""
        payloads = [payload for heard, payload in reversed(self.said) if heard == topic]
        return json.loads(payloads[0]) if payloads else None

    def until(self, condition):
        """Waits until this holds, which it may with any message; returns it."""
        deadline = time.monotonic() + PATIENCE_S
        with self._news:
            while not (held := condition()):
                if not self._news.wait(deadline - time.monotonic()):
                    raise TimeoutError("waited in vain for what should have been said")
            return held

    def publish(self, topic, payload, retain=False):
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def close(self):
        self._client.loop_stop()


class Home:
    """All of them; they end with this."""

    def __init__(self, folder):
        self.folder = folder
        with contextlib.ExitStack() as undo:
            self.broker = Broker(folder)
            undo.callback(self.broker.kill)
            self.listener = Listener(self.broker.port)
            undo.callback(self.listener.close)
            self.hall = Box(folder, self.broker.port, "hall", "Hall", RECORDING)
            undo.callback(self.hall.kill)
            self.kitchen = Box(folder, self.broker.port, "kitchen", "Kitchen & bar", SMILE)
            undo.callback(self.kitchen.kill)
            self.until(lambda: self.said("recommendation") and self.said("recommendation", "kitchen"))
            self.ui = Ui(self.broker.port)
            undo.callback(lambda: self.ui.process.kill())
            self._end = undo.pop_all()

    def said(self, part, box="hall"):
        """What a box last said on a topic."""
        return self.listener.last(f"moodbox/{box}/{part}")

    def until(self, condition):
        return self.listener.until(condition)

    def close(self):
        self._end.close()
