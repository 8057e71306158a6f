"""Every entity of the box: what it must be in Home Assistant, and where its state comes from.

A new entity is a new row of `ENTITIES`; nothing else here knows their names.
"""

from dataclasses import dataclass
from typing import Any, Callable, Optional


@dataclass(frozen=True)
class Entity:
    """What Home Assistant must make of a component."""

    name: str
    kind: str
    """The domain, such as `sensor`."""
    category: Optional[str] = None
    device_class: Optional[str] = None
    unit: Optional[str] = None
    enabled: bool = True
    """Whether it is on before a person asks for it."""
    topic: str = "state"
    shows: Optional[Callable[[dict], Any]] = None
    """The state that it must show, from the last payload on the topic; none where it has no state that lasts."""


def field(name):
    return lambda payload: payload[name]


def of_the_room(name):
    """What is known of the room, or nothing."""
    return lambda state: None if state.get("presence_unknown") else state[name]


def of_people(name):
    """Where nobody is there is nothing."""
    return lambda state: state[name] if state["presence"] else None


def first_track(recommendation):
    first = recommendation["tracks"][0]
    return f"{first['title']} - {first['artist']}"[:255]


def diagnostic(name, field_name, kind="sensor", enabled=False, **more):
    return Entity(name, kind, "diagnostic", enabled=enabled, topic="diagnostics", shows=field(field_name), **more)


def setting(name, unit):
    return Entity(name, "number", "config", unit=unit, topic="settings", shows=field(name))


ENTITIES = [
    Entity("mood", "sensor", device_class="enum", shows=of_the_room("mood")),
    Entity("expression", "sensor", device_class="enum", shows=field("expression")),
    Entity("confidence", "sensor", unit="%", topic="confidence", shows=lambda percent: percent or None),
    Entity("faces", "sensor", enabled=False, shows=field("faces")),
    Entity("valence", "sensor", enabled=False, shows=of_people("valence")),
    Entity("arousal", "sensor", enabled=False, shows=of_people("arousal")),
    Entity("unsure", "binary_sensor", enabled=False, shows=field("unsure")),
    Entity("card", "image"),
    Entity("presence", "binary_sensor", device_class="occupancy", shows=of_the_room("presence")),
    Entity("recommendation", "sensor", topic="recommendation", shows=first_track),
    Entity("event", "event"),
    Entity("camera", "switch", shows=lambda state: state["camera"] != "off"),
    Entity("leds", "switch", shows=field("leds")),
    Entity("next", "button"),
    Entity("like", "button"),
    Entity("skip", "button"),
    Entity("choose", "text", topic="now", shows=lambda now: now.get("uri", "")),
    Entity("recommend", "button"),
    Entity("correct", "select", shows=lambda state: None if state["mood"] in ("mixed", "absent") else state["mood"]),
    Entity("policy", "select", "config", shows=field("policy")),
    setting("hold_time", "s"),
    setting("min_face", "px"),
    setting("brightness", "%"),
    setting("analysis_rate", "fps"),
    Entity("led_test", "button", "config"),
    Entity("reset_calibration", "button", "config"),
    Entity("restart", "button", "config", device_class="restart"),
    Entity(
        "camera_problem",
        "binary_sensor",
        "diagnostic",
        device_class="problem",
        shows=lambda state: state["camera"] == "unavailable" and "camera_reason" in state,
    ),
    diagnostic("throttled", "throttled", "binary_sensor", enabled=True, device_class="problem"),
    # What is installed is the latest that the box knows of.
    Entity("update", "update", "diagnostic", device_class="firmware", topic="diagnostics", shows=lambda _: False),
    diagnostic("temperature", "temperature_c", enabled=True, device_class="temperature", unit="°C"),
    diagnostic("fps", "fps", unit="fps"),
    diagnostic("frame_ms_p50", "frame_ms_p50", device_class="duration", unit="ms"),
    diagnostic("frame_ms_p95", "frame_ms_p95", device_class="duration", unit="ms"),
    diagnostic("memory", "rss_mb", device_class="data_size", unit="MB"),
    diagnostic("inferences", "inferences"),
    diagnostic("dropped", "dropped"),
    diagnostic("corrupt", "corrupt"),
    diagnostic("uptime", "uptime_s", device_class="duration", unit="s"),
]


