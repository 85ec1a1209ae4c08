"""Any PCM that a client may send, to what the ears hear: 16 kHz, mono, 16 bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hardware.audio import Resampler
from hardware.base import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATES_HZ = range(4_000, 384_001)
"""Rates that sound has."""
CHANNELS = range(1, 17)
"""Channels that sound has; they are mixed."""


@dataclass(frozen=True, slots=True)
class Format:
    """How sound is written down. Raises ValueError for what no sound has."""

    rate_hz: int
    """Samples a second."""
    width: int
    """Bytes of a sample: 1 (unsigned), 2, 3 or 4 (signed, little-endian)."""
    channels: int
    """How many there are, interleaved."""

    def __post_init__(self) -> None:
        """Refuse what no sound has."""
        for name, value, can in (
            ("rate", self.rate_hz, RATES_HZ),
            ("width", self.width, range(1, 5)),
            ("channels", self.channels, CHANNELS),
        ):
            if type(value) is not int or value not in can:
                raise ValueError(f"sound has {name} {can[0]} to {can[-1]}")

    @classmethod
    def of(cls, data: dict[str, Any]) -> Format:
        """Return the format that an event tells. Raises ValueError."""
        return cls(*(data.get(key) for key in ("rate", "width", "channels")))  # type: ignore[arg-type]  # checked above


class Converter:
    """A stream of sound whose format may change."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self._format: Format | None = None
        self._left = b""
        self._resampler = Resampler()

    def feed(self, pcm: bytes, format: Format) -> bytes:
        """Convert the next bytes; what is less than a sample waits for the rest of it."""
        if format != self._format:
            self._format, self._left = format, b""
        pcm = self._left + pcm
        whole = len(pcm) - len(pcm) % (format.width * format.channels)
        pcm, self._left = pcm[:whole], pcm[whole:]
        if not pcm:
            return b""
        plain = format.width == 2 and format.channels == 1
        mono = pcm if plain else _mono(pcm, format)
        if format.rate_hz == SAMPLE_RATE_HZ:
            return self._resampler.flush() + mono
        return self._resampler.feed(mono, format.rate_hz)

    def flush(self) -> bytes:
        """Return what the filter still holds."""
        return self._resampler.flush()


def _mono(pcm: bytes, format: Format) -> bytes:
    import numpy as np

    samples: NDArray[Any]
    match format.width:
        case 1:
            samples = (np.frombuffer(pcm, np.uint8).astype(np.int32) - 128) << 8
        case 2:
            samples = np.frombuffer(pcm, "<i2")
        case 3:  # the lowest byte of the three is below what 16 bits hold
            samples = np.frombuffer(pcm, np.uint8).reshape(-1, 3)[:, 1:].copy().view("<i2")
        case _:
            samples = np.frombuffer(pcm, "<i4") >> 16
    mixed = samples.reshape(-1, format.channels).mean(axis=1).round().astype("<i2")
    return bytes(mixed.tobytes())
