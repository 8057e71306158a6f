"""`moodbox setup` from a bare machine to the first state on the broker, and back."""

import json
import subprocess
import time
import unittest

from broker import Broker
from machine import PACKAGE, Machine, moodbox
from terminal import Terminal

REPLAY = "replay:/srv/evening.mjpeg"


class SetUp(unittest.TestCase):
    def setUp(self):
        self.machine, self.broker = Machine(), Broker()
        self.addCleanup(self.machine.stop)
        self.addCleanup(self.broker.stop)

    def to(self, host):
        return ["setup", "--ssh", host, "--ssh-config", self.machine.folder / "config"]

    def command(self, host="box", camera=REPLAY):
        return [*self.to(host), "--package", PACKAGE, "--camera", camera, "--box-files", self.broker.box_files,
                *self.broker.login()]

    def well(self, *words):
        done = moodbox(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def test_one_command_and_back(self):
        before = self.machine.content()
        report = json.loads(self.well(*self.command(), "--yes", "--name", "Attic", "--room", "Upstairs", "--json"))
        self.assertEqual(report["id"], "attic")
        self.assertEqual(report["state"]["camera"], "on")
        steps = [step["step"] for step in report["steps"]]
        self.assertEqual(steps, ["copy", "check", "configure", "credentials", "package", "service", "state"])
        # Each file as it should be, the password for root alone.
        rights = self.machine.run("stat -c '%a %U %n' /etc/moodbox/*").split("\n")[:-1]
        expected = ["644 root /etc/moodbox/ca.pem", "644 root /etc/moodbox/moodbox.toml", "600 root /etc/moodbox/password"]
        self.assertEqual(rights, expected)
        config = self.machine.run("cat /etc/moodbox/moodbox.toml")
        self.assertIn('name = "Attic"               # as Home Assistant shows it', config)
        # What Home Assistant is told.
        told = subprocess.run(
            ["mosquitto_sub", "-h", "localhost", "-p", str(self.broker.port), "--cafile", self.broker.files / "ca.pem",
             "-u", "admin", "-P", (self.broker.files / "people/admin.password").read_text().strip(), "-C", "1", "-W", "60",
             "-t", "homeassistant/device/moodbox_attic/config"],
            capture_output=True, text=True, check=True,
        )
        device = json.loads(told.stdout)["dev"]
        self.assertEqual((device["name"], device["suggested_area"]), ("Attic", "Upstairs"))
        # The network hears of it as well as the broker.
        found = json.loads(self.well("discover", "--json", "--broker", self.broker.url(), *self.broker.login()))
        [box] = found["boxes"]
        self.assertEqual((box["id"], box["host"], box["availability"]), ("attic", "moodbox-test.local", "online"))
        self.assertEqual((box["name"], box["version"]), ("Attic", device["sw"]))
        # Once more is the same, and nothing is started anew.
        running = self.machine.run("systemctl show -P MainPID moodboxd; cat /var/lib/moodbox-setup/journal")
        again = json.loads(self.well(*self.command(), "--yes", "--name", "Attic", "--room", "Upstairs", "--json"))
        self.assertEqual(again["state"]["camera"], "on")
        self.assertEqual(self.machine.run("systemctl show -P MainPID moodboxd; cat /var/lib/moodbox-setup/journal"), running)
        self.well(*self.to("box"), "--undo")
        self.assertEqual(self.machine.content(), before)
        done = moodbox(*self.to("box"), "--undo")
        self.assertEqual(done.stderr, "moodbox: there is no set-up that could be undone; nothing was changed\n")

    def test_a_change_is_undone_without_the_first_set_up(self):
        self.well(*self.command(), "--yes", "--name", "First")
        first = self.machine.content()
        config = self.machine.run("cat /etc/moodbox/moodbox.toml")
        self.well(*self.command(), "--yes", "--name", "Second")
        self.assertIn('"Second"', self.machine.run("cat /etc/moodbox/moodbox.toml"))
        said = self.well(*self.to("box"), "--undo")
        self.assertIn("the service runs with what was there before", said)
        self.assertEqual(self.machine.run("cat /etc/moodbox/moodbox.toml"), config)
        # The box goes on writing its history.
        theirs = lambda lines: [line for line in lines if "moodbox-setup" not in line and "/var/lib/moodbox/" not in line]
        self.assertEqual(theirs(self.machine.content()), theirs(first))
        self.assertEqual(self.machine.run("systemctl is-active moodboxd"), "active\n")

    def test_what_was_set_from_afar_is_told(self):
        self.well(*self.command(), "--yes", "--name", "First")
        box = ["--broker", self.broker.url(), *self.broker.login(), "--id", "attic"]
        self.well("config", "set", "device.name=Hall", *box)
        said = self.well(*self.command(), "--yes", "--name", "Second")
        self.assertIn('device.name = "Hall"; `moodbox config set device.name= --broker ', said)
        self.well("config", "set", "device.name=", *box)
        self.assertNotIn("config set", self.well(*self.command(), "--yes", "--name", "Second"))

    def test_under_five_answers(self):
        # Through sudo with a password, as on a Raspberry Pi.
        somebody = Terminal(*self.command(host="pi"))
        somebody.until("no moodboxd yet")
        somebody.answer("Name", "Attic")
        somebody.answer("Room", "")
        somebody.answer("Do it\\?", "y")
        somebody.answer_hidden("Password for sudo on pi", "raspberry")
        somebody.until("box attic says: mood absent, 0 faces, camera on")
        self.assertEqual(somebody.end(), 0, somebody.shown)
        self.assertLess(somebody.answers, 5)

    def test_a_person_who_logs_in_with_a_password_may_think_for_long(self):
        # A connection that nobody uses ends after a second instead of a minute. Nothing tells of one that stays.
        programs = self.machine.folder / "programs"
        programs.mkdir()
        ssh = programs / "ssh"
        ssh.write_text('#!/bin/bash\nexec /usr/bin/ssh "${@/ControlPersist=60/ControlPersist=1}"\n')
        ssh.chmod(0o755)
        config = self.machine.ssh_config("no-key", key=None)
        to = ["setup", "--ssh", "pi", "--ssh-config", config]
        somebody = Terminal(*to, *self.command("pi")[len(to) :], first=programs)
        somebody.answer_hidden("password:", "raspberry")
        for question, text in [("Name", "Attic"), ("Room", ""), ("Do it\\?", "y")]:
            somebody.until(question)
            time.sleep(2)
            somebody.answer("", text)
        somebody.until("Password for sudo on pi")
        time.sleep(2)
        somebody.answer_hidden("", "raspberry")
        somebody.until("box attic says: mood absent, 0 faces, camera on")
        self.assertEqual(somebody.end(), 0, somebody.shown)
        somebody = Terminal(*to, "--undo", first=programs)
        somebody.answer_hidden("password:", "raspberry")
        somebody.until("Password for sudo on pi")
        time.sleep(2)
        somebody.answer_hidden("", "raspberry")
        somebody.until("all files are as they were")
        self.assertEqual(somebody.end(), 0, somebody.shown)


if __name__ == "__main__":
    unittest.main()
