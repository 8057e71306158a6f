"""Checks the real daemon beside a real Home Assistant; `up.sh check` runs it.

What the box says must arrive there, and what is clicked there must arrive at the box, also after either of them, or the
broker between them, was away.
"""

import asyncio
import sys

import card
import commands
import entities
import evening
import life
import playing
import recording
import triggers
from home_assistant import HomeAssistant
from scene import ROOT, SESSION, Scene, Tally, a_box, the_broker

# Each builds on those before it.
WATCHING = [
    entities.device_is_complete,
    entities.hidden_entities_can_be_enabled,
    entities.classes_and_units_are_right,
    entities.icons_are_known,
    recording.states_follow_the_recording,
    entities.every_state_is_what_the_box_says,
    commands.songs_are_chosen,
    commands.changes_come_back,
    commands.the_policy_decides_the_list,
    commands.a_camera_that_is_off_sees_nobody,
    commands.the_rest_is_taken,
    card.the_card_is_shown,
]
PLAYING = [
    entities.device_is_complete,
    playing.recommendations_are_played,
    playing.what_is_unwanted_is_not_played,
    playing.a_box_that_returns_changes_nothing,
    playing.what_is_done_on_the_player_is_told,
    playing.volume_follows_the_room,
    playing.songs_that_follow_closely_are_nobody_s_choice,
    playing.music_assistant_is_asked_by_name,
    triggers.each_mood_is_a_trigger,
    triggers.a_trigger_starts_an_automation,
]
LIVING = [
    life.nothing_was_complained_about,
    life.a_hung_box_is_noticed,
    life.a_power_cut_is_noticed,
    life.a_closed_box_is_noticed,
    life.a_room_that_is_not_looked_at_is_not_called_empty,
    life.a_person_s_names_are_kept,
    life.a_restart_that_was_asked_for_is_survived,
    life.a_broker_restart_is_survived,
    life.a_forgetful_broker_is_reminded,
    life.a_restart_of_home_assistant_is_survived,
    life.it_can_be_removed,
    evening.an_evening_is_recorded,
    life.nothing_was_complained_about,
]


async def take(steps, scene):
    for step in steps:
        try:
            await step(scene)
        except Exception as error:
            # Something is missing that the step builds on, so the rest can only fail as well.
            scene.note(step.__name__, False, repr(error))
            return


async def main():
    tally = Tally()
    home = await HomeAssistant(SESSION["url"], SESSION["token"]).open()
    print(f"Home Assistant {home.version}")
    broker = the_broker(home)
    watching = Scene(home, broker, a_box("b827eb01", "Moodbox", recording.RECORDING), tally)
    still = Scene(home, broker, a_box("b827eb02", "Kitchen", ROOT / "host-tools/demo/faces/hopper.jpg"), tally)
    try:
        await take(WATCHING, watching)
        await take(PLAYING, still)
        still.box.kill()
        await take(LIVING, watching)
    finally:
        watching.box.kill()
        still.box.kill()
        broker.close()
        await watching.home.close()
    print(f"{tally.passed} passed, {tally.failed} failed")
    return tally.failed > 0


sys.exit(asyncio.run(main()))
