"""Who speaks, by Gaussian mixtures: the acoustic model in pocketsphinx's wheel, moved to one voice.

A speaker-independent model of English sounds is what speaker verification calls a universal
background model. Its 5,000 Gaussians are merged into a few for the cepstra and for their
differences; their means are moved towards what the wearer read (maximum a posteriori, Reynolds,
Quatieri and Dunn, "Speaker verification using adapted Gaussian mixture models", Digital Signal
Processing 10, 2000), and the score is how much likelier a frame of speech is under the moved means.
The mean cepstrum of each utterance is taken off, which takes most of the microphone with it, and
with it most of what is high or low in a voice: the pitch is judged beside it.

What was tried on fourteen telephone callers, with 2 s of speech in a trial: more Gaussians change
little, second differences nothing. Taking steady noise off first costs nothing in quiet and saves a
third of the errors in a kitchen. Noise added to copies of what is enrolled costs one point in
quiet, saves a third in a café, and keeps scores alike, so that one threshold suits both. Pitch, and
differences weighted double, save another third. A cohort of the wearer's own voice with other vocal
tracts (resampled) made it three times worse when subtracted and eight times as T-norm: it is too
like the wearer. tests/bench/voices.py tells what is reached.

Nobody else's recordings are needed, and a profile holds all there is to scoring, 33 kB.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent.errors import EngineError
from agent.listen.sphinx import pitch
from agent.listen.sphinx.acoustic import CEPSTRA, FRAME_MS, SILENCE, differences, load
from agent.listen.sphinx.acoustic import log_likelihoods as gaussians
from agent.listen.sphinx.features import NoiseRemoval, cepstra, powers
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_S = 10.0
"""Speech to enrol with, silence left out; `glasses enroll` reads for a minute."""
TELLING_S = 0.3
"""Speech under which nothing is told: a “yes” has 0.3 to 0.5 s."""
MOST_S = 5.0
"""Sound that is looked at; more tells no more, and takes longer."""
GAUSSIANS = (128, 64)
"""How many the cepstra have, and their first differences; second ones tell voices badly apart."""
RELEVANCE = (2.0, 4.0)
"""Frames of the wearer's with which a Gaussian is half moved."""
STREAM_WEIGHTS = (1.0, 2.0)
"""How much a nat counts for cepstra and for differences, which noise and rooms change less."""
PITCH_WEIGHT = 0.2
"""How much a nat of the pitch counts, once for the whole utterance."""
PASSES = 20
"""Passes of the merging (k-means)."""
LOUD, REACH_DB = 0.4, 30.0
"""A frame is speech above this share of the way from the quiet to the loud ones, in dB, and within
this of the loud ones."""
NOISY_DB = (20.0, 10.0)
"""Noise added to what is enrolled, in two more copies: a voice is known in a café, too."""
MIDDLE, STEEP, SETTLED = 1.1, 7.5, 30.0
"""Score at which it is as likely the wearer as not; how fast that changes, and after how many
frames half as fast: fitted to the same callers that the bench measures, all lengths and noises."""


@dataclass(frozen=True, slots=True)
class _Mixture:
    """One stream: the background, and the wearer's means."""

    log_weights: NDArray[Any]
    """Of each Gaussian, in nats."""
    means: NDArray[Any]
    """Gaussian × 13."""
    variances: NDArray[Any]
    """Of the same shape."""

    def joint(self, features: NDArray[Any], means: NDArray[Any]) -> NDArray[Any]:
        """Return frame × Gaussian, in nats."""
        joint: NDArray[Any] = self.log_weights + gaussians(features, means, self.variances)
        return joint


