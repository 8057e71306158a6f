"""What the page shows, and to whom."""

import time

from playwright.sync_api import expect

from home import Ui
from watching import nothing_keeps_others_out


def it_shows_what_the_box_says(home, browser):
    page = browser.open(home.ui.url)
    expect(page.get_by_role("link", name="Hall", exact=True)).to_have_attribute("aria-current", "page")
    shown = lambda part: page.locator(f"#list .{part}").all_text_contents()
    said = lambda part: [track[part] for track in home.said("recommendation")["tracks"]]
    # The mood may bring another list meanwhile.
    home.until(lambda: all(shown(part) == said(part) for part in ("title", "why")))
    for name, value in home.said("settings").items():
        expect(page.locator(f"#{name}")).to_have_value(f"{value:g}")
    expect(page.locator("#brightness-help")).to_contain_text("0 to 100")
    expect(page.locator("#min_face-help")).to_contain_text("24 to 400")
    expect(page.get_by_role("img", name="Valence")).to_be_visible()
    expect(page.locator("#history .valence.line")).to_be_attached()
    expect(page).to_have_title("Hall · moodbox")


def it_follows_the_recording(home, browser):
    page = browser.open(home.ui.url)
    # The people of the recording feel one thing and another.
    seen = lambda mood: home.said("state")["mood"] == mood and not home.said("state")["unsure"]
    home.until(lambda: seen("happy"))
    expect(page.locator("#mood")).to_have_text("Happy")
    home.until(lambda: not seen("happy") and not home.said("state")["unsure"])
    expect(page.locator("#mood")).not_to_have_text("Happy")
    expect(page.locator("#plane .way line").first).to_be_attached()


def the_key_leaves_the_address_and_survives_a_reload(home, browser):
    page = browser.open(home.ui.url)
    expect(page.locator("#mood")).not_to_be_empty()
    assert home.ui.key not in page.url
    page.reload()
    expect(page.locator("#mood")).not_to_be_empty()


def a_narrow_screen_shows_all(home, browser):
    page = browser.open(home.ui.url, width=360, height=640)
    expect(page.locator("#list li").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for control in page.locator("button, input, nav a").all():
        place = control.bounding_box()
        assert place and place["x"] >= 0 and place["x"] + place["width"] <= 360, control
        assert place["height"] >= 24, control


def by_day_nothing_keeps_others_out(home, browser):
    page = browser.open(home.ui.url)
    expect(page.locator("#list li").first).to_be_visible()
    nothing_keeps_others_out(page, "light")


def by_night_nothing_keeps_others_out(home, browser):
    page = browser.open(home.ui.url)
    expect(page.locator("#list li").first).to_be_visible()
    nothing_keeps_others_out(page, "dark")


def by_night_the_page_is_dark(home, browser):
    page = browser.open(home.ui.url)
    red = lambda: int(page.evaluate("getComputedStyle(document.body).backgroundColor").split("(")[1].split(",")[0])
    page.emulate_media(color_scheme="light")
    assert red() > 200
    page.emulate_media(color_scheme="dark")
    assert red() < 60


def nothing_moves_for_those_who_want_it_still(home, browser):
    page = browser.open(home.ui.url)
    moving = """() => [...document.querySelectorAll("*")].filter((element) => {
      const style = getComputedStyle(element);
      return style.animationName !== "none" || style.transitionDuration.split(",").some((time) => parseFloat(time) > 0);
    }).length"""
    expect(page.locator("#mood")).not_to_be_empty()
    assert page.evaluate(moving) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == 0


def the_plot_begins_before_the_page_was_served(home, browser):
    home.until(lambda: home.said("state")["mood"] == "happy" and not home.said("state")["unsure"])
    began = time.time()
    ui = Ui(home.broker.port)
    try:
        page = browser.open("about:blank")
        with page.expect_response("**/requests/history.get") as asked:
            page.goto(ui.url)
        moments = asked.value.json()["moments"]
        assert min(moment["at"] for moment in moments if moment.get("mood")) < began
        # The plot's left and right edge, and how far before now a moment of 300 s lies between them.
        first = page.locator("#history .piece").first
        expect(first).to_be_attached()
        width = float(page.locator("#history").get_attribute("viewBox").split()[2])
        served = 34 + (1 - (time.time() - began) / 300) * (width - 34 - 58)
        assert float(first.get_attribute("x")) < served
        # Another program serves this page; what it asks stays on this computer, too.
        browser.requests[:] = [url for url in browser.requests if not url.startswith(ui.origin)]
    finally:
        ui.process.kill()


def two_boxes_are_told_apart(home, browser):
    page = browser.open(home.ui.url)
    page.get_by_role("link", name="Kitchen & bar").click()
    expect(page).to_have_title("Kitchen & bar · moodbox")
    expect(page.locator("#list .title").first).to_have_text(home.said("recommendation", "kitchen")["tracks"][0]["title"])
    page.locator("#next").click()
    home.until(lambda: (home.said("now", "kitchen") or {}).get("uri"))
    expect(page.locator("#now-title")).to_have_text(home.said("now", "kitchen")["title"])
    assert not any(topic == "moodbox/hall/cmd/next" for topic, _ in home.listener.said)
    page.go_back()
    expect(page).to_have_title("Hall · moodbox")
    expect(page.locator("#now-title")).to_have_text("No song yet")


ALL = [
    the_plot_begins_before_the_page_was_served,
    two_boxes_are_told_apart,
    it_shows_what_the_box_says,
    it_follows_the_recording,
    the_key_leaves_the_address_and_survives_a_reload,
    a_narrow_screen_shows_all,
    by_day_nothing_keeps_others_out,
    by_night_nothing_keeps_others_out,
    by_night_the_page_is_dark,
    nothing_moves_for_those_who_want_it_still,
]
