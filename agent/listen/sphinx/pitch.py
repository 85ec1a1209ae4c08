"""How high a voice is: by autocorrelation, and how much likelier one voice has it than another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hardware.base import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_HZ = SAMPLE_RATE_HZ // 2
FRAME, STEP, FFT = 320, 160, 1024
"""At half the sampling rate: 40 ms, every 20 ms."""
LAGS = slice(RATE_HZ // 400, RATE_HZ // 70)
"""Periods of 70 to 400 Hz."""
VOICED = 0.5
"""Correlation over one period from which a frame is voiced."""
FIRST = 0.9
"""The first period that correlates as well as this share of the best one: twice it does too."""
REACH_DB = 25.0
"""How far below the loud frames a voiced one may lie."""
LEAST = 8
"""Voiced frames under which nothing is said: 160 ms."""
WEARER_SPREAD, OTHERS, OTHERS_SPREAD = 0.15, 5.0, 0.35
"""Standard deviation of one voice's utterances, and mean and deviation of all voices, in log Hz:
men around 110 Hz, women around 200."""
BOUNDS = (-3.0, 1.0)
"""Least and most nats: a cold, an excited voice or a wrong octave must not decide alone."""


def track(samples: NDArray[Any]) -> NDArray[Any]:
    """Return the log of the pitch in Hz of each voiced frame of 16 kHz samples."""
    import numpy as np

    half = samples[: len(samples) // 2 * 2].reshape(-1, 2).mean(axis=1)
    if len(half) < FRAME:
        return np.zeros(0)
    window = np.hanning(FRAME)
    frames = np.lib.stride_tricks.sliding_window_view(half, FRAME)[::STEP]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * window
    found = _correlation(frames) / np.maximum(_correlation(window), 1e-3)
    periods = found[:, LAGS]
    best = periods.max(axis=1)
    row = np.arange(len(periods))
    lag = (periods > FIRST * best[:, None]).argmax(axis=1)
    for _ in range(6):  # from where it is good enough to the top
        up = np.minimum(lag + 1, periods.shape[1] - 1)
        lag = np.where(periods[row, up] > periods[row, lag], up, lag)
    level_db = 10 * np.log10(np.square(frames).mean(axis=1) + 1.0)
    voiced = (periods[row, lag] > VOICED) & (level_db > np.percentile(level_db, 95) - REACH_DB)
    return np.asarray(np.log(RATE_HZ / (lag[voiced] + LAGS.start)))


def _correlation(frames: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    raw = np.fft.irfft(np.square(np.abs(np.fft.rfft(frames, FFT))))[..., : LAGS.stop]
    return np.asarray(raw / np.maximum(raw[..., :1], 1e-9))


def ratio(pitches: NDArray[Any], wearer: float) -> float:
    """Return how much likelier the wearer, whose median is given, has this pitch, in nats."""
    import numpy as np

    if len(pitches) < LEAST:
        return 0.0
    middle = float(np.median(pitches))
    own = -0.5 * ((middle - wearer) / WEARER_SPREAD) ** 2 - math.log(WEARER_SPREAD)
    others = -0.5 * ((middle - OTHERS) / OTHERS_SPREAD) ** 2 - math.log(OTHERS_SPREAD)
    return min(BOUNDS[1], max(BOUNDS[0], own - others))
