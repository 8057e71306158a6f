"""How soon the page and the terminal show what a box says, and what they cost while nothing changes.

    figures.py
"""

import contextlib
import json
import os
import pathlib
import pty
import select
import statistics
import tempfile
import termios
import time

from playwright.sync_api import expect, sync_playwright

from home import PROGRAMS, Broker, Listener, Ui
from watching import Browser

CHANGES = 40
STILL_S = 60
STATE = {"mood": "neutral", "unsure": False, "expression": None, "faces": 1, "presence": True, "valence": 0.0, "arousal": 0.0,
         "policy": "match", "camera": "on", "leds": "on", "schema": 1}
WATCH = """() => new MutationObserver(() => { window.shown = [document.querySelector("#presence").textContent, Date.now()]; })
  .observe(document.querySelector("#presence"), { childList: true, subtree: true, characterData: true })"""

POLICIES = ("lift", "soothe", "match")


def processor_s(pid):
    """User and system time of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost(what, pid):
    before = processor_s(pid)
    time.sleep(STILL_S)
    share = (processor_s(pid) - before) / STILL_S
    memory = pathlib.Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split("kB")[0]
    print(f"{what} while nothing changes: {100 * share:.2f} % of a core over {STILL_S} s, {int(memory) / 1024:.0f} MB")


def delay(where, delays):
    median, slowest = statistics.median(delays), max(delays)
    print(f"from the box to {where}: median {1000 * median:.0f} ms, slowest of {CHANGES} {1000 * slowest:.0f} ms")


def figures_of_the_page(port, say, playwright):
    ui, browser = Ui(port), Browser(playwright)
    page = browser.open(ui.url)
    expect(page.locator("#presence")).to_have_text("1 face")
    page.evaluate(WATCH)
    delays = []
    for faces in range(2, CHANGES + 2):
        start = time.time()
        say(faces=faces)
        expect(page.locator("#presence")).to_have_text(f"{faces} faces")
        text, at_ms = page.evaluate("window.shown")
        assert text == f"{faces} faces"
        delays.append(at_ms / 1000 - start)
    delay("the page", delays)
    cost("the server of one page", ui.process.pid)
    browser.close()
    ui.stop()


class Screen:
    """`moodbox watch` on a terminal."""

    def __init__(self, port):
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            words = ["moodbox", "watch", "--broker", f"mqtt://127.0.0.1:{port}", "--id", "hall"]
            os.execve(PROGRAMS / "moodbox", words, os.environ | {"TERM": "xterm-256color"})
        termios.tcsetwinsize(self._terminal, (24, 80))

    def next(self, patience_s):
        """What is drawn next; empty if nothing is in this time."""
        ready, _, _ = select.select([self._terminal], [], [], patience_s)
        return os.read(self._terminal, 65536) if ready else b""

    def quit(self):
        os.write(self._terminal, b"q")
        # A terminal whose program has ended gives an error, and no end.
        with contextlib.suppress(OSError):
            while self.next(1):
                pass
        os.waitpid(self.pid, 0)


def figures_of_the_terminal(port, say):
    screen = Screen(port)
    drawn = b""
    while b"policy" not in drawn:
        drawn += screen.next(10)
    delays = []
    for change in range(CHANGES):
        while screen.next(0.3):
            pass
        start = time.time()
        say(policy=POLICIES[change % len(POLICIES)])
        assert screen.next(10)
        delays.append(time.time() - start)
    delay("the terminal", delays)
    cost("the terminal", screen.pid)
    screen.quit()


def main(folder, playwright):
    broker = Broker(folder)
    listener = Listener(broker.port)
    # What a box says, said by us, so that we know when.
    say = lambda **news: listener.publish("moodbox/hall/state", json.dumps(STATE | news), retain=True)
    listener.publish("moodbox/hall/availability", "online", retain=True)
    say()
    figures_of_the_page(broker.port, say, playwright)
    say()
    figures_of_the_terminal(broker.port, say)
    listener.close()
    broker.kill()


with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
    main(pathlib.Path(folder), playwright)
