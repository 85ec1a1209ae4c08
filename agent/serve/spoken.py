"""What a client says without telling where it ends: its sound, cut into utterances.

sound ─▶ 20 ms at a time ─▶ cutter ─▶ shared ears ─▶ Began, Words…, Stopped, Said
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from agent.listen.endpoint import Dropped
from agent.messages import Transcript
from agent.serve.cutting import CHUNK_BYTES, Cut, Cutter, Spoke
from agent.serve.ears import Ears, Utterance


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody speaks."""


@dataclass(frozen=True, slots=True)
class Words:
    """What was said so far, as far as it is settled."""

    text: str
    """All of it."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nobody speaks any more; it may have been too short to be speech."""


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance is over, and decoded."""

    transcript: Transcript
    """What was heard; without text where nothing was understood."""


Event = Began | Words | Stopped | Said


class Spoken:
    """The sound of one client. Each method may raise EngineError, and begins anew then."""

    def __init__(self, ears: Ears) -> None:
        """Hear nothing yet."""
        self._ears = ears
        self._cutter: Cutter | None = None  # made of the first sound
        self._left = bytearray()
        self._utterance: Utterance | None = None

    @property
    def speaking(self) -> bool:
        """Whether an utterance has begun and is not over."""
        return self._utterance is not None

    async def hear(self, pcm: bytes) -> AsyncIterator[Event]:
        """Take the next sound, as the ears hear it, and yield what came of it."""
        if self._cutter is None:
            self._cutter = await asyncio.to_thread(Cutter, 0)
        self._left += pcm
        while len(self._left) >= CHUNK_BYTES:
            chunk = bytes(self._left[:CHUNK_BYTES])
            del self._left[:CHUNK_BYTES]
            async for event in self._chunk(self._cutter, chunk):
                yield event
            await asyncio.sleep(0)  # others have their turn, however much has come at once

    async def _chunk(self, cutter: Cutter, pcm: bytes) -> AsyncIterator[Event]:
        for event in cutter.push(cutter.last + 1, pcm):
            match event:
                case Spoke(clip):
                    yield Began()
                    self._utterance, pcm = Utterance(self._ears, clip.ambient), clip.pcm
                case Cut():
                    async for last in self.end():
                        yield last
                case Dropped():
                    yield Stopped()
                    await self.leave()
        if cutter.speaking and self._utterance and await self._utterance.hear(pcm):
            yield Words(self._utterance.told)

    async def held(self, pcm: bytes) -> None:
        """Take sound of an utterance that the client begins and ends, as by a key."""
        if self._utterance is None:
            self._utterance = Utterance(self._ears)
        await self._utterance.hear(pcm)

    async def end(self) -> AsyncIterator[Event]:
        """Take the utterance as over, and yield what was heard; nothing where there was none."""
        utterance = self._over()
        if utterance is not None:
            yield Stopped()
            yield Said((await utterance.end())[0])

    async def leave(self) -> None:
        """Forget an utterance that was not ended."""
        utterance = self._over()
        self._left.clear()
        if utterance is not None:
            await utterance.leave()

    def _over(self) -> Utterance | None:
        utterance, self._utterance = self._utterance, None
        if self._cutter is not None:
            self._cutter.forget()
        return utterance
