"""The ears of all sessions of one machine: a few engines, whoever needs one next.

Sessions cut their sound into utterances themselves, which costs a hundredth of hearing one. An
engine is told once what can be said: what every pair of glasses has in common, with the answers to
a question. What only one wearer has, such as the names of their own lists, is told to no grammar,
and heard by Whisper where its weights are.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from agent.errors import EngineError, GlassesError
from agent.language.saying import Saying
from agent.listen.thread import EngineThread
from agent.listen.transcriber import Transcriber
from agent.messages import Transcript
from agent.serve.ears import DEAF, LOAD_S

log = logging.getLogger(__name__)

MOST_WAITING = 256
"""Utterances that wait for an engine at most; the next is refused, and its wearer told."""
FEED_BYTES = 32_000
"""How much an engine is given at once: a second."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One utterance."""

    pcm: bytes
    """All of it: 16 kHz, mono, 16 bit."""
    ambient: bytes = b""
    """What was heard right before it: the noise of the place."""


Hear = Callable[[Clip], Awaitable[Transcript]]
"""Hears an utterance. Raises EngineError."""


class Pool:
    """Engines of one kind, each on a thread of its own."""

    def __init__(
        self, make: Callable[[], Transcriber], size: int, sayings: Callable[[str], Sequence[Saying]]
    ) -> None:
        """Have `size` engines, loaded when they are first needed, or by `warm`."""
        self._threads = [EngineThread(make) for _ in range(size)]
        self._sayings = sayings
        self._free: asyncio.Queue[EngineThread] = asyncio.Queue()
        for thread in self._threads:
            self._free.put_nowait(thread)
        self._told: dict[EngineThread, Transcriber] = {}
        self.waiting = 0
        """How many utterances wait for an engine, or are being heard."""

    async def warm(self) -> None:
        """Load all engines. One that cannot be loaded is told in a line."""
        try:
            await asyncio.gather(*(self._ready(thread) for thread in self._threads))
        except GlassesError as error:
            log.error("nothing is heard: %s", error)

    async def hear(self, clip: Clip) -> Transcript:
        """Hear one utterance as soon as an engine is free. Raises EngineError."""
        if not self._threads:
            raise EngineError(DEAF)
        if self.waiting >= MOST_WAITING:
            raise EngineError("too many speak at once: say it again in a moment")
        self.waiting += 1
        try:
            thread = await self._free.get()
            try:
                await self._ready(thread)
                return await thread.call(partial(_heard, clip), patient=True)
            finally:
                self._free.put_nowait(thread)
        finally:
            self.waiting -= 1

    async def batch(self, clips: list[Clip]) -> list[Transcript | EngineError]:
        """Hear several at once, as many as there are engines; what one costs, no other loses."""
        heard = await asyncio.gather(*map(self.hear, clips), return_exceptions=True)
        for one in heard:
            if isinstance(one, BaseException) and not isinstance(one, EngineError):
                raise one
        return list(heard)  # type: ignore[arg-type]  # just looked at

    async def _ready(self, thread: EngineThread) -> None:
        """Have an engine loaded, and told what can be said, where it is a new one."""
        engine = await thread.call(_loaded, patient=True)
        if self._told.get(thread) is not engine:
            said = [one for lang in sorted(engine.languages) for one in self._sayings(lang)]
            await thread.call(lambda engine: engine.expect(said), patient=True)
            self._told[thread] = engine

    async def close(self) -> None:
        """Let go of the engines."""
        await asyncio.gather(*(thread.close() for thread in self._threads))


def _loaded(engine: Transcriber) -> Transcriber:
    load = getattr(engine, "load", None)  # a pair's own: no part of the port
    if load is not None:
        load(LOAD_S)
    return engine


def _heard(clip: Clip, engine: Transcriber) -> Transcript:
    if clip.ambient:
        engine.ambient(clip.ambient)
    engine.start()
    for at in range(0, len(clip.pcm), FEED_BYTES):
        engine.feed(clip.pcm[at : at + FEED_BYTES])
    return engine.finish()
