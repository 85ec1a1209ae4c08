"""What a bone-conduction microphone would have heard: bone-like sound from sound through the air.

No corpus of glasses' bone microphones may be shipped, so tests and benchmarks make it. It is a
model of first order, and leaves out that consonants made of air alone come weaker than their
frequencies tell, and that every skull is another filter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hardware.base import SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class BoneSimulation:
    """The way from the wearer's mouth, and from the room, into the sensor."""

    corner_hz: float = 1000.0
    """From where on bone and skin weaken the wearer's speech. The pick-up at the temple of the
    Vibravox corpus (J. Hauret et al., arXiv:2407.11828) stands over its own noise by 5 dB and more
    up to about 1 kHz; voice pick-ups in earphones are sold as good for 1 kHz."""
    slope_db_per_octave: float = 12.0
    """How fast: a mass on a spring, the middle of the 6 to 18 dB/octave that are reported."""
    band_hz: float = 2400.0
    """Upper edge of the sensor: signal bandwidth of ST's LIS25BA and the band for which Vesper's
    VA1200 is specified, 100 … 2,400 Hz. Above it the sound falls by 48 dB/octave more, the
    sensor's own filter."""
    isolation_db: float = 20.0
    """How much weaker than an air microphone it hears what is not the wearer, in the wearer's band.
    Micromachines 16(6), 613, 2025 (doi:10.3390/mi16060613) measures a signal-to-noise amplitude
    five times that of an air microphone and more, 14 dB, in 68 dB of noise; with good contact 20
    to 30 dB are claimed."""
    noise_db: float = -30.0
    """White noise of the sensor below the wearer's speech as it hears it. An assumption: makers
    give noise per root Hz, and how strong speech is at the temple differs by speaker."""
    body_db: float = -25.0
    """Noise of the body and of the frame on the skin, below 100 Hz, falling by 6 dB/octave; an
    assumption too."""


def bone_like(
    pcm: bytes,
    simulation: BoneSimulation | None = None,
    *,
    others: bytes = b"",
    seed: int = 0,
) -> bytes:
    """Return what the sensor hears while the wearer says `pcm` and the room is full of `others`.

    Both are 16 kHz mono int16 as an air microphone hears them; `others` is cut or repeated to the
    length of `pcm`. The level of speech is that of `pcm` less what the filter takes.
    """
    import numpy as np

    way = simulation or BoneSimulation()
    said = np.frombuffer(pcm, "<i2").astype(np.float64)
    if not len(said):
        return b""
    heard = _filtered(said, way)
    rng = np.random.default_rng(seed)
    level = float(np.sqrt(np.mean(np.square(heard))))
    heard += rng.normal(0.0, 1.0, len(said)) * level * 10 ** (way.noise_db / 20)
    body = _rumble(rng.normal(0.0, 1.0, len(said)))
    heard += body * level * 10 ** (way.body_db / 20)
    if others:
        room = np.resize(np.frombuffer(others, "<i2").astype(np.float64), len(said))
        heard += _filtered(room, way) * 10 ** (-way.isolation_db / 20)
    return _bytes(np, heard)


def mixed(pcm: bytes, noise: bytes, snr_db: float) -> tuple[bytes, bytes]:
    """Return speech with noise, and that noise alone, at a ratio of their mean powers in dB."""
    import numpy as np

    speech = np.frombuffer(pcm, "<i2").astype(np.float64)
    room = np.resize(np.frombuffer(noise, "<i2").astype(np.float64), len(speech))
    ratio = np.sqrt(np.mean(np.square(speech)) / max(float(np.mean(np.square(room))), 1e-9))
    room *= ratio * 10 ** (-snr_db / 20)
    return _bytes(np, speech + room), _bytes(np, room)


def _filtered(samples: Any, way: BoneSimulation) -> Any:
    """Weaken by frequency, without moving anything in time."""
    import numpy as np

    hz = np.maximum(np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ), 1.0)
    loss_db = way.slope_db_per_octave * np.maximum(np.log2(hz / way.corner_hz), 0.0)
    loss_db += 48.0 * np.maximum(np.log2(hz / way.band_hz), 0.0)
    return np.fft.irfft(np.fft.rfft(samples) * 10 ** (-loss_db / 20), len(samples))


def _rumble(white: Any) -> Any:
    """White noise to noise below 100 Hz, of power 1."""
    import numpy as np

    hz = np.fft.rfftfreq(len(white), 1 / SAMPLE_RATE_HZ)
    shape = np.where((hz > 2) & (hz < 100), 2 / np.maximum(hz, 2), 0.0)
    sound = np.fft.irfft(np.fft.rfft(white) * shape, len(white))
    return sound / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-9)


def _bytes(np: Any, values: Any) -> bytes:
    sound: bytes = np.clip(np.rint(values), -32_768, 32_767).astype("<i2").tobytes()
    return sound
