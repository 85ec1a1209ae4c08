"""Sound to cepstra, as pocketsphinx's English model was trained on them.

The same numbers as its front end gives (src/fe/fe_sigproc.c, fe_noise.c; parameters from the
model's feat.params): frames of 410 samples every 160, pre-emphasis 0.97, Hamming window, 25 mel
bands from 130 to 6,800 Hz, removal of steady noise, logarithm, orthonormal DCT of 13, liftered by
22. They are worked out here so that something can be done to them before the decoder.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hardware.base import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME, STEP, FFT = 410, 160, 512
BANDS, CEPSTRA = 25, 13
LOWEST_HZ, HIGHEST_HZ = 130.0, 6_800.0
LIFTER = 22
FLOOR = 1e-4
"""Added to a band's power before its logarithm."""


def powers(samples: NDArray[Any]) -> NDArray[Any]:
    """Return frame × mel band, the power of 16 kHz samples."""
    import numpy as np

    if len(samples) < FRAME:
        return np.zeros((0, BANDS))
    sharp = np.concatenate([samples[:1], samples[1:] - 0.97 * samples[:-1]])
    frames = np.lib.stride_tricks.sliding_window_view(sharp, FRAME)[::STEP]
    spectra = np.abs(np.fft.rfft(frames * np.hamming(FRAME), FFT)) ** 2
    return np.asarray(spectra @ _bands())


def cepstra(band_powers: NDArray[Any]) -> NDArray[Any]:
    """Return frame × 13 liftered cepstra."""
    import numpy as np

    return np.asarray(np.log(band_powers + FLOOR) @ transform())


class NoiseRemoval:
    """pocketsphinx's own suppression of steady noise (`remove_noise`), frame by frame.

    After Kim and Stern, "Power-normalized cepstral coefficients", ICASSP 2012; its constants.
    """

    SMOOTH, UP, DOWN, MASK, MASKED, MOST, REACH = 0.7, 0.995, 0.5, 0.85, 0.2, 20.0, 4

    def __init__(self) -> None:
        self._state: tuple[Any, Any, Any, Any] | None = None

    def clean(self, band_powers: NDArray[Any]) -> NDArray[Any]:
        """Return the powers of the next frames with what is steady in them taken off."""
        import numpy as np

        cleaned = np.empty_like(band_powers)
        band = np.arange(BANDS)
        first, last = np.maximum(band - self.REACH, 0), np.minimum(band + self.REACH, BANDS - 1)
        for at, frame in enumerate(band_powers):
            if self._state is None:
                self._state = frame.copy(), frame / self.MOST, frame / self.MOST, frame * 0
            power, noise, floor, peak = self._state
            power = self.SMOOTH * power + (1 - self.SMOOTH) * frame
            noise = self._lower(power, noise)
            signal = np.maximum(power - noise, 1.0)
            floor = self._lower(signal, floor)
            loudest, peak = np.maximum(signal, peak * self.MASK), peak * self.MASK
            signal = np.where(signal < self.MASK * peak, peak * self.MASKED, signal)
            signal = np.maximum(signal, floor)
            self._state = power, noise, floor, loudest
            gain = np.clip(signal / np.maximum(power, FLOOR), 1 / self.MOST, self.MOST)
            total = np.concatenate([[0.0], np.cumsum(gain)])
            cleaned[at] = frame * (total[last + 1] - total[first]) / (last - first + 1)
        return cleaned

    def _lower(self, value: NDArray[Any], envelope: NDArray[Any]) -> NDArray[Any]:
        """Let a lower envelope follow: slowly up, fast down."""
        import numpy as np

        rate = np.where(value >= envelope, self.UP, self.DOWN)
        return np.asarray(rate * envelope + (1 - rate) * value)


@lru_cache(maxsize=1)
def transform() -> NDArray[Any]:
    """Return mel band × 13: the DCT and the lifter."""
    import numpy as np

    number, band = np.arange(CEPSTRA)[:, None], np.arange(BANDS)[None]
    dct = np.cos(np.pi / BANDS * number * (band + 0.5)) * np.sqrt(2 / BANDS)
    dct[0] = np.sqrt(1 / BANDS)
    lifter = 1 + LIFTER / 2 * np.sin(np.arange(CEPSTRA) * np.pi / LIFTER)
    return np.asarray((dct * lifter[:, None]).T)


def below(hz: float) -> NDArray[Any]:
    """Return for each mel band whether all of it lies below a frequency."""
    found: NDArray[Any] = _corners()[2:] <= hz
    return found


@lru_cache(maxsize=1)
def _corners() -> NDArray[Any]:
    """Return the frequencies between which the bands lie, rounded to FFT bins: each has three."""
    import numpy as np

    def mel(hz: float) -> np.float32:
        return np.float32(2595 * np.log10(1 + hz / 700))

    bin_hz = SAMPLE_RATE_HZ / FFT
    low, high = mel(LOWEST_HZ), mel(HIGHEST_HZ)
    corners = low + np.arange(BANDS + 2, dtype=np.float32) * ((high - low) / (BANDS + 1))
    return np.asarray(np.floor(700 * (10.0 ** (corners / 2595) - 1) / bin_hz + 0.5) * bin_hz)


@lru_cache(maxsize=1)
def _bands() -> NDArray[Any]:
    """Return FFT bin × mel band: triangles of equal area."""
    import numpy as np

    hz, bin_hz = _corners(), SAMPLE_RATE_HZ / FFT
    bins = np.arange(FFT // 2 + 1)[:, None] * bin_hz
    left, middle, right = hz[:-2], hz[1:-1], hz[2:]
    rising, falling = (bins - left) / (middle - left), (right - bins) / (right - middle)
    inside = (bins >= left) & (bins <= right)
    return np.asarray(np.where(inside, np.minimum(rising, falling) * 2 / (right - left), 0.0))
