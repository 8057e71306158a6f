"""`moodbox fleet update` on a real box over SSH: a package that holds, one that does not, and what is refused."""

import json
import re
import subprocess
import unittest

from broker import Broker
from machine import PACKAGE, Machine, moodbox


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

    @classmethod
    def running(cls):
        return cls.machine.run("moodboxd --version").split()[1]

    def package(self, revision, program=None):
        """The package under a newer revision, perhaps with another program."""
        tree = self.machine.folder / f"tree-{revision}"
        subprocess.run(["dpkg-deb", "--raw-extract", PACKAGE, tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub("(?m)^Version: .*$", f"Version: {self.version}-{revision}", control.read_text()))
        if program:
            (tree / "usr/bin/moodboxd").write_text(program)
        file = self.machine.folder / f"{revision}.deb"
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", "-z1", tree, file], check=True, capture_output=True)
        return file

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
        done, boxes = self.update(self.package(2), "attic box\n")
        self.assertEqual(boxes, {"attic": ("ok", f"{self.version} -> {self.version}-2")})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.machine.run("dpkg-query -W -f '${Version}' moodboxd"), f"{self.version}-2")
        # What was waited for is over.
        self.assertEqual(self.machine.run("systemctl is-active moodboxd-trial.service", check=False), "inactive\n")

    def test_a_package_that_does_not_hold(self):
        broken = "#!/bin/sh\necho broken >&2\nexit 1\n"
        done, boxes = self.update(self.package(3, broken), "attic box\n")
        outcome, what = boxes["attic"]
        self.assertEqual((done.returncode, outcome), (1, "failed"))
        self.assertRegex(what, f"^{self.version}-3 did not pass its trial: moodboxd .* is not healthy \\(.*\\): .* is back and runs$")
        self.assertEqual(self.running(), self.version)

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
