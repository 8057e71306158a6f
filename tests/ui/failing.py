"""What is away is said to be, and comes back; who has no business here is kept out."""

import http.server
import json
import re
import threading
import time

from playwright.sync_api import expect

from home import Box, Ui
from watching import nothing_keeps_others_out


def a_box_goes_and_comes_back(home, browser):
    page = browser.open(home.ui.url)
    expect(page.locator("#mood")).not_to_be_empty()
    expect(page.locator("#trouble")).to_be_hidden()
    home.hall.kill()
    expect(page.locator("#trouble")).to_have_text("Hall is not there. This is the last that it said.")
    page.locator("#next").click()
    expect(page.locator("#now-error")).to_have_text("the box is not there")
    for scheme in ("dark", "light"):
        nothing_keeps_others_out(page, scheme)
    # That is no error of another box.
    page.get_by_role("link", name="Kitchen").click()
    expect(page.locator("#now-error")).to_be_empty()
    page.get_by_role("link", name="Hall").click()
    home.hall.start()
    expect(page.locator("#trouble")).to_be_hidden()
    page.locator("#next").click()
    expect(page.locator("#now-error")).to_be_empty()


# What the plot says of a time in ms, drawn anew: its left and right edge, between which 300 s lie.
MOOD_AT = """moment => {
  document.querySelector("[name=span]:checked").dispatchEvent(new Event("change"));
  const plot = document.getElementById("history");
  const x = 34 + (1 - (Date.now() - moment) / 300_000) * (plot.viewBox.baseVal.width - 34 - 58);
  const covers = ({ x: left, width }) => left.baseVal.value <= x && x < left.baseVal.value + width.baseVal.value;
  return [...plot.querySelectorAll(".piece")].find(covers)?.textContent;
}"""


def the_mood_of_a_box_that_was_away_is_not_known(home, browser):
    page = browser.open(home.ui.url)
    last = page.locator("#history .piece title").last
    expect(last).not_to_have_text("not known")
    before = time.time() * 1000
    home.hall.kill()
    expect(last).to_have_text("not known")
    away = time.time() * 1000
    home.hall.start()
    expect(last).not_to_have_text("not known")
    with page.expect_response("**/requests/history.get"):
        page.reload()
    expect(last).not_to_have_text("not known")
    assert page.evaluate(MOOD_AT, away) == "not known"
    assert page.evaluate(MOOD_AT, before) not in (None, "not known")


def what_a_box_has_kept_fills_what_was_not_seen(home, browser):
    page = browser.open(home.ui.url)
    now = int(time.time() * 1000)
    point = lambda minutes, mood: [now - 60_000 * minutes, mood, 0, 0]
    merged = lambda kept, seen: page.evaluate(
        "async ([kept, seen]) => (await import('/history.js')).merged(kept, seen)", [kept, seen]
    )
    # This computer slept from 400 minutes ago to 10 minutes ago.
    seen = [point(430, "happy"), point(400, None), point(10, "sad")]
    kept = [point(440, "fear"), point(420, "angry"), point(390, "neutral"), point(370, None), point(5, "mixed")]
    filled = [point(440, "fear"), seen[0], seen[1], kept[2], kept[3], seen[2]]
    assert merged(kept, seen) == filled
    # The box says what lasts every half hour, so that it had no power from 370 minutes ago at the latest.
    kept = [point(400, "happy"), point(20, None), point(15, "sad")]
    assert merged(kept, []) == [kept[0], point(370, None), kept[1], kept[2]]


def the_broker_goes_and_comes_back(home, browser):
    page = browser.open(home.ui.url)
    expect(page.locator("#mood")).not_to_be_empty()
    home.broker.kill()
    expect(page.locator("#trouble")).to_contain_text("The broker is away: ")
    page.locator("#next").click()
    expect(page.locator("#now-error")).to_have_text("there is no connection to the broker")
    home.broker.start()
    expect(page.locator("#trouble")).to_be_hidden(timeout=60_000)
    before = (home.said("now") or {}).get("uri")
    page.locator("#next").click()
    home.until(lambda: (home.said("now") or {}).get("uri") not in (None, before))
    expect(page.locator("#now-error")).to_be_empty()


def a_late_answer_of_one_box_is_not_shown_for_another(home, browser):
    page = browser.open(home.ui.url)
    # There is a song to be liked.
    page.locator("#next").click()
    home.until(lambda: (home.said("now") or {}).get("uri"))
    home.hall.hang()
    try:
        with (
            page.expect_response("**/hall/commands/like") as liked,
            page.expect_response("**/hall/commands/leds") as switched,
        ):
            page.locator("#like").click()
            page.get_by_role("switch", name="Mood light").uncheck()
            page.get_by_role("link", name="Kitchen").click()
        assert (liked.value.status, switched.value.status) == (504, 504)
        # What is asked now is answered after that.
        page.evaluate("fetch('/icon.svg').then((answer) => answer.text())")
        expect(page).to_have_title("Kitchen & bar · moodbox")
        assert page.locator("#now-error").text_content() == ""
        assert page.locator("#leds-error").text_content() == ""
    finally:
        home.hall.go_on()
    # The box does late what it was told.
    home.until(lambda: home.said("state")["leds"] == "off")
    home.listener.publish("moodbox/hall/cmd/leds", "ON")
    home.until(lambda: home.said("state")["leds"] == "on")


def a_late_like_of_one_box_is_not_shown_for_another(home, browser):
    page = browser.open(home.ui.url)
    page.locator("#next").click()
    home.until(lambda: (home.said("now") or {}).get("uri"))
    home.hall.hang()
    try:
        with page.expect_response("**/hall/commands/like") as liked:
            page.locator("#like").click()
            page.get_by_role("link", name="Kitchen").click()
            expect(page).to_have_title("Kitchen & bar · moodbox")
            home.hall.go_on()
        assert liked.value.status == 204
        page.evaluate("fetch('/icon.svg').then((answer) => answer.text())")
        expect(page.locator("#like")).not_to_contain_class("done")
    finally:
        home.hall.go_on()


