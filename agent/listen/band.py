"""Which frequencies sound has: a telephone or a Bluetooth headset lets nothing above 4 kHz through.

Such sound is brought to 16 kHz like any other, and above 4 kHz there is then nothing but the
rounding of samples.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hardware.base import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME = 320
"""Samples of one spectrum, 20 ms."""
BELOW_HZ, ABOVE_HZ, HIGHEST_HZ = 3_400, 4_800, 7_600
"""Telephone speech ends at the first and what resampling leaves of it at the second; from the third
on, our own filter may have taken something away."""
NARROW = 1e-6
"""Least share of the power that is above where sound is not narrow-band, -60 dB. 245 real orders
have 6e-4 and more, synthesised ones 1e-5, and both 1.4e-7 and less after 8 kHz and 8 bits."""

_BELOW, _ABOVE, _HIGHEST = (hz * FRAME // SAMPLE_RATE_HZ for hz in (BELOW_HZ, ABOVE_HZ, HIGHEST_HZ))


@lru_cache(maxsize=1)
def _window() -> NDArray[Any]:
    import numpy as np

    return np.hanning(FRAME)


def powers(frames: NDArray[Any]) -> tuple[float, float]:
    """Return the power of frames of `FRAME` samples below the gap and above it."""
    import numpy as np

    spectra = np.fft.rfft(frames * _window())
    below, above = spectra[..., 1:_BELOW], spectra[..., _ABOVE:_HIGHEST]
    return float(np.vdot(below, below).real), float(np.vdot(above, above).real)


def is_narrow(pcm: bytes) -> bool:
    """Whether 16 kHz mono int16 has nothing above a telephone's band; silence is not narrow.

    Nor is sound so soft, under -40 dBFS or so, that rounding would hide what it had there.
    """
    import numpy as np

    whole = len(pcm) // (2 * FRAME) * FRAME
    samples = np.frombuffer(pcm, "<i2", whole).astype(np.float64)
    below, above = powers(samples.reshape(-1, FRAME))
    return above < NARROW * below
