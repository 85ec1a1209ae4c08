"""What the tests of xiaozhi's protocol share: glasses that serve, and a plain device."""

import asyncio
import contextlib
import json
import struct

import av
import numpy as np
import pytest
from websockets.asyncio.client import connect

from agent.serve.xiaozhi import server
from tests.agent.serve.glasses import serving

PATIENCE_S = 20.0
"""Longest that a test waits for a message."""
FRAME_BYTES = 1_920
"""60 ms."""


def opus(pcm):
    """The frames of 60 ms that a device makes of sound."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 16_000, "mono", "s16"
    encoder.options = {"frame_duration": "60", "application": "voip"}
    frames = []
    for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
        samples = np.frombuffer(pcm[at : at + FRAME_BYTES], "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 16_000
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    return frames + [bytes(packet) for packet in encoder.encode(None)]


class Device:
    """A device."""

    def __init__(self, socket):
        self.socket = socket
        self.version = 1

    async def send(self, kind, **more):
        await self.socket.send(json.dumps({"type": kind, **more}))

    async def read(self):
        """The next message."""
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self.socket.recv())

    async def hello(self, version=1, **sound):
        self.version = version
        sound = {
            "format": "opus",
            "sample_rate": 16_000,
            "channels": 1,
            "frame_duration": 60,
            **sound,
        }
        await self.send(
            "hello",
            version=version,
            features={"mcp": True},
            transport="websocket",
            audio_params=sound,
        )
        return await self.read()

    async def listen(self, mode="auto"):
        await self.send("listen", state="start", mode=mode)

    async def frame(self, sound):
        heads = {
            2: struct.pack(">HHIII", 2, 0, 0, 0, len(sound)),
            3: struct.pack(">BBH", 0, 0, len(sound)),
        }
        await self.socket.send(heads.get(self.version, b"") + sound)

    async def speak(self, pcm):
        for sound in opus(pcm):
            await self.frame(sound)

    async def answer(self):
        """What comes up to the end of an answer."""
        found = [await self.read()]
        while not (found[-1]["type"] == "alert" or found[-1].get("state") == "stop"):
            found.append(await self.read())
        return found

    async def type(self, text):
        await self.send("listen", state="detect", text=text)
        return await self.answer()


def told(messages):
    """What a device shows as the answer."""
    (text,) = (one["text"] for one in messages if one.get("state") == "sentence_start")
    return text


class Glasses:
    """A server on a free port."""

    def __init__(self, agent, ears, port):
        self.agent, self.ears, self.port = agent, ears, port
        self.url = f"ws://127.0.0.1:{port}/xiaozhi/v1/"

    @contextlib.asynccontextmanager
    async def device(self, hello=True, **options):
        async with connect(self.url, **options) as socket:
            device = Device(socket)
            if hello:
                await device.hello()
            yield device

    async def lives(self):
        """Whether it still answers."""
        async with self.device(hello=False) as device:
            return (await device.hello())["type"] == "hello"


@pytest.fixture
async def serve(tmp_path):
    """Return a function that makes glasses serve."""
    async with serving(tmp_path, "xiaozhi", server.app, Glasses) as make:
        yield make
