"""What a client says without telling where it ends: its sound, cut into utterances.

sound ─▶ 20 ms at a time ─▶ endpointer ─▶ shared ears ─▶ Began, Words…, Stopped, Said
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from agent.listen.endpoint import Dropped, Ended, Endpointer, Speaking, Started
from agent.listen.patience import DEFAULT
from agent.listen.vad import CascadeVad
from agent.messages import Transcript
from agent.serve.ears import Ears, Utterance
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ, AudioChunk

CHUNK_MS = 20
CHUNK_BYTES = CHUNK_MS * SAMPLE_RATE_HZ // 1000 * SAMPLE_BYTES
PAUSE_MS = DEFAULT.plain_ms
"""Silence that ends an utterance: silence alone decides here."""


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
        self._endpointer: Endpointer | None = None  # made of the first sound
        self._left = bytearray()
        self._at_ms = 0.0
        self._utterance: Utterance | None = None

    @property
    def speaking(self) -> bool:
        """Whether an utterance has begun and is not over."""
        return self._utterance is not None

    async def hear(self, pcm: bytes) -> AsyncIterator[Event]:
        """Take the next sound, as the ears hear it, and yield what came of it."""
        if self._endpointer is None:
            self._endpointer = await asyncio.to_thread(lambda: Endpointer(CascadeVad()))
        self._left += pcm
        while len(self._left) >= CHUNK_BYTES:
            chunk = AudioChunk(bytes(self._left[:CHUNK_BYTES]), self._at_ms)
            del self._left[:CHUNK_BYTES]
            self._at_ms += CHUNK_MS
            async for event in self._chunk(self._endpointer, chunk):
                yield event
            await asyncio.sleep(0)  # others have their turn, however much has come at once

    async def _chunk(self, endpointer: Endpointer, chunk: AudioChunk) -> AsyncIterator[Event]:
        match endpointer.push(chunk, PAUSE_MS):
            case Started(preroll=preroll, before=before):
                yield Began()
                ambient = b"".join(one.pcm for one in before)
                self._utterance = Utterance(self._ears, ambient)
                pcm = b"".join(one.pcm for one in preroll)
            case Speaking():
                pcm = chunk.pcm
            case Ended():
                async for event in self.end():
                    yield event
                return
            case Dropped():
                yield Stopped()
                await self.leave()
                return
            case _:
                return
        if self._utterance is not None and await self._utterance.hear(pcm):
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
        if self._endpointer is not None:
            self._endpointer.reset()
        return utterance
