"""A microphone at the end of a radio link: LC3 in counted packets, as a stream that never ends.

Glasses close theirs when they like, and a link may be gone for a while: it is opened again, and
until then there is silence, so that a sentence that was begun comes to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from hardware.base import (
    CHUNK_MS,
    SAMPLE_BYTES,
    SAMPLE_RATE_HZ,
    AbsentChunk,
    AudioChunk,
    DeviceError,
)

FRAME_US = 10_000
"""Length of an LC3 frame."""
FRAME_BYTES = SAMPLE_RATE_HZ // 100 * SAMPLE_BYTES
"""What one is as PCM."""
PACKET_MS = 100.0
"""Most that a packet holds."""
CHUNK_BYTES = SAMPLE_RATE_HZ * CHUNK_MS // 1000 * SAMPLE_BYTES
STARVED_S = 0.5
"""Without a packet for this long, the microphone is closed: it is asked to open again."""
AHEAD_MS = 200.0
"""How far the stream may be ahead of the time: a packet that comes later than that is left out."""
BEHIND_MS = 300.0
"""And how far behind it, before the rest is silence."""
NUMBERS = 256
"""Packets are counted round at this."""
SKIPPED = 10
"""Most lost packets that silence is put in for; beyond, the time itself says how much."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A packet of what was heard."""

    number: int
    """0 … 255, counted round."""
    frames: tuple[bytes, ...]
    """LC3 frames of 10 ms at 16 kHz; an even number of them, ten at most."""


class Source(Protocol):
    """What hears, on the loop of the links."""

    on_sound: Callable[[Sound], None]
    """Called with each packet."""

    async def listen(self, is_on: bool) -> object:
        """Open or close the microphone. Raises DeviceError when the link is lost."""
        ...


class LinkMicrophone:
    """What is heard at the end of a link, in chunks of 20 ms."""

    def __init__(self, source: Source, links: asyncio.AbstractEventLoop, name: str) -> None:
        """Hear nothing yet. `links` is the loop that the source runs on."""
        self.name = name
        self.lost = 0
        """How many packets did not arrive."""
        self._source = source
        self._links = links
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began_s = 0.0
        self._end_ms = 0.0

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the stream, silent where nothing comes. Raises DeviceError without lc3py."""
        decoder = _decoder()
        self._loop = loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[Sound] = asyncio.Queue()
        self._began_s, self._end_ms, self.lost = loop.time(), 0.0, 0

        def hand_over(sound: Sound) -> None:
            with suppress(RuntimeError):  # whoever listened has gone
                loop.call_soon_threadsafe(arrived.put_nowait, sound)

        self._source.on_sound = hand_over
        asked = self._ask(True)
        due: int | None = None
        try:
            while True:
                try:
                    async with asyncio.timeout(STARVED_S):
                        sound = await arrived.get()
                except TimeoutError:
                    due = None
                    if asked.done():
                        asked = self._ask(True)
                    for chunk in self._silence(self.now_ms() - PACKET_MS):
                        yield chunk
                    continue
                skipped = 0 if due is None else (sound.number - due) % NUMBERS
                if skipped > NUMBERS // 2 or self._end_ms > self.now_ms() + AHEAD_MS:
                    continue  # it came twice, or when its time was over
                due = (sound.number + 1) % NUMBERS
                self.lost += skipped
                behind_ms = self.now_ms() - PACKET_MS - self._end_ms
                if behind_ms > BEHIND_MS:
                    skipped = 0
                    for chunk in self._silence(self._end_ms + behind_ms):
                        yield chunk
                pcm = bytes(FRAME_BYTES * len(sound.frames) * min(skipped, SKIPPED))
                pcm += b"".join(decoder.decode(frame, 16) for frame in sound.frames)
                for at in range(0, len(pcm), CHUNK_BYTES):
                    yield self._stamped(AudioChunk(pcm[at : at + CHUNK_BYTES], self._end_ms))
        finally:
            self._source.on_sound = lambda sound: None
            self._ask(False)

    def now_ms(self) -> float:
        """Now, in ms since the stream began."""
        return 0.0 if self._loop is None else (self._loop.time() - self._began_s) * 1000

    def _silence(self, until_ms: float) -> list[AudioChunk]:
        count = max(0, int((until_ms - self._end_ms) // CHUNK_MS))
        return [self._stamped(AbsentChunk(bytes(CHUNK_BYTES), self._end_ms)) for _ in range(count)]

    def _stamped(self, chunk: AudioChunk) -> AudioChunk:
        self._end_ms += CHUNK_MS
        return chunk

    def _ask(self, is_on: bool) -> asyncio.Future[Any]:
        async def ask() -> None:
            with suppress(DeviceError):  # the display tells that the link is lost
                await self._source.listen(is_on)

        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(ask(), self._links))


def _decoder() -> Any:
    try:
        import lc3
    except (ImportError, OSError):
        raise DeviceError("the microphone of a lens needs lc3py: pip install lc3py") from None
    return lc3.Decoder(FRAME_US, SAMPLE_RATE_HZ)
