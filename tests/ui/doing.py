"""What is done on the page reaches the box, and what the box makes of it comes back."""

import io
import json

from PIL import Image
from playwright.sync_api import expect


def a_song_is_chosen_and_others_follow(home, browser):
    page = browser.open(home.ui.url)
    rows = page.locator("#list li")
    expect(rows).to_have_count(10)
    # In one go: the mood may bring another list.
    title = rows.nth(3).evaluate("row => (row.querySelector('button').click(), row.querySelector('.title').textContent)")
    home.until(lambda: (home.said("now") or {}).get("title") == title)
    expect(page.locator("#now-title")).to_have_text(title)
    for button in ("next", "skip"):
        before = home.said("now")["uri"]
        page.locator(f"#{button}").click()
        home.until(lambda: home.said("now")["uri"] != before)
        expect(page.locator("#now-title")).to_have_text(home.said("now")["title"])
    page.locator("#like").click()
    home.until(lambda: ("moodbox/hall/cmd/like", "PRESS") in home.listener.said)
    expect(page.get_by_role("log").get_by_text(f"Liked {home.said('now')['title']}")).to_have_count(1)
    before = home.said("recommendation")["id"]
    page.locator("#recommend").click()
    home.until(lambda: home.said("recommendation")["id"] != before)


def switches_and_policy_are_set(home, browser):
    page = browser.open(home.ui.url)
    for policy in ("lift", "soothe", "match"):
        radio = page.get_by_role("radio", name=policy.capitalize())
        radio.check()
        home.until(lambda: home.said("state")["policy"] == policy)
        expect(radio).to_be_checked()
    leds = page.get_by_role("switch", name="Mood light")
    for on in (False, True):
        leds.set_checked(on)
        home.until(lambda: home.said("state")["leds"] == ("on" if on else "off"))
    expect(page.locator("#light")).not_to_have_text("off")
    camera = page.get_by_role("switch", name="Camera")
    camera.uncheck()
    expect(page.locator("#mood")).to_have_text("The camera is off")
    assert home.said("state")["camera"] == "off"
    camera.check()
    expect(page.locator("#mood")).not_to_have_text("The camera is off")
    home.until(lambda: home.said("state")["camera"] == "on")


def what_is_on_and_what_is_chosen_can_be_seen(home, browser):
    page = browser.open(home.ui.url)
    camera, leds = page.get_by_role("switch", name="Camera"), page.get_by_role("switch", name="Mood light")
    expect(camera).to_be_checked()
    leds.uncheck()
    home.until(lambda: home.said("state")["leds"] == "off")
    for scheme in ("light", "dark"):
        for forced in ("none", "active"):
            page.emulate_media(color_scheme=scheme, forced_colors=forced, reduced_motion="reduce")
            for switch in (camera, leds):
                track, knob = colours(switch)
                assert contrast(track, knob) >= 3, (scheme, forced, switch, track, knob)
        # Forced colours leave nothing of the shade that tells what is chosen.
        for of in (".policy", ".spans"):
            chosen, other = (colours(page.locator(f"{of} {which} + span").first)[0] for which in (":checked", ":not(:checked)"))
            assert contrast(chosen, other) >= 3, (scheme, of, chosen, other)
    leds.check()
    home.until(lambda: home.said("state")["leds"] == "on")


def colours(part):
    """The two that most of a part of the page has, that of more of it first."""
    picture = Image.open(io.BytesIO(part.screenshot())).convert("RGB")
    return [colour for _, colour in sorted(picture.getcolors(1 << 16), reverse=True)[:2]]


def contrast(one, other):
    """As WCAG 2 has it, of two colours."""
    linear = lambda share: share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
    light = lambda colour: sum(weight * linear(part / 255) for weight, part in zip((0.2126, 0.7152, 0.0722), colour))
    darker, lighter = sorted((light(one), light(other)))
    return (lighter + 0.05) / (darker + 0.05)


def numbers_are_set_and_refused(home, browser):
    page = browser.open(home.ui.url)
    for times, (name, value) in enumerate((("brightness", 50), ("hold_time", 12.5), ("min_face", 50), ("analysis_rate", 4)), 1):
        field = page.locator(f"#{name}")
        field.fill(str(value))
        field.press("Enter")
        home.until(lambda: home.said("settings")[name] == value)
        expect(page.get_by_role("log").get_by_text("Set", exact=True)).to_have_count(times)
    field, error = page.locator("#min_face"), page.locator("#min_face-error")
    field.fill("5000")
    field.press("Enter")
    expect(error).to_have_text("must be a whole number from 24 to 400, not 5000")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert home.said("settings")["min_face"] == 50
    field.fill("60")
    field.press("Enter")
    expect(error).to_be_empty()
    home.until(lambda: home.said("settings")["min_face"] == 60)
    # What somebody else sets is shown, too.
    home.listener.publish("moodbox/hall/cmd/brightness", "70")
    expect(page.locator("#brightness")).to_have_value("70")


SAMPLED = """(id) => {
  const sampled = window.sampled = new Set();
  const sample = () => {
    sampled.add(document.getElementById(id).value);
    requestAnimationFrame(sample);
  };
  sample();
}"""


