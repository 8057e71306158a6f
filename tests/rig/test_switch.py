"""The camera's light and its switches, which cannot lie."""

import json

from box import PINS, SWITCH

VIDEO = "/dev/video"


def films(box):
    """Whether the daemon has the camera open."""
    return any(device.startswith(VIDEO) for device in box.devices())


def goes_off(box, act, **state):
    """The camera must be closed, its stream ended and its light out after this."""
    assert films(box) and "camera" in box.lit()
    messages, console = box.listener.mark(), box.board.mark()
    acted = box.now()
    act()
    said = box.state(messages, camera="off", **state)
    box.board.wait_for("^stream off$", console)
    closed = box.now()
    box.board.wait_until(lambda: "camera" not in box.lit(), "the camera's light out")
    # The light goes out last.
    assert not films(box)
    return json.loads(said.payload), closed - acted


def goes_on(box, act):
    messages, console, edges = box.listener.mark(), box.board.mark(), len(box.board.edges)
    act()
    box.board.wait_for("^stream on$", console)
    lit = [edge for edge in box.board.edges[edges:] if edge.pin == PINS["camera"] and edge.high]
    assert lit, "the stream runs, and the light is not lit"
    box.state(messages, camera="on")
    assert films(box)


def test_off_closes_the_camera(box):
    box.well()
    state, took = goes_off(box, lambda: box.command("camera", "OFF"))
    assert "camera_reason" not in state, state
    box.times.note("camera OFF commanded: stream ended", took, 5)
    goes_on(box, lambda: box.command("camera", "ON"))


def test_nothing_is_filmed_while_the_light_is_not_lit(box):
    box.well()
    goes_off(box, lambda: box.command("camera", "OFF"))
    release = box.hang("leds")
    console, edges, mark = box.board.mark(), len(box.board.edges), box.listener.mark()
    box.command("camera", "ON")
    # The state says at once that it is wanted; who would open it waits for the light.
    box.state(mark, camera="unavailable")
    box.board.wait_for("^for a while$", box.board.mark_after("sleep 3; echo for a while"))
    assert not box.board.said("^stream on$", console)
    mark = box.listener.mark()
    release()
    box.board.wait_for("^stream on$", console)
    assert any(edge.pin == PINS["camera"] and edge.high for edge in box.board.edges[edges:])
    box.state(mark, camera="on")


def test_the_switch_on_the_box_is_above_every_command(box):
    box.stop()
    box.board.drive(SWITCH, False)
    mark = box.listener.mark()
    box.start(camera={"switch_pin": SWITCH})
    box.state(mark, camera="on", seconds=60)
    state, took = goes_off(box, lambda: box.board.drive(SWITCH, True), camera_reason="the switch on the box is off")
    box.times.note("switch on the box put to off: stream ended", took, 5)
    mark, console = box.listener.mark(), box.board.mark()
    box.command("camera", "ON")
    answer = json.loads(box.listener.until("moodbox/rig/response/camera", json.loads, mark).payload)
    assert answer["error"] == "the camera stays off: the switch on the box is off", answer
    assert not films(box) and not box.board.said("^stream on$", console)
    goes_on(box, lambda: box.board.drive(SWITCH, False))
    # A command counts as ever while the switch is on.
    goes_off(box, lambda: box.command("camera", "OFF"))
    goes_on(box, lambda: box.command("camera", "ON"))
    box.stop()


def test_a_switch_that_cannot_be_read_counts_as_off(box):
    lights = "su moodbox -c 'exec light leds.driver=\\\"gpiochip\\\" leds.red=24'"
    console = box.board.mark()
    box.board.shell(f"mkfifo /tmp/hold; {lights} </tmp/hold >/dev/ttyS1 2>&1 & holder=$!; exec 8>/tmp/hold")
    box.board.wait_for("^open$", console)
    mark = box.listener.mark()
    box.start(camera={"switch_pin": SWITCH}, leds={"red": 5, "green": 6, "blue": 13, "camera_on": 19})
    state = json.loads(box.state(mark, camera="off").payload)
    assert "line 24 of /dev/gpiochip0 is held by moodbox" in state["camera_reason"], state
    assert not films(box)
    mark = box.listener.mark()
    box.board.shell("kill $holder; exec 8>&-; rm /tmp/hold")
    box.state(mark, camera="on")
    box.stop()
