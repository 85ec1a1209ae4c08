"""What was learned of how people ask, and read back from its file."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import EngineError
from agent.understand.linear import Linear

Floats = NDArray[np.float32]


DATA = Path(__file__).with_name("semantic.npz")


WORDS, MEANING, OTHER = "words", "meaning", "other"
"""The opinions: of the linear model, of the model that reads, and the one that is handed in."""


LEAST = 1e-6
"""Smallest probability an opinion may have: none has a veto."""


@dataclass(frozen=True, slots=True)
class Pool:
    """How opinions become one."""

    weights: Mapping[str, float]
    """What each opinion's logarithm is multiplied by."""
    none: float
    """Added to the logarithm of `none`."""
    accept: float
    """As in Ranking."""

    def __call__(self, opinions: Mapping[str, Floats], none: int) -> Floats:
        """Return the pooled probabilities over the labels, of which `none` is one."""
        logs = [self.weights[name] * np.log(p + LEAST) for name, p in opinions.items()]
        scores = np.sum(logs, axis=0)
        scores[..., none] += self.none
        return softmax(scores)


_DAMAGE = (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True)
class Learned:
    """What training left."""

    labels: tuple[str, ...]
    """`skill.action` and `none`."""
    words: Linear
    """The linear model, over the labels."""
    head: tuple[Floats, Floats]
    """Weights and biases from the numbers that a sentence is read as to the labels."""
    pools: Mapping[str, Pool]
    """By the names of the opinions that are there, joined by `+`."""
    near: Mapping[str, Sequence[float]]
    """How the likeness of an unlearned skill's sentences becomes a logit: factors of the likeness
    in words, of that in meaning, of the learned skills' probability, and a constant. `words` is
    for what no model has read."""
    reader: str = ""
    """The embedding file that this belongs to, as `source.mark` has it; empty is MiniLM."""

    def save(self, path: Path) -> None:
        """Write it as a compressed archive, a byte a weight."""
        head, bias = self.head
        scale = np.maximum(np.abs(head).max(axis=0), 1e-9) / 127
        told = {
            "labels": self.labels,
            "pools": {k: [dict(p.weights), p.none, p.accept] for k, p in self.pools.items()},
            "near": {k: list(v) for k, v in self.near.items()},
            "reader": self.reader,
        }
        np.savez_compressed(
            path,
            told=np.frombuffer(json.dumps(told).encode(), np.uint8),
            words=self.words.weights, words_scale=self.words.scale, words_bias=self.words.bias,
            idf=self.words.idf, head=np.round(head / scale).astype(np.int8), head_scale=scale,
            head_bias=bias,
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> Learned:
        """Read it. Raises EngineError when the file is absent or not what `save` wrote."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as read:
                arrays = dict(read)
            told = json.loads(arrays["told"].tobytes())
            return cls(
                labels=tuple(told["labels"]),
                words=Linear(
                    arrays["words"], arrays["words_scale"], arrays["words_bias"], arrays["idf"]
                ),
                head=(
                    arrays["head"].astype(np.float32) * arrays["head_scale"],
                    arrays["head_bias"],
                ),
                pools={k: Pool(*values) for k, values in told["pools"].items()},
                near=told["near"],
                reader=told.get("reader", ""),
            )
        except _DAMAGE as error:
            raise EngineError(
                f"{path}: cannot be read ({error}): run `python -m agent.understand.learn.semantic`"
            ) from None


@lru_cache(maxsize=4)
def load(data: Path) -> Learned:
    """Read once a process; raises EngineError each time where it cannot be."""
    return Learned.load(data)


def shared(other: Floats, knows: NDArray[np.bool_], rest: Floats, none: int) -> Floats:
    """Return an opinion over all labels that was held over some of them.

    What it was not taught is part of its `none`, which is shared out as the rest have it: a model
    that knows no timers takes nothing from them, and no less is nothing for all it can tell.
    """
    apart = ~knows
    apart[none] = True
    left = rest[..., apart]
    whole = np.maximum(left.sum(axis=-1, keepdims=True), LEAST)
    found = other.copy()
    found[..., apart] = other[..., none, None] * left / whole
    return found


def softmax(scores: Any) -> Floats:
    """Return the probabilities that scores stand for, along the last axis."""
    raised = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)