class GaussianVoiceprint:
    """Knows the wearer by a few hundred Gaussians."""

    name = "gaussians"

    def __init__(self, least_s: float = LEAST_S) -> None:
        """Know nobody yet; `least_s` is how much speech enrolling takes."""
        self._least_s = least_s
        self._streams: list[tuple[_Mixture, NDArray[Any]]] = []
        self._pitch = 0.0  # of the wearer, the log of Hz

    def enroll(self, utterances: Sequence[bytes]) -> bytes:
        """Return a profile. Raises EngineError for too little speech, or without pocketsphinx."""
        import numpy as np

        heard = [_features(_samples(pcm)) for pcm in utterances]
        spoken_s = sum(f.shape[1] for f in heard) * FRAME_MS / 1000
        if spoken_s < self._least_s:
            raise EngineError(
                f"a voice needs {self._least_s:.0f} s of speech, there were {spoken_s:.0f}:"
                " read more"
            )
        noisy = ([_features(_noisy(_samples(pcm), db)) for pcm in utterances] for db in NOISY_DB)
        copies = [heard, *noisy]
        pitches = np.concatenate([pitch.track(_samples(pcm)) for pcm in utterances])
        if len(pitches) < pitch.LEAST:
            raise EngineError("no voice was heard in this, only noise: read in a quiet place")
        arrays = {"pitch": np.median(pitches)}
        for stream, (mixture, relevance) in enumerate(zip(_background(), RELEVANCE, strict=True)):
            count, first = np.zeros(len(mixture.means)), np.zeros_like(mixture.means)
            for features in (f[stream] for copy in copies for f in copy):
                joint = mixture.joint(features, mixture.means)
                share = np.exp(joint - _total(joint)[:, None]) / len(copies)
                count += share.sum(axis=0)
                first += share.T @ features
            pull = (first - count[:, None] * mixture.means) / (count + relevance)[:, None]
            arrays |= {
                f"log_weights{stream}": mixture.log_weights,
                f"means{stream}": mixture.means,
                f"variances{stream}": mixture.variances,
                f"moved{stream}": mixture.means + pull,
            }
        out = io.BytesIO()
        np.savez(out, **{name: value.astype("<f4") for name, value in arrays.items()})
        return out.getvalue()

    def know(self, profile: bytes) -> None:
        """Take a voice for the wearer's. Raises EngineError for what this engine did not make."""
        import numpy as np

        streams = []
        try:
            with np.load(io.BytesIO(profile), allow_pickle=False) as arrays:
                for stream, size in enumerate(GAUSSIANS):
                    parts = [
                        arrays[f"{name}{stream}"]
                        for name in ("log_weights", "means", "variances", "moved")
                    ]
                    shapes = [part.shape for part in parts]
                    if shapes != [(size,), *[(size, CEPSTRA)] * 3]:
                        raise ValueError("another number of Gaussians")
                    if not all(np.isfinite(part).all() for part in parts) or parts[2].min() <= 0:
                        raise ValueError("numbers that cannot be")
                    streams.append((_Mixture(*parts[:3]), parts[3]))
                tone = float(arrays["pitch"])
                if not math.isfinite(tone):
                    raise ValueError("numbers that cannot be")
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise EngineError(
                f"the voice that was enrolled cannot be used ({error}): glasses enroll --voice"
            ) from None
        self._streams, self._pitch = streams, tone

    def wearer(self, pcm: bytes) -> float | None:
        """Return how probably the wearer says this; None with under TELLING_S of speech."""
        heard = hear(pcm)
        if heard.frames * FRAME_MS < TELLING_S * 1000:
            return None
        return probability(self.score(heard), heard.frames)

    def score(self, heard: Heard) -> float:
        """Return the log-likelihood ratio of what was heard, in weighted nats a frame."""
        if not self._streams:
            raise EngineError("no voice is known: glasses enroll --voice")
        score = PITCH_WEIGHT * pitch.ratio(heard.pitches, self._pitch)
        parts = zip(self._streams, heard.features.astype("<f4"), STREAM_WEIGHTS, strict=True)
        for (mixture, moved), stream, weight in parts:
            likelier = _total(mixture.joint(stream, moved))
            likelier -= _total(mixture.joint(stream, mixture.means))
            score += weight * float(likelier.mean())
        return score


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance as voices are compared by it."""

    features: NDArray[Any]
    """Stream × frame × 13, of the frames that are speech."""
    pitches: NDArray[Any]
    """Log of Hz of the voiced frames."""

    @property
    def frames(self) -> int:
        """How many frames are speech, of FRAME_MS."""
        return int(self.features.shape[1])


def hear(pcm: bytes) -> Heard:
    """Work out what voices are compared by, from the first MOST_S of an utterance."""
    samples = _samples(pcm[: int(MOST_S * SAMPLE_RATE_HZ) * SAMPLE_BYTES])
    return Heard(_features(samples), pitch.track(samples))


def probability(score: float, frames: int) -> float:
    """Return how probably it is the wearer, were others as likely to speak."""
    steep = STEEP * frames / (frames + SETTLED)
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, steep * (score - MIDDLE)))))


def _samples(pcm: bytes) -> NDArray[Any]:
    import numpy as np

    return np.frombuffer(pcm[: len(pcm) // SAMPLE_BYTES * SAMPLE_BYTES], "<i2").astype(np.float64)


def _total(joint: NDArray[Any]) -> NDArray[Any]:
    """Return the log of the sum over the Gaussians, for each frame."""
    import numpy as np

    most = joint.max(axis=1)
    return np.asarray(most + np.log(np.exp(joint - most[:, None]).sum(axis=1)))


def _features(samples: NDArray[Any]) -> NDArray[Any]:
    """Return stream × frame × 13 of what is speech: cepstra without their mean, and differences."""
    import numpy as np

    band_powers = powers(samples)
    if not len(band_powers):
        return np.zeros((len(GAUSSIANS), 0, CEPSTRA))
    level_db = 10 * np.log10(band_powers.sum(axis=1) + 1.0)
    quiet, loud = np.percentile(level_db, (10, 95))
    speech = level_db > max(quiet + LOUD * (loud - quiet), loud - REACH_DB)
    found = differences(cepstra(NoiseRemoval().clean(band_powers)))[: len(GAUSSIANS), speech]
    if found.shape[1]:
        found[0] -= found[0].mean(axis=0)
    return np.asarray(found)


def _noisy(samples: NDArray[Any], snr_db: float) -> NDArray[Any]:
    """Add noise whose power falls with frequency, as a room's does: the same each time."""
    import numpy as np

    if not len(samples):
        return samples
    white = np.random.default_rng(len(samples)).normal(size=len(samples))
    spectrum = np.fft.rfft(white)
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ), 50.0))
    noise = np.fft.irfft(spectrum, len(samples))
    step = SAMPLE_RATE_HZ * FRAME_MS // 1000
    whole = samples[: len(samples) // step * step].reshape(-1, step)
    level = np.percentile(np.square(whole).mean(axis=1), 80) if len(whole) else 0.0
    return np.asarray(
        samples + noise * np.sqrt(level / np.square(noise).mean() / 10 ** (snr_db / 10))
    )


@lru_cache(maxsize=1)
def _background() -> tuple[_Mixture, ...]:
    """Merge the Gaussians of all sounds of speech, stream by stream: k-means, always the same."""
    import numpy as np

    model = load()
    speech = [n for n, phone in enumerate(model.phones) if phone[0] != "+" and phone != SILENCE]
    found = []
    for stream, size in enumerate(GAUSSIANS):
        means = model.means[speech, stream].reshape(-1, CEPSTRA)
        variances = model.variances[speech, stream].reshape(-1, CEPSTRA)
        scaled = means / np.sqrt(variances.mean(axis=0))
        centres = scaled[np.random.default_rng(0).choice(len(scaled), size, replace=False)]
        nearest = np.zeros(len(scaled), dtype=int)
        for _ in range(PASSES):
            apart = np.square(centres).sum(axis=1) - 2 * scaled @ centres.T
            nearest = apart.argmin(axis=1)
            for n in np.unique(nearest):
                centres[n] = scaled[nearest == n].mean(axis=0)
        weights, merged, spread = (
            np.full(size, 1e-6),
            np.zeros((size, CEPSTRA)),
            np.ones((size, CEPSTRA)),
        )
        for n in np.unique(nearest):
            own = nearest == n
            weights[n] = own.mean()
            merged[n] = means[own].mean(axis=0)
            spread[n] = (variances[own] + np.square(means[own])).mean(axis=0) - merged[n] ** 2
        found.append(_Mixture(np.log(weights / weights.sum()), merged, spread))
    return tuple(found)
