"""What goes wrong between the box and its broker, and how soon that is over."""

import json
import subprocess

from box import ANGRY, HAPPY

# Seconds, the default.
KEEP_ALIVE = 8


def published_again(box, since, mark, fault, limit=5):
    """All that is retained must be said again: discovery, which is said on a new connection alone, and then the state."""
    discovery = box.listener.until("homeassistant/device/moodbox_rig/config", json.loads, mark)
    state = box.state(discovery.number)
    box.times.note(f"{fault}: state published", state.at - since, limit)


def lights_go_on(box):
    """They follow the camera, whatever the broker does."""
    box.camera(f"show {ANGRY}")
    box.expect_lit("red", "camera")
    box.camera(f"show {HAPPY}")
    box.expect_lit("red", "green", "camera")


def test_a_broker_that_stops_and_starts_is_told_all_again(box):
    box.well()
    console = box.board.mark()
    box.broker.stop()
    box.board.wait_for(r"WARN.* mqtt: .*; next attempt in", console)
    lights_go_on(box)
    mark = box.listener.mark()
    box.broker.start()
    published_again(box, box.now(), mark, "broker back after a stop")


def test_a_broker_that_flaps_is_told_all_again(box):
    box.well()
    for _ in range(2):
        mark = box.listener.mark()
        box.broker.stop()
        box.broker.start()
        started = box.now()
        published_again(box, started, mark, "broker stopped and started at once")


def test_a_broker_that_hangs_is_noticed(box):
    box.well()
    console = box.board.mark()
    box.broker.freeze()
    frozen = box.now()
    box.board.wait_for(r"WARN.* mqtt: .* has been silent for", console, seconds=40)
    box.times.note("broker hangs: noticed", box.now() - frozen, 2 * KEEP_ALIVE)
    mark = box.listener.mark()
    box.broker.thaw()
    published_again(box, box.now(), mark, "broker that hung answers again")


def test_a_cut_cable_is_noticed(box):
    box.well()
    console = box.board.mark()
    box.board.plug_cable(False)
    cut = box.now()
    box.board.wait_for(r"WARN.* mqtt: .* has been silent for", console, seconds=40)
    box.times.note("network cable cut: noticed", box.now() - cut, 2 * KEEP_ALIVE)
    lights_go_on(box)
    mark = box.listener.mark()
    box.board.plug_cable(True)
    # A connection that was begun while it was cut has to be given up first.
    published_again(box, box.now(), mark, "network cable mended", limit=10)


def test_a_wrong_password_is_told_and_not_tried_often(box):
    box.stop()
    passwords = box.board.folder / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "rig", "right"], check=True, capture_output=True)
    box.broker.stop()
    box.broker.start("allow_anonymous false", f"password_file {passwords}")
    box.board.shell("echo wrong >/tmp/password")
    console = box.board.mark()
    box.start(mqtt={"username": "rig", "password_file": "/tmp/password"})
    said = box.board.wait_for(r"WARN.* mqtt: (.*); next attempt in ([\d.]+)s", console, seconds=30)
    assert "refuses user \"rig\" or the password in" in said[1], said[0]
    assert float(said[2]) >= 30, said[0]
    lights_go_on(box)
    box.stop()


def test_a_broker_that_is_absent_at_the_start_is_found(box):
    box.broker.stop()
    console = box.board.mark()
    box.start()
    box.board.wait_for(r"WARN.* mqtt: nothing listens at", console)
    lights_go_on(box)
    mark = box.listener.mark()
    box.broker.start()
    published_again(box, box.now(), mark, "broker that was absent at the start")
