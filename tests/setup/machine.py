"""A machine to be set up: booted from a root file system that stays as it is, reached over SSH on loopback."""

import os
import pathlib
import shlex
import shutil
import socket
import subprocess
import tempfile

CACHE = pathlib.Path(os.environ["MOODBOX_SETUP_CACHE"])
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MOODBOX = REPOSITORY / "target/debug/moodbox"
PACKAGE = CACHE / "moodboxd.deb"
RECORDING = REPOSITORY / "host-tools/demo/evening.mjpeg"
# More than a set-up takes, also where the package's trial takes its two minutes.
PATIENCE_S = 240

# Holds a lock as apt and dpkg do for as long as a command runs.
HOLD = "import fcntl, os, sys; lock = open(sys.argv[1], 'w'); fcntl.lockf(lock, fcntl.LOCK_EX); os.system(sys.argv[2])"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Machine:
    """Runs from the start to `stop`; what is written to it is gone afterwards."""

    def __init__(self, first_start=(), card=None):
        """`first_start` are options for a machine that starts for the first time; others are over it. `card` is a folder."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="moodbox-machine-"))
        self.port = free_port()
        (self.folder / "sshd.conf").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nPermitRootLogin yes\nPasswordAuthentication yes\nUseDNS no\n"
        )
        binds = [
            f"--bind-ro={self.folder}/sshd.conf:/etc/ssh/sshd_config.d/test.conf",
            f"--bind-ro={RECORDING}:/srv/evening.mjpeg",
            *([f"--bind={card}:/boot/firmware"] if card else []),
        ]
        (self.folder / "over").touch()
        self.boot([*binds, *(first_start or [f"--bind-ro={self.folder}/over:/etc/cloud/cloud-init.disabled"])])
        known = subprocess.run(
            ["ssh-keyscan", "-t", "ed25519", "-p", str(self.port), "127.0.0.1"], capture_output=True, text=True, check=True
        )
        (self.folder / "known_hosts").write_text(known.stdout)
        self.ssh_config("config")

    def boot(self, options):
        ready = self.folder / "ready"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            notified.bind(str(ready))
            notified.settimeout(PATIENCE_S)
            command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--volatile=overlay"]
            command += ["--console=pipe", "--notify-ready=yes", f"--directory={CACHE}/trixie"]
            with open(self.folder / "console", "w") as console:
                self.process = subprocess.Popen(
                    command + options,
                    env={**os.environ, "NOTIFY_SOCKET": str(ready)},
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=console,
                )
            while b"READY=1" not in notified.recv(4096):
                pass

    def ssh_config(self, name, key="key", known_hosts="known_hosts", port=None):
        """A configuration of ssh with the machine as `box` (root) and `pi`; the path of the file."""
        identity = f"IdentityFile {CACHE}/{key}" if key else "PubkeyAuthentication no"
        text = f"""
Host box pi
  HostName 127.0.0.1
  Port {port or self.port}
  {identity}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {self.folder}/{known_hosts}
  GlobalKnownHostsFile /dev/null
Host box
  User root
Host pi
  User pi
"""
        path = self.folder / name
        path.write_text(text)
        return path

    def run(self, command, check=True):
        """What a command on the machine prints, as root."""
        done = subprocess.run(
            ["ssh", "-F", self.folder / "config", "-o", "BatchMode=yes", "box", command],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.stderr}")
        return done.stdout

    def hold(self, lock, said):
        """Keeps a lock of apt or dpkg until what wants it has said this in its log."""
        logs = "/var/tmp/moodbox-work.*/log /tmp/tmp.*/log"
        until = f"systemd-notify --ready; until grep -qs '{said}' {logs}; do sleep 0.1; done"
        holder = shlex.join(["python3", "-c", HOLD, lock, until])
        self.run(f"systemd-run --quiet --service-type=notify --property=NotifyAccess=all {holder}")

    def inside(self, *command):
        """Runs a command on the machine without SSH."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        leader = children.read_text().split()[0]
        subprocess.run(["nsenter", "--target", leader, "--all", *command], check=True, timeout=PATIENCE_S)

    def content(self):
        """All that a set-up could change, file by file."""
        folders = "/etc /usr/bin /usr/lib /var/lib /var/tmp"
        # What the system itself keeps writing, and the names of groups, which packages leave behind.
        passing = "/etc/(group|gshadow|passwd|shadow|subuid|subgid)-?$|/var/lib/(dpkg|apt|systemd|private)/|\\.cache$"
        files = self.run(
            f"find {folders} -xdev -type f -o -type l | sort | grep -vE '{passing}' | xargs -d '\\n' stat -c '%n %a %U %s'"
        )
        return self.run("dpkg-query -W -f '${Package} ${Version} ${Status}\\n'").splitlines() + files.splitlines()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)


def repack(made, change):
    """Makes the package after `change` was let at its unpacked files."""
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["dpkg-deb", "--raw-extract", PACKAGE, root], check=True)
        change(pathlib.Path(root))
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", "-z1", root, made], check=True, capture_output=True)
    return made


def moodbox(*words):
    """How `moodbox` ends that is called with these words and without a terminal."""
    return subprocess.run(
        [MOODBOX, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S
    )
