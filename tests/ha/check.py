"""Checks the real daemon beside a real Home Assistant; `up.sh check` runs it.

What the box says must arrive there, and what is clicked there must arrive at the box.
Which entities there are, and how they are called, is read from the discovery payload that the box leaves at the broker.
"""

import asyncio
import json
import pathlib
import re
import sys

from box import BASE, DEVICE, DISCOVERY, Box, Broker
from home_assistant import HomeAssistant

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUN = ROOT / ".cache/ha/run"
SESSION = json.loads((RUN / "session.json").read_text())

RECORDING = ROOT / "host-tools/demo/evening.mjpeg"
# What it holds, in the order it comes.
EXPRESSIONS = [
    s["expression"] for s in json.loads(RECORDING.with_suffix(".json").read_text())["segments"] if s["expression"]
]
# It takes 85 s, and the box may have come in anywhere.
ONE_PASS_S = 100


def as_shown(value):
    """A value from a payload as Home Assistant writes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "unknown" if value is None else str(value)


class Check:
    def __init__(self, home, broker, box):
        self.home, self.broker, self.box = home, broker, box
        self.passed = self.failed = 0

    def note(self, what, result, detail=""):
        self.passed += bool(result)
        self.failed += not result
        print(("ok      " if result else "FAILED  ") + what + (f": {detail}" if detail else ""), flush=True)

    async def all(self):
        steps = (
            self.device_is_listed,
            self.every_component_is_an_entity,
            self.hidden_entities_can_be_enabled,
            self.states_follow_the_recording,
            self.songs_are_chosen,
            self.switches_are_switched,
            self.diagnostics_arrive,
            self.a_power_cut_is_noticed,
            self.it_can_be_removed,
            self.nothing_was_complained_about,
        )
        for step in steps:
            try:
                await step()
            except Exception as error:
                # Something is missing that the step builds on, so the rest can only fail as well.
                self.note(step.__name__, False, repr(error))
                return

    def id(self, component):
        return self.components[component]["default_entity_id"]

    def shown(self, component):
        """What Home Assistant shows for a component."""
        return self.home.state(self.id(component))

    def said(self, name):
        """What the box last said on a topic."""
        return self.broker.last(f"{BASE}/{name}")

    def entity_ids(self):
        return [self.id(name) for name in self.components]

    async def device_is_listed(self):
        payload = await self.home.until(lambda: self.broker.last(DISCOVERY))
        self.components = payload["cmps"]
        self.device = await self.home.until(lambda: self.home.device(DEVICE))
        self.note("the device is listed", self.device, payload["dev"]["name"])
        for ours, theirs in {
            "name": "name",
            "mf": "manufacturer",
            "mdl": "model",
            "sw": "sw_version",
            "sn": "serial_number",
        }.items():
            self.note(f"its {theirs}", self.device[theirs] == payload["dev"][ours], self.device[theirs])

    async def every_component_is_an_entity(self):
        async def all_there():
            entities = await self.home.entities(self.device)
            return entities if len(entities) >= len(self.components) else None

        await self.home.until(all_there)
        entities = await self.home.entities(self.device)
        for name, component in self.components.items():
            entity = entities.pop(component["unique_id"], None)
            found = entity and (
                entity["entity_id"],
                entity["original_name"],
                entity["entity_category"],
                entity["disabled_by"] is None,
            )
            wanted = (
                component["default_entity_id"],
                component["name"],
                component.get("entity_category"),
                component.get("enabled_by_default", True),
            )
            self.note(f"entity {name}", found == wanted, found)
        self.note("no other entity", not entities, ", ".join(entities))

    async def hidden_entities_can_be_enabled(self):
        """Half a minute after that, Home Assistant loads the integration anew and repeats its birth message."""
        heard = len(self.broker.said)
        for component in self.components.values():
            if not component.get("enabled_by_default", True):
                await self.home.ask(
                    "config/entity_registry/update", entity_id=component["default_entity_id"], disabled_by=None
                )
        birth = ("homeassistant/status", "online")
        await self.home.until(lambda: birth in self.broker.said[heard:], 60)
        heard += self.broker.said[heard:].index(birth) if birth in self.broker.said[heard:] else 0
        again = await self.home.until(lambda: DISCOVERY in (topic for topic, _ in self.broker.said[heard:]), 15)
        self.note("the box introduces itself again on the birth message", again)
        missing = lambda: [id for id in self.entity_ids() if self.home.state(id) in (None, "unavailable")]
        await self.home.until(lambda: not missing())
        self.note("every entity is available", not missing(), ", ".join(missing()) or f"{len(self.entity_ids())} entities")

    async def states_follow_the_recording(self):
        def shown_in_turn(component):
            states = [s["state"] for s in self.home.history if s["entity_id"] == self.id(component)]
            states = [state for state in states if state not in ("unavailable", "unknown")]
            return [state for state, before in zip(states, [None, *states]) if state != before]

        def expressions_in_order():
            shown = iter(shown_in_turn("expression"))
            return all(expression in shown for expression in EXPRESSIONS)

        def other_moods():
            moods = shown_in_turn("mood")
            return "happy" in moods and set(moods[moods.index("happy") :]) - {"happy", "absent"}

        await self.home.until(lambda: self.shown("presence") == "on", ONE_PASS_S)
        self.note("somebody is seen", self.shown("presence") == "on")
        await self.home.until(lambda: self.shown("mood") == "happy", ONE_PASS_S)
        self.note("the mood becomes happy", self.shown("mood") == "happy")
        await self.home.until(expressions_in_order, ONE_PASS_S)
        self.note(f"the expression goes {', '.join(EXPRESSIONS)}", expressions_in_order(), shown_in_turn("expression"))
        await self.home.until(other_moods, ONE_PASS_S)
        self.note("the mood moves on from happy", other_moods(), shown_in_turn("mood"))
        same = lambda: (
            (self.shown("mood"), self.shown("policy")) == (self.said("state")["mood"], self.said("state")["policy"])
        )
        self.note("both say the same mood and policy", await self.home.until(same), self.said("state"))
        percent = lambda: self.shown("confidence") == str(self.said("confidence"))
        self.note("both say the same confidence", await self.home.until(percent), self.shown("confidence"))
        self.note(
            "the recommendation is the first track of the list",
            await self.home.until(self.recommendation_is_shown),
            self.shown("recommendation"),
        )

    def recommendation_is_shown(self):
        first = self.said("recommendation")["tracks"][0]
        attributes = self.home.states[self.id("recommendation")]["attributes"]
        return (
            self.shown("recommendation") == f"{first['title']} - {first['artist']}"[:255]
            and attributes["tracks"][0] == first
        )

    async def songs_are_chosen(self):
        uri = self.said("recommendation")["tracks"][3]["uri"]
        await self.playing_becomes(uri, "text.set_value", "choose", value=uri)
        await self.playing_becomes(self.head(), "button.press", "next")
        heard = len(self.broker.said)
        await self.home.call("button.press", self.id("like"))
        # What is said to one command is said before what is said to the next.
        await self.playing_becomes(self.head(), "button.press", "skip")
        topics = [topic for topic, _ in self.broker.said[heard:]]
        self.note(
            "like arrives and is not refused", f"{BASE}/cmd/like" in topics and f"{BASE}/response/like" not in topics
        )

    def head(self):
        return self.said("recommendation")["tracks"][0]["uri"]

    async def playing_becomes(self, uri, action, component, **data):
        start = len(self.home.history)
        await self.home.call(action, self.id(component), **data)
        await self.home.until(lambda: self.shown("choose") == uri == self.said("now").get("uri"))
        self.note(
            f"{component} plays the song",
            self.shown("choose") == uri == self.said("now").get("uri"),
            self.shown("choose"),
        )

        def events():
            states = (s for s in self.home.history[start:] if s["entity_id"] == self.id("event"))
            return [(s["attributes"].get("event_type"), s["attributes"].get("uri")) for s in states]

        await self.home.until(lambda: ("chosen", uri) in events())
        self.note(f"{component} fires the event", ("chosen", uri) in events(), events())

    async def switches_are_switched(self):
        await self.switch("select.select_option", "policy", "lift", option="lift")
        policy = lambda: self.said("recommendation")["policy"] == "lift" and self.recommendation_is_shown()
        self.note("the list follows the policy", await self.home.until(policy), self.said("recommendation")["reason"])
        await self.switch("switch.turn_off", "leds", "off")
        await self.switch("switch.turn_on", "leds", "on")
        await self.switch("switch.turn_off", "camera", "off")
        nobody = lambda: self.said("state")["faces"] == 0 and self.shown("expression") == "unknown"
        self.note("then nobody is seen", await self.home.until(nobody, 20), self.said("state"))
        await self.switch("switch.turn_on", "camera", "on")
        somebody = lambda: self.said("state")["faces"] > 0
        self.note("then somebody is seen", await self.home.until(somebody, 30), self.said("state"))
        await self.home.call("button.press", self.id("reset_calibration"))
        answered = lambda: self.said("response/calibrate.reset").get("status") == "ok"
        self.note("a reset of the calibration is answered", await self.home.until(answered))

    async def switch(self, action, component, value, **data):
        await self.home.call(action, self.id(component), **data)
        done = lambda: self.shown(component) == value == self.said("state")[component]
        self.note(
            f"{component} {value}",
            await self.home.until(done),
            f"Home Assistant {self.shown(component)}, box {self.said('state')[component]}",
        )

    async def diagnostics_arrive(self):
        """They are said once a minute."""
        await self.home.until(lambda: self.said("diagnostics"), 70)
        said = self.said("diagnostics")
        for name, component in self.components.items():
            if component.get("state_topic") != f"{BASE}/diagnostics":
                continue
            value = said[re.search(r"value_json\.(\w+)", component["value_template"])[1]]
            wanted = as_shown(value)
            self.note(f"diagnostics {name}", self.shown(name) == wanted, self.shown(name))

    async def a_power_cut_is_noticed(self):
        self.box.kill()
        left = lambda: [id for id in self.entity_ids() if self.home.state(id) != "unavailable"]
        await self.home.until(lambda: not left(), 30)
        self.note("after kill -9 every entity is unavailable", not left(), ", ".join(left()))
        self.box.start()
        left = lambda: [id for id in self.entity_ids() if self.home.state(id) == "unavailable"]
        await self.home.until(lambda: not left())
        self.note("after a restart every entity is back", not left(), ", ".join(left()))
        self.note("the policy outlived it", self.shown("policy") == "lift", self.shown("policy"))
        sees = lambda: self.said("state")["camera"] == "on" and self.shown("camera_problem") == "off"
        self.note("the camera runs", await self.home.until(sees))

    async def it_can_be_removed(self):
        self.note("asked to stop, it ends with 0", self.box.stop() == 0)
        self.note("and says that it is off", await self.home.until(lambda: self.shown("mood") == "unavailable"))
        self.broker.publish(DISCOVERY, "")

        async def gone():
            return await self.home.device(DEVICE) is None

        self.note("an empty discovery payload removes the device", await self.home.until(gone))
        self.note(
            "and its entities",
            await self.home.until(lambda: not [id for id in self.entity_ids() if id in self.home.states]),
        )

    async def nothing_was_complained_about(self):
        log = await self.home.ask("system_log/list")
        complaints = [entry for entry in log if "mqtt" in entry["name"] or "moodbox" in str(entry["message"])]
        self.note(
            "Home Assistant logged no complaint", not complaints, "; ".join(str(c["message"]) for c in complaints)
        )


async def main():
    async with HomeAssistant(SESSION["url"], SESSION["token"]) as home:
        print(f"Home Assistant {home.version}")
        broker = Broker(SESSION["mqtt_port"], asyncio.get_running_loop(), home.tell)
        box = Box(
            program=ROOT / "target/release/moodboxd",
            recording=RECORDING,
            port=SESSION["mqtts_port"],
            authority=RUN / "mosquitto/ca.crt",
            log=RUN / "moodboxd.log",
        )
        check = Check(home, broker, box)
        box.start()
        try:
            await check.all()
        finally:
            box.kill()
            broker.close()
    print(f"{check.passed} passed, {check.failed} failed")
    return check.failed > 0


sys.exit(asyncio.run(main()))
