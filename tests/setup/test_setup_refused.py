"""`moodbox setup` where something is wrong: it stops before it changes anything."""

import pathlib
import subprocess
import tempfile
import unittest

from broker import Broker
from machine import CACHE, PACKAGE, REPOSITORY, Machine, free_port, moodbox
from terminal import Terminal

REPLAY = ["--camera", "replay:/srv/evening.mjpeg"]


class Refused(unittest.TestCase):
    """All on one machine: none of them may change it."""

    @classmethod
    def setUpClass(cls):
        cls.machine, cls.broker = Machine(), Broker()
        cls.addClassCleanup(cls.machine.stop)
        cls.addClassCleanup(cls.broker.stop)
        cls.before = cls.machine.content()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="moodbox-refused-"))
        cls.addClassCleanup(subprocess.run, ["rm", "-r", cls.folder])

    def told(self, code, *words, config="config", package=PACKAGE, login=None, broker=None, camera=REPLAY):
        """The one line with which a set-up is refused that changes nothing."""
        login = login or ["--box-files", self.broker.box_files, *self.broker.login()]
        done = moodbox("setup", "--ssh", "box", "--ssh-config", self.machine.folder / config, "--package", package, "--yes",
                       "--broker", broker or self.broker.url(), *login, *camera, *words)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(self.machine.content(), self.before)
        return done.stderr

    def test_who_is_called_by_a_wrong_name_or_does_not_answer(self):
        self.machine.ssh_config("closed", port=free_port())
        self.assertIn("box runs no SSH server; switch SSH on there", self.told(3, config="closed"))
        done = moodbox("setup", "--ssh", "nobody.invalid", "--package", PACKAGE, "--yes")
        self.assertEqual(done.returncode, 3)
        self.assertIn("no machine is called nobody.invalid here", done.stderr)

    def test_a_machine_with_another_key(self):
        known = (self.machine.folder / "known_hosts").read_text().split()
        other = (CACHE / "other-key.pub").read_text().split()
        (self.machine.folder / "changed").write_text(" ".join([known[0], *other[:2]]) + "\n")
        self.machine.ssh_config("changed-key", known_hosts="changed")
        self.assertIn("box has another key than the one known here; if its system was installed anew, forget the old one",
                      self.told(3, config="changed-key"))
        (self.machine.folder / "nobody").write_text("")
        self.machine.ssh_config("unknown-key", known_hosts="nobody")
        self.assertIn("box is not known here yet; log in once with ssh to accept its key", self.told(3, config="unknown-key"))

    def test_a_key_or_a_password_that_is_not_the_right_one(self):
        self.machine.ssh_config("wrong-key", key="other-key")
        wrong = "box does not let this user in: the key or the password is not the right one"
        self.assertIn(wrong, self.told(3, config="wrong-key"))
        self.machine.ssh_config("no-key", key=None)
        somebody = Terminal("setup", "--ssh", "pi", "--ssh-config", self.machine.folder / "no-key", "--package", PACKAGE)
        for _ in range(3):
            somebody.answer("password:", "wrong")
        self.assertEqual(somebody.end(), 3)
        self.assertIn("pi does not let this user in", somebody.shown)

    def test_a_wrong_password_for_sudo(self):
        somebody = Terminal("setup", "--ssh", "pi", "--ssh-config", self.machine.folder / "config", "--package", PACKAGE,
                            "--box-files", self.broker.box_files, *self.broker.login(), *REPLAY, "--yes")
        for _ in range(3):
            somebody.answer_hidden("Password for sudo on pi", "wrong")
            somebody.until("That is not the password")
        self.assertEqual(somebody.end(), 3)
        self.assertIn("pi does not let this user be root; nothing was changed", somebody.shown)
        self.assertEqual(self.machine.content(), self.before)

    def test_a_broker_that_cannot_be_used(self):
        certificate = ["--username", "admin", "--password-file", self.broker.files / "people/admin.password", "--ca-file"]
        other = self.folder / "other.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=other", "-keyout", "/dev/null", "-out", other], check=True, capture_output=True)
        self.assertIn("certificate", self.told(3, login=[*certificate, other]))
        wrong = self.folder / "password"
        wrong.write_text("guess\n")
        wrong.chmod(0o600)
        login = ["--username", "admin", "--password-file", wrong, "--ca-file", self.broker.files / "ca.pem"]
        self.assertIn('refuses user "admin" or the password in --password-file', self.told(3, login=login))
        nobody = f"mqtts://localhost:{free_port()}"
        self.assertIn("nothing was changed", self.told(3, broker=nobody))

    def test_no_camera(self):
        told = self.told(1, camera=[])
        self.assertIn("no camera was found on the box; plug one in, or name a recording with --camera", told)

    def test_packages_that_do_not_fit(self):
        self.assertIn("cannot read /no/such.deb", self.told(2, package="/no/such.deb"))
        text = self.folder / "text.deb"
        text.write_text("hello\n")
        self.assertIn("this is no Debian package; nothing was changed", self.told(1, package=text))
        other = self.package("other.deb", "s/^Package: .*/Package: other/")
        self.assertIn("this is the package of other, not of moodboxd; nothing was changed", self.told(1, package=other))
        foreign = self.package("foreign.deb", "s/^Architecture: .*/Architecture: riscv64/")
        self.assertIn("the package is for riscv64 and this box is", self.told(1, package=foreign))

    def package(self, name, edit):
        """The package with another control file."""
        tree, path = self.folder / "tree", self.folder / name
        subprocess.run(["dpkg-deb", "-R", PACKAGE, tree], check=True)
        subprocess.run(["sed", "-i", edit, tree / "DEBIAN/control"], check=True)
        subprocess.run(["dpkg-deb", "-b", "-Zgzip", "-z1", tree, path], check=True, capture_output=True)
        subprocess.run(["rm", "-r", tree], check=True)
        return path

    def test_a_disk_that_is_full(self):
        self.machine.run("mount -t tmpfs -o size=16m tmpfs /var/tmp")
        self.addCleanup(self.machine.run, "umount /var/tmp")
        self.assertIn("box has 16 MB free and this needs", self.told(1))

    def test_a_lock_that_cannot_be_written(self):
        self.machine.run("rm -f /run/moodbox-setup.lock && mkdir /run/moodbox-setup.lock")
        self.addCleanup(self.machine.run, "rmdir /run/moodbox-setup.lock")
        self.assertIn("cannot write to /run/moodbox-setup.lock; nothing was changed", self.told(1))

    def test_a_configuration_from_the_future(self):
        self.machine.run("mkdir /etc/moodbox && printf '[mood]\\nhold_s = 9\\nsinging = true\\n' >/etc/moodbox/moodbox.toml")
        self.addCleanup(self.machine.run, "rm -r /etc/moodbox")
        done = moodbox("setup", "--ssh", "box", "--ssh-config", self.machine.folder / "config", "--package", PACKAGE, "--yes",
                       "--box-files", self.broker.box_files, *self.broker.login(), *REPLAY)
        self.assertEqual(done.returncode, 2)
        self.assertIn("line 3: singing: unknown key", done.stderr)
        self.assertEqual(self.machine.run("ls /etc/moodbox /usr/bin/moodboxd 2>&1 | head -n2", check=False).count("moodboxd"), 1)

    def test_without_a_terminal_nothing_is_asked(self):
        words = ["--ssh", "box", "--ssh-config", self.machine.folder / "config", "--package", PACKAGE]
        done = moodbox("setup", *words, "--box-files", self.broker.box_files, *self.broker.login(), *REPLAY)
        self.assertEqual((done.returncode, done.stderr),
                         (2, "moodbox: there is nobody to ask; say --yes to do it; nothing was changed\n"))
        done = moodbox("setup", *words, *REPLAY, "--yes")
        self.assertEqual((done.returncode, done.stderr),
                         (2, "moodbox: say which broker with --broker URL; nothing was changed\n"))
        self.assertEqual(self.machine.content(), self.before)

    def test_what_is_no_card(self):
        done = moodbox("setup", "--boot", self.folder, "--package", PACKAGE, "--yes", "--broker", "mqtt://localhost")
        self.assertEqual(done.returncode, 2)
        self.assertIn("is not the boot partition of Raspberry Pi OS", done.stderr)
        self.assertFalse((self.folder / "moodbox").exists())


if __name__ == "__main__":
    unittest.main()
