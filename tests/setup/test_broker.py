"""What `deploy/broker/broker.sh` writes for a box is what a box takes."""

import pathlib
import subprocess
import tempfile
import unittest

from machine import REPOSITORY, moodbox


class BoxFiles(unittest.TestCase):
    def test_a_broker_at_a_name_or_an_address(self):
        for host, broker in [
            ("broker.local", "mqtts://broker.local:8883"),
            ("192.0.2.7", "mqtts://192.0.2.7:8883"),
            ("fd00::7", "mqtts://[fd00::7]:8883"),
        ]:
            with tempfile.TemporaryDirectory(prefix="moodbox-broker-") as folder:
                files = pathlib.Path(folder) / "moodbox"
                for words in [("set-up", host), ("add-box", "attic")]:
                    subprocess.run(
                        [REPOSITORY / "deploy/broker/broker.sh", "--folder", files, "--conf", f"{folder}/conf.d", *words],
                        check=True,
                        capture_output=True,
                    )
                settings = files / "boxes/attic/mqtt.toml"
                self.assertIn(f'broker = "{broker}"\n', settings.read_text())
                done = moodbox("config", "check", settings)
                self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