def a_camera_that_is_missing_is_said(home, browser):
    attic = Box(home.folder, home.broker.port, "attic", "Attic", "v4l2:/dev/video-that-nobody-has")
    try:
        home.until(lambda: (home.said("state", "attic") or {}).get("camera") == "unavailable")
        page = browser.open(home.ui.url)
        page.get_by_role("link", name="Attic").click()
        expect(page.locator("#mood")).to_have_text("No picture")
        expect(page.locator("#trouble")).to_contain_text("The camera of Attic: ")
        expect(page.locator("#trouble")).to_contain_text("/dev/video-that-nobody-has")
        page.get_by_role("link", name="Hall").click()
        expect(page.locator("#trouble")).to_be_hidden()
    finally:
        attic.kill()


STATE = {"mood": "happy", "unsure": False, "faces": 1, "presence": True, "valence": 0.7, "arousal": 0.4, "camera": "on"}


def what_makes_no_sense_is_passed_over(home, browser):
    say = lambda part, text: home.listener.publish(f"moodbox/cellar/{part}", text, retain=True)
    say("availability", "online")
    say("state", json.dumps(STATE))
    odd = {"recommendation": "{}", "now": "null", "settings": "[]", "state": "null", "confidence": "{}"}
    try:
        page = browser.open(home.ui.url)
        page.get_by_role("link", name="cellar").click()
        expect(page.locator("#mood")).to_have_text("Happy")
        for part, text in odd.items():
            say(part, text)
        for sure in (93, 94):
            say("confidence", str(sure))
            expect(page.locator("#sure")).to_have_text(f"{sure} % sure")
            expect(page.locator("#trouble")).to_be_hidden()
            # And once it is loaded anew.
            page.reload()
    finally:
        for part in (*odd, "availability"):
            say(part, "")


def an_odd_event_keeps_no_other_from_the_page(home, browser):
    events = [("recommendation", {}), ("now", None), ("settings", None), ("state", None), ("state", STATE), ("confidence", 93)]
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    page = browser.open("about:blank")
    page.route(re.compile("/api/.*events$"), lambda route: route.fulfill(content_type="text/event-stream", body=body))
    page.goto(home.ui.url)
    expect(page.locator("#mood")).to_have_text("Happy")
    expect(page.locator("#sure")).to_have_text("93 % sure")
    page.close()
    assert any("TypeError" in text for text in browser.complaints), browser.complaints
    browser.complaints.clear()


def a_wrong_key_opens_nothing(home, browser):
    for address in (home.ui.origin, f"{home.ui.origin}/#{'0' * 32}"):
        page = browser.open(address)
        expect(page.locator("#trouble")).to_contain_text("Open the one that moodbox ui printed")
        expect(page.locator("#main")).to_be_hidden()
        # The right address opens it in the same tab.
        page.goto(home.ui.url)
        expect(page.locator("#mood")).not_to_be_empty()
        assert home.ui.key not in page.url


def another_name_of_this_computer_is_refused(home, browser):
    page = browser.open("about:blank")
    port = home.ui.origin.rsplit(":", 1)[1]
    answer = page.goto(f"http://evil.example:{port}/#{home.ui.key}")
    assert answer.status == 421
    expect(page.locator("body")).to_contain_text("not the name of this server")


class OtherPage(http.server.BaseHTTPRequestHandler):
    """A page of somebody else on this computer."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>other</title>")

    def log_message(self, *words):
        pass


def another_page_cannot_command(home, browser):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OtherPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.open(f"http://127.0.0.1:{server.server_port}/")
    heard = len(home.listener.said)
    # Not even with the key.
    page.evaluate(
        """async ([origin, key]) => {
          const path = `${origin}/api/boxes/hall/commands/next`;
          const headers = { authorization: `Bearer ${key}` };
          for (const options of [{ headers }, { mode: "no-cors" }, {}]) {
            await fetch(path, { method: "POST", body: '"PRESS"', ...options }).catch(() => {});
          }
        }""",
        [home.ui.origin, home.ui.key],
    )
    # What is said to one command is said before what is said to the next.
    home.listener.publish("moodbox/hall/cmd/recommend", "PRESS")
    home.until(lambda: any(topic.endswith("/cmd/recommend") for topic, _ in home.listener.said[heard:]))
    assert not any(topic.endswith("/cmd/next") for topic, _ in home.listener.said[heard:])
    assert any("CORS" in text for text in browser.complaints), browser.complaints
    browser.complaints.clear()
    server.shutdown()


def the_program_goes_and_comes_back(home, browser):
    page = browser.open(home.ui.url)
    expect(page.locator("#mood")).not_to_be_empty()
    assert home.ui.stop() == 0
    expect(page.locator("#trouble")).to_contain_text("moodbox ui has ended on this computer")
    home.ui = Ui(home.broker.port)


ALL = [
    a_box_goes_and_comes_back,
    the_mood_of_a_box_that_was_away_is_not_known,
    what_a_box_has_kept_fills_what_was_not_seen,
    the_broker_goes_and_comes_back,
    a_late_answer_of_one_box_is_not_shown_for_another,
    a_late_like_of_one_box_is_not_shown_for_another,
    a_camera_that_is_missing_is_said,
    what_makes_no_sense_is_passed_over,
    an_odd_event_keeps_no_other_from_the_page,
    a_wrong_key_opens_nothing,
    another_name_of_this_computer_is_refused,
    another_page_cannot_command,
    the_program_goes_and_comes_back,
]
