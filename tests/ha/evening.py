"""What an evening costs Home Assistant's recorder.

The box's own rules run through four hours of a simulated person, and what they publish is published here, faster. Home
Assistant records every change of a state by itself, however close together they come.
"""

import asyncio
import json
import sqlite3
import subprocess

from scene import ROOT, RUN

ID = "b827eb03"
MOST_BYTES = 2_000_000
DATABASE = RUN.parent / "chroot-forky/ha/config/home-assistant_v2.db"


def used(database):
    """Bytes of all pages that hold something, in the file and in its log."""
    pragma = lambda name: database.execute(f"PRAGMA {name}").fetchone()[0]
    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")


def rows(database):
    return database.execute("SELECT count(*) FROM states").fetchone()[0]


async def an_evening_is_recorded(scene):
    said = subprocess.run([ROOT / "target/release/examples/evening", ID], capture_output=True, check=True, text=True)
    messages = [json.loads(line) for line in said.stdout.splitlines()]
    topic = lambda name: f"moodbox/{ID}/{name}"
    # The client publishes this itself when it connects.
    scene.broker.publish(topic("availability"), "online", retain=True)
    database = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True)
    await written(scene, database)
    before, rows_before = used(database), rows(database)
    for message in messages:
        scene.broker.publish(**message)
        # Between two messages Home Assistant has time for one.
        await asyncio.sleep(0)
    state = f"sensor.moodbox_{ID}_mood"
    last = json.loads(next(m["payload"] for m in reversed(messages) if m["topic"] == topic("state")))
    arrived = await scene.until(lambda: scene.home.state(state) == last["mood"], 60)
    scene.note("an evening of four hours is shown", arrived, f"{len(messages)} messages")
    await written(scene, database)
    size, changes = used(database) - before, rows(database) - rows_before
    scene.note("it takes less than 2 MB of the recorder", 0 < size < MOST_BYTES, f"{size:,} bytes, {changes} states")
    scene.broker.publish(f"homeassistant/device/moodbox_{ID}/config", "", retain=True)


async def written(scene, database):
    """The recorder writes every few seconds: an event is fired, and waited for."""
    known = "SELECT count(*) FROM events JOIN event_types USING (event_type_id) WHERE event_types.event_type = 'moodbox_written'"
    before = database.execute(known).fetchone()[0]
    await scene.home.ask("fire_event", event_type="moodbox_written")
    clock = asyncio.get_running_loop().time
    deadline = clock() + 30
    while database.execute(known).fetchone()[0] == before:
        if clock() > deadline:
            raise TimeoutError("the recorder does not write")
        await asyncio.sleep(0.5)
