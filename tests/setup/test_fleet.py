"""`moodbox fleet update` on a real box over SSH: a package that holds, one that does not, and what is refused."""

import json
import re
import subprocess
import unittest

from broker import Broker
from machine import PACKAGE, Machine, moodbox, repack


class Update(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine, cls.broker = Machine(), Broker()
        cls.addClassCleanup(cls.machine.stop)
        cls.addClassCleanup(cls.broker.stop)
        words = ["setup", "--ssh", "box", "--ssh-config", cls.machine.folder / "config", "--package", PACKAGE, "--yes",
                 "--camera", "replay:/srv/evening.mjpeg", "--box-files", cls.broker.box_files, *cls.broker.login()]
        done = moodbox(*words)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        cls.version = cls.running()
        cls.packaged = cls.installed()

    @classmethod
    def installed(cls):
        return cls.machine.run("dpkg-query -W -f '${Version}' moodboxd")

    @classmethod
    def running(cls):
        return cls.machine.run("moodboxd --version").split()[1]

    def package(self, revision, **others):
        """The package under a newer revision, perhaps with another program or another example of a configuration."""

        def change(tree):
            control = tree / "DEBIAN/control"
            control.write_text(re.sub("(?m)^Version: .*$", f"Version: {self.packaged}+{revision}", control.read_text()))
            for name, path in [("program", "usr/bin/moodboxd"), ("example", "etc/moodbox/moodbox.toml")]:
                if name in others:
                    (tree / path).write_text(others[name])

        return repack(self.machine.folder / f"{revision}.deb", change)

    def update(self, package, hosts):
        """How it ends, and what became of each box."""
        hosts_file = self.machine.folder / "boxes.txt"
        hosts_file.write_text(hosts)
        done = moodbox("fleet", "update", package, "--hosts", hosts_file, "--ssh-config", self.machine.folder / "config",
                       "--broker", self.broker.url(), *self.broker.login(), "--json")
        return done, {row["id"]: (row["outcome"], row["what"]) for row in map(json.loads, done.stdout.splitlines())}

    def tearDown(self):
        self.assertEqual(self.machine.run("ls -d /tmp/tmp.* 2>/dev/null || true"), "")

    def test_a_package_that_holds(self):
        # Something else is being installed there.
        self.machine.hold("/var/lib/dpkg/lock-frontend", "^dpkg: error: .* was locked by ")
        done, boxes = self.update(self.package(2), "attic box\n")
        self.assertEqual(boxes, {"attic": ("ok", f"{self.version} -> {self.packaged}+2")})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.installed(), f"{self.packaged}+2")
        # What was waited for is over.
        self.assertEqual(self.machine.run("systemctl is-active moodboxd-trial.service", check=False), "inactive\n")

    def test_a_package_that_does_not_hold(self):
        broken = "#!/bin/sh\necho broken >&2\nexit 1\n"
        done, boxes = self.update(self.package(1, program=broken), "attic box\n")
        outcome, what = boxes["attic"]
        self.assertEqual((done.returncode, outcome), (1, "failed"))
        said = " did not pass its trial: moodboxd .* is not healthy \\(.*\\): .* is back and runs$"
        self.assertRegex(what, "^" + re.escape(f"{self.packaged}+1") + said)
        self.assertEqual(self.running(), self.version)

    def test_a_package_with_another_example(self):
        read = "cat /etc/moodbox/moodbox.toml"
        before = self.machine.run(read)
        done, boxes = self.update(self.package(3, example="# What else there is to be set.\n"), "attic box\n")
        self.assertEqual(boxes, {"attic": ("ok", f"{self.version} -> {self.packaged}+3")})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.machine.run(read), before)

    def test_what_cannot_be_updated_is_as_it_was(self):
        before = self.machine.run("dpkg-query -W moodboxd; systemctl show -P MainPID moodboxd")
        good = self.package(4)
        cut = self.machine.folder / "cut.deb"
        cut.write_bytes(good.read_bytes()[:100_000])
        other = self.machine.folder / "other.deb"
        tree = self.machine.folder / "other"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text("Package: other\nVersion: 1\nArchitecture: all\nMaintainer: a <a@localhost>\nDescription: a\n")
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, other], check=True, capture_output=True)
        for package, hosts, code, told in [
            (good, "attic pi\n", 1, "sudo wants a password there"),
            (other, "attic box\n", 1, "this is no package of moodboxd; nothing was changed"),
            (cut, "attic box\n", 1, "dpkg: "),
            (good, "attic nowhere.invalid\n", 1, "nowhere.invalid"),
            (good, "cellar box\n", 1, "it does not answer (is it running?)"),
        ]:
            done, boxes = self.update(package, hosts)
            [(outcome, what)] = boxes.values()
            self.assertEqual((done.returncode, outcome), (code, "failed"), done.stdout)
            self.assertIn(told, what)
            self.assertEqual(self.machine.run("dpkg-query -W moodboxd; systemctl show -P MainPID moodboxd"), before)


if __name__ == "__main__":
    unittest.main()
