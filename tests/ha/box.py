"""The box under test, and the broker between it and Home Assistant."""

import json
import subprocess
import tempfile

import paho.mqtt.client as mqtt

ID = "b827eb01"
BASE = f"moodbox/{ID}"
DEVICE = f"moodbox_{ID}"
DISCOVERY = f"homeassistant/device/{DEVICE}/config"

CONFIG = """
[device]
id = "{id}"
[camera]
source = "replay:{recording}"
fps = 4
[mqtt]
broker = "mqtts://localhost:{port}"
username = "moodbox"
password_file = "{folder}/password"
ca_file = "{authority}"
[store]
folder = "{folder}"
"""


class Box:
    """`moodboxd` with the demo recording before its eyes, over TLS and with a password."""

    def __init__(self, program, recording, port, authority, log):
        self._folder = tempfile.TemporaryDirectory(prefix="moodbox-")
        folder = self._folder.name
        with open(f"{folder}/password", "w") as file:
            file.write("moodbox-secret\n")
        with open(f"{folder}/moodbox.toml", "w") as file:
            file.write(CONFIG.format(id=ID, recording=recording, port=port, folder=folder, authority=authority))
        self._command = [program, "--config", f"{folder}/moodbox.toml"]
        self._log = log

    def start(self):
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log)

    def kill(self):
        """As a power cut does."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        """Asks it to end and returns its exit code."""
        self._process.terminate()
        return self._process.wait(timeout=20)


class Broker:
    """Hears all that is said; `tell` is called on the event loop with every message."""

    def __init__(self, port, loop, tell):
        self.said = []
        """Topic and payload of every message, oldest first."""
        self._last = {}
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.username_pw_set("observer", "observer-secret")

        def hear(message):
            payload = message.payload.decode()
            self.said.append((message.topic, payload))
            self._last[message.topic] = payload
            tell()

        self._client.on_message = lambda client, data, message: loop.call_soon_threadsafe(hear, message)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def last(self, topic):
        """The last payload on a topic, as JSON; an empty object where there was none."""
        return json.loads(self._last.get(topic) or "{}")

    def publish(self, topic, payload):
        """Leaves a retained message."""
        self._client.publish(topic, payload, qos=1, retain=True).wait_for_publish(5)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()
