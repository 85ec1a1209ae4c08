"""What the tests of RTVI share: glasses that serve, and a plain client."""

import asyncio
import base64
import contextlib
import json

import pytest
from websockets.asyncio.client import connect

from agent.serve.rtvi import server
from tests.agent.serve.glasses import serving

PATIENCE_S = 20.0
"""Longest that a test waits for a message."""
QUIET = bytes(32_000)
"""A second of it."""


class Talk:
    """A client that speaks text, or frames."""

    def __init__(self, socket):
        self.socket = socket

    async def send(self, kind, data=None, id="1", **more):
        message = {"label": "rtvi-ai", "type": kind, "id": id, "data": data, **more}
        await self.socket.send(json.dumps(message))

    async def read(self):
        """The next message."""
        async with asyncio.timeout(PATIENCE_S):
            message = json.loads(await self.socket.recv())
        assert message["label"] == "rtvi-ai"
        assert isinstance(message["id"], str)
        return message

    async def until(self, *kinds):
        """The messages up to the first of these kinds."""
        found = []
        while not found or found[-1]["type"] not in kinds:
            found.append(await self.read())
        return found

    async def say(self, text):
        """Type a line and return what comes of it."""
        await self.send("send-text", {"content": text})
        return await self.until("bot-llm-stopped", "error")

    async def sound(self, pcm, rate=16_000, channels=1, piece=1_280):
        """Stream sound as Pipecat does, as fast as it is taken."""
        for at in range(0, len(pcm), piece):
            audio = base64.b64encode(pcm[at : at + piece]).decode()
            data = {"base64Audio": audio, "sampleRate": rate, "numChannels": channels}
            await self.send("raw-audio", data)


def text(messages):
    """What the bot said among the messages."""
    (told,) = (one["data"]["text"] for one in messages if one["type"] == "bot-llm-text")
    return told


def kinds(messages):
    return [one["type"] for one in messages]


class Glasses:
    """A bot on a free port."""

    def __init__(self, agent, ears, port):
        self.agent, self.ears, self.port = agent, ears, port
        self.url = f"ws://127.0.0.1:{port}/ws"

    @contextlib.asynccontextmanager
    async def talk(self, url=None, **options):
        async with connect(url or self.url, max_size=None, **options) as socket:
            yield Talk(socket)

    async def lives(self):
        """Whether it still answers."""
        async with self.talk() as client:
            await client.send("client-ready", {"version": "2.2.0"})
            return (await client.read())["type"] == "bot-ready"


@pytest.fixture
async def serve(tmp_path):
    """Return a function that makes glasses serve."""
    async with serving(tmp_path, "rtvi", server.app, Glasses) as make:
        yield make
