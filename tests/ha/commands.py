"""What is clicked in Home Assistant arrives at the box and comes back.

A new command that sets something is a new row of `CHANGES`.
"""

from dataclasses import dataclass, field

from entities import ENTITIES, as_shown


@dataclass(frozen=True)
class Change:
    """An action on an entity that leaves it in a state."""

    component: str
    action: str
    becomes: str
    data: dict = field(default_factory=dict)


CHANGES = [
    Change("policy", "select.select_option", "soothe", {"option": "soothe"}),
    Change("policy", "select.select_option", "match", {"option": "match"}),
    Change("policy", "select.select_option", "lift", {"option": "lift"}),
    Change("leds", "switch.turn_off", "off"),
    Change("leds", "switch.turn_on", "on"),
    Change("camera", "switch.turn_off", "off"),
    Change("camera", "switch.turn_on", "on"),
    Change("hold_time", "number.set_value", "12.5", {"value": 12.5}),
    Change("min_face", "number.set_value", "50", {"value": 50}),
    Change("brightness", "number.set_value", "60", {"value": 60}),
    Change("analysis_rate", "number.set_value", "4", {"value": 4}),
]
LAST = {change.component: change.becomes for change in CHANGES}
"""What the changes leave everything in."""


BY_NAME = {entity.name: entity for entity in ENTITIES}


async def changes_come_back(scene):
    for change in CHANGES:
        await comes_back(scene, change)


async def comes_back(scene, change):
    """The box has taken a value when it says it; Home Assistant shows what the box says."""
    entity = BY_NAME[change.component]
    await scene.home.call(change.action, scene.id(entity.name), **change.data)

    def done():
        payload = scene.said(entity.topic)
        return payload != {} and scene.shown(entity.name) == change.becomes == as_shown(entity.shows(payload))

    held = await scene.until(done)
    detail = "" if held else f"Home Assistant shows {scene.shown(entity.name)}, the box says {scene.said(entity.topic)}"
    scene.note(f"{change.action} of {entity.name}: {change.becomes}", held, detail)


def forgotten(scene):
    """What is not as the changes have left it: name and state."""
    return {name: scene.shown(name) for name, becomes in LAST.items() if scene.shown(name) != becomes}


async def songs_are_chosen(scene):
    uri = scene.said("recommendation")["tracks"][3]["uri"]
    await playing_becomes(scene, uri, "text.set_value", "choose", value=uri)
    await playing_becomes(scene, head(scene), "button.press", "next")
    heard = len(scene.broker.said)
    await scene.home.call("button.press", scene.id("like"))
    # What is said to one command is said before what is said to the next.
    await playing_becomes(scene, head(scene), "button.press", "skip")
    topics = [topic for topic, _ in scene.broker.said[heard:]]
    liked = f"{scene.box.base}/cmd/like" in topics and f"{scene.box.base}/response/like" not in topics
    scene.note("like arrives and is not refused", liked)
    before = scene.said("recommendation")["id"]
    await scene.home.call("button.press", scene.id("recommend"))
    another = lambda: scene.said("recommendation")["id"] != before
    scene.note("recommend makes another list", await scene.until(another), scene.said("recommendation")["id"])


def head(scene):
    return scene.said("recommendation")["tracks"][0]["uri"]


async def playing_becomes(scene, uri, action, component, **data):
    start, before = len(scene.home.history), scene.said("recommendation")["id"]
    await scene.home.call(action, scene.id(component), **data)
    plays = lambda: scene.shown("choose") == uri == scene.said("now").get("uri")
    await scene.until(plays)
    scene.note(f"{component} plays the song", plays(), scene.shown("choose"))

    def events():
        states = (s for s in scene.home.history[start:] if s["entity_id"] == scene.id("event"))
        return [(s["attributes"].get("event_type"), s["attributes"].get("uri")) for s in states]

    await scene.until(lambda: ("chosen", uri) in events())
    scene.note(f"{component} fires the event", ("chosen", uri) in events(), events())
    # Behind it comes the list that goes on from there.
    await scene.until(lambda: scene.said("recommendation")["id"] != before)


async def the_policy_decides_the_list(scene):
    policy = lambda: scene.said("recommendation")["policy"] == "lift" == scene.shown("policy")
    scene.note("the list follows the policy", await scene.until(policy), scene.said("recommendation")["reason"])


async def a_camera_that_is_off_sees_nobody(scene):
    await scene.home.call("switch.turn_off", scene.id("camera"))
    seen = lambda: (scene.said("state")["camera"], scene.said("state")["faces"], scene.shown("expression"))
    nobody = lambda: seen() == ("off", 0, "unknown")
    scene.note("with the camera off nobody is seen", await scene.until(nobody), seen())
    await scene.home.call("switch.turn_on", scene.id("camera"))
    somebody = lambda: scene.said("state")["faces"] > 0
    scene.note("with the camera on somebody is", await scene.until(somebody, 30), seen())


async def the_rest_is_taken(scene):
    heard = len(scene.broker.said)
    await scene.home.call("button.press", scene.id("led_test"))
    await scene.home.call("button.press", scene.id("reset_calibration"))
    answered = lambda: scene.said("response/calibrate.reset").get("status") == "ok"
    scene.note("a reset of the calibration is answered", await scene.until(answered))
    topics = [topic for topic, _ in scene.broker.said[heard:]]
    taken = f"{scene.box.base}/cmd/led_test" in topics and f"{scene.box.base}/response/led_test" not in topics
    scene.note("a test of the LEDs arrives and is not refused", taken)
