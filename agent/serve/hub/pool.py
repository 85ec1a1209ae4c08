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
from functools import partial

from agent.errors import EngineError, GlassesError
from agent.language.saying import Saying
from agent.listen.thread import LOAD_S, RETRY_S, EngineThread
from agent.listen.transcriber import Transcriber, loaded
from agent.messages import Transcript
from agent.serve.cutting import Clip
from agent.serve.ears import DEAF
from agent.serve.ears import LOAD_S as PARTS_S

log = logging.getLogger(__name__)

MOST_WAITING = 256
"""Utterances that wait for an engine at most; the next is refused, and its wearer told."""
FEED_BYTES = 32_000
"""How much an engine is given at once: a second."""


Hear = Callable[[Clip], Awaitable[Transcript]]
"""Hears an utterance. Raises EngineError."""


class Pool:
    """Engines of one kind, each on a thread of its own."""

    def __init__(
        self,
        make: Callable[[], Transcriber],
        size: int,
        sayings: Callable[[str], Sequence[Saying]] | None = None,
    ) -> None:
        """Have `size` engines, loaded when they are first needed, or by `warm`.

        `sayings` gives what can be said in a language; None where `make` tells them itself.
        """
        self._threads = [EngineThread(make) for _ in range(size)]
        self._sayings = sayings
        self._free: asyncio.Queue[EngineThread] = asyncio.Queue()
        self._loading: set[asyncio.Task[None]] = set()
        self._broken = ""  # why none could be loaded
        self._ready = 0
        self.waiting = 0
        """How many utterances wait for an engine, or are being heard."""

    async def warm(self) -> None:
        """Load all engines, once. One that cannot be loaded is told in a line, and tried again."""
        if not self._loading and not self._ready:
            for thread in self._threads:
                self._load(thread)
        if self._loading:
            await asyncio.wait({*self._loading}, timeout=LOAD_S)

    async def hear(self, clip: Clip) -> Transcript:
        """Hear one utterance as soon as an engine is free. Raises EngineError."""
        if not self._threads:
            raise EngineError(DEAF)
        if self.waiting >= MOST_WAITING:
            raise EngineError("too many speak at once: say it again in a moment")
        if not self._loading and not self._ready:
            for thread in self._threads:
                self._load(thread)
        if self._broken and not self._ready:
            raise EngineError(self._broken)
        self.waiting += 1
        try:
            thread = await self._free.get()
        except asyncio.CancelledError:  # it went on: there is nothing to hear yet
            self.waiting -= 1
            raise
        return await asyncio.shield(asyncio.create_task(self._heard(thread, clip)))

    async def _heard(self, thread: EngineThread, clip: Clip) -> Transcript:
        """Hear it, even if nobody waits for it any more: the engine is not free before."""
        try:
            heard = await thread.call(partial(_heard, clip), patient=True)
        except EngineError:
            self._ready -= 1
            self._load(thread)  # nobody waits for it meanwhile who could have another
            raise
        finally:
            self.waiting -= 1
        self._free.put_nowait(thread)
        return heard

    def _load(self, thread: EngineThread) -> None:
        task = asyncio.create_task(self._loaded(thread))
        self._loading.add(task)
        task.add_done_callback(self._loading.discard)

    async def _loaded(self, thread: EngineThread) -> None:
        """Have an engine loaded, and told what can be said; then it is free."""
        while True:
            try:
                engine = await thread.call(partial(loaded, longest_s=PARTS_S), patient=True)
                if self._sayings is not None:
                    said = [s for lang in sorted(engine.languages) for s in self._sayings(lang)]
                    await thread.call(partial(_told, said), patient=True)
            except GlassesError as error:
                if str(error) != self._broken:
                    self._broken = str(error)
                    log.error("a speech engine is missing: %s", error)
                await asyncio.sleep(RETRY_S)
            else:
                self._broken = ""
                self._ready += 1
                self._free.put_nowait(thread)
                return

    async def batch(self, clips: list[Clip]) -> list[Transcript | EngineError]:
        """Hear several at once, as many as there are engines; what one costs, no other loses."""
        heard = await asyncio.gather(*map(self.hear, clips), return_exceptions=True)
        for one in heard:
            if isinstance(one, BaseException) and not isinstance(one, EngineError):
                raise one
        return list(heard)  # type: ignore[arg-type]  # just looked at

    async def close(self) -> None:
        """Let go of the engines."""
        for task in (loading := [*self._loading]):
            task.cancel()
        await asyncio.gather(*loading, return_exceptions=True)
        await asyncio.gather(*(thread.close() for thread in self._threads))


def _told(said: Sequence[Saying], engine: Transcriber) -> None:
    engine.expect(said)


def _heard(clip: Clip, engine: Transcriber) -> Transcript:
    if clip.ambient:
        engine.ambient(clip.ambient)
    engine.start()
    for at in range(0, len(clip.pcm), FEED_BYTES):
        engine.feed(clip.pcm[at : at + FEED_BYTES])
    return engine.finish()
