"""Threads that hang, a daemon that dies, pins that others hold, and a clock that jumps."""

import json

from box import ANGRY, HAPPY, from_service


def restarted(box, thread, watchdog):
    console = box.board.mark()
    hung = box.now()
    box.hang(thread)
    box.board.wait_for("^service: the watchdog was not fed$", console, seconds=90)
    mark = box.listener.mark()
    box.started(console)
    state = box.state(mark, camera="on", seconds=60)
    # A thread may take 15 s for a frame, and then the watchdog's patience must run out.
    limit = 15 + watchdog + int(from_service("RestartSec")) + 10
    box.times.note(f"{thread} thread hangs, watchdog of {watchdog} s: daemon restarted and sees", state.at - hung, limit)


def test_a_vision_thread_that_hangs_ends_in_a_restart(box):
    box.well()
    restarted(box, "vision", int(from_service("WatchdogSec")))


def test_any_other_thread_that_hangs_ends_in_a_restart(box):
    box.stop()
    box.start(watchdog=6)
    for thread in ("capture", "leds"):
        restarted(box, thread, 6)
    box.stop()


def test_a_daemon_that_is_killed_starts_again_as_it_was(box):
    box.well()
    for leds in ("OFF", "ON"):
        mark = box.listener.mark()
        box.command("leds", leds)
        box.state(mark, leds=leds.lower())
        console, mark = box.board.mark(), box.listener.mark()
        killed = box.now()
        box.board.shell(f"kill -9 {box.pid}")
        box.started(console)
        state = box.state(mark, leds=leds.lower(), camera="on", seconds=60)
        box.times.note("daemon killed: restarted and sees", state.at - killed, int(from_service("RestartSec")) + 10)


def test_a_line_that_another_holds_is_told_and_the_rest_works(box):
    box.stop()
    console = box.board.mark()
    lights = "su moodbox -c 'exec light leds.driver=\\\"gpiochip\\\"'"
    box.board.shell(f"mkfifo /tmp/hold; {lights} </tmp/hold >/dev/ttyS1 2>&1 & holder=$!; exec 8>/tmp/hold")
    box.board.wait_for("^open$", console)
    mark = box.listener.mark()
    box.start()
    problem = "line 17 of /dev/gpiochip0 is held by moodbox: stop that, or choose others in [leds]"
    box.listener.until("moodbox/rig/event", lambda payload: problem in payload, mark)
    box.state(mark, camera="on", expression="happy", seconds=60)
    freed = box.now()
    box.board.shell("kill $holder; exec 8>&-; rm /tmp/hold")
    box.expect_lit("red", "green", "camera")
    box.times.note("pins let go by another: lights lit", box.now() - freed, 10)


def test_a_clock_that_jumps_by_decades_changes_nothing(box):
    box.well()
    # A Raspberry Pi has no clock of its own.
    assert box.board.read("date +%Y") == "1970"
    daemon = box.pid
    box.state_settles(expression="happy")
    mark = box.listener.mark()
    for moment in ("2026-11-25 12:00", "2001-01-01 00:00", "2030-06-01 00:00"):
        box.board.shell(f"date -s '{moment}'")
        box.camera(f"show {ANGRY}")
        box.expect_lit("red", "camera")
        box.camera(f"show {HAPPY}")
        box.expect_lit("red", "green", "camera")
    said = box.listener.since(mark)
    assert not [m for m in said if m.topic.endswith("/availability")], "it has lost the broker"
    span = said[-1].at - said[0].at if said else 0
    states = [m for m in said if m.topic == "moodbox/rig/state"]
    assert len(states) <= span + 2, f"{len(states)} states in {span:.0f} s"
    box.board.shell("date -s '1970-01-01 01:00'")
    assert box.board.read("pidof moodboxd") == str(daemon)


def test_the_registers_light_the_daemons_lights(box):
    box.stop()
    mark, edges = box.listener.mark(), len(box.board.edges)
    box.start(leds={"driver": "rppal"})
    box.state(mark, camera="on", expression="happy", seconds=60)
    # Dimmed, so the pins of yellow change all the time; the camera's light does not.
    box.board.wait_until(
        lambda: {17, 27} <= {edge.pin for edge in box.board.edges[edges:]} and box.board.high(23), "yellow, dimmed"
    )
    assert not [edge for edge in box.board.edges[edges:] if edge.pin == 23 and not edge.high]
    box.stop()


def test_heat_is_reported(box):
    box.board.shell("zone=/sys/class/thermal/thermal_zone0; cp $zone/temp /tmp/cool; echo 91500 >/tmp/hot")
    mark = box.listener.mark()
    box.start()
    measured = json.loads(box.listener.until("moodbox/rig/diagnostics", json.loads, mark).payload)
    assert measured["temperature_c"] is not None, measured
    box.stop()
    box.board.shell("mount --bind /tmp/hot $zone/temp")
    mark = box.listener.mark()
    box.start()
    measured = json.loads(box.listener.until("moodbox/rig/diagnostics", json.loads, mark).payload)
    box.board.shell("umount $zone/temp")
    assert measured["temperature_c"] == 91.5, measured
