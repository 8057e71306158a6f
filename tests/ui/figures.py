"""How soon the page shows what a box says, and what the server costs while nothing changes.

    figures.py
"""

import json
import os
import pathlib
import statistics
import tempfile
import time

from playwright.sync_api import expect, sync_playwright

from home import Broker, Listener, Ui
from watching import Browser

CHANGES = 40
STILL_S = 60
STATE = {"mood": "neutral", "unsure": False, "expression": None, "faces": 1, "presence": True, "valence": 0.0, "arousal": 0.0,
         "policy": "match", "camera": "on", "leds": "on", "schema": 1}
WATCH = """() => new MutationObserver(() => { window.shown = [document.querySelector("#presence").textContent, Date.now()]; })
  .observe(document.querySelector("#presence"), { childList: true, subtree: true, characterData: true })"""


def processor_s(pid):
    """User and system time of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(folder, playwright):
    broker = Broker(folder)
    listener, ui = Listener(broker.port), Ui(broker.port)
    browser = Browser(playwright)
    # What a box says, said by us, so that we know when.
    say = lambda faces: listener.publish("moodbox/hall/state", json.dumps(STATE | {"faces": faces}), retain=True)
    listener.publish("moodbox/hall/availability", "online", retain=True)
    say(1)
    page = browser.open(ui.url)
    expect(page.locator("#presence")).to_have_text("1 face")
    page.evaluate(WATCH)
    delays = []
    for faces in range(2, CHANGES + 2):
        start = time.time()
        say(faces)
        expect(page.locator("#presence")).to_have_text(f"{faces} faces")
        text, at_ms = page.evaluate("window.shown")
        assert text == f"{faces} faces"
        delays.append(at_ms / 1000 - start)
    median, slowest = statistics.median(delays), max(delays)
    print(f"from the box to the page: median {1000 * median:.0f} ms, slowest of {CHANGES} {1000 * slowest:.0f} ms")
    before = processor_s(ui.process.pid)
    time.sleep(STILL_S)
    share = (processor_s(ui.process.pid) - before) / STILL_S
    print(f"the server while nothing changes, one page open: {100 * share:.2f} % of a core over {STILL_S} s")
    memory = pathlib.Path(f"/proc/{ui.process.pid}/status").read_text().split("VmRSS:")[1].split("kB")[0]
    print(f"its memory: {int(memory) / 1024:.0f} MB")
    browser.close()
    ui.stop()
    listener.close()
    broker.kill()


with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
    main(pathlib.Path(folder), playwright)
