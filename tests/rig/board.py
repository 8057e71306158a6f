"""The emulated Raspberry Pi 3B, from outside: its serial console, and its pins as a logic analyser sees them."""

import json
import os
import re
import shlex
import socket
import subprocess
import threading
import time

# Registers of the BCM2837's GPIO block: what each pin does, and the levels of pins 0 to 31.
GPFSEL0 = 0x3F200000
GPLEV0 = 0x3F200034
OUTPUT = 1


def as_user(user, *command):
    """The shell's words for running a command as another user of the guest."""
    return f"su {user} -c {shlex.quote('exec ' + shlex.join(command))}"


class Board:
    """Boots on creation; `stop` ends it."""

    def __init__(self, cache):
        self.folder = cache / "run"
        self.folder.mkdir(exist_ok=True)
        self.edges = []
        self._text = ""
        self._news = threading.Condition()
        self._qemu = self._start(cache)
        try:
            self._boot()
        except BaseException:
            self.stop()
            raise

    def _boot(self):
        self._console = self._connect("console")
        self._monitor = self._connect("monitor").makefile("rw")
        self._monitor.readline()
        self._ask("qmp_capabilities")
        self._probe = self._connect("probe")
        threading.Thread(target=self._read_console, daemon=True).start()
        threading.Thread(target=self._read_edges, daemon=True).start()
        self._probe.sendall(b"irq_intercept_out /machine/soc/peripherals/gpio\n")
        self.wait_for("@ready", seconds=180)

    def _start(self, cache):
        for name in ("console", "monitor", "probe"):
            (self.folder / name).unlink(missing_ok=True)
        root = cache / "qemu"
        kernel = next(cache.glob("kernel/boot/vmlinuz-*"))
        board = next(cache.glob("kernel/usr/lib/linux-image-*/broadcom/bcm2837-rpi-3-b.dtb"))
        # With its own loader and libraries, so that it runs on any distribution.
        libraries = f"{root}/lib/x86_64-linux-gnu:{root}/usr/lib/x86_64-linux-gnu"
        loader = [f"{root}/lib64/ld-linux-x86-64.so.2", "--library-path", libraries]
        options = [
            *["-accel", "tcg,thread=multi", "-M", "raspi3b", "-display", "none", "-no-reboot"],
            *["-L", f"{root}/usr/share/qemu", "-kernel", kernel, "-dtb", board, "-initrd", cache / "initramfs"],
            *["-append", "console=ttyS1,115200 quiet loglevel=1 panic=-1"],
            *["-serial", "null", "-serial", "chardev:console"],
            *["-chardev", f"socket,id=console,path={self.folder}/console,server=on,wait=on"],
            *["-qmp", f"unix:{self.folder}/monitor,server=on,wait=off"],
            *["-qtest", f"unix:{self.folder}/probe,server=on,wait=off", "-qtest-log", os.devnull],
        ]
        log = open(self.folder / "qemu.log", "w")
        command = [*loader, root / "usr/bin/qemu-system-aarch64", *options]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _connect(self, name):
        while self._qemu.poll() is None:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self.folder / name))
                return connection
            except OSError:
                connection.close()
                time.sleep(0.1)
        raise RuntimeError("QEMU ended: " + (self.folder / "qemu.log").read_text())

    def _read_console(self):
        with open(self.folder / "console.log", "w") as log:
            while data := self._console.recv(65536):
                text = data.decode(errors="replace").replace("\r", "")
                log.write(text)
                log.flush()
                with self._news:
                    self._text += text
                    self._news.notify_all()

    def _read_edges(self):
        for line in self._probe.makefile("r"):
            if edge := re.match(r"IRQ (raise|lower) (\d+)", line):
                self.edges.append((int(edge[2]), edge[1] == "raise"))

    def _ask(self, command, **arguments):
        self._monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._monitor.flush()
        while True:
            answer = json.loads(self._monitor.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(answer["error"])

    def mark(self):
        """The place in the console's text where `wait_for` and `lines_since` shall begin."""
        with self._news:
            return len(self._text)

    def wait_for(self, pattern, mark=0, seconds=30):
        """Waits until the console has shown `pattern` since `mark`; the match."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                if found := re.search(pattern, self._text[mark:], re.MULTILINE):
                    return found
                if panic := re.search("Kernel panic.*", self._text):
                    raise RuntimeError(f"the guest is gone: {panic[0]}")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{pattern!r} was not seen in {seconds} s, but:\n{self._text[mark:][-1500:]}")
                self._news.wait(left)

    def lines_since(self, mark):
        with self._news:
            return self._text[mark:].splitlines()

    def shell(self, line, seconds=30):
        """Runs a line in the guest's shell and waits for its end; its exit code."""
        mark = self.mark()
        self._console.sendall(line.encode() + b"\n")
        return int(self.wait_for(r"^@exit (\d+)$", mark, seconds)[1])

    def _register(self, address):
        answer = self._ask("human-monitor-command", **{"command-line": f"xp /1wx {address:#x}"})
        return int(answer.split()[-1], 16)

    def high(self, pin):
        return bool(self._register(GPLEV0) >> pin & 1)

    def is_output(self, pin):
        return self._register(GPFSEL0 + 4 * (pin // 10)) >> 3 * (pin % 10) & 7 == OUTPUT

    def wait_until(self, condition, what, seconds=20):
        """Waits for what happens on the pins alone, of which no message comes."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not seen in {seconds} s: {what}"
            time.sleep(0.05)

    def stop(self):
        self._qemu.kill()
        self._qemu.wait()
