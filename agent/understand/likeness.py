"""How like texts are to words: what a note is found again by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.language.text import language_of
from agent.understand.linear import features
from agent.understand.semantic import source_of

MOST = 60
"""Texts that a model reads, the likeliest by their words: it takes some milliseconds for each."""


def alike(words: str, texts: Sequence[str], models: Path | None = None) -> list[float]:
    """Return how like each text is to the words, 0 … 1.

    The greater of two: the share of the words' features that the text has, and the cosine of what
    the model of the semantic stage reads in both, where one was fetched.
    """
    wanted = features(words)
    found = [len(np.intersect1d(wanted, features(text))) / max(1, len(wanted)) for text in texts]
    reader = source_of(models).reader if models is not None else None
    if reader is None or (language_of(words) == "zh" and not reader.chinese):
        return found
    asked = reader(words)[reader.last]
    for at in sorted(range(len(texts)), key=found.__getitem__, reverse=True)[:MOST]:
        found[at] = max(found[at], float(np.dot(asked, reader(texts[at])[reader.last])))
    return found
