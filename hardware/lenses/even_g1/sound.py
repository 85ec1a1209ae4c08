"""The microphone in the right arm of an Even G1: LC3 over the link, as a stream that never ends.

The glasses close it after thirty seconds (EvenDemoApp), and a link may be gone for a while: it is
opened again, and until then there is silence, so that a sentence that was begun comes to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from hardware.base import (
    CHUNK_MS,
    SAMPLE_BYTES,
    SAMPLE_RATE_HZ,
    AbsentChunk,
    AudioChunk,
    DeviceError,
)
from hardware.lenses.even_g1 import codec
from hardware.lenses.even_g1.arm import Arm

FRAME_US = 10_000
PACKET_MS = codec.FRAMES * FRAME_US / 1000
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


class ArmMicrophone:
    """What an arm's microphone hears, in chunks of 20 ms."""

    def __init__(self, arm: Arm, links: asyncio.AbstractEventLoop, name: str) -> None:
        """Hear nothing yet. `links` is the loop that the arm runs on."""
        self.name = name
        self.lost = 0
        """How many packets did not arrive."""
        self._arm = arm
        self._links = links
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began_s = 0.0
        self._end_ms = 0.0

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the stream, silent where nothing comes. Raises DeviceError without lc3py."""
        decoder = _decoder()
        self._loop = loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[codec.Sound] = asyncio.Queue()
        self._began_s, self._end_ms, self.lost = loop.time(), 0.0, 0

        def hand_over(sound: codec.Sound) -> None:
            with suppress(RuntimeError):  # whoever listened has gone
                loop.call_soon_threadsafe(arrived.put_nowait, sound)

        self._arm.on_sound = hand_over
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
                pcm = bytes(CHUNK_BYTES * 5 * min(skipped, SKIPPED))
                pcm += b"".join(decoder.decode(frame, 16) for frame in sound.frames)
                for at in range(0, len(pcm), CHUNK_BYTES):
                    yield self._stamped(AudioChunk(pcm[at : at + CHUNK_BYTES], self._end_ms))
        finally:
            self._arm.on_sound = lambda sound: None
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
                await self._arm.listen(is_on)

        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(ask(), self._links))


def _decoder() -> Any:
    try:
        import lc3
    except (ImportError, OSError):
        raise DeviceError("the microphone of an Even G1 needs lc3py: pip install lc3py") from None
    return lc3.Decoder(FRAME_US, SAMPLE_RATE_HZ)
