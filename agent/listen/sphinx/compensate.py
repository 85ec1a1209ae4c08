"""Speech in noise made to look like speech alone, in the cepstra that the decoder hears.

What noise and the channel do to cepstra is known: in a mel band powers add, y = x + h + log(1 +
exp(n - x - h)), with speech x, noise n and channel h as logarithms. Held against a small model of
what speech sounds like, the acoustic model's own Gaussians, each frame is taken back to the speech
that most likely made it: vector Taylor series, after Moreno, Raj and Stern, "A vector Taylor series
approach for environment-independent speech recognition", ICASSP 1996. The noise is measured before
the utterance, the channel estimated from the utterance itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent.listen.sphinx import acoustic
from agent.listen.sphinx.features import STEP, NoiseRemoval, cepstra, powers, transform

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASSES = 128
"""Sounds that speech is told apart by; 512 are no better and four times as slow."""
NOISE_FRAMES = 100
"""How much of the sound before an utterance noise is measured in, 1 s …"""
INTO_FRAMES = 25
"""… and of its pre-roll, in which nobody speaks yet."""
PASSES = 3
"""Times the channel is estimated anew."""
LEAST_VARIANCE = 1e-2


class Compensator:
    """Takes noise off utterance after utterance; the channel of one is where the next begins."""

    def __init__(self, removal: NoiseRemoval | None = None) -> None:
        """Work the classes out, once a process, 0.2 s. Raises EngineError without a model.

        With a `removal` steady noise is taken off before; without, all of it is left to the model.
        """
        self._means, self._variances = classes()
        self._removal = removal
        self._channel: NDArray[Any] | None = None

    def clean(self, before: bytes, speech: bytes) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return frame × 13 cepstra of the speech, and their mean, the channel (13).

        Both are 16 kHz mono int16; `before` is what was heard right before, without speech.
        """
        import numpy as np

        sound = np.frombuffer(before[: len(before) & ~1] + speech[: len(speech) & ~1], "<i2")
        bands = powers(sound.astype(np.float64))
        found = cepstra(self._removal.clean(bands) if self._removal else bands)
        first = round(len(before) / 2 / STEP)
        heard = found[first:]
        noise = found[max(0, first - NOISE_FRAMES) : first + INTO_FRAMES]
        if len(heard) < INTO_FRAMES or len(noise) < INTO_FRAMES:
            return heard, heard.mean(axis=0) if len(heard) else np.zeros(found.shape[1])
        mean, variance = noise.mean(axis=0), noise.var(axis=0) + LEAST_VARIANCE
        channel = heard.mean(axis=0) if self._channel is None else self._channel
        precisions = 1 / self._variances
        for _ in range(PASSES):
            speech_means, noisy, spread = self._noisy(mean, variance, channel)
            likely = _posteriors(heard, noisy, spread)
            clean = heard - likely @ (noisy - speech_means)
            weight = likely @ precisions
            offset = weight * clean - likely @ (self._means * precisions)
            channel = offset.sum(axis=0) / weight.sum(axis=0)
        speech_means, noisy, spread = self._noisy(mean, variance, channel)
        likely = _posteriors(heard, noisy, spread)
        self._channel = channel
        return heard - likely @ (noisy - speech_means), channel

    def _noisy(
        self, noise: NDArray[Any], variance: NDArray[Any], channel: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return the classes' means through the channel, then in noise, and their variances there.

        The series is cut off after its first term, and covariances are kept diagonal.
        """
        import numpy as np

        forth = transform()
        back = np.linalg.pinv(forth)
        speech = self._means + channel
        over = (noise - speech) @ back  # noise over speech in each band, as a logarithm
        noisy = speech + np.logaddexp(0, over) @ forth
        share = 1 / (1 + np.exp(over))  # of the speech in the band
        jacobian = np.einsum("am,km,mc->kac", back, share, forth, optimize=True)
        of_noise = np.eye(len(noise)) - jacobian
        spread = np.einsum("kac,ka->kc", jacobian**2, self._variances)
        spread += np.einsum("kac,a->kc", of_noise**2, variance)
        return speech, noisy, np.maximum(spread, LEAST_VARIANCE)


def _posteriors(frames: NDArray[Any], means: NDArray[Any], variances: NDArray[Any]) -> NDArray[Any]:
    """Return frame × class: how likely each class made each frame."""
    import numpy as np

    fits = acoustic.log_likelihoods(frames, means, variances)
    likely = np.exp(fits - fits.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True))


@lru_cache(maxsize=1)
def classes() -> tuple[NDArray[Any], NDArray[Any]]:
    """Cluster the model's 5,376 Gaussians of cepstra by k-means; return means and variances."""
    import numpy as np

    every_mean, every_variance = acoustic.gaussians()
    means = every_mean[:, 0].reshape(-1, every_mean.shape[-1])
    variances = np.maximum(every_variance[:, 0].reshape(means.shape), LEAST_VARIANCE)
    scale = np.sqrt(variances.mean(axis=0) + means.var(axis=0))
    scaled = means / scale
    centres = scaled[np.random.default_rng(0).choice(len(means), CLASSES, replace=False)]
    for _ in range(6):
        nearest = ((centres**2).sum(axis=1) - 2 * scaled @ centres.T).argmin(axis=1)
        member = np.eye(CLASSES)[nearest]
        sizes = member.sum(axis=0)[:, None]
        centres = np.where(sizes > 0, member.T @ scaled / np.maximum(sizes, 1), centres)
    kept = sizes[:, 0] > 0
    mean = (member.T @ means)[kept] / sizes[kept]
    square = (member.T @ (variances + means**2))[kept] / sizes[kept]
    return mean, np.maximum(square - mean**2, LEAST_VARIANCE)
