"""Nothing out of nothing: noise, music and silence through a whole agent with both engines.

The shared recordings of noise, tunes and chords and drums that are made here, alone and together,
and digital silence follow each other, as fast as the agent takes them. No turn may come of it, and
a command that is spoken afterwards must be heard.
"""

from __future__ import annotations

import asyncio
import math
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import track

from agent.listen.sphinx.engine import PocketSphinx
from agent.listen.whisper.pair import Pair
from hardware.audio import read
from hardware.base import CHUNK_MS, SAMPLE_BYTES, SAMPLE_RATE_HZ
from hardware.microphone import FileMicrophone
from hardware.spoken import clips as spoken
from tests.bench.pair import Ears, agent_with, load_average
from tests.bench.soak import CHUNK_BYTES, EndlessMicrophone
from tests.bench.synthetic import to_pcm
from tests.shared import DATA

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOISES = (
    "deepfilternet/noise_*.wav", "noisereduce/cafe_short.wav", "picovoice/kitchen.wav",
    "speechbrain/noise/*.wav", "speechbrain/multi-mic/*.flac",
)  # fmt: skip
"""Recordings in which nobody says anything to be understood; the others are a speaker and echoes."""
PIECE_S = 20.0
"""Length of a piece; shorter recordings are repeated."""
LEVELS_DBFS = (-45.0, -35.0, -25.0)
"""How loud a piece is: a quiet room to right beside a loudspeaker."""
CHORDS = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16), (2, 5, 9))
"""In semitones above the key."""
KEY_HZ = 220.0


@dataclass(slots=True)
class Unspoken(EndlessMicrophone):
    """A microphone that hears everything but speech."""

    seed: int = 1
    """Another one makes another order of pieces."""

    def _chunks(self) -> Iterator[bytes]:
        count = math.ceil(self.duration_ms / 1000 / PIECE_S)
        for piece in track(islice(pieces(self.seed), count), "hearing nothing", total=count):
            for at in range(0, len(piece) - CHUNK_BYTES + 1, CHUNK_BYTES):
                if self.handed_out * CHUNK_MS >= self.duration_ms:
                    return
                yield piece[at : at + CHUNK_BYTES]


def noises() -> list[Path]:
    """Return the recordings of noise; none where there are no recordings."""
    return [path for name in NOISES for path in sorted((DATA / "noise").glob(name))]


def pieces(seed: int) -> Iterator[bytes]:
    """Yield pieces of noise, music, both, and silence, without end."""
    chance = random.Random(seed)
    recorded = [_samples(read(path)) for path in noises()]
    length = round(PIECE_S * SAMPLE_RATE_HZ)
    while True:
        kinds: list[Any] = [*recorded, "music", "music", "both", "both", "both", "silence"]
        chance.shuffle(kinds)
        for kind in kinds:
            level = chance.choice(LEVELS_DBFS)
            if not isinstance(kind, str):
                yield _at(_piece(kind, length, chance), level)
            elif kind == "silence":
                yield bytes(length * SAMPLE_BYTES)
            elif kind == "music":
                yield _at(music(PIECE_S, chance.randrange(2**32)), level)
            else:
                noise = _piece(chance.choice(recorded), length, chance)
                tune = music(PIECE_S, chance.randrange(2**32))
                yield _at(_even(noise) + _even(tune), level)


def music(seconds: float, seed: int) -> NDArray[Any]:
    """Return chords of a plucked, brassy sound over a bass, and drums, at 60 to 150 beats a minute."""
    chance = random.Random(seed)
    noise = np.random.default_rng(seed)
    length = round(seconds * SAMPLE_RATE_HZ)
    sound = np.zeros(length)
    key_hz = KEY_HZ * 2 ** (chance.randrange(-5, 7) / 12)
    beat = round(60 / chance.uniform(60, 150) * SAMPLE_RATE_HZ)
    for number, at in enumerate(range(0, length, beat)):
        if number % 4 == 0:
            chord = chance.choice(CHORDS)
            for tone in (chord[0] - 24, *chord):
                _lay(sound, at, _tone(key_hz * 2 ** (tone / 12), 4 * beat, 2.5, 6))
        _lay(sound, at, _tone(key_hz * 2 ** (chance.choice(CHORDS[0]) / 12 + 1), beat, 6, 4))
        _lay(sound, at, _drum(noise, number % 2 == 0))
        _lay(sound, at + beat // 2, 0.3 * _drum(noise, False))
    return sound


def _tone(hz: float, length: int, decay: float, harmonics: int) -> NDArray[Any]:
    t = np.arange(length) / SAMPLE_RATE_HZ
    vibrato = 0.02 * np.sin(2 * np.pi * 5 * t)
    waves = (np.sin(2 * np.pi * n * hz * t + n * vibrato) / n for n in range(1, harmonics + 1))
    return np.asarray(sum(waves) * np.exp(-decay * t) * np.minimum(1, t / 0.01))


def _drum(noise: np.random.Generator, low: bool) -> NDArray[Any]:
    t = np.arange(SAMPLE_RATE_HZ // 5) / SAMPLE_RATE_HZ
    if low:
        return np.asarray(3 * np.sin(2 * np.pi * 60 * t * np.exp(-2 * t)) * np.exp(-18 * t))
    return np.asarray(noise.normal(0, 0.6, len(t)) * np.exp(-30 * t))


def _lay(sound: NDArray[Any], at: int, tone: NDArray[Any]) -> None:
    room = max(0, min(len(tone), len(sound) - at))
    sound[at : at + room] += tone[:room]


def _piece(samples: NDArray[Any], length: int, chance: random.Random) -> NDArray[Any]:
    begin = chance.randrange(len(samples))
    return np.take(samples, begin + np.arange(length), mode="wrap")


def _even(samples: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(samples / max(1e-9, float(np.sqrt(np.square(samples).mean()))))


def _at(samples: NDArray[Any], dbfs: float) -> bytes:
    return to_pcm(_even(samples) * 32_768 * 10 ** (dbfs / 20))


def _samples(pcm: bytes) -> NDArray[Any]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def figures(minutes: float = 10.0) -> dict[str, float]:
    """Return the turns that came of nothing, and how memory grew; nothing without recordings."""
    return asyncio.run(_figures(minutes)) if noises() else {}


async def _figures(minutes: float) -> dict[str, float]:
    microphone = Unspoken([], minutes * 60_000)
    made: list[Ears] = []
    texts: list[str | None] = []  # which engine each turn with a text is from

    def make() -> Pair:
        made.append(Ears())
        return made[-1].pair

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        agent = agent_with(Path(folder), make)
        async for turn in agent.listen(microphone):
            if turn.transcript.text:
                texts.append(turn.transcript.engine)
        said = FileMicrophone(spoken()[0], pace="fast")
        awake = [turn async for turn in agent.listen(said) if turn.transcript.text]
        await agent.close()
    grammar = texts.count(PocketSphinx.name)
    marks = microphone.memory_mb or [float("nan")]
    return {
        "minutes": microphone.handed_out * CHUNK_MS / 60_000,
        "took_minutes": (time.perf_counter() - began) / 60,
        "whisper_was_asked": float(sum(ears.whisper.asked for ears in made)),
        "turns_from_whisper": float(len(texts) - grammar),
        "turns_from_the_grammar": float(grammar),
        "command_after_it_heard": float(len(awake) == 1),
        "memory_first_mark_mb": marks[0],
        "memory_last_mark_mb": marks[-1],
        "memory_growth_percent": 100 * (marks[-1] / marks[0] - 1),
        "load_average": load_average(),
    }
