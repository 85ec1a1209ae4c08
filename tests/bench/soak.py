"""An hour of sound through the agent: is memory flat, is no chunk lost, do the times stay true?

    python -m tests.bench.soak --minutes 60

Commands, room noise and quiet follow each other from a microphone that makes them as it goes, as
fast as the agent takes them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import statistics
import time
from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hardware.audio import read
from hardware.base import CHUNK_MS, SAMPLE_BYTES, SAMPLE_RATE_HZ, AudioChunk
from tests.bench.turns import Clip, Listener

CHUNK_BYTES = SAMPLE_RATE_HZ * CHUNK_MS // 1000 * SAMPLE_BYTES
PIECE_MS = 2000
"""Length of the quiet and of the noise after each command."""
QUIET_DBFS, NOISE_DBFS = -75.0, -50.0
"""Level of a quiet room on a headset, and of one with a fan. Not digital silence, which no
microphone gives."""
CLIPS = 7
"""How many different commands are said."""
MARKS = 6
"""How often memory is read in the whole, evenly."""


@dataclass(frozen=True, slots=True)
class Soaked:
    """What was found."""

    minutes: float
    """Length of the sound."""
    wall_s: float
    """How long it took."""
    memory_mb: tuple[float, ...]
    """Resident memory at each mark."""
    chunks_handed_out: int
    """Chunks that the microphone gave."""
    chunks_taken: int
    """Chunks after which it was asked for another."""
    commands: int
    """Commands that were spoken."""
    answered_once: int
    """Commands that got one turn in the end."""
    stray: int
    """Turns beyond one for each command."""
    waits_ms: tuple[tuple[int, float], ...]
    """Which command each was, and the end of its turn after its last speech."""

    @property
    def memory_growth_percent(self) -> float:
        """How much memory grew from the first mark to the last."""
        return 100 * (self.memory_mb[-1] / self.memory_mb[0] - 1) if self.memory_mb else 0.0

    @property
    def drift_ms(self) -> float:
        """How much longer a command's wait was in the second half of its times than in the first.

        Medians, and the median of that over the commands; not a number where none was said twice.
        """
        by_command: dict[int, list[float]] = {}
        for which, wait_ms in self.waits_ms:
            by_command.setdefault(which, []).append(wait_ms)
        changes = [
            statistics.median(waits[len(waits) // 2 :])
            - statistics.median(waits[: len(waits) // 2])
            for waits in by_command.values()
            if len(waits) > 1
        ]
        return statistics.median(changes) if changes else float("nan")

    def figures(self) -> dict[str, float]:
        """Return them flat, for the record."""
        flat = {k: float(v) for k, v in asdict(self).items() if isinstance(v, int | float)}
        marks = {f"memory_mark_{n}_mb": mb for n, mb in enumerate(self.memory_mb, start=1)}
        return flat | marks | {
            "memory_growth_percent": self.memory_growth_percent,
            "drift_ms": self.drift_ms,
            "chunks_lost": float(self.chunks_handed_out - self.chunks_taken),
            "answered_once_percent": 100 * self.answered_once / max(1, self.commands),
        }  # fmt: skip


@dataclass(slots=True)
class EndlessMicrophone:
    """Commands over and over for a while, with quiet and noise between; holds one at a time."""

    clips: Sequence[Clip]
    """What is said, in turn."""
    duration_ms: float
    """When the stream ends."""
    name: str = "endless"
    """As every microphone has one."""
    handed_out: int = 0
    """Chunks that were given so far."""
    taken: int = 0
    """Chunks after which the next was asked for."""
    said: list[tuple[float, float]] = field(default_factory=list)
    """When each command began, and its last speech, in ms."""
    memory_mb: list[float] = field(default_factory=list)
    """Resident memory at each mark."""
    _at_s: float = 0.0

    async def chunks(self) -> AsyncGenerator[AudioChunk, None]:
        """Yield the stream, as fast as it is taken."""
        mark_ms = self.duration_ms / MARKS
        for pcm in self._chunks():
            await asyncio.sleep(0)
            chunk = AudioChunk(pcm, float(self.handed_out * CHUNK_MS))
            self.handed_out += 1
            self._at_s = asyncio.get_running_loop().time()
            yield chunk
            self.taken += 1
            if chunk.end_ms >= mark_ms * (len(self.memory_mb) + 1):
                self.memory_mb.append(resident_mb())

    def now_ms(self) -> float:
        """The end of the last chunk that was handed out, and the time since."""
        if not self.handed_out:
            return 0.0
        return self.handed_out * CHUNK_MS + (asyncio.get_running_loop().time() - self._at_s) * 1000

    def _chunks(self) -> Iterator[bytes]:
        chance = random.Random(1)
        number = 0
        while self.handed_out * CHUNK_MS < self.duration_ms:
            clip = self.clips[number % len(self.clips)]
            number += 1
            began_ms = float(self.handed_out * CHUNK_MS)
            self.said.append((began_ms, began_ms + clip.speech_end_ms))
            yield from _whole(read(clip.order.path))
            yield from _whole(_noise(QUIET_DBFS, chance))
            yield from _whole(_noise(NOISE_DBFS, chance))


async def soak(listener: Listener, microphone: EndlessMicrophone) -> Soaked:
    """Listen to all of it."""
    began = time.perf_counter()
    ends: list[tuple[float, bool]] = []  # of each turn: when, and whether it replaced the last
    async for turn in listener.listen(microphone):
        # Turns are let go at once: what grows is then the agent's.
        if turn.timings.endpoint is not None:
            ends.append((turn.timings.endpoint, getattr(turn, "replaces", False)))
    return judge(microphone, ends, time.perf_counter() - began)


def judge(
    microphone: EndlessMicrophone, ends: Sequence[tuple[float, bool]], wall_s: float = 0.0
) -> Soaked:
    """Say what became of it from when turns ended and which of them replaced the one before."""
    starts = [began_ms for began_ms, _ in microphone.said]
    by_command: list[list[float]] = [[] for _ in starts]
    for end_ms, replaces in ends:
        found = by_command[max(0, bisect_right(starts, end_ms) - 1)]
        if replaces and found:
            found.pop()
        found.append(end_ms)
    # The wait for the first turn that stood: what follows it is no answer to the command.
    waits = [
        (number % len(microphone.clips), found[0] - end_ms)
        for number, (found, (_, end_ms)) in enumerate(zip(by_command, microphone.said, strict=True))
        if found
    ]
    return Soaked(
        minutes=microphone.handed_out * CHUNK_MS / 60_000,
        wall_s=wall_s,
        memory_mb=tuple(microphone.memory_mb),
        chunks_handed_out=microphone.handed_out,
        chunks_taken=microphone.taken,
        commands=len(starts),
        answered_once=sum(len(found) == 1 for found in by_command),
        stray=sum(max(0, len(found) - 1) for found in by_command),
        waits_ms=tuple(waits),
    )


def resident_mb() -> float:
    """Return the resident memory of this process in MB; off Linux its peak."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024


