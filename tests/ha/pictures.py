"""Takes the pictures of deploy/home-assistant: a real Chromium looks at the real Home Assistant with a real box.

    pictures.py FOLDER

`up.sh pictures` runs it. A person must look at the pictures before they are kept.
"""

import asyncio
import io
import json
import pathlib
import sys
import tempfile
import time

import yaml
from PIL import Image
from playwright.async_api import async_playwright

import card
import entities
import playing
import recording
from home_assistant import HomeAssistant
from scene import ROOT, SESSION, Scene, Tally, a_box, the_broker

DASHBOARD = ROOT / "deploy/home-assistant/dashboard.yaml"
QUIETLY = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


async def set_up(scene):
    """What a person does after they have read the page of instructions; then a song is played."""
    await entities.device_is_complete(scene)
    await scene.until(lambda: scene.shown("mood") == "happy", recording.ONE_PASS_S)
    blueprint = {"domain": "automation", "path": "moodbox/play.yaml", "yaml": playing.BLUEPRINT.read_text()}
    await scene.home.ask("blueprint/save", **blueprint)
    await playing.automation(scene, presence=[scene.id("presence")], quiet_from="23:00:00", quiet_to="07:00:00")
    await scene.home.ask("lovelace/dashboards/create", url_path="mood-box", title="Moodbox", mode="storage")
    text = DASHBOARD.read_text().replace("media_player.living_room", playing.PLAYER)
    view = yaml.safe_load(text)
    await scene.home.ask("lovelace/config/save", url_path="mood-box", config={"views": [view]})
    await scene.home.call("button.press", scene.id("next"))
    await scene.until(lambda: scene.home.state(playing.PLAYER) == "playing")


async def sign_in(page):
    tokens = {
        "access_token": SESSION["token"],
        "token_type": "Bearer",
        "expires_in": 86400,
        "expires": int(time.time() * 1000) + 86_400_000,
        "hassUrl": SESSION["url"],
        "clientId": None,
        "refresh_token": "",
    }
    await page.add_init_script(f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(tokens))})")


async def take(page, path, text, file, width, height, settled=None):
    """One picture of a page, once it shows a text and, where more must hold, that does."""
    await page.set_viewport_size({"width": width, "height": height})
    await page.goto(SESSION["url"] + path)
    await page.get_by_text(text, exact=True).first.wait_for(timeout=60_000)
    await page.wait_for_load_state("networkidle")
    if settled:
        await settled
        await page.wait_for_load_state("networkidle")
    picture = Image.open(io.BytesIO(await page.screenshot(scale="css")))
    # These few colours are enough for a page, and take half of the room.
    picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)
    print(file)


async def main(folder):
    async with HomeAssistant(SESSION["url"], SESSION["token"]) as home:
        broker = the_broker(home)
        scene = Scene(home, broker, a_box("b827eb01", "Moodbox", recording.RECORDING), Tally())
        try:
            await set_up(scene)
            device = await home.device(scene.box.device)
            async with async_playwright() as playwright:
                with tempfile.TemporaryDirectory() as profile:
                    browser = await playwright.chromium.launch_persistent_context(
                        profile, executable_path="/usr/bin/chromium", chromium_sandbox=False, args=QUIETLY
                    )
                    page = await browser.new_page()
                    await sign_in(page)
                    device_page = f"/config/devices/device/{device['id']}"
                    await take(page, device_page, "Expression", folder / "device.png", 1100, 2050)
                    same = card.the_card_is_shown(scene)
                    await take(page, "/mood-box/moodbox", "The room", folder / "dashboard.png", 1560, 960, same)
                    editor = "/config/automation/edit/moodbox"
                    await take(page, editor, "Topic of the box", folder / "blueprint.png", 1100, 1150)
                    await browser.close()
        finally:
            scene.box.kill()
            broker.close()


asyncio.run(main(pathlib.Path(sys.argv[1])))
