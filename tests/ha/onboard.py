"""Makes a fresh Home Assistant usable: a user, an access token, the broker and the player, through its own API.

    onboard.py URL MQTTS_PORT MPD_PORT BROKER

BROKER is the folder that `broker.sh` has made.

Prints, as JSON, what the check needs to know of the session.
"""

import asyncio
import json
import pathlib
import sys

import aiohttp

from home_assistant import HomeAssistant


async def post(session, path, **request):
    async with session.post(path, **request) as response:
        if response.status != 200:
            raise SystemExit(f"{path}: {response.status} {await response.text()}")
        return await response.json()


async def make_user(url):
    """A user and an access token of theirs."""
    client = f"{url}/"
    async with aiohttp.ClientSession(url) as session:
        user = {
            "client_id": client,
            "name": "Moodbox",
            "username": "moodbox",
            "password": "moodbox-secret",
            "language": "en",
        }
        code = (await post(session, "/api/onboarding/users", json=user))["auth_code"]
        grant = {"client_id": client, "grant_type": "authorization_code", "code": code}
        return (await post(session, "/auth/token", data=grant))["access_token"]


def fill_in(fields, answers):
    """Our answers, and what the form itself proposes for the rest that it requires; a section is a form in the form."""
    filled = {}
    for field in fields:
        name = field["name"]
        if field.get("type") == "expandable":
            filled[name] = fill_in(field["schema"], answers)
        elif name in answers:
            filled[name] = answers[name]
        elif field.get("required"):
            filled[name] = field["default"] if "default" in field else unset(field["selector"])
    return filled


def unset(selector):
    """What a person leaves in a field that proposes nothing: a box without its tick, the first of the choices."""
    return selector["select"]["options"][0] if "select" in selector else False


async def add_integration(home, name, **answers):
    """Goes through the forms that a person fills in under Settings, Devices & services, Add integration."""
    flows = "/api/config/config_entries/flow"
    step = await post(home.session, flows, json={"handler": name})
    while step["type"] in ("form", "menu"):
        if step.get("errors"):
            raise SystemExit(f"{name}: {step['step_id']}: {step['errors']}")
        if step["type"] == "menu":
            answer = {"next_step_id": "broker"}
        else:
            answer = fill_in(step["data_schema"], answers)
        step = await post(home.session, f"{flows}/{step['flow_id']}", json=answer)
    if step["type"] != "create_entry":
        raise SystemExit(f"{name}: {step}")


async def upload(home, file):
    """Gives the id by which a form knows the file."""
    with file.open("rb") as content:
        return (await post(home.session, "/api/file_upload", data={"file": content}))["file_id"]


async def main(url, mqtts_port, mpd_port, broker):
    access_token = await make_user(url)
    async with HomeAssistant(url, access_token) as home:
        token = await home.ask("auth/long_lived_access_token", client_name="test", lifespan=2)
        # Since 2026 the settings under http are on trial: unless somebody confirms them, it ends after five minutes.
        await home.ask("http/config/promote")
        password = (broker / "people/homeassistant.password").read_text().strip()
        login = {"username": "homeassistant", "password": password}
        authority = {"set_ca_cert": "custom", "certificate": await upload(home, broker / "ca.pem")}
        await add_integration(home, "mqtt", broker="localhost", port=mqtts_port, **login, **authority)
        await add_integration(home, "mpd", host="127.0.0.1", port=mpd_port)
    session = {"url": url, "token": token, "mqtts_port": mqtts_port, "mpd_port": mpd_port}
    print(json.dumps(session))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), pathlib.Path(sys.argv[4])))
