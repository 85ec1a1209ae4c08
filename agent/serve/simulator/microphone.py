"""The microphone that a page is: chunks of 20 ms, on one clock, whatever the network does."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from hardware.base import CHUNK_MS, SAMPLE_BYTES, SAMPLE_RATE_HZ, AbsentChunk, AudioChunk

CHUNK_BYTES = SAMPLE_RATE_HZ * CHUNK_MS // 1000 * SAMPLE_BYTES
"""640 bytes."""
KEPT = 500
"""Chunks that wait at most, 10 s: an agent that is further behind loses the oldest."""
LATE_MS = 1_000.0
"""An open microphone that gave nothing for so long is taken for closed until it gives something:
what was begun comes to its end. Shorter gaps are a network that will catch up."""
TAPPED_MS = 4_000.0
"""How long after the last sound silence is still tapped: every pause that may end a turn."""
DOZE_MS = 100.0
"""A microphone that was not used for so long gives its silence in pieces of this length: to wake up
50 times a second costs more than to hear that there is nothing."""
SLEW = 0.01
"""Share of the difference to wall time that a stamp makes up per chunk, as a live microphone's."""
STEP_MS = 2.0
"""The most that it makes up at once, so that a burst after a stall is no jump."""


@dataclass(slots=True)
class Counts:
    """What the stream went through."""

    chunks: int = 0
    """Handed out."""
    dropped: int = 0
    """Thrown away since the agent was behind."""
    missing: int = 0
    """Never came."""
    late: int = 0
    """Came twice, after their time, or while the microphone was closed."""
    odd: int = 0
    """Messages that held half a sample."""


class PageMicrophone:
    """Sound as a page sends it, heard as one stream.

    While the page's microphone is closed the stream is silence, `AbsentChunk`s at the pace of time,
    so that a sentence that was begun comes to its end. `clock` answers seconds; a test with virtual
    time passes its event loop's.
    """

    name = "browser"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.counts = Counts()
        """What the stream went through so far."""
        self.tap: Callable[[AudioChunk], None] | None = None
        """Is given every chunk too, but for silence that nobody waits in."""
        self._waiting: deque[tuple[bytes, int]] = deque()  # a chunk, and how many are missing first
        self._came = asyncio.Event()
        self._rest = b""  # less than a chunk
        self._number = 0  # of the message that is due
        self._open = False
        self._began_s = clock()
        self._next_ms = 0.0
        self._heard_ms = 0.0  # when sound last came, or the microphone was opened or closed

    @property
    def is_open(self) -> bool:
        """Whether the page's microphone is open."""
        return self._open

    # -- what the page does -----------------------------------------------------------------------

    def open(self) -> None:
        """Expect sound from now on; its messages are numbered from 0."""
        self._open, self._number, self._rest = True, 0, b""
        self._heard_ms = self.now_ms()

    def close(self) -> None:
        """Expect no more sound."""
        self._open = False
        self._heard_ms = self.now_ms()

    def hear(self, number: int, pcm: bytes) -> None:
        """Take a message of sound, of any length; `number` counts them."""
        missing = min(number - self._number, KEPT)
        if not self._open or missing < 0:
            self.counts.late += 1
            return
        self._number = number + 1
        if len(pcm) % SAMPLE_BYTES:
            self.counts.odd += 1
            pcm = pcm[:-1]
        if missing:
            self._rest = b""  # what waited there can no longer be completed
            self.counts.missing += missing
        pcm = self._rest + pcm
        whole = len(pcm) // CHUNK_BYTES * CHUNK_BYTES
        self._rest = pcm[whole:]
        for at in range(0, whole, CHUNK_BYTES):
            self._waiting.append((pcm[at : at + CHUNK_BYTES], missing))
            missing = 0
        while len(self._waiting) > KEPT:
            self._drop()
        self._heard_ms = self.now_ms()
        self._came.set()

    def _drop(self) -> None:
        """Throw the oldest away; the stream's clock steps over it."""
        _, missing = self._waiting.popleft()
        self.counts.dropped += 1
        pcm, more = self._waiting[0]
        self._waiting[0] = pcm, more + missing + 1

    # -- what the agent does ----------------------------------------------------------------------

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield chunks of 20 ms, for as long as somebody takes them."""
        self._began_s, self._next_ms = self._clock(), 0.0
        self._heard_ms = 0.0
        absent = True  # whether the last chunk was silence in the place of sound
        while True:
            if self._waiting:
                pcm, missing = self._waiting.popleft()
                yield self._tapped(self._stamped(pcm, missing, fresh=absent))
                absent = False
                continue
            self._came.clear()
            quiet_since = self._heard_ms + (LATE_MS if self._open and self._number else 0.0)
            due_ms = max(self._next_ms + CHUNK_MS, quiet_since)
            if (wait_ms := due_ms - self.now_ms()) > 0:
                if self.now_ms() - self._heard_ms > TAPPED_MS and not self._open:
                    wait_ms += DOZE_MS
                await self._wait(wait_ms / 1000)
                continue
            yield self._tapped(AbsentChunk(bytes(CHUNK_BYTES), self._take(CHUNK_MS)))
            absent = True

    def now_ms(self) -> float:
        """Now, in ms since the stream began."""
        return (self._clock() - self._began_s) * 1000

    def _tapped(self, chunk: AudioChunk) -> AudioChunk:
        if self.tap is not None and self.now_ms() - self._heard_ms < TAPPED_MS:
            self.tap(chunk)
        return chunk

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._came.wait()
        except TimeoutError:
            pass

    def _stamped(self, pcm: bytes, missing: int, *, fresh: bool) -> AudioChunk:
        """Give a chunk its time: after the one before, slewed towards the wall clock."""
        self._next_ms += missing * CHUNK_MS
        arrived_ms = self.now_ms() - len(self._waiting) * CHUNK_MS
        off_ms = arrived_ms - (self._next_ms + CHUNK_MS)
        if not fresh:
            self._next_ms += min(max(off_ms * SLEW, -STEP_MS), STEP_MS)
        elif off_ms > 0:  # time went on meanwhile
            self._next_ms += off_ms
        else:  # sound from before the key was pressed, where silence was heard already
            self._began_s += off_ms / 1000
        self.counts.chunks += 1
        return AudioChunk(pcm, self._take(CHUNK_MS))

    def _take(self, length_ms: float) -> float:
        start_ms = self._next_ms
        self._next_ms += length_ms
        return max(0.0, start_ms)
