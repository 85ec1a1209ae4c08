"""Telephone speech with the bands that the telephone took away put back, for the decoder.

A decoder that learned from wide-band speech takes the emptiness above 4 kHz for a sound of its own.
What was there is guessed as missing data are: each frame is held against a small model of what
speech sounds like, the acoustic model's own Gaussians, in the bands that were let through, and gets
in the others what those Gaussians expect, given what is heard. After B. Raj, M. Seltzer and R.
Stern, "Reconstruction of missing features for robust speech recognition", Speech Communication 43,
2004, with the channel estimated from the utterance itself as in `agent.listen.sphinx.compensate`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent.listen.sphinx.compensate import classes
from agent.listen.sphinx.features import BANDS, FLOOR, STEP, NoiseRemoval, below, powers, transform

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEARD_HZ = 3_500.0
"""Up to where mel bands are heard whole: telephone filters fall off from 3,400 Hz on."""
DETAIL = 0.15
"""Variance of the logarithm of a band's power that 13 cepstra leave out, in nats². 0.05 … 0.5 are
as good."""
PASSES = 3
"""Times the channel is estimated anew."""


def extended(before: bytes, speech: bytes) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return frame × 13 cepstra of telephone speech as if it were none, and the channel (13).

    Both are 16 kHz mono int16; `before` is what was heard right before, without speech. Takes some
    10 ms a second of speech.
    """
    import numpy as np

    model = _model()
    sound = np.frombuffer(before[: len(before) & ~1] + speech[: len(speech) & ~1], "<i2")
    bands = powers(sound.astype(np.float64))
    bands[:, ~model.heard] = bands[:, model.heard][:, -1:]  # nothing, which is no noise to take off
    whole = np.log(NoiseRemoval().clean(bands) + FLOOR)[round(len(before) / 2 / STEP) :]
    if not len(whole):
        return whole @ transform(), np.zeros(transform().shape[1])
    heard = whole[:, model.heard]
    channel = model.channel(heard)
    whole[:, ~model.heard] = model.missing(heard, channel)
    of_all = np.zeros(BANDS)
    of_all[model.heard] = channel
    return whole @ transform(), of_all @ transform()


class _Model:
    """What is to be expected above a telephone's band, given what is heard below."""

    def __init__(self) -> None:
        import numpy as np

        means, variances = classes()
        back = np.linalg.pinv(transform())  # from cepstra to logarithms of the bands' powers
        self.heard = below(HEARD_HZ)
        of_bands = means @ back
        covariance = np.einsum("ab,ka,ac->kbc", back, variances, back) + DETAIL * np.eye(BANDS)
        self._means, self._hidden = of_bands[:, self.heard], of_bands[:, ~self.heard]
        self._precision = np.linalg.inv(covariance[:, self.heard][:, :, self.heard])
        self._gain = covariance[:, ~self.heard][:, :, self.heard] @ self._precision
        self._root = np.linalg.cholesky(self._precision)
        self._constant = np.log(np.diagonal(self._root, axis1=1, axis2=2)).sum(axis=1)

    def channel(self, heard: NDArray[Any]) -> NDArray[Any]:
        """Return the channel in the heard bands, given the frames of an utterance in them."""
        import numpy as np

        channel = heard.mean(axis=0) - self._means.mean(axis=0)
        for _ in range(PASSES):
            likely = self._likely(heard, channel)
            weight = likely.sum(axis=0)
            off = likely.T @ heard - weight[:, None] * (self._means + channel)
            pull = np.einsum("ko,kop->p", off, self._precision)
            channel = channel + np.linalg.solve(np.tensordot(weight, self._precision, 1), pull)
        return np.asarray(channel)

    def missing(self, heard: NDArray[Any], channel: NDArray[Any]) -> NDArray[Any]:
        """Return frame × missing band, what is expected there."""
        import numpy as np

        likely = self._likely(heard, channel)
        of_class = self._hidden - np.einsum("kmo,ko->km", self._gain, self._means + channel)
        by_class = np.einsum("tk,kmo,to->tm", likely, self._gain, heard, optimize=True)
        return np.asarray(likely @ of_class + by_class)

    def _likely(self, heard: NDArray[Any], channel: NDArray[Any]) -> NDArray[Any]:
        """Return frame × class: how likely each class made each frame."""
        import numpy as np

        count, bands, _ = self._root.shape
        white = heard @ self._root.transpose(1, 0, 2).reshape(bands, -1)
        of_class = np.einsum("ko,kop->kp", self._means + channel, self._root)
        fits = -0.5 * ((white.reshape(-1, count, bands) - of_class) ** 2).sum(axis=2)
        fits += self._constant
        likely = np.exp(fits - fits.max(axis=1, keepdims=True))
        return np.asarray(likely / likely.sum(axis=1, keepdims=True))


@lru_cache(maxsize=1)
def _model() -> _Model:
    """Work the model out, once a process, 0.2 s. Raises EngineError without pocketsphinx's."""
    return _Model()
