"""Glasses without glasses: what a pair does on its side of the hub's protocol, for tests and benches.

They keep what is not done with, and come back by themselves when the link breaks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque

import numpy as np
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from agent.serve.cutting import CHUNK_BYTES
from agent.serve.hub import protocol
from tests.pace import PATIENCE_S

QUIET = np.random.default_rng(7).normal(0, 8, 16_000).astype("<i2").tobytes()
"""A second of a quiet room."""
AGAIN_S = 0.05
"""How long glasses wait before they come back."""


def chunks(pcm):
    """Sound as whole chunks; what is left over is dropped."""
    whole = len(pcm) // CHUNK_BYTES * CHUNK_BYTES
    return [pcm[at : at + CHUNK_BYTES] for at in range(0, whole, CHUNK_BYTES)]


class Wearer:
    """One pair of glasses, and whoever wears them."""

    def __init__(self, url, key, name="mine", language="en", **options):
        self.url = f"{url}/glasses/{name}"
        self.options = {"additional_headers": {"Authorization": f"Bearer {key}"}, **options}
        self.language = language
        self.through = {"sound": -1, "line": -1}
        self.sent = {"sound": -1, "line": -1}
        self.kept = {"sound": deque(), "line": deque()}
        self.answers = {}
        self.told = []
        self.twice = 0
        self.breaks = []
        self.rows = []
        self.heard = {}
        self.bye = None
        self.welcomed = asyncio.Event()
        self._news = asyncio.Condition()
        self._socket = None
        self._task = None
        self._left_s = None

    async def __aenter__(self):
        self._task = asyncio.create_task(self._stay())
        await self.until(self.welcomed.is_set)
        return self

    async def __aexit__(self, *_):
        await self.leave()

    async def leave(self, meant=False):
        """Take them off; `meant` says so to the hub."""
        if meant and self._socket is not None:
            await self._send(json.dumps({"type": "bye"}))
            await self._socket.wait_closed()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _stay(self):
        while True:
            with contextlib.suppress(OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                async with connect(
                    self.url, max_size=None, compression=None, **self.options
                ) as socket:
                    await self._talk(socket)
            self.welcomed.clear()
            self._socket = None
            if self._left_s is None:
                self._left_s = time.perf_counter()
            await asyncio.sleep(AGAIN_S)

    async def _talk(self, socket):
        hello = {"type": "hello", "version": 1, "language": self.language}
        await socket.send(json.dumps({**hello, "through": self.through, "again": self.sent}))
        async for text in socket:
            message = json.loads(text)
            self.told.append(message)
            getattr(self, f"_{message['type']}", self._other)(message)
            if message["type"] == "welcome":
                await self._resend(socket)
                self._socket = socket
                self.welcomed.set()
                if self._left_s is not None:
                    self.breaks.append(time.perf_counter() - self._left_s)
                    self._left_s = None
            async with self._news:
                self._news.notify_all()

    async def _resend(self, socket):
        for number, pcm in [*self.kept["sound"]]:
            await socket.send(protocol.sound(number, pcm))
        for number, text in [*self.kept["line"]]:
            await socket.send(json.dumps({"type": "say", "line": number, "text": text}))

    # -- what it is told --------------------------------------------------------------------------

    def _done(self, kind, number):
        self.through[kind] = max(self.through[kind], number)
        self.sent[kind] = max(self.sent[kind], number)
        while self.kept[kind] and self.kept[kind][0][0] <= self.through[kind]:
            self.kept[kind].popleft()

    def _welcome(self, message):
        for kind in ("sound", "line"):
            self._done(kind, message[kind])

    def _turn(self, message):
        kind = "sound" if "sound" in message else "line"
        key = kind, message[kind]
        self.twice += key in self.answers
        self.answers[key] = message["turn"]
        self.heard[key] = time.perf_counter()
        self._done(kind, message[kind])

    def _heard(self, message):
        self._done("sound", message["sound"])

    def _lens(self, message):
        self.rows = message["rows"]

    def _bye(self, message):
        self.bye = message

    def _other(self, message):
        pass

    async def until(self, condition, patience_s=PATIENCE_S):
        """Wait until a condition holds, which is looked at with each message."""
        async with asyncio.timeout(patience_s):
            while not (found := condition()):
                async with self._news:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.05):
                            await self._news.wait()
            return found

    # -- what it does -----------------------------------------------------------------------------

    async def _send(self, message):
        socket = self._socket
        if socket is not None:
            with contextlib.suppress(ConnectionClosed):
                await socket.send(message)

    async def tell(self, text):
        """Type a line, and return its number."""
        self.sent["line"] += 1
        number = self.sent["line"]
        self.kept["line"].append((number, text))
        await self._send(json.dumps({"type": "say", "line": number, "text": text}))
        return number

    async def say(self, text):
        """Type a line and return its turn."""
        key = "line", await self.tell(text)
        return await self.until(lambda: self.answers.get(key))

    async def stream(self, pcm, piece_s=0.0, together=1):
        """Send sound, so many chunks in each message, at a pace; return the number of the last."""
        began, pieces = time.perf_counter(), chunks(pcm)
        for at in range(0, len(pieces), together):
            some = pieces[at : at + together]
            if piece_s:
                due = began + (at + len(some)) * piece_s
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
            first = self.sent["sound"] + 1
            self.sent["sound"] += len(some)
            self.kept["sound"] += [*enumerate(some, first)]
            await self._send(protocol.sound(first, b"".join(some)))
        return self.sent["sound"]

    async def speak(self, pcm):
        """Say something between two silences, as fast as it goes, and return its turn."""
        before = self.sent["sound"]
        await self.stream(QUIET + pcm + QUIET)
        return await self.until(
            lambda: next(
                (t for (k, n), t in self.answers.items() if k == "sound" and n > before), None
            )
        )
