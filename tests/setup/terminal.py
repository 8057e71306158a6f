"""Somebody at a terminal who reads what `moodbox` asks, and answers."""

import os
import pty
import re
import select
import signal
import termios
import time

from machine import MOODBOX, PATIENCE_S


class Terminal:
    """`moodbox` with these words on a terminal; programs in the folder `first` come before those of the system."""

    def __init__(self, *words, first=None):
        self.answers = 0
        self.shown = ""
        self.read_to = 0
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
            if first:
                environment["PATH"] = f"{first}:{environment['PATH']}"
            os.execve(MOODBOX, ["moodbox", *map(str, words)], environment)

    def answer(self, question, text):
        """Waits until this is asked, and answers."""
        self.until(question)
        self.answers += 1
        os.write(self.terminal, text.encode() + b"\r")

    def answer_hidden(self, question, text):
        """Answers what is asked without an echo, once there is none: what comes before is thrown away."""
        self.until(question)
        deadline = time.monotonic() + PATIENCE_S
        while termios.tcgetattr(self.terminal)[3] & termios.ECHO:
            if time.monotonic() > deadline:
                raise AssertionError(f"an answer to {question!r} would be shown")
            time.sleep(0.01)
        self.answers += 1
        os.write(self.terminal, text.encode() + b"\r")

    def until(self, pattern):
        """Waits until what is shown from here on contains this."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.shown[self.read_to :])):
            if not self.more(deadline):
                raise AssertionError(f"waited for {pattern!r} in: {self.shown}")
        self.read_to += found.end()

    def more(self, deadline):
        """Reads what is shown next; whether there was something."""
        ready, _, _ = select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            some = os.read(self.terminal, 4096)
        except OSError:
            return False
        self.shown += some.decode(errors="replace")
        return bool(some)

    def end(self):
        """Its exit code, once all is shown."""
        deadline = time.monotonic() + PATIENCE_S
        while self.more(deadline):
            pass
        if time.monotonic() > deadline:
            os.kill(self.child, signal.SIGKILL)
        _, status = os.waitpid(self.child, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)
