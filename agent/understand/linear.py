"""Words and pieces of words, counted into a linear model: a fifth of a millisecond a text.

Features are words, pairs and triples of words, and within words runs of three to five letters, each
hashed into one of 65,536 places (Weinberger et al. 2009, "Feature hashing"). A Chinese character is
a word. Rare features weigh more (idf, Spärck Jones 1972). Works with numpy alone, in any language
that it was trained on.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.language.text import MAX_CHARACTERS, clean

Floats = NDArray[np.float32]

PLACES = 1 << 16
"""Where features go; a power of two."""

WORDS = 3
"""Longest run of words."""

LETTERS = (3, 4, 5)
"""Lengths of runs of letters, with the word's ends as `<` and `>`."""

FAINT = 3
"""Weights of at most so many of 127 steps are none: a third of the file, and nothing was lost of
what was recognised of real text without them."""

IDF_STEP = 16
"""How many steps of the stored idf make 1."""

_CJK = re.compile(r"([\u3400-\u9fff\uf900-\ufaff])")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")


def features(text: str) -> NDArray[np.int64]:
    """Return the places of a text's features, each once, in order."""
    spaced = _CJK.sub(r" \1 ", clean(text[:MAX_CHARACTERS]).casefold())
    words = _WORD.findall(spaced)
    around = ["^", *words, "$"]
    found = {
        " ".join(around[at : at + length])
        for length in range(1, WORDS + 1)
        for at in range(len(around) - length + 1)
    }
    for word in set(words):
        if len(word) >= LETTERS[0]:
            ends = f"<{word}>"
            found.update(
                "_" + ends[at : at + length]
                for length in LETTERS
                for at in range(len(ends) - length + 1)
            )
    places = {zlib.crc32(feature.encode()) % PLACES for feature in found}
    return np.array(sorted(places), np.int64)


def idf(texts: Sequence[NDArray[np.int64]]) -> NDArray[np.uint8]:
    """Return ln((1 + n) / (1 + df)) + 1 of every place, in steps of 1/16."""
    counts = np.zeros(PLACES)
    for places in texts:
        counts[places] += 1
    weights = np.log((1 + len(texts)) / (1 + counts)) + 1
    return np.clip(np.round(weights * IDF_STEP), 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear model over hashed features, a byte a weight."""

    weights: NDArray[np.int8]
    """PLACES x labels."""
    scale: Floats
    """What a step of each label's weights is worth."""
    bias: Floats
    """Of each label."""
    idf: NDArray[np.uint8]
    """Weight of each place, in steps of 1/16."""

    def __call__(self, text: str) -> Floats:
        """Return a score for each label; the softmax of the scores are probabilities."""
        return self.score(features(text))

    def score(self, places: NDArray[np.int64]) -> Floats:
        """Return the scores of a text by its features."""
        values = self.idf[places].astype(np.float32)
        values /= max(float(np.linalg.norm(values)), 1e-9)
        return values @ self.weights[places].astype(np.float32) * self.scale + self.bias

    @classmethod
    def of(cls, weights: Floats, bias: Floats, idf: NDArray[np.uint8]) -> Linear:
        """Round trained weights to a byte; the faintest are left out."""
        scale = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127
        steps = np.round(weights / scale).astype(np.int8)
        steps[np.abs(steps) <= FAINT] = 0
        return cls(steps, scale, bias, idf)