def as_shown(value):
    """A value from a payload as Home Assistant writes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "unknown" if value is None else str(value)


async def device_is_complete(scene):
    """From nothing: the daemon starts, and Home Assistant has never heard of it."""
    found = {}

    async def complete():
        found["device"] = await scene.home.device(scene.box.device)
        if not found["device"]:
            return False
        found["entities"] = await scene.home.entities(found["device"])
        enabled = [entity for entity in ENTITIES if entity.enabled]
        states = [scene.home.state(f"{entity.kind}.{scene.box.device}_{entity.name}") for entity in enabled]
        return len(found["entities"]) == len(ENTITIES) and not {None, "unavailable"}.intersection(states)

    scene.box.start()
    await scene.timed("the device is complete after the start of the daemon", complete, 3)
    payload = await scene.until(lambda: scene.broker.last(scene.box.discovery))
    scene.components = payload["cmps"]
    for ours, theirs in {
        "name": "name",
        "mf": "manufacturer",
        "mdl": "model",
        "sw": "sw_version",
        "sn": "serial_number",
    }.items():
        scene.note(f"its {theirs}", found["device"][theirs] == payload["dev"][ours], found["device"][theirs])
    entities = dict(found["entities"])
    for wanted in ENTITIES:
        entity = entities.pop(f"{scene.box.device}_{wanted.name}", None)
        is_this = entity and (entity["entity_id"], entity["entity_category"], entity["disabled_by"] is None)
        should_be = (f"{wanted.kind}.{scene.box.device}_{wanted.name}", wanted.category, wanted.enabled)
        scene.note(f"entity {wanted.name}", is_this == should_be, is_this)
    scene.note("no other entity", not entities, ", ".join(entities))


async def hidden_entities_can_be_enabled(scene):
    """Half a minute after that, Home Assistant loads the integration anew and repeats its birth message."""
    heard = len(scene.broker.said)
    for entity in ENTITIES:
        if not entity.enabled:
            await scene.home.ask("config/entity_registry/update", entity_id=scene.id(entity.name), disabled_by=None)
    birth = ("homeassistant/status", "online")
    await scene.until(lambda: birth in scene.broker.said[heard:], 60)
    heard += scene.broker.said[heard:].index(birth) if birth in scene.broker.said[heard:] else 0
    again = await scene.until(lambda: scene.box.discovery in (topic for topic, _ in scene.broker.said[heard:]), 15)
    scene.note("the box introduces itself again on the birth message", again)
    await scene.until(lambda: not scene.unavailable())
    scene.note("every entity is available", not scene.unavailable(), scene.unavailable())


async def classes_and_units_are_right(scene):
    for entity in ENTITIES:
        attributes = scene.home.states[scene.id(entity.name)]["attributes"]
        found = attributes.get("device_class"), attributes.get("unit_of_measurement")
        scene.note(f"class and unit of {entity.name}", found == (entity.device_class, entity.unit), found)


async def icons_are_known(scene):
    """One that is not leaves an empty place."""
    async with scene.home.session.get("/static/mdi/iconList.json") as answer:
        known = {f"mdi:{icon['name']}" for icon in await answer.json()}
    icons = {component["icon"] for component in scene.components.values() if "icon" in component}
    scene.note("Home Assistant has every icon", icons and not icons - known, ", ".join(icons - known))


def differing(scene):
    """What Home Assistant shows otherwise than the box says it: name, shown, said."""
    differ = []
    for entity in ENTITIES:
        if entity.shows:
            payload = scene.said(entity.topic)
            wanted = as_shown(entity.shows(payload)) if payload != {} or entity.topic == "now" else "a payload"
            if scene.shown(entity.name) != wanted:
                differ.append((entity.name, scene.shown(entity.name), wanted))
    return differ


async def every_state_is_what_the_box_says(scene):
    """Diagnostics are said once a minute."""
    await scene.until(lambda: scene.said("diagnostics"), 70)
    await scene.until(lambda: not differing(scene))
    differ = {name: (shown, wanted) for name, shown, wanted in differing(scene)}
    for entity in ENTITIES:
        if entity.shows:
            shown, wanted = differ.get(entity.name, (scene.shown(entity.name), ""))
            detail = f"shows {shown}, the box says {wanted}" if entity.name in differ else shown
            scene.note(f"state of {entity.name}", entity.name not in differ, detail)
