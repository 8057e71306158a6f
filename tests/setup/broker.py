"""A real Mosquitto with what `deploy/broker/broker.sh` makes for it, on a free port of loopback."""

import pathlib
import shutil
import subprocess
import tempfile

from machine import REPOSITORY, free_port


class Broker:
    """A broker that knows one box."""

    def __init__(self, box="attic"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="moodbox-broker-"))
        self.port = free_port()
        self.script("set-up", "localhost", "127.0.0.1")
        self.script("add-box", box)
        self.files = self.folder / "moodbox"
        self.box_files = self.files / "boxes" / box
        settings = self.folder / "conf.d/moodbox.conf"
        settings.write_text(settings.read_text().replace(f"listener {self.port}", f"listener {self.port} 127.0.0.1"))
        # The port as the script reads it from there.
        box_settings = self.box_files / "mqtt.toml"
        box_settings.write_text(box_settings.read_text())
        (self.folder / "mosquitto.conf").write_text(f"user root\nlog_dest stderr\ninclude_dir {self.folder}/conf.d\n")
        self.process = subprocess.Popen(
            ["/usr/sbin/mosquitto", "-c", self.folder / "mosquitto.conf"], stderr=subprocess.PIPE, text=True
        )
        for line in self.process.stderr:
            if " running" in line:
                break

    def script(self, *words):
        subprocess.run(
            [REPOSITORY / "deploy/broker/broker.sh", "--folder", self.folder / "moodbox", "--conf", self.folder / "conf.d",
             "--port", str(self.port), *words],
            check=True,
            capture_output=True,
        )

    def url(self):
        return f"mqtts://localhost:{self.port}"

    def login(self, user="admin"):
        """The options with which a person of the broker reaches it."""
        password = self.files / f"people/{user}.password"
        return ["--username", user, "--password-file", password, "--ca-file", self.files / "ca.pem"]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        shutil.rmtree(self.folder)
