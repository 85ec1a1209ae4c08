"""From aligned sentences to a linear transform of the acoustic model, in pocketsphinx's format.

Maximum likelihood linear regression (Leggetter and Woodland, "Maximum likelihood linear regression
for speaker adaptation of continuous density hidden Markov models", Computer Speech and Language 9,
1995): one affine transform for each stream moves the means of all Gaussians, so that sounds that
were not said are moved along. One factor for each dimension widens or narrows the variances (Gales
and Woodland, "Mean and variance adaptation within the MLLR framework", Computer Speech and Language
10, 1996). pocketsphinx applies one class of exactly that (src/ms_gauden.c).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.listen.sphinx.acoustic import CEPSTRA, SILENCE, STREAMS, Alignment, load, log_likelihoods

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRIOR_FRAMES = 200.0
"""Weight of the average speaker beside the wearer: as if so many frames (2 s) that lie on the
model's own Gaussians had been said too. Keeps the equations well-conditioned with little speech."""
LEAST_SPREAD = 1.0
"""Least factor of the variances. A minute in one quiet room varies less than the days to come:
narrower Gaussians suit it, and understand less in noise (three voices at 6 dB)."""
PASSES = 3
"""Passes of expectation and maximisation over one alignment."""


@dataclass(frozen=True, slots=True)
class Transform:
    """What turns the average speaker into the wearer."""

    rotation: NDArray[Any]
    """Stream × 13 × 13, applied to means."""
    shift: NDArray[Any]
    """Stream × 13, added to them."""
    spread: NDArray[Any]
    """Stream × 13, factors of the variances."""
    cepstral_mean: NDArray[Any]
    """Mean cepstrum of the session, 13 numbers: what the microphone colours every sound with, and
    what the decoder would otherwise learn from the first utterances after each start."""

    def gaussians(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return means and variances, codebook × stream × Gaussian × 13, as the wearer has them."""
        import numpy as np

        model = load()
        moved = np.einsum("sij,gskj->gski", self.rotation, model.means)
        return moved + self.shift[None, :, None, :], model.variances * self.spread[:, None, :]

    def settings(self, path: Path) -> dict[str, str]:
        """Return the options with which pocketsphinx applies what was written to `path`."""
        return {"mllr": str(path), "cmninit": joined(self.cepstral_mean, ",")}

    def write(self, path: Path) -> None:
        """Write all but the mean cepstrum as text that pocketsphinx reads (src/ps_mllr.c).

        Classes, streams, and for each stream its length, the rows of the rotation, the shift, and
        the factors of the variances. The file appears whole or not at all. Raises OSError.
        """
        lines = ["1", str(STREAMS)]
        for stream in range(STREAMS):
            lines += [str(CEPSTRA), *map(joined, self.rotation[stream])]
            lines += [joined(self.shift[stream]), joined(self.spread[stream])]
        unfinished = path.with_suffix(".new")
        unfinished.write_text("\n".join(lines) + "\n", encoding="ascii")
        unfinished.replace(path)


def joined(values: Iterable[float], separator: str = " ") -> str:
    """Return numbers as pocketsphinx reads them."""
    return separator.join(f"{float(value):.6f}" for value in values)


def unchanged(alignments: Sequence[Alignment]) -> Transform:
    """Return the transform that leaves the model as it is; the mean cepstrum is the session's.

    The mean is over all frames with energy, as pocketsphinx's src/feat/cmn_live.c takes it.
    """
    import numpy as np

    cepstra = np.concatenate([alignment.features[0] for alignment in alignments])
    rotation = np.broadcast_to(np.eye(CEPSTRA), (STREAMS, CEPSTRA, CEPSTRA))
    mean = cepstra[cepstra[:, 0] >= 0].mean(axis=0)
    return Transform(rotation, np.zeros((STREAMS, CEPSTRA)), np.ones((STREAMS, CEPSTRA)), mean)


def estimate(alignments: Sequence[Alignment]) -> Transform:
    """Return the transform under which what was read is likeliest.

    Silence is left out: it is the room's and would pull the wearer's sounds towards itself.
    """
    import numpy as np

    transform = unchanged(alignments)
    for _ in range(PASSES):
        count, first, second = _responsibilities(alignments, transform)
        solved = [_solve(s, count[:, s], first[:, s], second[:, s]) for s in range(STREAMS)]
        rotation, shift, spread = (np.stack(part) for part in zip(*solved, strict=True))
        transform = Transform(rotation, shift, spread, transform.cepstral_mean)
    return transform


def nats_a_frame(alignments: Sequence[Alignment], transform: Transform) -> float:
    """Return the mean log likelihood of a frame of speech given the state it was aligned to."""
    import numpy as np

    total = frames = 0.0
    for _, _, _, joint in _scored(alignments, transform):
        total += float(np.logaddexp.reduce(joint, axis=1).sum())
        frames += len(joint) / STREAMS
    return total / max(1.0, frames)


def _scored(
    alignments: Sequence[Alignment], transform: Transform
) -> Iterator[tuple[int, int, NDArray[Any], NDArray[Any]]]:
    """Yield codebook, stream, frames of speech, and how likely frame and Gaussian are together."""
    import numpy as np

    model = load()
    silence = model.phones.index(SILENCE)
    means, variances = transform.gaussians()
    for alignment in alignments:
        features = alignment.centred(transform.cepstral_mean)
        for codebook in sorted(set(alignment.codebooks.tolist()) - {silence}):
            at = np.flatnonzero(alignment.codebooks == codebook)
            for stream in range(STREAMS):
                frames = features[stream, at]
                joint = log_likelihoods(
                    frames, means[codebook, stream], variances[codebook, stream]
                )
                joint += model.log_weights[stream][:, alignment.senones[at]].T
                yield codebook, stream, frames, joint


def _responsibilities(
    alignments: Sequence[Alignment], transform: Transform
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Sum what each Gaussian was responsible for: frames, features, and features squared."""
    import numpy as np

    shape = load().means.shape
    count, first, second = np.zeros(shape[:3]), np.zeros(shape), np.zeros(shape)
    for codebook, stream, frames, joint in _scored(alignments, transform):
        share = np.exp(joint - np.logaddexp.reduce(joint, axis=1)[:, None])
        count[codebook, stream] += share.sum(axis=0)
        first[codebook, stream] += share.T @ frames
        second[codebook, stream] += share.T @ (frames * frames)
    return count, first, second


def _solve(
    stream: int, count: NDArray[Any], first: NDArray[Any], second: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Solve one stream, row by row since covariances are diagonal (Leggetter and Woodland, §4).

    Row w of [A b] minimises Σ n (o - w·ξ)² / σ² over the Gaussians: ξ is a mean with a 1 appended,
    o the mean of the n frames that it was responsible for, σ² its variance in that dimension. The
    factor of the variances is what is left of that sum, a frame.
    """
    import numpy as np

    model = load()
    means = model.means[:, stream].reshape(-1, CEPSTRA)
    variances = model.variances[:, stream].reshape(-1, CEPSTRA)
    extended = np.hstack([means, np.ones((len(means), 1))])
    prior = PRIOR_FRAMES / len(means)
    frames = count.reshape(-1) + prior
    sums = first.reshape(-1, CEPSTRA) + prior * means
    squares = second.reshape(-1, CEPSTRA) + prior * (means**2 + variances)
    rows = np.empty((CEPSTRA, CEPSTRA + 1))
    for i in range(CEPSTRA):
        normal = (extended * (frames / variances[:, i])[:, None]).T @ extended
        rows[i] = np.linalg.solve(normal, extended.T @ (sums[:, i] / variances[:, i]))
    moved = extended @ rows.T
    apart = (squares - 2 * moved * sums + moved**2 * frames[:, None]) / variances
    spread = np.maximum(apart.sum(axis=0) / frames.sum(), LEAST_SPREAD)
    return rows[:, :CEPSTRA], rows[:, CEPSTRA], spread
