"""Checks the page of `moodbox ui` in a real Chromium, with a real broker and real boxes; `make test-ui` runs it.

    check.py [NAME...]

With names, only the checks whose names contain one of them.
"""

import pathlib
import sys
import tempfile
import traceback

from playwright.sync_api import sync_playwright

import doing
import failing
import looking
from home import Home
from watching import Browser

# A browser complains about every answer that is no success, also where the page shows why.
EXPECTED = "Failed to load resource"


def take(check, home, browser, quiet):
    """Whether it holds; where nothing is meant to fail, the browser must have nothing to complain about."""
    try:
        browser.complaints.clear()
        check(home, browser)
        unexpected = [text for text in browser.complaints if quiet or not text.startswith(EXPECTED)]
        assert not unexpected, unexpected
        elsewhere = [url for url in browser.requests if not quiet_place(url, home)]
        assert not quiet or not elsewhere, elsewhere
    except Exception:
        print(f"FAILED  {check.__name__}\n{traceback.format_exc()}", flush=True)
        return False
    finally:
        for page in browser.context.pages[1:]:
            page.close()
    print(f"ok      {check.__name__}", flush=True)
    return True


def quiet_place(url, home):
    """Whether nothing leaves this computer for it."""
    return url.startswith((home.ui.origin, "about:", "data:", "blob:"))


def main(names):
    results = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home, browser = Home(pathlib.Path(folder)), Browser(playwright)
        try:
            for checks, quiet in ((looking.ALL, True), (doing.ALL, False), (failing.ALL, False)):
                chosen = [check for check in checks if not names or any(name in check.__name__ for name in names)]
                results += [take(check, home, browser, quiet) for check in chosen]
        finally:
            browser.close()
            home.close()
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return not all(results)


sys.exit(main(sys.argv[1:]))
