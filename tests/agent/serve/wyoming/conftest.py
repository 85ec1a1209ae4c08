"""What the tests of the Wyoming server share: glasses that serve, and the library's client."""

import asyncio
import contextlib

import pytest
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient

from agent.cli import push
from agent.serve.ears import Ears
from agent.serve.wyoming.server import Allowed, Server
from agent.testing import ScriptedTranscriber, make_agent

PATIENCE_S = 20.0
"""Longest that a test waits for an answer."""


class Glasses:
    """A server on a free port."""

    def __init__(self, agent, port, server):
        self.agent, self.port, self.server = agent, port, server

    def client(self):
        """The library's own client."""
        return AsyncTcpClient(
            "127.0.0.1", self.port, connect_timeout=PATIENCE_S, read_timeout=PATIENCE_S
        )

    async def raw(self):
        """A bare connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, event):
        """Send one event and return the first that comes back."""
        async with self.client() as client:
            await client.write_event(event.event())
            return await client.read_event()

    async def lives(self):
        """Whether it still answers."""
        from wyoming.info import Describe

        return (await self.ask(Describe())).type == "info"


@pytest.fixture
async def serve(tmp_path):
    """Return a function that makes glasses serve."""
    async with contextlib.AsyncExitStack() as running:

        async def make(transcriber=None, guests=(), **options):
            agent = make_agent(
                tmp_path / "data", transcriber=transcriber or ScriptedTranscriber(), **options
            )
            running.push_async_callback(agent.close)
            ears = Ears(agent.more_ears(), agent.sayings, "ears", frozenset({"en", "zh"}))
            running.push_async_callback(ears.close)
            server = Server(agent, ears, Allowed(guests))
            bound = push.listening("0", "wyoming")
            running.callback(bound.close)
            task = asyncio.create_task(server.serve(bound))

            async def end():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

            running.push_async_callback(end)
            return Glasses(agent, bound.getsockname()[1], server)

        yield make


async def say(client, pcm, rate=16_000, width=2, channels=1, language=None, piece=3_200):
    """Speak as Home Assistant does."""
    await client.write_event(Transcribe(language=language).event())
    await client.write_event(AudioStart(rate, width, channels).event())
    for at in range(0, len(pcm), piece):
        chunk = AudioChunk(rate, width, channels, pcm[at : at + piece])
        await client.write_event(chunk.event())
    await client.write_event(AudioStop().event())


async def heard(client):
    """Read up to the end of a transcript: the events."""
    events = []
    while not events or events[-1].type not in ("transcript-stop", "error"):
        event = await client.read_event()
        assert event is not None, [event.type for event in events]
        events.append(event)
    return events


def text(events):
    """The transcript among the events."""
    return next(event.data["text"] for event in events if event.type == "transcript")
