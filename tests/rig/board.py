"""The emulated Raspberry Pi, from outside: its serial console, its network cable, its power, and its pins as a logic
analyser sees them."""

import json
import os
import re
import shlex
import socket
import subprocess
import threading
import time
from collections import namedtuple

# What QEMU calls a board, the kernel's description of it, where its GPIO block begins, which of its serial ports is the
# console, and words for the kernel.
Model = namedtuple("Model", "machine tree gpio port arguments")
PI_3B = Model("raspi3b", "bcm2837-rpi-3-b.dtb", 0x3F200000, 1, "console=ttyS1,115200 quiet loglevel=1")
# The emulated board lacks what the first three drivers are for, and the interrupt of the second serial port never ends; so all
# is said through the kernel's log, on the port of the early console.
LACKS = [
    "initcall_blacklist=brcmstb_l2_driver_init,brcmstb_i2c_driver_init,clk_dvp_driver_init,bcm2835aux_serial_driver_init",
    "without=dwc2,sdhci-iproc,bcm2835,bcm2835_thermal,gpiomem",
    "earlycon=pl011,mmio32,0xfe201000 keep_bootcon printk.devkmsg=on loglevel=7 unattended",
]
PI_4B = Model("raspi4b", "bcm2711-rpi-4-b.dtb", 0xFE200000, 0, " ".join(LACKS))

# Registers of that block: what each pin does; sets and clears pins 0 to 31; their levels.
GPFSEL0, GPSET0, GPCLR0, GPLEV0 = 0x00, 0x1C, 0x28, 0x34
OUTPUT = 1

# A pin's change as the logic analyser saw it, at a time of the host's monotonic clock.
Edge = namedtuple("Edge", "at pin high")


def as_user(user, *command):
    """The shell's words for running a command as another user of the guest."""
    return f"su {user} -c {shlex.quote('exec ' + shlex.join(command))}"


class Board:
    """Boots on creation, with a card in it if there is one; `stop` takes its power away."""

    def __init__(self, cache, model=PI_3B, card=None):
        self.model = model
        self.folder = cache / "run"
        self.folder.mkdir(exist_ok=True)
        self.edges = []
        self._text = ""
        self._news = threading.Condition()
        self._qemu = self._start(cache, card)
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

    def _start(self, cache, card):
        for name in ("console", "monitor", "probe"):
            (self.folder / name).unlink(missing_ok=True)
        root = cache / "qemu"
        kernel = next(cache.glob("kernel/boot/vmlinuz-*"))
        tree = next(cache.glob(f"kernel/usr/lib/linux-image-*/broadcom/{self.model.tree}"))
        # With its own loader and libraries, so that it runs on any distribution.
        libraries = f"{root}/lib/x86_64-linux-gnu:{root}/usr/lib/x86_64-linux-gnu"
        loader = [f"{root}/lib64/ld-linux-x86-64.so.2", "--library-path", libraries]
        options = [
            *["-accel", "tcg,thread=multi", "-M", self.model.machine, "-display", "none", "-no-reboot"],
            *["-L", f"{root}/usr/share/qemu", "-kernel", kernel, "-dtb", tree, "-initrd", cache / "initramfs"],
            *["-append", f"{self.model.arguments} panic=-1"],
            *(["-serial", "null"] * self.model.port), *["-serial", "chardev:console"],
            *["-chardev", f"socket,id=console,path={self.folder}/console,server=on,wait=on"],
            *["-qmp", f"unix:{self.folder}/monitor,server=on,wait=off"],
            *["-qtest", f"unix:{self.folder}/probe,server=on,wait=off", "-qtest-log", os.devnull],
        ]
        if self.model == PI_3B:
            options += ["-netdev", "user,id=cable", "-device", "usb-net,netdev=cable"]
        if card:
            options += ["-drive", f"if=sd,format=raw,file={card}"]
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
                self.edges.append(Edge(time.monotonic(), int(edge[2]), edge[1] == "raise"))

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
                # Half a line could hold half a number.
                if found := re.search(pattern, self._text[mark : self._text.rfind("\n") + 1], re.MULTILINE):
                    return found
                if panic := re.search("Kernel panic.*", self._text):
                    raise RuntimeError(f"the guest is gone: {panic[0]}")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{pattern!r} was not seen in {seconds} s, but:\n{self._text[mark:][-1500:]}")
                self._news.wait(left)

    def said(self, pattern, mark):
        """Whether the console has shown `pattern` since `mark`."""
        with self._news:
            return re.search(pattern, self._text[mark:], re.MULTILINE) is not None

    def lines_since(self, mark):
        with self._news:
            return self._text[mark:].splitlines()

    def mark_after(self, line):
        """Runs a line in the guest's shell, in the background; the place in the console's text before it."""
        mark = self.mark()
        self.shell(f"({line}) >/dev/ttyS1 &")
        return mark

    def read(self, line):
        """What a line in the guest's shell prints."""
        mark = self.mark()
        self.shell(f"echo \"@read $({line})\"")
        return self.wait_for(r"^@read ([^@]*)", mark)[1].strip()

    def shell(self, line, seconds=30):
        """Runs a line in the guest's shell and waits for its end; its exit code."""
        mark = self.mark()
        self._console.sendall(line.encode() + b"\n")
        return int(self.wait_for(r"^@exit (\d+)$", mark, seconds)[1])

    def _register(self, offset):
        address = self.model.gpio + offset
        answer = self._ask("human-monitor-command", **{"command-line": f"xp /1wx {address:#x}"})
        return int(answer.split()[-1], 16)

    def high(self, pin):
        return bool(self._register(GPLEV0) >> pin & 1)

    def is_output(self, pin):
        return self._register(GPFSEL0 + 4 * (pin // 10)) >> 3 * (pin % 10) & 7 == OUTPUT

    def drive(self, pin, high):
        """Puts a level on a pin that is an input. QEMU has no such wire; what the registers take is what they show."""
        register = self.model.gpio + (GPSET0 if high else GPCLR0)
        self._probe.sendall(b"writel %#x %#x\n" % (register, 1 << pin))

    def plug_cable(self, plugged):
        """Cuts the network, or mends it."""
        self._ask("set_link", name="cable", up=plugged)

    def wait_until(self, condition, what, seconds=20):
        """Waits for what happens on the pins alone, of which no message comes."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not seen in {seconds} s: {what}"
            time.sleep(0.05)

    def stop(self):
        self._qemu.kill()
        self._qemu.wait()
