"""One pair of ears for many clients.

While nobody else speaks a client is heard along, word by word. Who has ended is served at once:
whoever was being heard along then is heard from its own recording when it ends. So nobody waits
for a client that is slow or has gone, and no sound is decoded more than twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import takewhile

from agent.errors import EngineError, GlassesError
from agent.language.saying import Saying
from agent.listen.hearing import REPLAY_BYTES
from agent.listen.thread import EngineThread
from agent.listen.transcriber import Transcriber, loaded
from agent.listen.whisper.stable import UNIT
from agent.messages import Transcript
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ

log = logging.getLogger(__name__)

LONGEST_S = 30.0
"""Most sound of one utterance: what is beyond is not heard."""
MOST_BYTES = int(LONGEST_S * SAMPLE_RATE_HZ) * SAMPLE_BYTES
LOAD_S = 20.0
"""Longest that an engine which loads in parts is waited for."""
LOOK_BYTES = SAMPLE_RATE_HZ * SAMPLE_BYTES // 4
"""How often it is looked at what was said so far: every 250 ms of sound."""
SETTLED = 4
"""So many looks in a row have the same words before they are told: what is told cannot be taken
back. One word at the end is kept back besides."""

DEAF = "these glasses hear nothing for others: see glasses doctor"
"""What a client is told that speaks all the same."""


class Ears:
    """The ears, and who is being heard along."""

    def __init__(
        self,
        thread: EngineThread,
        sayings: Callable[[str], Sequence[Saying]],
        name: str,
        languages: frozenset[str],
    ) -> None:
        """Hear with an engine of its own; `sayings` gives what can be said in a language.

        `name` and `languages` are what it will be, as far as that is known before it is loaded.
        """
        self._thread = thread
        self._sayings = sayings
        self._lock = asyncio.Lock()
        self._along: Utterance | None = None
        self._told: tuple[Transcriber, list[Saying]] | None = None
        self._warming: asyncio.Task[None] | None = None
        self.name = name
        """What the engine is called; empty once it could not be loaded."""
        self.languages = languages
        """What it understands."""

    def warm(self) -> asyncio.Task[None]:
        """Load the engine and tell it what can be said, which takes seconds; once."""
        if self._warming is None:
            self._warming = asyncio.create_task(self._warm())
        return self._warming

    async def _warm(self) -> None:
        try:
            self.name, self.languages = await self._thread.call(_known, patient=True)
            await self._tell()
        except GlassesError as error:
            self.name = ""
            log.error("nothing is heard for others: %s", error)

    async def close(self) -> None:
        """Let go of the engine."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        await self._thread.close()

    async def along(self, utterance: Utterance) -> Transcript | None:
        """Hear what is new, where nobody else is heard, and return what was said so far."""
        if not self.warm().done() or self._lock.locked() or self._along not in (None, utterance):
            utterance.missed = True
        if utterance.missed:
            return None
        async with self._lock:
            await self._feed(utterance, self._along is None)
            return await self._thread.call(lambda engine: engine.partial())

    async def end(self, utterance: Utterance) -> Transcript:
        """Return what was said. Raises EngineError."""
        await asyncio.shield(self.warm())
        if not self.name:
            raise EngineError(DEAF)
        async with self._lock:
            other = self._along
            if other is not None and other is not utterance:
                other.missed = True
            await self._feed(utterance, other is not utterance)
            self._along = None
            return await self._thread.call(lambda engine: engine.finish())

    async def leave(self, utterance: Utterance) -> None:
        """Forget an utterance that was not ended."""
        async with self._lock:
            if self._along is utterance:
                self._along = None
                with suppress(EngineError):  # the next utterance has another engine then
                    await self._thread.call(lambda engine: engine.abort())

    async def _feed(self, utterance: Utterance, fresh: bool) -> None:
        """Let the engine hear what it has not heard of an utterance, or all of it anew."""
        self._along = None  # should the engine fail, another begins with nothing
        if fresh:
            utterance.fed = 0
            await self._tell()
            await self._thread.call(partial(_begun, utterance.ambient))
        pcm = bytes(utterance.pcm[utterance.fed :])
        for at in range(0, len(pcm), REPLAY_BYTES):
            await self._thread.call(partial(_fed, pcm[at : at + REPLAY_BYTES]))
        utterance.fed += len(pcm)
        self._along = utterance

    async def _tell(self) -> None:
        """Tell the engine what can be said, where that is news to it."""
        said = [saying for one in sorted(self.languages) for saying in self._sayings(one)]
        told = partial(_expecting, said, self._told)
        self._told = await self._thread.call(told, patient=True), said


class Utterance:
    """What one client says, until it ends."""

    def __init__(self, ears: Ears, ambient: bytes = b"") -> None:
        """Begin to hear somebody; `ambient` is what was heard right before, the noise."""
        self._ears = ears
        self.ambient = ambient
        self.pcm = bytearray()
        """All of it, as the ears hear it."""
        self.fed = 0
        """How much of it the engine has heard."""
        self.missed = False
        """Somebody else was heard meanwhile: it is heard when it ends."""
        self.told = ""
        """What was told of it while it was spoken."""
        self._looked = 0
        self._looks: deque[str] = deque(maxlen=SETTLED)

    async def hear(self, pcm: bytes) -> str:
        """Take the next sound, and return which words are new and settled. Raises EngineError."""
        self.pcm += pcm[: MOST_BYTES - len(self.pcm)]
        if len(self.pcm) - self._looked < LOOK_BYTES:
            return ""
        self._looked = len(self.pcm)
        heard = await self._ears.along(self)
        self._looks.append(heard.text if heard is not None else "")
        return self._new(self._looks[-1][: _common(self._looks)])

    async def end(self) -> tuple[Transcript, str]:
        """Return what was said, and what of it was not told yet. Raises EngineError."""
        heard = await self._ears.end(self)
        return heard, self._new(heard.text)

    async def leave(self) -> None:
        """Stop listening."""
        await self._ears.leave(self)

    def _new(self, text: str) -> str:
        """Return what goes on from what was told; nothing where it was told otherwise."""
        if len(text) <= len(self.told) or not text.startswith(self.told):
            return ""
        new, self.told = text[len(self.told) :], text
        return new


def _common(looks: Sequence[str]) -> int:
    """Return up to where the texts are the same, but for the last word of that."""
    if len(looks) < SETTLED:
        return 0
    words = zip(*([*UNIT.finditer(text)] for text in looks), strict=False)
    same = [*takewhile(lambda row: len({(word[0], word.end()) for word in row}) == 1, words)]
    return same[-2][0].end() if len(same) > 1 else 0


def _known(engine: Transcriber) -> tuple[str, frozenset[str]]:
    engine = loaded(engine, LOAD_S)
    return engine.name, engine.languages


def _expecting(
    sayings: list[Saying], told: tuple[Transcriber, list[Saying]] | None, engine: Transcriber
) -> Transcriber:
    if told is None or told[0] is not engine or told[1] != sayings:
        engine.expect(sayings)
    return engine


def _begun(ambient: bytes, engine: Transcriber) -> None:
    if ambient:
        engine.ambient(ambient)
    engine.start()


def _fed(pcm: bytes, engine: Transcriber) -> None:
    engine.feed(pcm)
