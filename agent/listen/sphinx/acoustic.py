"""pocketsphinx's English acoustic model as numbers, and how well sound fits it.

The model is phonetically tied: each of 42 base phones has a codebook of 128 Gaussians with diagonal
covariances for each of three streams (13 cepstra, their first and their second differences), and
each senone, a state of a phone in context, weighs the Gaussians of its base phone. File formats:
pocketsphinx 5.1, src/ms_gauden.c (means, variances) and src/ptm_mgau.c (sendump). Scores computed
from these arrays agree with the decoder's own to its steps of a tenth of a nat.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import EngineError
from agent.listen.sphinx.decoder import decoder, model_folder, teach

if TYPE_CHECKING:
    from numpy.typing import NDArray

STREAMS = 3
CEPSTRA = 13
FRAME_MS = 10
"""Step from one frame of features to the next."""
STEP_NATS = 1024 * math.log(1.0001)
"""Unit of the decoder's scores and of the weights in `sendump`: 2**SENSCR_SHIFT steps of its
logarithm's base, 1.0001."""
VARIANCE_FLOOR = 1e-4
"""pocketsphinx's default for varfloor."""
_MAGIC = b"\x44\x33\x22\x11"  # 0x11223344, little-endian
SILENCE = "SIL"


@dataclass(frozen=True, slots=True)
class AcousticModel:
    """What the speech of an average speaker sounds like."""

    means: NDArray[Any]
    """Codebook × stream × Gaussian × 13."""
    variances: NDArray[Any]
    """Of the same shape."""
    log_weights: NDArray[Any]
    """Stream × Gaussian × senone, in nats."""
    phones: tuple[str, ...]
    """Base phone of each codebook: `AA`."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which state of which phone each frame of a sentence belongs to."""

    features: NDArray[Any]
    """Stream × frame × 13, as yet without the mean taken off."""
    senones: NDArray[Any]
    """Senone of each frame."""
    codebooks: NDArray[Any]
    """Codebook of each frame."""
    score: float
    """The decoder's mean score of the words' frames, in nats below the best sound of all."""

    def centred(self, mean: NDArray[Any]) -> NDArray[Any]:
        """Return the features with a mean cepstrum taken off; differences have none."""
        features = self.features.copy()
        features[0] -= mean
        return features


def log_likelihoods(
    features: NDArray[Any], means: NDArray[Any], variances: NDArray[Any]
) -> NDArray[Any]:
    """Return frame × Gaussian, in nats, for Gaussians of diagonal covariance."""
    import numpy as np

    precisions = 1 / variances
    constant = -0.5 * (np.log(2 * np.pi * variances) + means**2 * precisions).sum(axis=1)
    linear = features @ (means * precisions).T
    return np.asarray(constant + linear - 0.5 * (features**2) @ precisions.T)


@lru_cache(maxsize=1)
def load() -> AcousticModel:
    """Read the model in pocketsphinx's wheel, 22 MB. Raises EngineError where it cannot be."""
    means, variances = gaussians()
    with _readable() as folder:
        weights = _weights(folder / "sendump")
        phones = _phones(folder / "mdef")
    return AcousticModel(means, variances, weights, phones)


def gaussians() -> tuple[NDArray[Any], NDArray[Any]]:
    """Read means and variances alone; shapes and errors as in `AcousticModel` and `load`."""
    import numpy as np

    with _readable() as folder:
        means, variances = (_gaussians(folder / name) for name in ("means", "variances"))
    return means, np.maximum(variances, VARIANCE_FLOOR)


@contextmanager
def _readable() -> Iterator[Path]:
    """Give the model's folder, and say what to do where it cannot be read."""
    folder = model_folder()
    try:
        yield folder
    except (OSError, ValueError, IndexError) as error:
        raise EngineError(
            f"pocketsphinx's model {folder} cannot be read ({error}): reinstall pocketsphinx"
        ) from error


def _gaussians(path: Path) -> NDArray[Any]:
    """Read means or variances: codebook × stream × Gaussian × dimension."""
    import numpy as np

    raw = path.read_bytes()
    at = raw.index(b"endhdr\n") + len(b"endhdr\n")
    if raw[at : at + 4] != _MAGIC:
        raise ValueError(f"{path.name} is not little-endian")
    at += 4
    codebooks, streams, gaussians = np.frombuffer(raw, "<i4", 3, at)
    lengths = np.frombuffer(raw, "<i4", streams, at + 12)
    if streams != STREAMS or set(lengths.tolist()) != {CEPSTRA}:
        raise ValueError(f"{path.name} has streams of {lengths.tolist()} instead of three of 13")
    at += 12 + 4 * streams
    count = int(np.frombuffer(raw, "<i4", 1, at)[0])
    values = np.frombuffer(raw, "<f4", count, at + 4).astype(np.float64)
    return values.reshape(codebooks, streams, gaussians, CEPSTRA)