def a_number_stays_when_its_field_is_left(home, browser):
    page = browser.open(home.ui.url)
    before = home.said("settings")["hold_time"]
    field = page.locator("#hold_time")
    expect(field).to_have_value(f"{before:g}")
    field.fill(f"{before + 1:g}")
    page.evaluate(SAMPLED, "hold_time")
    field.press("Tab")
    home.until(lambda: home.said("settings")["hold_time"] == before + 1)
    expect(page.get_by_role("log").get_by_text("Set", exact=True)).to_have_count(1)
    # By then the page has what the box has said since, and waits for it no more.
    page.wait_for_timeout(3000)
    assert page.evaluate("[...window.sampled]") == [f"{before + 1:g}"]

    # What is refused stays, with the reason, and both end when another value is entered.
    field, error, right = page.locator("#min_face"), page.locator("#min_face-error"), home.said("settings")["min_face"]
    page.evaluate(SAMPLED, "min_face")
    for again in (lambda: field.press("Tab"), lambda: field.press("Enter")):
        field.fill("5000")
        field.press("Tab")
        expect(error).to_contain_text("not 5000")
        expect(field).to_have_value("5000")
        expect(field).to_have_attribute("aria-invalid", "true")
        field.fill(f"{right:g}")
        expect(error).to_be_empty()
        again()
        expect(field).not_to_have_attribute("aria-invalid", "true")
    assert page.evaluate("[...window.sampled]") == [f"{right:g}", "5000"]
    page.locator("#hold_time").focus()
    home.listener.publish("moodbox/hall/cmd/min_face", f"{right + 1:g}")
    expect(field).to_have_value(f"{right + 1:g}")


FOCUSED = """() => {
  const element = document.activeElement;
  const shown = element.matches("[type=radio]") ? element.nextElementSibling : element;
  return [element.id || element.name || element.value || element.textContent, getComputedStyle(shown).outlineStyle !== "none"];
}"""
KEYS = "policy like skip next recommend span camera leds brightness hold_time min_face analysis_rate".split()


def a_keyboard_is_enough(home, browser):
    page = browser.open(home.ui.url)
    expect(page.locator("#list li").first).to_be_visible()
    home.until(lambda: (home.said("now") or {}).get("uri"))
    expect(page.locator("#like")).to_be_enabled()
    reached = []
    while len(reached) < 60 and "analysis_rate" not in reached:
        page.keyboard.press("Tab")
        name, is_visible = page.evaluate(FOCUSED)
        assert is_visible, f"the focus on {name} cannot be seen"
        reached.append(name)
    assert [key for key in KEYS if key in reached] == KEYS, reached
    go_to(page, "leds")
    page.keyboard.press("Space")
    home.until(lambda: home.said("state")["leds"] == "off")
    page.keyboard.press("Space")
    home.until(lambda: home.said("state")["leds"] == "on")
    go_to(page, "policy")
    page.keyboard.press("ArrowRight")
    home.until(lambda: home.said("state")["policy"] == "lift")
    page.keyboard.press("ArrowLeft")
    home.until(lambda: home.said("state")["policy"] == "match")
    before = home.said("now")["uri"]
    go_to(page, "next")
    page.keyboard.press("Enter")
    home.until(lambda: home.said("now")["uri"] != before)
    go_to(page, "hold_time")
    page.keyboard.type("15")
    page.keyboard.press("Enter")
    home.until(lambda: home.said("settings")["hold_time"] == 15)


def go_to(page, name):
    """By the Tab key."""
    for _ in range(80):
        if page.evaluate(FOCUSED)[0] == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached")


def the_link_to_the_mood_leads_there_and_stays_out_of_the_address(home, browser):
    page = browser.open(home.ui.url)
    expect(page.locator("#mood")).not_to_be_empty()
    address = page.url
    go_to(page, "To the mood")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    expect(page.locator("#mood")).to_be_visible()
    assert page.url == address
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)[0] == "policy"
    # Any other word behind # does not lock out who is in.
    page.goto(f"{address}#main")
    expect(page).to_have_url(address)
    expect(page.locator("#mood")).not_to_be_empty()


def a_link_that_is_pressed_stays_while_its_box_changes(home, browser):
    page = browser.open(home.ui.url)
    shed = lambda mood: home.listener.publish("moodbox/shed/state", json.dumps(home.said("state") | {"mood": mood}))
    home.listener.publish("moodbox/shed/availability", "online")
    try:
        shed("happy")
        link = page.get_by_role("link", name="shed")
        expect(link.locator(".swatch")).to_have_css("background-color", "rgb(255, 224, 0)")
        link.hover()
        page.mouse.down()
        shed("sad")
        expect(link.locator(".swatch")).to_have_css("background-color", "rgb(0, 43, 148)")
        page.mouse.up()
        expect(page).to_have_title("shed · moodbox")
    finally:
        home.listener.publish("moodbox/shed/availability", "")


def two_tabs_show_the_same(home, browser):
    one, other = browser.open(home.ui.url), browser.open(home.ui.url)
    one.get_by_role("switch", name="Mood light").uncheck()
    expect(other.get_by_role("switch", name="Mood light")).not_to_be_checked()
    other.get_by_role("switch", name="Mood light").check()
    expect(one.get_by_role("switch", name="Mood light")).to_be_checked()
    before = (home.said("now") or {}).get("uri")
    one.locator("#next").click()
    now = home.until(lambda: (now := home.said("now") or {}).get("uri") not in (None, before) and now)
    for page in (one, other):
        expect(page.locator("#now-title")).to_have_text(now["title"])


ALL = [
    a_song_is_chosen_and_others_follow,
    switches_and_policy_are_set,
    what_is_on_and_what_is_chosen_can_be_seen,
    numbers_are_set_and_refused,
    a_number_stays_when_its_field_is_left,
    a_keyboard_is_enough,
    the_link_to_the_mood_leads_there_and_stays_out_of_the_address,
    a_link_that_is_pressed_stays_while_its_box_changes,
    two_tabs_show_the_same,
]
