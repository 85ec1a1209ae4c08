"""Sentences spoken by synthetic voices, for the tests of enrolment."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from functools import cache

import pytest

needs_voices = pytest.mark.skipif(
    not (shutil.which("flite") and shutil.which("espeak-ng")),
    reason="flite and espeak-ng are not installed",
)

LINES = (
    "can you translate thank you into mandarin",
    "show me the way to the bank",
    "i want to buy the ballpoint pen",
    "change the volume to thirty three percent",
    "how much is the phone charger",
    "give me directions to the coffee shop",
    "play the song brother john again",
    "read the reviews of the water bottle",
    "where is the nearest swimming pool",
    "pay twenty four dollars to the garden cafe",
    "how do you say thank you very much in chinese",
    "could you look for a rice cooker and an olive oil",
)


@cache
def said(text: str, robot: bool = False) -> bytes:
    """Return a sentence as 16 kHz mono int16, with silence around it."""
    if robot:
        command = ["espeak-ng", "-v", "en-us", "--stdout", text]
    else:
        command = ["flite", "-voice", "slt", "-t", text, "-o", "/dev/stdout"]
    done = subprocess.run(command, capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as sound:
        rate_hz = sound.getframerate()
        pcm = done.stdout[44:]
    if rate_hz != 16_000:
        from hardware.audio import Resampler

        resampler = Resampler()
        pcm = resampler.feed(pcm[: len(pcm) // 2 * 2], rate_hz) + resampler.flush()
    silence = bytes(16_000 * 2 * 3 // 10)
    return _in_a_room(silence + pcm + silence)


def _in_a_room(pcm: bytes) -> bytes:
    """Add the faint noise that every microphone has: zeros are no sound."""
    import numpy as np

    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")
    noise = np.random.default_rng(0).normal(0, 8, len(samples))
    return np.clip(np.rint(samples + noise), -32_768, 32_767).astype("<i2").tobytes()
