"""What an evening costs Home Assistant's recorder.

The box's own rules run through four hours of a simulated person, and what they publish is published here, faster. Home
Assistant records every change of a state by itself, however close together they come.
"""

import asyncio
import itertools
import json
import sqlite3
import subprocess

from entities import as_shown
from scene import PROGRAMS, RUN

ID = "b827eb03"
MOST_BYTES = 2_000_000
DATABASE = RUN.parent / "chroot-forky/ha/config/home-assistant_v2.db"

# Far fewer than the broker keeps for a subscriber who is slower than the box.
AT_ONCE = 50

EXPRESSION = f"sensor.moodbox_{ID}_expression"


async def an_evening_is_recorded(scene):
    said = subprocess.run([PROGRAMS / "examples/evening", ID], capture_output=True, check=True, text=True)
    messages = [json.loads(line) for line in said.stdout.splitlines()]
    database = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True)
    await written(scene, database)
    before = used(database)
    # The client says this by itself when it connects.
    scene.broker.publish(f"moodbox/{ID}/availability", "online", retain=True)
    last = None
    for start in range(0, len(messages), AT_ONCE):
        some = messages[start : start + AT_ONCE]
        begin = len(scene.home.history)
        for message in some:
            scene.broker.publish(**message)
        changes = distinct([last, *expressions_of(some)])[1:]
        # Of the first ones only the last is heard, for Home Assistant has just got to know the box.
        heard = changes[-1:] if last is None else changes
        if heard and not await scene.until(lambda: shown_since(scene.home, begin)[-len(heard) :] == heard):
            raise TimeoutError("Home Assistant does not show what the box says")
        last = [last, *changes][-1]
    await written(scene, database)
    size = used(database) - before
    changes = distinct(expressions_of(messages[AT_ONCE:]))
    count = rows(database, EXPRESSION)
    scene.note("an evening of four hours is recorded", count >= len(changes), f"{count} expressions of {len(changes)}")
    scene.note("it takes less than 2 MB", 0 < size < MOST_BYTES, f"{size:,} bytes for {len(messages)} messages")
    scene.broker.publish(f"homeassistant/device/moodbox_{ID}/config", "", retain=True)


def expressions_of(messages):
    states = (json.loads(m["payload"]) for m in messages if m["topic"] == f"moodbox/{ID}/state")
    return [as_shown(state["expression"]) for state in states]


def shown_since(home, begin):
    """Which expressions came one after the other, from a place in the history on."""
    return distinct(state["state"] for state in home.history[begin:] if state["entity_id"] == EXPRESSION)


def distinct(expressions):
    return [expression for expression, _ in itertools.groupby(expressions)]


def used(database):
    """Bytes of all pages that hold something, in the file and in its log."""
    pragma = lambda name: database.execute(f"PRAGMA {name}").fetchone()[0]
    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")


def rows(database, entity_id):
    counted = "SELECT count(*) FROM states JOIN states_meta USING (metadata_id) WHERE states_meta.entity_id = ?"
    return database.execute(counted, [entity_id]).fetchone()[0]


async def written(scene, database):
    """The recorder writes every few seconds: an event is fired, and waited for."""
    known = "SELECT count(*) FROM events JOIN event_types USING (event_type_id) WHERE event_types.event_type = ?"
    count = lambda: database.execute(known, ["moodbox_written"]).fetchone()[0]
    before = count()
    await scene.home.ask("fire_event", event_type="moodbox_written")
    clock = asyncio.get_running_loop().time
    deadline = clock() + 30
    while count() == before:
        if clock() > deadline:
            raise TimeoutError("the recorder does not write")
        await asyncio.sleep(0.5)