def _whole(pcm: bytes) -> Iterator[bytes]:
    for at in range(0, len(pcm) - CHUNK_BYTES + 1, CHUNK_BYTES):
        yield pcm[at : at + CHUNK_BYTES]


def _noise(dbfs: float, chance: random.Random) -> bytes:
    import numpy as np

    noise = np.random.default_rng(chance.randrange(2**32))
    level = 32768 * 10 ** (dbfs / 20)
    samples = noise.normal(0, level, SAMPLE_RATE_HZ * PIECE_MS // 1000)
    return samples.round().clip(-32768, 32767).astype("<i2").tobytes()


def figures(minutes: float = 60.0, clips: Sequence[Clip] = ()) -> dict[str, float]:
    """Return the figures of the benchmark; nothing without recordings."""
    from tests.bench import listening

    # Few enough to be said several times over.
    clips = clips or listening.spread(listening.sets(True).get("fluent", []), CLIPS)
    if not clips:
        return {}

    async def run() -> Soaked:
        async with listening.wearer() as wearer:
            return await soak(wearer, EndlessMicrophone(clips, minutes * 60_000))

    return asyncio.run(run()).figures()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the sound")
    for name, value in figures(parser.parse_args().minutes).items():
        print(f"{name.replace('_', ' '):28}{value:12,.2f}")


if __name__ == "__main__":
    main()
