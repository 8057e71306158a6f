"""`moodbox setup --boot`: a card is written, and a machine starts with it for the first time."""

import pathlib
import subprocess
import tempfile
import unittest

from broker import Broker
from machine import PACKAGE, Machine, moodbox

# As Raspberry Pi OS has it.
CLOUD_INIT = "datasource_list: [ NoCloud, None ]\ndatasource:\n  NoCloud:\n    seedfrom: file:///boot/firmware\nssh_deletekeys: false\n"


class Card(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.stop)
        self.card = pathlib.Path(tempfile.mkdtemp(prefix="moodbox-card-"))
        self.addCleanup(subprocess.run, ["rm", "-r", self.card])
        files = {
            "config.txt": "",
            "cmdline.txt": "console=tty1 rootwait\n",
            "meta-data": "dsmode: local\ninstance_id: rpios-image\n",
            "user-data": "#cloud-config\nruncmd:\n- [ touch, /etc/what-the-person-wanted ]\n",
        }
        for name, content in files.items():
            (self.card / name).write_text(content)

    def write(self, *words, box=None):
        words = ["--package", PACKAGE, "--camera", "replay:/srv/evening.mjpeg", "--yes", *words]
        box = box or ["--box-files", self.broker.box_files]
        done = moodbox("setup", "--boot", self.card, *words, *box, *self.broker.login())
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_machine_that_starts_with_it_becomes_a_box(self):
        self.write("--name", "Attic")
        settings = self.card.with_suffix(".cfg")
        settings.write_text(CLOUD_INIT)
        self.addCleanup(settings.unlink)
        options = [f"--bind-ro={settings}:/etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg"]
        machine = Machine(first_start=options, card=self.card)
        self.addCleanup(machine.stop)
        password = (self.broker.files / "people/admin.password").read_text().strip()
        subprocess.run(
            ["mosquitto_sub", "-h", "localhost", "-p", str(self.broker.port), "--cafile", self.broker.files / "ca.pem",
             "-u", "admin", "-P", password, "-C", "1", "-W", "60", "-t", "moodbox/attic/state"],
            check=True, capture_output=True,
        )
        # What it has to say of a machine without hardware is not what this is about.
        machine.run("cloud-init status --wait", check=False)
        # The person's own wishes are done as well, and nothing secret stays on the card.
        machine.run("test -e /etc/what-the-person-wanted")
        self.assertEqual({path.name for path in self.card.iterdir()},
                         {"config.txt", "cmdline.txt", "meta-data", "user-data", "moodbox-setup.txt"})
        self.assertIn("the service runs, also after a restart", (self.card / "moodbox-setup.txt").read_text())
        self.assertEqual(machine.run("stat -c '%a %U' /etc/moodbox/password"), "600 root\n")

    def test_a_power_cut_during_the_first_start(self):
        self.write()
        before = {path.name for path in self.card.iterdir()}
        machine = Machine(card=self.card)
        self.addCleanup(machine.stop)
        # It comes in the middle of the work.
        script = self.card / "moodbox/box.sh"
        whole = script.read_text()
        script.write_text("exec sleep infinity\n")
        unit = "moodbox-first-boot.service"
        machine.run("systemd-run --quiet sh /boot/firmware/vendor-data")
        machine.run(f"until pgrep -x sleep; do sleep 0.1; done; systemctl kill --signal=KILL {unit}")
        machine.run(f"while [ \"$(systemctl show -P ActiveState {unit})\" = activating ]; do sleep 0.1; done")
        self.assertEqual({path.name for path in self.card.iterdir()}, before)
        # What the next start does; cloud-init does nothing any more.
        script.write_text(whole)
        self.assertEqual(machine.run("ls /etc/systemd/system/multi-user.target.wants | grep moodbox"), f"{unit}\n")
        machine.run(f"systemctl start {unit}")
        self.assertIn("the service runs, also after a restart", (self.card / "moodbox-setup.txt").read_text())
        self.assertFalse((self.card / "moodbox").exists() or (self.card / "vendor-data").exists())
        self.assertEqual(machine.run("ls -R /etc/systemd/system | grep first-boot || true"), "")

    def test_a_card_without_cloud_init(self):
        for name in ["meta-data", "user-data"]:
            (self.card / name).unlink()
        before = {path.name: path.read_bytes() for path in self.card.iterdir()}
        machine = Machine(card=self.card)
        self.addCleanup(machine.stop)

        def start():
            """What is said of a start with the card. It always ends well: the machine would be switched off otherwise."""
            self.write(box=["--broker", self.broker.url()])
            machine.run("sh /boot/firmware/moodbox/first-boot.sh")
            after = {path.name: path.read_bytes() for path in self.card.iterdir()}
            said = after.pop("moodbox-setup.txt").decode().splitlines()
            self.assertEqual(after, before)
            return said

        machine.run("mount -t tmpfs -o size=1m tmpfs /var/tmp")
        self.assertEqual(start()[-1], "go on from here with `moodbox setup --ssh`")
        machine.run("umount /var/tmp")
        self.assertEqual(start()[-1], "the service runs, also after a restart")
        # Nobody had seen it when the card was written: the network hears the id that it has given to itself.
        own = machine.run("journalctl -u moodboxd -o cat | sed -n 's/.*box \\(.*\\) with models.*/\\1/p' | tail -n1").strip()
        announced = "/etc/avahi/services/moodbox.service"
        self.assertEqual(machine.run(f"sed -n 's|.*<txt-record>id=\\(.*\\)</txt-record>|\\1|p' {announced}").strip(), own)
        self.assertNotEqual(own, "")
        # Once more is the same.
        journal = machine.run("cat /var/lib/moodbox-setup/journal")
        self.assertEqual(start()[-1], "the service runs")
        self.assertEqual(machine.run("cat /var/lib/moodbox-setup/journal"), journal)

    def test_what_is_on_it_is_put_back(self):
        before = {path.name: path.read_bytes() for path in self.card.iterdir()}
        self.write()
        self.write()
        self.assertTrue((self.card / "vendor-data").exists())
        self.assertEqual(moodbox("setup", "--boot", self.card, "--undo").returncode, 0)
        self.assertEqual({path.name: path.read_bytes() for path in self.card.iterdir()}, before)

    def test_a_card_that_is_full(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", self.card], check=True)
        self.addCleanup(subprocess.run, ["umount", self.card])
        for name in ["config.txt", "cmdline.txt"]:
            (self.card / name).write_text("")
        words = ["--package", PACKAGE, "--yes", "--box-files", self.broker.box_files, *self.broker.login()]
        done = moodbox("setup", "--boot", self.card, *words)
        self.assertEqual(done.returncode, 1)
        self.assertIn("has 4 MB free and this needs", done.stderr)
        self.assertEqual({path.name for path in self.card.iterdir()}, {"config.txt", "cmdline.txt"})


if __name__ == "__main__":
    unittest.main()
