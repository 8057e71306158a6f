"""The blueprint of deploy/home-assistant plays on a real MPD what the box recommends, and tells the box what is played.

The box looks at one picture for ever, so that the mood changes when it is told that it was misread and not otherwise.
"""

import asyncio
import datetime
import json

from commands import head
from scene import ROOT, SESSION

BLUEPRINT = ROOT / "deploy/home-assistant/play-recommendation.yaml"
AUTOMATION = "/api/config/automation/config/moodbox"
PLAYER = "media_player.music_player_daemon"

MINIMUM_S = 3
# After this time nothing comes any more that is still to come.
SETTLED_S = 3

# No other song starts by itself with these.
AT_ANY_TIME = {"quiet_from": "00:00:00", "quiet_to": "00:00:00", "minimum_minutes": MINIMUM_S / 60}


async def mpd():
    """What the player itself says: its state, and the song with its place in the player's own count."""
    reader, writer = await asyncio.open_connection("127.0.0.1", SESSION["mpd_port"])
    await reader.readline()
    writer.write(b"command_list_begin\nstatus\ncurrentsong\ncommand_list_end\n")
    lines = []
    while (line := (await reader.readline()).decode().strip()) and not line.startswith(("OK", "ACK")):
        lines.append(line.split(": ", 1))
    writer.close()
    said = dict(lines)
    return said["state"], said.get("file"), said.get("songid")


async def automation(scene, **inputs):
    """Makes the automation, or changes it, as the editor does."""
    use = {"path": "moodbox/play.yaml", "input": {"topic": scene.box.base, "player": PLAYER, **AT_ANY_TIME, **inputs}}
    config = {"alias": "Moodbox plays", "use_blueprint": use}
    heard = len(scene.home.history)
    before = last_run(scene)
    async with scene.home.session.post(AUTOMATION, json=config) as answer:
        if answer.status != 200:
            raise RuntimeError(await answer.text())
    # The broker tells it at once that the box is there, which counts as a change.
    ran = lambda: any(
        state["entity_id"] == "automation.moodbox_plays"
        and state["attributes"].get("last_triggered") not in (None, before)
        for state in scene.home.history[heard:]
    )
    if not await scene.until(ran):
        raise RuntimeError("the automation does not notice that the box is there")
    await minimum_is_over(scene)


def last_run(scene):
    """When the automation last ran; None before, and while Home Assistant loads it anew."""
    return scene.home.states.get("automation.moodbox_plays", {"attributes": {}})["attributes"].get("last_triggered")


async def minimum_is_over(scene):
    """The minimum time counts from when the automation last ran, as it also does when Home Assistant notices a new song on the
    player, which is later than the player has it."""

    def it_is():
        ran = last_run(scene)
        now = datetime.datetime.now(datetime.UTC)
        return ran and now - datetime.datetime.fromisoformat(ran) > datetime.timedelta(seconds=MINIMUM_S + 1)

    if not await scene.until(it_is, 30):
        raise RuntimeError("the automation runs again and again")


async def plays(scene, uri):
    async def it_does():
        state, file, _ = await mpd()
        return (state, file) == ("play", uri) and scene.said("now").get("uri") == uri

    return await scene.until(it_does)


async def misread(scene, mood):
    """Tells the box what the mood really is; gives the first song of the list that it makes for that, or None."""
    heard = len(scene.broker.said)
    await scene.home.call("select.select_option", scene.id("correct"), option=mood)
    return await recommended(scene, heard)


async def recommended(scene, heard):
    def event():
        events = (json.loads(text) for topic, text in scene.broker.said[heard:] if topic == f"{scene.box.base}/event")
        return next((event["uri"] for event in events if event["event_type"] == "recommended"), None)

    return await scene.until(event, 20)


async def nothing_happens(scene, what, heard):
    before = await mpd()
    await asyncio.sleep(SETTLED_S)
    commands = [topic for topic, _ in scene.broker.said[heard:] if "/cmd/" in topic and "correct" not in topic]
    scene.note(what, await mpd() == before and not commands, commands)


async def recommendations_are_played(scene):
    blueprint = {"domain": "automation", "path": "moodbox/play.yaml", "yaml": BLUEPRINT.read_text()}
    await scene.home.ask("blueprint/save", **blueprint)
    await automation(scene, presence=[scene.id("presence")])
    heard = len(scene.broker.said)
    first = await misread(scene, "sad")
    scene.note("the first recommendation is played", first and await plays(scene, first), first)
    await minimum_is_over(scene)
    second = await misread(scene, "happy")
    scene.note("the second recommendation is played", second != first and await plays(scene, second), second)
    await asyncio.sleep(SETTLED_S)
    asked = [topic for topic, _ in scene.broker.said[heard:] if topic.endswith("/cmd/next")]
    scene.note("each was asked for once", len(asked) == 2, len(asked))


