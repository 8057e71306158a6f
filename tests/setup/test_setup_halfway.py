"""`moodbox setup` that ends halfway: it says what was changed, goes on when it is called again, and can be undone."""

import signal
import subprocess
import unittest

from broker import Broker
from machine import MOODBOX, PACKAGE, Machine, moodbox, repack

EVERYTHING = "sha256sum /usr/bin/moodboxd /etc/moodbox/*; systemctl is-active moodboxd"


class Halfway(unittest.TestCase):
    def setUp(self):
        self.machine, self.broker = Machine(), Broker()
        self.addCleanup(self.machine.stop)
        self.addCleanup(self.broker.stop)
        self.to = ["setup", "--ssh", "box", "--ssh-config", self.machine.folder / "config"]
        self.words = [*self.to, "--package", PACKAGE, "--camera", "replay:/srv/evening.mjpeg", "--yes",
                      "--box-files", self.broker.box_files, *self.broker.login()]

    def started_until(self, text):
        """A set-up that has just said this."""
        process = subprocess.Popen([MOODBOX, *map(str, self.words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if text in line:
                return process
        self.fail(f"it never said {text!r}: {process.stderr.read()}")

    def box_goes_away(self, process):
        """And returns; what the set-up has said of it."""
        # All of the server's processes, with the connections.
        self.machine.inside("systemctl", "stop", "ssh")
        self.machine.inside("pkill", "-KILL", "sshd")
        told = process.stderr.read()
        self.assertEqual(process.wait(), 3, told)
        self.machine.inside("systemctl", "start", "ssh")
        return told

    def goes_on_and_back(self, before):
        done = moodbox(*self.words)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("camera on", done.stdout)
        self.assertEqual(moodbox(*self.to, "--undo").returncode, 0)
        self.assertEqual(self.machine.content(), before)

    def test_a_box_that_goes_away_and_returns(self):
        before = self.machine.content()
        process = self.started_until("/etc/moodbox/moodbox.toml is written")
        told = self.box_goes_away(process)
        self.assertIn("the connection to box broke", told)
        self.assertTrue(told.endswith("set up again to go on, or put back what was changed with `moodbox setup --ssh box --undo`\n"))
        # What was begun is ended by the box itself, up to where it would ask.
        self.machine.run("flock /run/moodbox-setup.lock true")
        self.goes_on_and_back(before)

    def test_a_box_that_goes_away_before_it_starts_with_another_broker(self):
        self.assertEqual(moodbox(*self.words).returncode, 0)
        config = self.machine.run("cat /etc/moodbox/moodbox.toml")
        other = Broker()
        self.addCleanup(other.stop)
        self.words = [*self.words[: self.words.index("--box-files")], "--box-files", other.box_files, *other.login()]
        # Once the configuration is written it asks what was installed, and gets no answer until the box is gone.
        there = "cd /var/lib/moodbox-setup && "
        self.machine.run(there + "mv package.sha256 kept && mkfifo package.sha256")
        self.box_goes_away(self.started_until("/etc/moodbox/moodbox.toml is written"))
        self.machine.run(there + "cat kept >package.sha256 && mv kept package.sha256 && flock /run/moodbox-setup.lock true")
        # All is as it should be, but for what runs: the other broker hears of the box only after a start.
        done = moodbox(*self.words)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("moodbox.toml is as it should be", done.stdout)
        self.assertIn("camera on", done.stdout)
        # That ended it; what comes next is undone by itself.
        second = self.machine.run("cat /etc/moodbox/moodbox.toml")
        self.assertEqual(moodbox(*self.words, "--name", "Third").returncode, 0)
        self.assertEqual(moodbox(*self.to, "--undo").returncode, 0)
        self.assertEqual(self.machine.run("cat /etc/moodbox/moodbox.toml"), second)
        self.assertNotEqual(second, config)

    def test_an_undo_that_ends_before_the_service_starts(self):
        first = [*self.words, "--name", "First"]
        self.assertEqual(moodbox(*first).returncode, 0)
        self.assertEqual(moodbox(*self.words, "--name", "Second").returncode, 0)
        self.machine.run("systemctl mask --runtime moodboxd 2>&1")
        done = moodbox(*self.to, "--undo")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("the service does not start as it was", done.stderr)
        self.machine.run("systemctl unmask --runtime moodboxd 2>&1")
        # The files are those of the first one, and what runs is still the second.
        running = "systemctl show -P MainPID moodboxd"
        second = self.machine.run(running)
        self.assertEqual(moodbox(*first).returncode, 0)
        self.assertNotEqual(self.machine.run(running), second)

    def test_a_disk_that_becomes_full(self):
        before = self.machine.content()
        self.machine.run("mkdir /usr/lib/moodbox && mount -t tmpfs -o size=1m tmpfs /usr/lib/moodbox")
        done = moodbox(*self.words)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
        self.assertIn("the package cannot be installed: ", done.stderr)
        self.assertIn("No space left on device", done.stderr)
        self.assertIn("put back what was changed with `moodbox setup --ssh box --undo`", done.stderr)
        self.assertEqual(moodbox(*self.to, "--undo").returncode, 0)
        self.machine.run("umount /usr/lib/moodbox && rmdir /usr/lib/moodbox")
        self.assertEqual(self.machine.content(), before)

    def test_others_who_install_are_waited_for(self):
        before = self.machine.content()
        frontend = "/var/lib/dpkg/lock-frontend"
        self.machine.hold(frontend, "^Waiting for cache lock")
        self.machine.hold("/var/cache/apt/archives/lock", "^E: Unable to lock directory")
        done = moodbox(*self.words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.machine.hold(frontend, "^dpkg: error: .* was locked by ")
        done = moodbox(*self.to, "--undo")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(self.machine.content(), before)

    def test_what_a_power_cut_left_half_installed_is_ended_first(self):
        # As dpkg leaves it that was cut off.
        self.machine.run("dpkg-query -s base-files >/var/lib/dpkg/updates/0001")
        done = moodbox(*self.words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_a_package_that_does_not_hold(self):
        self.assertEqual(moodbox(*self.words).returncode, 0)
        program = "sha256sum /usr/bin/moodboxd; systemctl is-active moodboxd"
        before = self.machine.run(program)
        refusing = '#!/bin/sh\n[ "$1" = --check-config ] || exit 2\n'
        package = repack(self.machine.folder / "refusing.deb", lambda tree: (tree / "usr/bin/moodboxd").write_text(refusing))
        # It goes by the same version as the one that is there, and is not taken for installed the second time.
        for _ in range(2):
            done = moodbox(*[package if word == PACKAGE else word for word in self.words])
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertRegex(done.stderr, " did not pass its trial: moodboxd .* \\(.*exit code 2\\): .* is back and runs; set up again")
            self.assertEqual(self.machine.run(program), before)

    def set_up_first(self):
        """With a package that takes no other configuration; what runs then."""
        def choosy(tree):
            program = tree / "usr/bin/moodboxd"
            program.rename(tree / "usr/bin/moodboxd.real")
            refuses = '[ "$1" = --version ] || ! grep -qs Second /etc/moodbox/moodbox.toml || exit 2'
            program.write_text(f'#!/bin/sh\n{refuses}\nexec "$0.real" "$@"\n')
            program.chmod(0o755)

        done = self.set_up(repack(self.machine.folder / "choosy.deb", choosy), "First")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return self.machine.run(EVERYTHING)

    def set_up(self, package, name):
        return moodbox(*[package if word == PACKAGE else word for word in self.words], "--name", name)

    def test_a_package_that_does_not_hold_and_a_configuration_that_the_one_before_does_not_take(self):
        before = self.set_up_first()
        refusing = '#!/bin/sh\n[ "$1" = --check-config ] || exit 2\n'
        second = repack(self.machine.folder / "refusing.deb", lambda tree: (tree / "usr/bin/moodboxd").write_text(refusing))
        done = self.set_up(second, "Second")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(" is back and does not start; with the files from before it runs; set up again", done.stderr)
        self.assertEqual(self.machine.run(EVERYTHING), before)

    def test_an_upgrade_is_undone_whose_configuration_the_one_before_does_not_take(self):
        before = self.set_up_first()
        done = self.set_up(PACKAGE, "Second")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertNotEqual(self.machine.run(EVERYTHING), before)
        # Others who have to do with each package take longer than its trial would to see that it does not run.
        self.machine.run("echo 'DPkg::Post-Invoke { \"sleep 10\"; };' >/etc/apt/apt.conf.d/99slow")
        done = moodbox(*self.to, "--undo")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(self.machine.run(EVERYTHING), before)

    def test_two_at_once(self):
        first = self.started_until("takes the configuration")
        # It keeps the others out as long as the box waits for it.
        first.send_signal(signal.SIGSTOP)
        done = moodbox(*self.words)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.endswith("another set-up is at work on this box; nothing was changed\n"), done.stderr)
        first.send_signal(signal.SIGCONT)
        self.assertIn("camera on", first.stdout.read())
        self.assertEqual(first.wait(), 0)

    def test_a_computer_that_falls_silent_keeps_others_out_for_a_minute_at_most(self):
        self.assertEqual(moodbox(*self.words).returncode, 0)
        self.words += ["--name", "Second"]
        # The box gets as far as to ask only once the computer is silent.
        there = "cd /var/lib/moodbox-setup && "
        self.machine.run(there + "mv package.sha256 kept && mkfifo package.sha256")
        silent = self.started_until("/etc/moodbox/moodbox.toml is written")
        silent.send_signal(signal.SIGSTOP)
        self.machine.run(there + "cat kept >package.sha256 && mv kept package.sha256 && flock /run/moodbox-setup.lock true")
        done = moodbox(*self.words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        silent.send_signal(signal.SIGCONT)
        told = silent.stderr.read()
        self.assertEqual(silent.wait(), 1, told)
        self.assertIn("the computer went away before the service was started; set up again to go on", told)

    def test_a_broker_that_keeps_the_state_to_itself(self):
        # The box's own user may not read what boxes say.
        self.words = self.words[: -len(self.broker.login())]
        box = self.broker.box_files
        done = moodbox(*self.words, "--username", "attic", "--password-file", box / "password", "--ca-file", box / "ca.pem")
        self.assertEqual(done.returncode, 3)
        self.assertIn("has told nothing of box attic: can the box reach it, and may this user read moodbox/attic/state and "
                      "moodbox/attic/availability?", done.stderr)
        self.assertIn("what was changed is put back by `moodbox setup --ssh box --undo`", done.stderr)


if __name__ == "__main__":
    unittest.main()
