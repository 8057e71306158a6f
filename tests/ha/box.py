"""The boxes under test, and the broker between them and Home Assistant."""

import json
import signal
import socket
import subprocess
import tempfile

import paho.mqtt.client as mqtt

# What is beside the part that `broker.sh` makes.
CONFIG = """
[camera]
source = "replay:{recording}"
fps = 4
[music]
catalogue = "{catalogue}"
[store]
folder = "{folder}"
"""


class Box:
    """`moodboxd` with a recording before its eyes, and the files that `broker.sh` has made for it."""

    def __init__(self, program, id, name, recording, catalogue, files, log):
        self.id = id
        self.base = f"moodbox/{id}"
        self.device = f"moodbox_{id}"
        self.discovery = f"homeassistant/device/moodbox_{id}/config"
        self._folder = tempfile.TemporaryDirectory(prefix="moodbox-")
        folder = self._folder.name
        made = (files / "mqtt.toml").read_text()
        # Where the box has them.
        for place in ("/run/credentials/moodboxd.service", "/etc/moodbox"):
            made = made.replace(f'"{place}/', f'"{files}/')
        made = made.replace("[device]\n", f'[device]\nname = "{name}"\n')
        with open(f"{folder}/moodbox.toml", "w") as file:
            file.write(made + CONFIG.format(recording=recording, catalogue=catalogue, folder=folder))
        self._command = [program, "--config", f"{folder}/moodbox.toml"]
        self._log = log
        self._process = None

    def start(self):
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log)

    def hang(self):
        """It is there but does nothing; its connection stays open."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        """As a power cut does."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self):
        """Asks it to end and returns its exit code."""
        self._process.terminate()
        return self.ended()

    def ended(self):
        """Waits for its end and returns its exit code."""
        return self._process.wait(timeout=20)


class Broker:
    """The admin at the broker, who hears all that is said; `tell` is called on the event loop with every message."""

    def __init__(self, port, files, loop, tell):
        self.said = []
        """Topic and payload of every message, oldest first."""
        self.tell = tell
        self._last = {}
        self._kept = set()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.tls_set(files / "ca.pem")
        self._client.username_pw_set("admin", (files / "people/admin.password").read_text().strip())
        self._client.reconnect_delay_set(1, 1)
        # Or each message waits until the broker's system has acknowledged the one before: 40 ms.
        self._client.on_socket_open = lambda client, data, opened: opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def hear(message):
            payload = message.payload.decode()
            self.said.append((message.topic, payload))
            self._last[message.topic] = payload
            if message.retain:
                self._kept.add(message.topic)
            self.tell()

        self._client.on_message = lambda client, data, message: loop.call_soon_threadsafe(hear, message)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.connect("localhost", port)
        self._client.loop_start()

    def last(self, topic):
        """The last payload on a topic, as JSON; an empty object where there was none."""
        return json.loads(self.text(topic) or "{}")

    def text(self, topic):
        """The last payload on a topic, or None."""
        return self._last.get(topic)

    async def kept(self, until, *filters):
        """The topics that have something retained: a new subscription hears of them before anything else."""
        self._kept = set()
        heard = len(self.said)
        self._client.subscribe([(filter, 1) for filter in filters])
        self.publish("moodbox/subscribed", "")
        if not await until(lambda: ("moodbox/subscribed", "") in self.said[heard:]):
            raise TimeoutError("the broker does not answer")
        return self._kept

    def publish(self, topic, payload, retain=False):
        """Returns when the broker has it."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()
