"""How soon "stop" acts: said over music, and while an action is at work.

Synthetic voices say it at real-time pace; the time is from the end of the word, by energy on the
voice alone, until the speaker was told to stop or the action's scope was cancelled.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent import Context, Reply, hookimpl, skill
from agent.testing.check.voices import Voice, find_voices
from hardware.audio import read
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ
from hardware.microphone import FileMicrophone
from hardware.speaker import VirtualSpeaker
from hardware.spoken import clips as spoken
from skills.music.library import tracks
from tests.bench import listening, turns
from tests.bench.words import speech_span_ms

WORDS = ("stop", "cancel")
"""What interrupts."""
BEFORE_MS, AFTER_MS = 2500.0, 2500.0
"""Sound between what starts the work and the word, and after the word."""
ANSWER_MS = 800.0
"""How long after "play music" the music is in the microphone: it waits for the end of the turn."""
MUSIC_DB = (-24.0, -12.0)
"""Levels of the own music in the microphone beside the voice: what leaks into a headset, and what
a loud speaker gives."""
WORK_S = 9.0
"""How long the action works when nobody stops it: longer than the sound lasts."""
POLL_S = 0.002
"""How often it looks whether it was cancelled; the error of the measure."""


@dataclass(slots=True)
class Effect:
    """When a stop took effect, by the clock of the stream."""

    now_ms: Callable[[], float] = lambda: 0.0
    """Gives the time in the stream."""
    at_ms: list[float] = field(default_factory=list)
    """When it was stopped, each time."""

    def note(self) -> None:
        """It was stopped now."""
        self.at_ms.append(self.now_ms())


class NotingSpeaker(VirtualSpeaker):
    """A virtual speaker that notes when something that played was stopped."""

    def __init__(self, effect: Effect) -> None:
        super().__init__(length_s=600.0)
        self._effect = effect

    def stop(self) -> None:
        """Stop, and note it."""
        if self.playing is not None:
            self._effect.note()
        super().stop()

    def pause(self) -> None:
        """Pause, which is silence too, and note it."""
        if self.playing is not None:
            self._effect.note()
        super().pause()


class Laborious:
    """A plugin with one action that works until it is cancelled."""

    def __init__(self, effect: Effect) -> None:
        @skill("count the stars")
        def count(ctx: Context) -> Reply:
            """Count the stars."""
            until_s = time.monotonic() + WORK_S
            while time.monotonic() < until_s:
                if ctx.cancel is not None and ctx.cancel.cancelled:
                    effect.note()
                    break
                time.sleep(POLL_S)
            return Reply("Counted")

        self._count = count

    @hookimpl
    def register_skills(self, register: Callable[..., None]) -> None:
        """Add the action."""
        register(self._count)


def stream(begin: bytes, word: bytes, music: bytes, music_db: float) -> tuple[bytes, float]:
    """Return what starts the work, a pause, and the word over music; and when the word is over."""
    import numpy as np

    start, end = begin + _silence(BEFORE_MS), word + _silence(AFTER_MS)
    over_ms = len(start) / SAMPLE_BYTES / SAMPLE_RATE_HZ * 1000 + speech_span_ms(word)[1]
    if not music:
        return start + end, over_ms
    voice = np.frombuffer(start + end, "<i2").astype(np.float64)
    played = np.frombuffer(music, "<i2").astype(np.float64)
    begins = len(begin + _silence(ANSWER_MS)) // SAMPLE_BYTES
    played = np.resize(played, len(voice) - begins)
    loud = float(np.sqrt(np.square(np.frombuffer(word, "<i2").astype(np.float64)).mean()))
    level = float(np.sqrt(np.square(played).mean()))
    voice[begins:] += played * (10 ** (music_db / 20) * loud / max(level, 1.0))
    return voice.round().clip(-32768, 32767).astype("<i2").tobytes(), over_ms


async def stopped_after_ms(
    begin: bytes, word: bytes, music: bytes = b"", music_db: float = 0.0
) -> float | None:
    """Return how long after the word the work was stopped; None when it was not."""
    pcm, over_ms = stream(begin, word, music, music_db)
    effect = Effect()
    with tempfile.TemporaryDirectory() as folder:
        agent = listening.make_agent([], Path(folder), NotingSpeaker(effect))
        agent.skills.load(Laborious(effect))
        microphone = FileMicrophone(pcm, pace="realtime", tail_ms=0)
        effect.now_ms = microphone.now_ms
        try:
            _ = [turn async for turn in agent.listen(microphone)]
        finally:
            await agent.close()
    # Before the word is said, nothing may stop; what comes after the sound ended is too late.
    took = [at_ms - over_ms for at_ms in effect.at_ms]
    return took[0] if took and took[0] <= AFTER_MS else None


def figures(quick: bool = False) -> dict[str, float]:
    """Return the figures of the benchmark."""
    voices = [voice for voice in find_voices()[0] if voice.group == "natural"]
    if not voices:
        return dict(_summary("music_unheard", [asyncio.run(_shipped())]))
    voices = voices[:1] if quick else voices
    found = {
        "action": [_spoken(voice, "count the stars", word) for voice in voices for word in WORDS]
    }
    music = read(tracks()[0].path)
    for level_db in MUSIC_DB:
        found[f"music_{-level_db:.0f}_db_below"] = [
            _spoken(voice, "play music", word, music, level_db)
            for voice in voices
            for word in WORDS
        ]
    return {name: value for what, took in found.items() for name, value in _summary(what, took)}


def _spoken(
    voice: Voice, begin: str, word: str, music: bytes = b"", music_db: float = 0.0
) -> float | None:
    said = voice.speak(begin, read), voice.speak(word, read)
    return asyncio.run(stopped_after_ms(*said, music, music_db))


async def _shipped() -> float | None:
    """Measure with the voice that ships, where no other is installed."""
    said = {path.stem.partition("-")[2]: read(path) for path in spoken()}
    return await stopped_after_ms(said["play"], said["stop"])


def _summary(what: str, took: Sequence[float | None]) -> Iterator[tuple[str, float]]:
    acted = [ms for ms in took if ms is not None]
    yield f"{what}_acted_percent", turns.percent(ms is not None for ms in took)
    yield f"{what}_p50_ms", turns.percentile(acted, 0.5)
    yield f"{what}_slowest_ms", max(acted, default=float("nan"))


def _silence(ms: float) -> bytes:
    return bytes(round(ms * SAMPLE_RATE_HZ / 1000) * SAMPLE_BYTES)


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name.replace('_', ' '):24}{value:10,.1f}")
