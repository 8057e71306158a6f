"""A Debian of its own with its own systemd, in a container without a network; what is written in it is forgotten."""

import contextlib
import subprocess
import time

# Packages of the folder /test alone; what they depend on is there.
INSTALL = "apt-get install -qq -y -o Dpkg::Options::=--force-confold"


class Machine:
    """Boots on creation; `stop` ends it. `shared` is to be seen as /test in it."""

    def __init__(self, root, shared):
        self._log = open(shared / "boot.log", "w")
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--volatile=overlay"]
        command += ["--console=read-only", f"--directory={root}", f"--bind-ro={shared}:/test", "--machine=moodbox-test", "--boot"]
        self._container = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT)
        try:
            self._enter = ["nsenter", f"--target={self._first_process()}", "--all", "--wdns=/"]
            self.wait_until("systemctl is-system-running | grep -qE 'running|degraded'", 120)
        except BaseException:
            self.stop()
            raise

    def _first_process(self):
        while self._container.poll() is None:
            found = subprocess.run(["pgrep", "-P", str(self._container.pid)], capture_output=True, text=True).stdout.split()
            if found:
                return found[0]
            time.sleep(0.1)
        raise RuntimeError(f"the container ended: see {self._log.name}")

    def run(self, line, check=True):
        """Runs a line of shell as root; what it wrote."""
        environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        done = subprocess.run(
            [*self._enter, *environment, "sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if check and done.returncode:
            raise AssertionError(f"{line!r} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout.strip()

    def succeeds(self, line):
        return subprocess.run([*self._enter, "sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True).returncode == 0

    def wait_until(self, line, seconds):
        """Waits for what no message comes of."""
        deadline = time.monotonic() + seconds
        while not self.succeeds(line):
            assert time.monotonic() < deadline, f"not within {seconds} s: {line}"
            time.sleep(0.2)

    def stop(self):
        self._container.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._container.wait(20)
        self._container.kill()
        self._container.wait()
        self._log.close()
