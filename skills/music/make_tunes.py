"""Synthesise the four tunes that ship: `python -m skills.music.make_tunes`.

The melodies are in the public domain: Ode to Joy (Beethoven, 1824), Twinkle Twinkle Little Star
(Ah! vous dirai-je, maman, printed 1761), Brother John (Frère Jacques, 18th century) and
Greensleeves (registered 1580). Additive synthesis: a plucked tone of a few harmonics, each fading
faster the higher it is, over a soft octave below; then a short echo. Encoded as Opus in Ogg: PyAV's
wheels carry no Vorbis encoder that is not experimental.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000
BIT_RATE = 30_000
FOLDER = Path(__file__).with_name("tunes")

_STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}

# Notes: letter, optional sharp, octave, then the length in beats. `r` is a rest.
TUNES = {
    "ode-to-joy": (
        132,
        "e4:1 e4:1 f4:1 g4:1 g4:1 f4:1 e4:1 d4:1 c4:1 c4:1 d4:1 e4:1 e4:1.5 d4:.5 d4:2 "
        "e4:1 e4:1 f4:1 g4:1 g4:1 f4:1 e4:1 d4:1 c4:1 c4:1 d4:1 e4:1 d4:1.5 c4:.5 c4:2",
    ),
    "twinkle-twinkle-little-star": (
        120,
        "c4:1 c4:1 g4:1 g4:1 a4:1 a4:1 g4:2 f4:1 f4:1 e4:1 e4:1 d4:1 d4:1 c4:2 "
        "g4:1 g4:1 f4:1 f4:1 e4:1 e4:1 d4:2",
    ),
    "brother-john": (
        138,
        "c4:1 d4:1 e4:1 c4:1 c4:1 d4:1 e4:1 c4:1 e4:1 f4:1 g4:2 e4:1 f4:1 g4:2 "
        "g4:.5 a4:.5 g4:.5 f4:.5 e4:1 c4:1 g4:.5 a4:.5 g4:.5 f4:.5 e4:1 c4:1 "
        "c4:1 g3:1 c4:2 c4:1 g3:1 c4:2",
    ),
    "greensleeves": (
        216,
        "a3:1 c4:2 d4:1 e4:1.5 f4:.5 e4:1 d4:2 b3:1 g3:1.5 a3:.5 b3:1 c4:2 a3:1 a3:1.5 g#3:.5 "
        "a3:1 b3:2 g#3:1 e3:2 a3:1 c4:2 d4:1 e4:1.5 f4:.5 e4:1 d4:2 b3:1 g3:1.5 a3:.5 b3:1 "
        "c4:1.5 b3:.5 a3:1 g#3:1.5 f#3:.5 g#3:1 a3:3",
    ),
}


def pitch_hz(note: str) -> float:
    """Return the frequency of a note such as `g#3` in equal temperament, A4 = 440 Hz."""
    semitones = _STEPS[note[0]] + ("#" in note) + 12 * (int(note[-1]) - 4) - 9
    return float(440 * 2 ** (semitones / 12))


def tone(hz: float, seconds: float) -> NDArray[np.float64]:
    """Return a plucked tone: harmonics at 1/n², fading faster the higher they are."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave = 0.25 * np.sin(np.pi * hz * t) * np.exp(-2 * t)
    for n in range(1, 7):
        wave += np.sin(2 * np.pi * n * hz * t) / n**2 * np.exp(-(1.2 + 0.9 * n) * t)
    attack = np.minimum(1, t / 0.008)
    release = np.minimum(1, (seconds - t) / 0.06)
    return wave * attack * release


def synthesise(beats_per_minute: int, notes: str) -> NDArray[np.int16]:
    """Return a melody as mono 16-bit samples."""
    beat_s = 60 / beats_per_minute
    parsed = [(name, float(beats) * beat_s) for name, beats in _split(notes)]
    ring_s = 0.9
    wave = np.zeros(int((sum(s for _, s in parsed) + ring_s + 0.5) * RATE_HZ))
    at = 0.0
    for name, seconds in parsed:
        if name != "r":
            sound = tone(pitch_hz(name), seconds + ring_s)  # notes ring on into the next
            start = int(at * RATE_HZ)
            wave[start : start + len(sound)] += sound
        at += seconds
    delay = int(0.19 * RATE_HZ)
    wave[delay:] += 0.22 * wave[:-delay]
    return np.asarray(wave / np.abs(wave).max() * 0.7 * 32767, dtype=np.int16)


def _split(notes: str) -> list[tuple[str, str]]:
    return [(name, beats) for name, _, beats in (note.partition(":") for note in notes.split())]


def encode(samples: NDArray[np.int16], path: Path) -> None:
    """Write mono samples as Opus in Ogg."""
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="mono")
        stream.bit_rate = BIT_RATE
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))


def main() -> None:
    """Write every tune."""
    FOLDER.mkdir(exist_ok=True)
    for name, (tempo, notes) in TUNES.items():
        path = FOLDER / f"{name}.ogg"
        encode(synthesise(tempo, notes), path)
        print(f"{path.name} {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
