"""Earcons: short tunes that say something without a word, made when they are first needed."""

from __future__ import annotations

import io
import math
import struct
import wave
from pathlib import Path

from agent import private

RATE_HZ = 16_000
LOUD = 0.5
"""Peak, of full scale."""
FADE_S = 0.012
"""How long a note takes to come and to go, so that it does not click."""

NOTES: dict[str, tuple[tuple[float, float], ...]] = {
    "alarm": ((880.0, 0.16), (0.0, 0.06), (880.0, 0.16), (0.0, 0.06), (1175.0, 0.3)),
    "chime": ((1047.0, 0.14), (1319.0, 0.3)),
    "listening": ((988.0, 0.09),),
    "done": ((784.0, 0.08), (1047.0, 0.12)),
    "error": ((330.0, 0.14), (247.0, 0.2)),
}
"""Each sound, note by note: frequency in Hz, 0 for a rest, and length in seconds."""


def earcon(name: str, folder: Path) -> Path:
    """Return the file of a sound in a folder. Raises OSError where it cannot be written."""
    path = folder / f"{name}.wav"
    if not path.exists():
        private.write(path, made(name))
    return path


def made(name: str) -> bytes:
    """Return a sound as a WAV file: 16 kHz, mono, 16 bits."""
    samples = [value for hz, length_s in NOTES[name] for value in _note(hz, length_s)]
    return wav(struct.pack(f"<{len(samples)}h", *samples))


def wav(pcm: bytes) -> bytes:
    """Return samples as a WAV file: 16 kHz, mono, 16 bits."""
    whole = io.BytesIO()
    with wave.open(whole, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(pcm)
    return whole.getvalue()


def _note(hz: float, length_s: float) -> list[int]:
    count = round(length_s * RATE_HZ)
    fade = FADE_S * RATE_HZ
    return [
        round(32767 * LOUD * min(1.0, n / fade, (count - n) / fade)
              * math.sin(2 * math.pi * hz * n / RATE_HZ))
        for n in range(count)
    ]  # fmt: skip
