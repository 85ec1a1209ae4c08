"""Speech in noise at a stated ratio, the same each time.

The signal-to-noise ratio is the mean power of the speech, from its first to its last by energy, over
that of the very piece of noise it is mixed with. Where the noise begins is drawn from the clip's name.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware.audio import read
from hardware.base import SAMPLE_RATE_HZ
from tests.bench.words import speech_span_ms
from tests.shared import DATA

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOISES = {
    "kitchen": DATA / "noise" / "picovoice" / "kitchen.wav",
    "café": DATA / "noise" / "noisereduce" / "cafe_short.wav",
}
"""The published benchmark's two kinds of noise; its own recording of the first."""

BEFORE_MS, AFTER_MS = 1300, 150
"""Sound around the speech: what a stream has before an utterance, and what it has at its end."""


def samples(path: Path) -> NDArray[Any]:
    """Return a recording as numbers."""
    import numpy as np

    return np.frombuffer(read(path), "<i2").astype(np.float64)


def around(pcm: bytes, after_ms: int = AFTER_MS) -> tuple[NDArray[Any], slice]:
    """Return the speech of a clip with the sound around it, and where in that the speech is."""
    import numpy as np

    sound = np.frombuffer(pcm, "<i2").astype(np.float64)
    begin_ms, end_ms = speech_span_ms(pcm)
    begin, end = (round(ms * SAMPLE_RATE_HZ / 1000) for ms in (begin_ms, end_ms))
    before, after = (ms * SAMPLE_RATE_HZ // 1000 for ms in (BEFORE_MS, after_ms))
    padded = np.concatenate([np.zeros(before), sound, np.zeros(after)])
    return padded[begin : end + before + after], slice(before, before + end - begin)


def mixed(
    name: str, pcm: bytes, noise: NDArray[Any] | None, snr_db: float, after_ms: int = AFTER_MS
) -> bytes:
    """Return a clip cut to its speech and the sound around it, in noise or as it is."""
    import numpy as np

    sound, speech = around(pcm, after_ms)
    if noise is not None:
        drawn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
        piece = np.take(noise, drawn % len(noise) + np.arange(len(sound)), mode="wrap")
        ratio = np.square(sound[speech]).mean() / max(np.square(piece[speech]).mean(), 1e-3)
        sound = sound + piece * np.sqrt(ratio / 10 ** (snr_db / 10))
        sound *= min(1.0, 32_000 / np.abs(sound).max())
    return np.clip(np.rint(sound), -32_768, 32_767).astype("<i2").tobytes()