def _weights(path: Path) -> NDArray[Any]:
    """Read mixture weights as stream × Gaussian × senone, in nats."""
    import numpy as np

    raw = path.read_bytes()
    at = 0
    while length := int(np.frombuffer(raw, "<i4", 1, at)[0]):  # strings, up to an empty one
        at += 4 + length
    gaussians, senones = np.frombuffer(raw, "<i4", 2, at + 4).tolist()
    steps = np.frombuffer(raw, "u1", STREAMS * gaussians * senones, at + 12)
    return -STEP_NATS * steps.reshape(STREAMS, gaussians, senones).astype(np.float64)


def _phones(path: Path) -> tuple[str, ...]:
    """Read the base phones, which number the codebooks, of a binary model definition."""
    import numpy as np

    raw = path.read_bytes()
    if raw[:4] != b"BMDF":
        raise ValueError(f"{path.name} is not a binary model definition")
    at = 12 + int(np.frombuffer(raw, "<i4", 1, 8)[0])  # past the description of the format
    count = int(np.frombuffer(raw, "<i4", 1, at)[0])
    names = raw[at + 40 :].split(b"\0", count)[:count]  # past ten counts
    return tuple(name.decode("ascii") for name in names)


def differences(cepstra: NDArray[Any]) -> NDArray[Any]:
    """Return frame × 13 as stream × frame × 13: pocketsphinx's feature type 1s_c_d_dd.

    First differences span 4 frames, second ones 2 of those; the ends are repeated.
    """
    import numpy as np

    count = len(cepstra)
    padded = np.pad(cepstra, ((3, 3), (0, 0)), mode="edge")

    def at(offset: int) -> NDArray[Any]:
        return padded[3 + offset : 3 + offset + count]

    second = (at(3) - at(-1)) - (at(1) - at(-3))
    return np.stack([cepstra, at(2) - at(-2), second])


class Aligner:
    """Finds where in a recording each sound of a known sentence is.

    Two passes: the words' pronunciations and the silences between them, then their states. Every
    senone is scored in each frame, so that a wrong sentence is not the best of its own sounds.
    """

    def __init__(self) -> None:
        """Load the decoder. Raises EngineError without pocketsphinx."""
        self._cepstra = Path(tempfile.mkdtemp(prefix="glasses-cepstra-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self._cepstra, ignore_errors=True)
        self._decoder = decoder(compallsen=True, mfclogdir=str(self._cepstra))
        self._codebooks = {phone: number for number, phone in enumerate(load().phones)}

    def close(self) -> None:
        """Remove what the decoder wrote."""
        self._remove()

    def align(self, text: str, pcm: bytes) -> Alignment | None:
        """Align 16 kHz mono int16; None when the sentence cannot be in it."""
        words = text.split()
        teach(self._decoder, words)
        self._decoder.set_align_text(text)
        try:
            self._hear(pcm)
            if self._decoder.hyp() is None:
                return None
            self._decoder.set_alignment()
            cepstra = self._hear(pcm)
        except RuntimeError:
            return None
        return self._states(cepstra)

    def _hear(self, pcm: bytes) -> NDArray[Any]:
        """Decode once; return frame × 13, the cepstra that the decoder's front end made of it."""
        import numpy as np

        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        (path,) = self._cepstra.iterdir()
        raw = path.read_bytes()  # a count, then big-endian floats
        path.unlink()
        return np.frombuffer(raw, ">f4", offset=4).reshape(-1, CEPSTRA).astype(np.float64)

    def _states(self, cepstra: NDArray[Any]) -> Alignment | None:
        import numpy as np

        senones = np.full(len(cepstra), -1)
        codebooks = np.full(len(cepstra), -1)
        score = frames_of_words = 0
        for word in self._decoder.get_alignment():
            if word.name[0] not in "<[":  # silence and noise
                score += word.score
                frames_of_words += word.duration
            for phone in word:
                for state in phone:
                    frames = slice(state.start, state.start + state.duration)
                    senones[frames] = int(state.name)
                    codebooks[frames] = self._codebooks[phone.name]
        known = senones >= 0
        if not known.any() or not frames_of_words:
            return None
        features = differences(cepstra)[:, known]
        nats = score * STEP_NATS / frames_of_words
        return Alignment(features, senones[known], codebooks[known], nats)
