"""A client of Home Assistant: what it knows, as it changes, and its services."""

import asyncio
import inspect
import itertools

import aiohttp


class HomeAssistant:
    """A connection to its API. `states` and `history` follow what it says."""

    def __init__(self, url, token):
        self.url = url
        self.token = token
        self.states = {}
        """The state object of every entity, by its id."""
        self.history = []
        """Every state object that was said since the connection, oldest first."""
        self.calls = []
        """Every action that was called since then: its name and data."""
        self._ids = itertools.count(1)
        self._answers = {}
        self._news = asyncio.Event()

    async def __aenter__(self):
        return await self.open()

    async def __aexit__(self, *_):
        await self.close()

    async def open(self):
        self.session = aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {self.token}"})
        self._socket = await self.session.ws_connect("/api/websocket", max_msg_size=0)
        await self._socket.receive_json()
        await self._socket.send_json({"type": "auth", "access_token": self.token})
        welcome = await self._socket.receive_json()
        if welcome["type"] != "auth_ok":
            raise ConnectionError(f"Home Assistant refuses the token: {welcome}")
        self.version = welcome["ha_version"]
        self._reader = asyncio.create_task(self._read())
        for event in ("state_changed", "device_registry_updated", "entity_registry_updated", "call_service"):
            await self.ask("subscribe_events", event_type=event)
        for state in await self.ask("get_states"):
            self.states.setdefault(state["entity_id"], state)
        return self

    async def close(self):
        self._reader.cancel()
        await self._socket.close()
        await self.session.close()

    async def _read(self):
        async for message in self._socket:
            message = message.json()
            if message["type"] == "result":
                self._answers.pop(message["id"]).set_result(message)
            elif message["type"] == "event":
                self._hear(message["event"])

    def _hear(self, event):
        if event["event_type"] == "state_changed":
            new = event["data"]["new_state"]
            if new is None:
                self.states.pop(event["data"]["entity_id"], None)
            else:
                self.states[new["entity_id"]] = new
                self.history.append(new)
        elif event["event_type"] == "call_service":
            call = event["data"]
            self.calls.append((f"{call['domain']}.{call['service']}", call["service_data"]))
        self.tell()

    def tell(self):
        """Something happened that somebody may be waiting for."""
        self._news.set()

    async def until(self, condition, seconds=10):
        """Asks `condition`, a function or coroutine function, whenever there is news.

        Until it gives something true or the time is over; gives what it gave last.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            self._news.clear()
            result = condition()
            if inspect.isawaitable(result):
                result = await result
            if result:
                return result
            try:
                async with asyncio.timeout_at(deadline):
                    await self._news.wait()
            except TimeoutError:
                return result

    async def ask(self, type, **fields):
        """A command of the WebSocket API."""
        id = next(self._ids)
        answer = self._answers[id] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": id, "type": type, **fields})
        answer = await answer
        if not answer["success"]:
            raise RuntimeError(f"{type}: {answer['error']}")
        return answer["result"]

    async def call(self, action, entity_id, **data):
        """An action such as `switch.turn_off` on an entity."""
        domain, service = action.split(".")
        target = {"entity_id": entity_id}
        await self.ask("call_service", domain=domain, service=service, service_data=data, target=target)

    async def device(self, identifier):
        """The device that MQTT knows by this identifier, or None."""
        for device in await self.ask("config/device_registry/list"):
            if ["mqtt", identifier] in device["identifiers"]:
                return device
        return None

    async def entities(self, device):
        """The entities of a device, by their unique id."""
        entities = await self.ask("config/entity_registry/list")
        return {entity["unique_id"]: entity for entity in entities if entity["device_id"] == device["id"]}

    def state(self, entity_id):
        """What an entity says, or None where there is none."""
        return self.states[entity_id]["state"] if entity_id in self.states else None
