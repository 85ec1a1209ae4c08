"""Two microphones heard as one: through the bone, and through the air at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from hardware.base import (
    SAMPLE_BYTES,
    SAMPLE_RATE_HZ,
    AbsentChunk,
    AudioChunk,
    DeviceError,
    DualChunk,
    Microphone,
)

PATIENCE_MS = 60.0
"""How long a chunk through the bone waits for the same time through the air: three blocks, the
jitter of a driver; it adds to every answer's delay only while the air is late."""

SLIP_MS = 5.0
"""How far two clocks may lie apart before samples are skipped or filled in. Two crystals of 50 ppm
need 50 s for that; to follow each stamp would tear the sound at every chunk."""

KEEP_MS = 2000.0
"""Most sound through the air that waits for its chunk through the bone."""

_MS_BYTES = SAMPLE_RATE_HZ // 1000 * SAMPLE_BYTES


class DualMicrophone:
    """A bone microphone and one through the air: the bone's chunks, each with the air's sound.

    The stream, its clock and its end are the bone's. Where the air's sound is missing, or nothing
    but zeros, a chunk comes without it, as a plain AudioChunk; when that microphone vanishes all of
    them do, and `tell` is given one line. `offset_ms` is the bone's time less the air's for streams
    that do not run in real time, such as two recordings; else both clocks are asked.

    Raises DeviceError when the bone microphone vanishes.
    """

    def __init__(
        self,
        bone: Microphone,
        air: Microphone,
        *,
        offset_ms: float | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.name = f"{bone.name} with {air.name}"
        self._bone, self._air = bone, air
        self._offset_ms = offset_ms
        self._tell = tell

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the bone's chunks, each as a `DualChunk` where the air was heard too."""
        track, news = _Track(), asyncio.Event()
        listening = asyncio.ensure_future(self._listen(track, news))
        try:
            async with aclosing(self._bone.chunks()) as chunks:
                async for chunk in chunks:
                    air = None
                    if not isinstance(chunk, AbsentChunk):
                        air = await self._beside(chunk, track, news, listening)
                    if air is None or air.count(0) == len(air):
                        yield chunk
                    else:
                        yield DualChunk(chunk.pcm, chunk.start_ms, air)
        finally:
            listening.cancel()
            await asyncio.wait([listening])

    def now_ms(self) -> float:
        """Now, on the bone microphone's clock."""
        return self._bone.now_ms()

    async def _listen(self, track: _Track, news: asyncio.Event) -> None:
        """Keep what the air microphone hears, in the bone's time."""
        try:
            async with aclosing(self._air.chunks()) as chunks:
                async for chunk in chunks:
                    if isinstance(chunk, AbsentChunk):
                        continue
                    offset_ms = self._offset_ms
                    if offset_ms is None:
                        offset_ms = self._bone.now_ms() - self._air.now_ms()
                    track.put(chunk.pcm, chunk.start_ms + offset_ms)
                    news.set()
        except DeviceError as error:
            self._tell(f"{error}; the bone microphone is heard alone")
        finally:
            news.set()

    async def _beside(
        self,
        chunk: AudioChunk,
        track: _Track,
        news: asyncio.Event,
        listening: asyncio.Future[None],
    ) -> bytes | None:
        """Return the air's sound for a chunk, when it comes in time."""
        while True:
            if (air := track.cut(chunk.start_ms, len(chunk.pcm))) is not None:
                return air
            left_ms = chunk.end_ms + PATIENCE_MS - self._bone.now_ms()
            if listening.done() or track.begin_ms > chunk.start_ms + SLIP_MS or left_ms <= 0:
                return None
            news.clear()
            try:
                async with asyncio.timeout(left_ms / 1000):
                    await news.wait()
            except TimeoutError:
                return track.cut(chunk.start_ms, len(chunk.pcm))


class _Track:
    """Sound that waits to be cut out by its time."""

    def __init__(self) -> None:
        self._pcm = bytearray()
        self.begin_ms = float("-inf")
        """When its first sample was captured; without end when there is none yet."""

    def put(self, pcm: bytes, start_ms: float) -> None:
        """Add a chunk. A hole is filled with silence, an overlap cut off."""
        off_ms = start_ms - (self.begin_ms + len(self._pcm) / _MS_BYTES)
        if abs(off_ms) > KEEP_MS:
            self._pcm.clear()
            self.begin_ms = start_ms
        elif off_ms > SLIP_MS:
            self._pcm += bytes(_size(off_ms))
        elif off_ms < -SLIP_MS:
            pcm = pcm[_size(-off_ms) :]
        self._pcm += pcm
        self._drop(len(self._pcm) - _size(KEEP_MS))

    def cut(self, start_ms: float, size: int) -> bytes | None:
        """Take `size` bytes from `start_ms` on and forget what is older; None when not there."""
        at_ms = start_ms - self.begin_ms
        at = 0 if abs(at_ms) <= SLIP_MS else _size(at_ms) if at_ms > 0 else -1
        if at < 0 or at + size > len(self._pcm):
            return None
        sound = bytes(self._pcm[at : at + size])
        self._drop(at + size)
        return sound

    def _drop(self, size: int) -> None:
        if size > 0:
            del self._pcm[:size]
            self.begin_ms += size / _MS_BYTES


def _size(ms: float) -> int:
    """Bytes of `ms`, in whole samples; any length, infinite for none, stays within `KEEP_MS`."""
    return round(min(ms, 10 * KEEP_MS) * SAMPLE_RATE_HZ / 1000) * SAMPLE_BYTES
