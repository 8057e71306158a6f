"""The power is cut while the box writes: the emulator is killed, and the board boots again with the same card."""

import json

CARD = {"folder": "/card/store"}


def put_card_in(home):
    home.board.shell("mkdir -p /card; until [ -b /dev/mmcblk0 ]; do sleep 0.1; done", 60)
    assert home.board.shell("mount -t ext4 /dev/mmcblk0 /card") == 0
    home.board.shell("mkdir -p /card/store; chown moodbox /card/store")


def hold(home, transaction, seconds):
    request = {"transaction": transaction, "set": {"mood.hold_s": seconds}}
    home.box.broker.publish("moodbox/rig/request/config.set", json.dumps(request))


def set_and_wait(home, transaction, seconds):
    """What is answered must be on the card."""

    def answers(payload):
        answer = json.loads(payload)
        return answer["transaction"] == transaction and answer["status"] == "ok"

    mark = home.box.listener.mark()
    hold(home, transaction, seconds)
    home.box.listener.until("moodbox/rig/response/config.set", answers, mark)


def test_what_was_answered_is_kept_over_a_power_cut(home):
    box = home.box
    box.stop()
    put_card_in(home)
    mark = box.listener.mark()
    box.start(store=CARD)
    box.listener.until("moodbox/rig/settings", json.loads, mark)
    for cut, sets in enumerate((3, 8)):
        for number in range(1, sets + 1):
            set_and_wait(home, f"{cut}-{number}", 10 * (cut + 1) + number)
        answered = 10 * (cut + 1) + sets
        # These are on their way to the card when the power goes.
        hold(home, f"{cut}-cut", answered + 1)
        box.command("leds", "OFF" if cut == 0 else "ON")
        home.cut_power()
        put_card_in(home)
        mark, console = box.listener.mark(), home.board.mark()
        began = box.now()
        box.start(store=CARD)
        settings = json.loads(box.listener.until("moodbox/rig/settings", json.loads, mark, seconds=60).payload)
        assert settings["hold_time"] in (answered, answered + 1), (answered, settings)
        box.state(mark, camera="on", seconds=60)
        damaged = [line for line in home.board.lines_since(console) if "WARN" in line and "mqtt" not in line]
        assert not damaged, damaged
        box.times.note("power cut: from the daemon's start to what was kept before", box.now() - began, 30)
    box.stop()