async def what_is_unwanted_is_not_played(scene):
    await automation(scene, presence=[scene.id("camera_problem")])
    heard = len(scene.broker.said)
    scene.note("the box recommends while nobody is there", await misread(scene, "sad"))
    await nothing_happens(scene, "that is not played", heard)
    now = datetime.datetime.now(datetime.UTC)
    hour = datetime.timedelta(hours=1)
    await automation(scene, quiet_from=f"{now - hour:%H:%M:%S}", quiet_to=f"{now + hour:%H:%M:%S}")
    heard = len(scene.broker.said)
    scene.note("the box recommends in quiet hours", await misread(scene, "happy"))
    await nothing_happens(scene, "that is not played", heard)
    uri = head(scene)
    await scene.home.call("button.press", scene.id("next"))
    scene.note("what a person asks for is", await plays(scene, uri), uri)
    await automation(scene, minimum_minutes=3)
    heard = len(scene.broker.said)
    scene.note("the box recommends too soon", await misread(scene, "sad"))
    await nothing_happens(scene, "that is not played", heard)


async def a_box_that_returns_changes_nothing(scene):
    heard = len(scene.broker.said)
    scene.box.kill()
    away = lambda: scene.shown("mood") == "unavailable"
    scene.note("the box goes away", await scene.until(away))
    scene.box.start()
    listed = lambda: f"{scene.box.base}/recommendation" in (topic for topic, _ in scene.broker.said[heard:])
    scene.note("the box returns and recommends", await scene.until(lambda: not away() and listed(), 20))
    await nothing_happens(scene, "the song goes on", heard)


async def what_is_done_on_the_player_is_told(scene):
    await automation(scene)
    other = next(track["uri"] for track in scene.said("recommendation")["tracks"][::-1])
    await scene.home.call("media_player.play_media", PLAYER, media_content_id=other, media_content_type="music")
    _, _, song = await mpd()
    scene.note("a song that is chosen on the player is chosen on the box", await plays(scene, other), other)
    await asyncio.sleep(SETTLED_S)
    scene.note("and goes on", (await mpd())[2] == song)
    heard = len(scene.broker.said)
    uri = head(scene)
    await scene.home.call("media_player.media_next_track", PLAYER)
    scene.note("after a skip on the player the next song of the box is played", await plays(scene, uri), uri)
    skips = [topic for topic, _ in scene.broker.said[heard:] if topic.endswith("/cmd/skip")]
    scene.note("the box was told of the skip once", len(skips) == 1, len(skips))
    uri = head(scene)
    await scene.home.call("media_player.media_seek", PLAYER, seek_position=58)
    ended = await scene.until(lambda: scene.said("now").get("uri") == uri, 30)
    scene.note("after the end of a song the next one is played", ended and await plays(scene, uri), uri)
    heard = len(scene.broker.said)
    await scene.home.call("media_player.media_stop", PLAYER)
    await nothing_happens(scene, "after a stop nothing is played", heard)


async def volume_follows_the_room(scene):
    await automation(scene, adapt_volume=True, softest=20, loudest=60)
    uri = head(scene)
    await scene.home.call("button.press", scene.id("next"))
    await plays(scene, uri)
    wanted = lambda: round(0.2 + 0.4 * (scene.said("state")["arousal"] + 1) / 2, 2)
    volume = lambda: scene.home.states[PLAYER]["attributes"].get("volume_level")
    held = await scene.until(lambda: volume() is not None and abs(volume() - wanted()) < 0.011)
    scene.note(
        "the volume follows the arousal of the room", held, f"{volume()}, arousal {scene.said('state')['arousal']}"
    )


async def songs_that_follow_closely_are_nobody_s_choice(scene):
    """The player says that it plays the first when the second is already asked for."""
    # Home Assistant loads only an automation that differs from what it has.
    await automation(scene, adapt_volume=True, softest=10, loudest=60)
    heard = len(scene.broker.said)

    def chosen():
        events = (json.loads(text) for topic, text in scene.broker.said[heard:] if topic == f"{scene.box.base}/event")
        return [event["uri"] for event in events if event["event_type"] == "chosen"]

    scene.broker.publish(f"{scene.box.base}/cmd/next", "PRESS")
    await asyncio.sleep(0.1)
    scene.broker.publish(f"{scene.box.base}/cmd/next", "PRESS")
    both = await scene.until(lambda: len(chosen()) == 2)
    uri = chosen()[-1] if both else None
    scene.note("of two songs that follow closely the second is played", both and await plays(scene, uri), uri)
    await asyncio.sleep(SETTLED_S)
    choices = [topic for topic, _ in scene.broker.said[heard:] if topic.endswith("/cmd/choose")]
    scene.note("and neither is told as a person's choice", not choices, choices)


async def music_assistant_is_asked_by_name(scene):
    """Its server cannot be installed as a package; this is what it would be asked."""
    await automation(scene, music_assistant=True, enqueue="next")
    first = scene.said("recommendation")["tracks"][0]
    start = len(scene.home.calls)
    await scene.home.call("button.press", scene.id("next"))
    asked = lambda: [data for name, data in scene.home.calls[start:] if name == "music_assistant.play_media"]
    await scene.until(asked)
    wanted = {"media_id": first["title"], "artist": first["artist"], "media_type": "track", "enqueue": "next"}
    found = {name: asked()[0].get(name) for name in wanted} if asked() else None
    scene.note("Music Assistant is asked for the song by name", found == wanted, found)
    async with scene.home.session.delete(AUTOMATION) as answer:
        scene.note("the automation can be removed", answer.status == 200)
