"""The box, the broker and Home Assistant come and go; nothing stays stuck."""

import subprocess

from commands import Change, comes_back, forgotten
from entities import differing
from scene import BROKER, PROGRAMS, SESSION

# What a person accepts, in seconds.
HUNG = 20
RIGHT_AGAIN = 15


def left(scene):
    return [id for id in scene.entity_ids() if scene.home.state(id) != "unavailable"]


def right(scene):
    """Every entity is available and shows what the box says."""
    return not scene.unavailable() and not differing(scene)


async def is_right_again(scene, what, also=lambda: True):
    await scene.timed(f"{what} everything is right", lambda: also() and right(scene), RIGHT_AGAIN)
    if not right(scene):
        print(f"        unavailable: {scene.unavailable()}; otherwise than said: {differing(scene)}")
    await comes_back(scene, Change("leds", "switch.turn_off", "off"))
    await comes_back(scene, Change("leds", "switch.turn_on", "on"))


async def a_hung_box_is_noticed(scene):
    scene.box.hang()
    await scene.timed("a hung box is unavailable", lambda: not left(scene), HUNG)
    scene.box.go_on()
    await is_right_again(scene, "when it goes on")


async def a_power_cut_is_noticed(scene):
    scene.box.kill()
    await scene.timed("after kill -9 every entity is unavailable", lambda: not left(scene), 2)
    scene.box.start()
    await is_right_again(scene, "after a restart of the box")
    scene.note("what was set outlived it", not forgotten(scene), forgotten(scene))
    sees = lambda: scene.said("state")["camera"] == "on" and scene.shown("camera_problem") == "off"
    scene.note("the camera runs", await scene.until(sees))


async def a_closed_box_is_noticed(scene):
    scene.note("asked to stop, it ends with 0", scene.box.stop() == 0)
    await scene.timed("and is unavailable at once", lambda: not left(scene), 2)
    scene.box.start()
    await is_right_again(scene, "after its next start")


async def a_room_that_is_not_looked_at_is_not_called_empty(scene):
    await scene.home.call("switch.turn_off", scene.id("camera"))
    await scene.until(lambda: scene.said("state")["camera"] == "off")
    scene.note("asked to stop, it ends with 0", scene.box.stop() == 0)
    await scene.until(lambda: not left(scene))
    scene.box.start()
    await is_right_again(scene, "after a start with the camera off")
    shown = lambda: [scene.shown(component) for component in ("mood", "presence", "camera_problem")]
    scene.note("nobody knows who is there", shown() == ["unknown", "unknown", "off"], shown())
    await scene.home.call("switch.turn_on", scene.id("camera"))
    scene.note("somebody is", await scene.until(lambda: scene.shown("presence") == "on", 30), shown())


async def a_person_s_names_are_kept(scene):
    device = await scene.home.device(scene.box.device)
    await scene.home.ask("config/device_registry/update", device_id=device["id"], name_by_user="Den")
    await scene.home.ask("config/entity_registry/update", entity_id=scene.id("mood"), name="Feeling")
    heard = len(scene.broker.said)
    scene.note("asked to stop, it ends with 0", scene.box.stop() == 0)
    await scene.until(lambda: not left(scene))
    scene.box.start()
    introduced = lambda: scene.box.discovery in (topic for topic, _ in scene.broker.said[heard:])
    await is_right_again(scene, "when it has introduced itself again", also=introduced)
    device = await scene.home.device(scene.box.device)
    mood = (await scene.home.entities(device))[f"{scene.box.device}_mood"]
    names = device["name_by_user"], mood["name"]
    scene.note("the names that a person gave are kept", names == ("Den", "Feeling"), names)


async def a_restart_that_was_asked_for_is_survived(scene):
    await scene.home.call("button.press", scene.id("restart"))
    scene.note("asked to restart, it ends for systemd to start it again", scene.box.ended() == 0)
    await scene.timed("and is unavailable at once", lambda: not left(scene), 2)
    scene.box.start()
    await is_right_again(scene, "after the restart")
    scene.note("what was set outlived it", not forgotten(scene), forgotten(scene))


async def a_broker_restart_is_survived(scene):
    heard = len(scene.broker.said)
    await scene.restart("mosquitto")
    await restarted(scene, "after a restart of the broker", heard)


async def a_forgetful_broker_is_reminded(scene):
    heard = len(scene.broker.said)
    await scene.up("forget")
    await restarted(scene, "after a restart of the broker without its store", heard)


async def restarted(scene, what, heard):
    """We have no news for as long as we are not connected either, so we must have heard the box since."""
    greeting = (f"{scene.box.base}/availability", "online")
    await is_right_again(scene, what, also=lambda: greeting in scene.broker.said[heard:])


async def a_restart_of_home_assistant_is_survived(scene):
    await scene.restart("home-assistant")
    await scene.meet_again()
    await is_right_again(scene, "after a restart of Home Assistant")


async def it_can_be_removed(scene):
    scene.note("asked to stop, it ends with 0", scene.box.stop() == 0)
    everything = f"{scene.box.base}/#", scene.box.discovery
    kept = await scene.broker.kept(scene.until, *everything)
    login = ["--username", "admin", "--password-file", BROKER / "people/admin.password", "--ca-file", BROKER / "ca.pem"]
    broker = ["--broker", f"mqtts://localhost:{SESSION['mqtts_port']}", *login]
    removed = subprocess.run([PROGRAMS / "moodbox", "remove", scene.box.id, "--yes", *broker], capture_output=True)
    scene.note("moodbox remove", removed.returncode == 0, (removed.stdout + removed.stderr).decode().strip())

    async def gone():
        return await scene.home.device(scene.box.device) is None

    scene.note("it removes the device", await scene.until(gone))
    states = lambda: [id for id in scene.entity_ids() if id in scene.home.states]
    scene.note("and its entities", await scene.until(lambda: not states()), ", ".join(states()))
    still = await scene.broker.kept(scene.until, *everything)
    scene.note(f"of {len(kept)} topics the broker keeps none", kept and not still, ", ".join(still))


async def nothing_was_complained_about(scene):
    log = await scene.home.ask("system_log/list")
    complaints = [entry for entry in log if "mqtt" in entry["name"] or "moodbox" in str(entry["message"])]
    scene.note("Home Assistant logged no complaint", not complaints, "; ".join(str(c["message"]) for c in complaints))
