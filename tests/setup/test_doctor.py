"""`moodbox doctor` and `moodbox logs` on a box that works, and on one that does not; with nothing private for others."""

import json
import pathlib
import signal
import subprocess
import unittest

from broker import Broker
from machine import MOODBOX, PACKAGE, PATIENCE_S, Machine, free_port, moodbox

# What nobody but the owner needs to know.
SECRETS = ["Annas Zimmer", "Annas Box", "attic", "admin", "localhost", "127.0.0.1", "moodbox-test", "evening.mjpeg", "nobody-home"]


def connections():
    """The connections of `moodbox` that are open on this computer, by their sockets."""
    return set(pathlib.Path("/tmp").glob("moodbox-*/ssh"))


class Box(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine, cls.broker = Machine(), Broker()
        cls.addClassCleanup(cls.machine.stop)
        cls.addClassCleanup(cls.broker.stop)
        cls.ssh = ["--ssh", "box", "--ssh-config", cls.machine.folder / "config"]
        cls.address = ["--broker", cls.broker.url(), *cls.broker.login()]
        cls.camera("replay:/srv/evening.mjpeg")

    @classmethod
    def camera(cls, source):
        words = ["setup", *cls.ssh, "--package", PACKAGE, "--yes", "--camera", source, "--name", "Annas Box", "--room", "Annas Zimmer"]
        done = moodbox(*words, "--box-files", cls.broker.box_files, *cls.broker.login())
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    def results(self, done):
        """What each check found."""
        secrets = [*SECRETS, str(self.broker.port), (self.broker.box_files / "password").read_text().strip()]
        for secret in secrets:
            self.assertNotIn(secret, done.stdout)
        return {check["check"]: check for check in json.loads(done.stdout)["checks"]}

    def test_a_box_that_works(self):
        done = moodbox("doctor", *self.address)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        lines = [line.split()[0] for line in done.stdout.splitlines()]
        self.assertEqual(set(lines), {"ok"})
        self.assertIn("ok    box            box attic is online", done.stdout)
        checks = self.results(moodbox("doctor", *self.address, "--json"))
        self.assertEqual({check["result"] for check in checks.values()}, {"ok"})
        self.assertEqual(checks["broker"]["facts"], {"encrypted": True, "login": True})
        self.assertEqual(checks["songs"]["facts"], {"songs": 475})

    def test_the_machine_of_a_box(self):
        done = moodbox("doctor", *self.address, *self.ssh)
        self.assertRegex(done.stdout, "(?m)^ok    camera mode    .*evening.mjpeg")
        checks = self.results(moodbox("doctor", *self.address, *self.ssh, "--json"))
        self.assertEqual(checks["service"]["facts"], {"active": True, "restarts": 0})
        self.assertLess(checks["clock"]["facts"]["apart_s"], 60)
        for name in ["disk", "memory"]:
            self.assertEqual((checks[name]["result"], set(checks[name]["facts"])), ("ok", {"free_mb"}))
        self.machine.run("mount -t tmpfs -o size=20m tmpfs /var/lib/apt && mount --bind /var/lib/apt /var/lib")
        self.addCleanup(self.machine.run, "umount /var/lib; umount /var/lib/apt")
        done = moodbox("doctor", *self.address, *self.ssh)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, "(?m)^warn  disk           only 20 MB are free; remove what is not needed")

    def test_a_camera_that_is_gone(self):
        self.addCleanup(self.camera, "replay:/srv/evening.mjpeg")
        self.camera("replay:/srv/nobody-home.mjpeg")
        done = moodbox("doctor", *self.address)
        self.assertEqual((done.returncode, done.stderr), (1, "moodbox: 1 thing is wrong; each line above says what mends it\n"))
        [line] = [line for line in done.stdout.splitlines() if line.startswith("fail")]
        self.assertIn("nobody-home.mjpeg", line)
        self.assertIn("plug the camera in again", line)
        checks = self.results(moodbox("doctor", *self.address, "--json"))
        self.assertEqual((checks["camera"]["result"], checks["camera"]["facts"]), ("fail", {"works": False}))

    def test_a_box_that_is_off(self):
        self.machine.run("systemctl stop moodboxd")
        self.addCleanup(self.machine.run, "systemctl start moodboxd")
        done = moodbox("doctor", *self.address, "--json")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(self.results(done)["box"]["result"], "fail")

    def test_a_broker_that_is_not_there_or_lets_nobody_in(self):
        nobody = ["--broker", f"mqtt://127.0.0.1:{free_port()}"]
        stranger = ["--broker", self.broker.url(), "--ca-file", self.broker.files / "ca.pem"]
        for address, reason in [(nobody, "nothing listens at"), (stranger, "refuses a connection without --username")]:
            done = moodbox("doctor", *address)
            self.assertEqual(done.returncode, 3)
            self.assertIn(reason, done.stdout)
            self.assertEqual(self.results(moodbox("doctor", *address, "--json"))["broker"]["result"], "fail")

    def test_a_user_who_may_not_ask(self):
        box = self.broker.box_files
        done = moodbox("doctor", "--broker", self.broker.url(), "--username", "attic", "--password-file", box / "password",
                       "--ca-file", box / "ca.pem", "--id", "attic")
        self.assertEqual(done.returncode, 3)
        self.assertIn("may this user read what it says? see the broker's ACL", done.stdout)

    def test_the_journal_without_names(self):
        done = moodbox("logs", *self.ssh)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("info  box <id> with models ", done.stdout)
        for secret in ["attic", "localhost", "moodbox-test", str(self.broker.port)]:
            self.assertNotIn(secret, done.stdout)
        first = json.loads(moodbox("logs", *self.ssh, "--json").stdout.splitlines()[0])
        self.assertEqual(set(first), {"time", "level", "message"})
        done = moodbox("logs", *self.ssh, "--level", "error")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual(done.stderr, "moodbox: box: the journal has no line of level error or above\n")

    def test_the_journal_as_it_is_written(self):
        before = connections()
        process = subprocess.Popen([MOODBOX, "logs", *map(str, self.ssh), "--follow", "-n", "0"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, PATIENCE_S)
        self.addCleanup(process.kill)
        # It follows once the journal is open on the other side.
        self.machine.run("until pgrep journalctl; do sleep 0.1; done; systemctl restart moodboxd")
        self.assertTrue(any("box <id> with models" in line for line in process.stdout))
        self.assertEqual(len(connections() - before), 1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assertEqual(connections() - before, set())

    def test_a_machine_that_is_no_box(self):
        bare = Machine()
        self.addCleanup(bare.stop)
        done = moodbox("logs", "--ssh", "box", "--ssh-config", bare.folder / "config")
        self.assertEqual(done.returncode, 1)
        self.assertIn("box has written nothing as moodboxd; is it installed?", done.stderr)


if __name__ == "__main__":
    unittest.main()
