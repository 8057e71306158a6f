"""The boxes under test, and the broker between them and Home Assistant."""

import json
import signal
import subprocess
import tempfile

import paho.mqtt.client as mqtt

CONFIG = """
[device]
id = "{id}"
name = "{name}"
[camera]
source = "replay:{recording}"
fps = 4
[mqtt]
broker = "mqtts://localhost:{port}"
username = "moodbox"
password_file = "{folder}/password"
ca_file = "{authority}"
[music]
catalogue = "{catalogue}"
[store]
folder = "{folder}"
"""


class Box:
    """`moodboxd` with a recording before its eyes, over TLS and with a password."""

    def __init__(self, program, id, name, recording, catalogue, port, authority, log):
        self.base = f"moodbox/{id}"
        self.device = f"moodbox_{id}"
        self.discovery = f"homeassistant/device/moodbox_{id}/config"
        self._folder = tempfile.TemporaryDirectory(prefix="moodbox-")
        folder = self._folder.name
        with open(f"{folder}/password", "w") as file:
            file.write("moodbox-secret\n")
        with open(f"{folder}/moodbox.toml", "w") as file:
            file.write(
                CONFIG.format(
                    id=id,
                    name=name,
                    recording=recording,
                    catalogue=catalogue,
                    port=port,
                    folder=folder,
                    authority=authority,
                )
            )
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
        return self._process.wait(timeout=20)


class Broker:
    """Hears all that is said; `tell` is called on the event loop with every message."""

    def __init__(self, port, loop, tell):
        self.said = []
        """Topic and payload of every message, oldest first."""
        self.tell = tell
        self._last = {}
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.username_pw_set("observer", "observer-secret")
        self._client.reconnect_delay_set(1, 1)

        def hear(message):
            # A picture is of no interest here.
            payload = message.payload.decode(errors="replace")
            self.said.append((message.topic, payload))
            self._last[message.topic] = payload
            self.tell()

        self._client.on_message = lambda client, data, message: loop.call_soon_threadsafe(hear, message)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def last(self, topic):
        """The last payload on a topic, as JSON; an empty object where there was none."""
        return json.loads(self._last.get(topic) or "{}")

    def publish(self, topic, payload, retain=False):
        """Returns when the broker has it."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()
