"""What every part of the check works with: Home Assistant, the broker, the boxes, and the count of what held."""

import asyncio
import json
import pathlib

from box import Box, Broker
from home_assistant import HomeAssistant

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RUN = ROOT / ".cache/ha/run"
# As `make test` builds them.
PROGRAMS = ROOT / "target/debug"
# What `broker.sh` has made.
BROKER = RUN / "mosquitto/moodbox"
SESSION = json.loads((RUN / "session.json").read_text())


def a_box(id, name, recording):
    """A box that sees this recording or picture, and has the songs of the player."""
    return Box(
        program=PROGRAMS / "moodboxd",
        id=id,
        name=name,
        recording=recording,
        catalogue=RUN / "mpd/music/songs.csv",
        files=BROKER / "boxes" / id,
        log=RUN / "moodboxd.log",
    )


def the_broker(home):
    return Broker(SESSION["mqtts_port"], BROKER, asyncio.get_running_loop(), home.tell)


class Tally:
    """Counts and prints what held."""

    def __init__(self):
        self.passed = self.failed = 0

    def note(self, what, result, detail=""):
        self.passed += bool(result)
        self.failed += not result
        print(("ok      " if result else "FAILED  ") + what + (f": {detail}" if detail else ""), flush=True)


class Scene:
    """One box beside Home Assistant."""

    def __init__(self, home, broker, box, tally):
        self.home, self.broker, self.box, self.note = home, broker, box, tally.note
        self.components = {}
        """The components of the discovery payload, by name, once it was heard."""

    async def until(self, condition, seconds=10):
        """See `HomeAssistant.until`."""
        return await self.home.until(condition, seconds)

    async def timed(self, what, condition, seconds):
        """Notes whether the condition becomes true in this time, and when it did."""
        clock = asyncio.get_running_loop().time
        start = clock()
        held = await self.until(condition, seconds)
        self.note(what, held, f"{clock() - start:.1f} s of {seconds}")
        return held

    def id(self, component):
        """The entity that the box has asked for."""
        return self.components[component]["default_entity_id"]

    def entity_ids(self):
        return [self.id(name) for name, component in self.components.items() if "default_entity_id" in component]

    def shown(self, component):
        """What Home Assistant shows for a component."""
        return self.home.state(self.id(component))

    def said(self, name):
        """What the box last said on a topic."""
        return self.broker.last(f"{self.box.base}/{name}")

    def unavailable(self):
        """The entities that are not there or not available."""
        return [id for id in self.entity_ids() if self.home.state(id) in (None, "unavailable")]

    async def restart(self, program):
        """Restarts `mosquitto` or `home-assistant`; `up.sh` comes back when it listens."""
        await self.up("restart", program)

    async def up(self, *arguments):
        process = await asyncio.create_subprocess_exec(HERE / "up.sh", *arguments)
        if await process.wait() != 0:
            raise RuntimeError(f"up.sh {' '.join(arguments)} failed")

    async def meet_again(self):
        """A new connection to Home Assistant, which was restarted."""
        await self.home.close()
        self.home = await HomeAssistant(SESSION["url"], SESSION["token"]).open()
        self.broker.tell = self.home.tell
