"""The box in a home where all is well."""

import json

from box import ANGRY, EMPTY, HAPPY, NEUTRAL, TWO


def test_the_daemon_sees_who_is_there_lights_it_and_publishes_it(box):
    mark = box.listener.mark()
    box.camera(f"show {HAPPY}")
    box.start()
    state = json.loads(box.state(mark, expression="happy", faces=1, camera="on", seconds=60).payload)
    assert state["presence"], state
    # Yellow.
    box.expect_lit("red", "green", "camera")
    box.listener.until("homeassistant/device/moodbox_rig/config", json.loads, mark)
    box.memory_at_first, _ = box.memory_mb()
    songs = json.loads(box.listener.until("moodbox/rig/recommendation", json.loads, mark).payload)
    assert len(songs["tracks"]) == 10
    for number, expression, faces, lit in [
        (ANGRY, "angry", 1, ["red"]),
        (NEUTRAL, "neutral", 1, ["red", "green", "blue"]),
    ]:
        mark = box.listener.mark()
        box.camera(f"show {number}")
        box.state(mark, expression=expression, faces=faces)
        box.expect_lit(*lit, "camera")
    for number, faces in [(TWO, 2), (EMPTY, 0)]:
        mark = box.listener.mark()
        box.camera(f"show {number}")
        box.state(mark, faces=faces)
