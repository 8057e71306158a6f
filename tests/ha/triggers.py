"""What an automation can be started by from the device's page: the room comes into a mood."""

MOODS = {"angry", "disgust", "fear", "happy", "neutral", "sad", "surprise", "mixed"}
AUTOMATION = "/api/config/automation/config/came_into_a_mood"
ENTITY = "automation.came_into_a_mood"


async def offered(scene):
    """The triggers of the device itself, by mood; those of its entities are no business of the box."""
    device = await scene.home.device(scene.box.device)
    triggers = await scene.home.ask("device_automation/trigger/list", device_id=device["id"])
    return {trigger["subtype"]: trigger for trigger in triggers if trigger["domain"] == "mqtt"}


async def each_mood_is_a_trigger(scene):
    found = await offered(scene)
    scene.note("each mood is a trigger of the device", set(found) == MOODS, ", ".join(found))


async def comes_into(scene, mood):
    await scene.home.call("select.select_option", scene.id("correct"), option=mood)
    return await scene.until(lambda: scene.shown("mood") == mood, 20)


async def a_trigger_starts_an_automation(scene):
    config = {"alias": "Came into a mood", "triggers": [(await offered(scene))["sad"]], "actions": []}
    async with scene.home.session.post(AUTOMATION, json=config) as answer:
        if answer.status != 200:
            raise RuntimeError(await answer.text())
    await scene.until(lambda: scene.home.state(ENTITY) == "on")
    ran = lambda: scene.home.states[ENTITY]["attributes"].get("last_triggered")
    scene.note("another mood does not start the automation", await comes_into(scene, "happy") and not ran(), ran())
    scene.note("the mood of a trigger does", await comes_into(scene, "sad") and await scene.until(ran), ran())
    async with scene.home.session.delete(AUTOMATION) as answer:
        scene.note("that automation can be removed", answer.status == 200)
