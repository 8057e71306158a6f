"""What Home Assistant shows while the box watches the demo recording."""

import json

from entities import first_track
from scene import ROOT

RECORDING = ROOT / "host-tools/demo/evening.mjpeg"
# What it holds, in the order it comes.
EXPRESSIONS = [
    s["expression"] for s in json.loads(RECORDING.with_suffix(".json").read_text())["segments"] if s["expression"]
]
# It takes 85 s, and the box may have come in anywhere.
ONE_PASS_S = 100


async def states_follow_the_recording(scene):
    def shown_in_turn(component):
        states = [s["state"] for s in scene.home.history if s["entity_id"] == scene.id(component)]
        states = [state for state in states if state not in ("unavailable", "unknown")]
        return [state for state, before in zip(states, [None, *states]) if state != before]

    def expressions_in_order():
        shown = iter(shown_in_turn("expression"))
        return all(expression in shown for expression in EXPRESSIONS)

    def other_moods():
        moods = shown_in_turn("mood")
        return "happy" in moods and set(moods[moods.index("happy") :]) - {"happy", "absent"}

    await scene.until(lambda: scene.shown("presence") == "on", ONE_PASS_S)
    scene.note("somebody is seen", scene.shown("presence") == "on")
    await scene.until(lambda: scene.shown("mood") == "happy", ONE_PASS_S)
    scene.note("the mood becomes happy", scene.shown("mood") == "happy")
    await scene.until(expressions_in_order, ONE_PASS_S)
    scene.note(f"the expression goes {', '.join(EXPRESSIONS)}", expressions_in_order(), shown_in_turn("expression"))
    await scene.until(other_moods, ONE_PASS_S)
    scene.note("the mood moves on from happy", other_moods(), shown_in_turn("mood"))
    listed = lambda: (
        scene.home.states[scene.id("recommendation")]["attributes"]["tracks"] == scene.said("recommendation")["tracks"]
    )
    scene.note(
        "the recommendation has the whole list", await scene.until(listed), first_track(scene.said("recommendation"))
    )
