"""`moodbox aim` over a real sshd: who may look, what is shown, and that the box knows of both."""

import json
import signal
import subprocess
import unittest

from broker import Broker
from machine import MOODBOX, PACKAGE, PATIENCE_S, Machine, moodbox


class Aim(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine, broker = Machine(), Broker()
        cls.addClassCleanup(cls.machine.stop)
        cls.addClassCleanup(broker.stop)
        done = moodbox("setup", *cls.to("box"), "--package", PACKAGE, "--yes", "--camera", "replay:/srv/evening.mjpeg",
                       "--name", "Attic", "--box-files", broker.box_files, *broker.login())
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    @classmethod
    def to(cls, host):
        return ["--ssh", host, "--ssh-config", cls.machine.folder / "config"]

    def looks(self):
        """How often the box has told that somebody looks."""
        return self.machine.run("journalctl -u moodboxd -o cat").count("somebody looks through the camera")

    def test_who_is_not_in_the_group_sees_nothing_and_then_may_look(self):
        words = ["aim", *self.to("pi"), "--yes", "--no-open", "--json"]
        before = self.looks()
        done = moodbox(*words)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertRegex(done.stderr, r"(?m)^moodbox: pi: .*group moodbox\?$|this user may not look")
        self.assertEqual(self.looks(), before)

        self.machine.run("adduser pi moodbox")
        aim = subprocess.Popen([MOODBOX, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(aim.kill)
        first = json.loads(aim.stdout.readline())
        self.assertEqual(set(first), {"advice", "good"})
        self.assertEqual(self.looks(), before + 1)
        aim.send_signal(signal.SIGINT)
        rest, complaints = aim.communicate(timeout=PATIENCE_S)
        self.assertEqual(aim.returncode, 0, complaints)
        self.assertEqual(json.loads(rest.splitlines()[-1]), {"ended": "it was asked to end"})
        # The page's address is for a person; there is nothing else to say.
        self.assertRegex(complaints, r"\AOpen http://127\.0\.0\.1:\d+/\S*\n\Z")
        self.machine.run("until journalctl -u moodboxd -o cat | grep -q 'nobody looks through the camera any more'; do sleep 0.1; done")

    def test_the_box_ends_it(self):
        words = ["aim", *self.to("box"), "--yes", "--no-open", "--json"]
        aim = subprocess.Popen([MOODBOX, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(aim.kill)
        self.assertIn("advice", json.loads(aim.stdout.readline()))
        self.machine.run("systemctl stop moodboxd")
        self.addCleanup(self.machine.run, "systemctl start moodboxd")
        _, complaints = aim.communicate(timeout=PATIENCE_S)
        self.assertEqual((aim.returncode, complaints.splitlines()[-1]), (3, "moodbox: box: the box has closed the connection"))


if __name__ == "__main__":
    unittest.main()
