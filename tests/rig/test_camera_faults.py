"""What goes wrong with the camera while the daemon runs, and how soon that is over."""

import json

from box import EMPTY, HAPPY

SAID = "the box says that the camera is unavailable"
BACK = "the box sees again"


def unavailable(box, command, fault, says):
    """Makes the fault; the box must say so in its state and, in words for a person, in its log."""
    messages, log = box.listener.mark(), box.board.mark()
    made = box.camera(command)
    state = box.state(messages, camera="unavailable")
    box.times.note(f"{fault}: {SAID}", state.at - made, 5)
    box.board.wait_for(f"WARN.* camera: .*{says}", log)
    box.board.wait_until(lambda: "camera" not in box.lit(), "the camera's light out")
    return json.loads(state.payload)


def sees_again(box, command, fault):
    """Ends the fault; the box must look again by itself."""
    mark = box.listener.mark()
    ended = box.camera(command)
    box.times.note(f"{fault}: {BACK}", box.state(mark, camera="on").at - ended, 10)
    box.board.wait_until(lambda: "camera" in box.lit(), "the camera's light")


def test_an_unplugged_camera_is_told_and_is_used_again(box):
    box.well()
    state = unavailable(box, "unplug", "camera unplugged", "was unplugged: plug it in again")
    assert "unplugged" in state["camera_reason"], state
    # The rest works on, and nothing spins meanwhile.
    before = box.processor_time()
    mark = box.listener.mark()
    box.command("leds", "OFF")
    box.state(mark, leds="off")
    mark = box.listener.mark()
    box.command("leds", "ON")
    box.state(mark, leds="on")
    box.board.wait_for("^no camera for a while$", box.board.mark_after("sleep 3; echo no camera for a while"))
    assert box.processor_time() - before < 1.0, "it spins"
    sees_again(box, "plug", "camera plugged in again")


def test_a_camera_that_comes_back_as_another_node_is_used_again(box):
    box.well()
    # Whoever keeps the old node open keeps its number taken.
    box.board.shell("exec 7</dev/video0")
    unavailable(box, "unplug", "camera unplugged, its node held", "was unplugged")
    sees_again(box, "plug", "camera back as another node")
    used = {device for device in box.devices() if device.startswith("/dev/video")}
    box.board.shell("exec 7<&-")
    assert used and used != {"/dev/video0"}, used
    unavailable(box, "unplug", "camera unplugged there", "was unplugged")
    sees_again(box, "plug", "camera back as the first node")


def test_a_camera_that_gives_no_frames_is_told_and_is_used_again(box):
    box.well()
    unavailable(box, "freeze", "camera frozen", r"gave no frame for 3 s")
    sees_again(box, "thaw", "camera thawed")
    unavailable(box, "stall", "camera stalled on the bus", r"gave no frame for 3 s")
    sees_again(box, "thaw", "camera answers again")


def test_a_camera_that_fails_is_told_and_is_used_again(box):
    box.well()
    unavailable(box, "break", "camera fails (EPROTO, EIO)", "")
    sees_again(box, "thaw", "camera works again")


def test_a_camera_that_another_program_uses_is_told_and_is_used_again(box):
    box.well()
    mark = box.listener.mark()
    box.command("camera", "OFF")
    box.state(mark, camera="off")
    box.board.wait_until(lambda: "camera" not in box.lit(), "the camera's light out")
    console = box.board.mark()
    box.board.shell("su moodbox -c 'exec capture 1000000 camera.fps=15' >/dev/null 2>/tmp/capture.log & other=$!")
    box.board.wait_for("^stream on$", console)
    mark = box.listener.mark()
    box.command("camera", "ON")
    reason = "camera /dev/video0 is used by another program: close it, or choose another with camera.source"
    box.state(mark, camera="unavailable", camera_reason=reason)
    assert "camera" not in box.lit()
    mark = box.listener.mark()
    ended = box.now()
    box.board.shell("kill $other; wait $other")
    box.times.note(f"camera let go by another program (EBUSY): {BACK}", box.state(mark, camera="on").at - ended, 10)


def test_nothing_comes_of_damaged_frames(box):
    box.well()
    # A face is believed in for 10 s, so that the state alone does not say that it has been seen since the camera is back.
    for picture, seen in ((EMPTY, {"faces": 0}), (HAPPY, {"faces": 1, "expression": "happy"})):
        mark = box.listener.mark()
        box.camera(f"show {picture}")
        box.state(mark, **seen)
    mark = box.listener.mark()
    # Fewer than those of the 3 s after which a camera counts as one that gives no frames.
    box.camera("cut 5")
    box.camera("garble 30")
    box.board.wait_for("^all are over$", box.board.mark_after("sleep 6; echo all are over"))
    said = [json.loads(m.payload) for m in box.listener.since(mark) if m.topic == "moodbox/rig/state"]
    assert all((state["faces"], state["expression"]) == (1, "happy") for state in said), said


def test_a_camera_with_other_formats_is_used_as_it_is_or_named(box):
    box.well()
    unavailable(box, "unplug", "camera unplugged, to be changed", "was unplugged")
    box.camera("offer raw")
    console = box.board.mark()
    sees_again(box, "plug", "another camera, with a smaller raw picture")
    box.board.wait_for(r"camera: Rig camera.* \(/dev/video\d+\), YUYV 320x240 at 15 fps$", console)
    unavailable(box, "unplug", "camera unplugged, to be changed", "was unplugged")
    box.camera("offer odd")
    mark = box.listener.mark()
    box.camera("plug")
    box.listener.until("moodbox/rig/state", lambda payload: "offers M420, but MJPG" in payload, mark)
    box.camera("unplug")
    box.camera("offer all")
    sees_again(box, "plug", "the first camera again")


def test_damaged_frames_are_counted(box):
    # The figures come once a minute, which has gone by long since where all tests run.
    def counts(payload):
        return json.loads(payload)["corrupt"] > 5

    box.well()
    box.camera("cut 6")
    box.listener.until("moodbox/rig/diagnostics", counts, 0, seconds=75)


def test_memory_is_small_and_stays_as_it_is(box):
    box.well()
    now, most = box.memory_mb()
    print(f"    resident {box.memory_at_first:.1f} MB with the first face, {now:.1f} MB now, {most:.1f} MB at most")
    assert most < 80
    assert now - box.memory_at_first < 4, "it grows"
