"""A real Chromium, and what went wrong in it."""

import tempfile

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

QUIETLY = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Somebody else's name that leads to this computer.
    "--host-resolver-rules=MAP evil.example 127.0.0.1",
]
expect.set_options(timeout=20_000)


def nothing_keeps_others_out(page, scheme):
    """By what axe finds."""
    page.emulate_media(color_scheme=scheme)
    found = Axe().run(page).response["violations"]
    assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


class Browser:
    """Counts what pages ask for elsewhere, and what they complain about."""

    def __init__(self, playwright):
        self._profile = tempfile.TemporaryDirectory()
        self.context = playwright.chromium.launch_persistent_context(
            self._profile.name, executable_path="/usr/bin/chromium", chromium_sandbox=False, args=QUIETLY
        )
        self.context.set_default_timeout(20_000)
        self.requests, self.complaints = [], []
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("console", lambda message: message.type in ("error", "warning") and self.complain(message.text))
        self.context.on("weberror", lambda error: self.complain(str(error.error)))

    def complain(self, text):
        self.complaints.append(text)

    def open(self, address, width=1280, height=1000):
        """A tab of its own, with what is kept for it alone."""
        page = self.context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.goto(address)
        return page

    def close(self):
        self.context.close()
        self._profile.cleanup()
