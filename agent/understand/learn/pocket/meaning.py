"""Where the embeddings of a new model start: words that mean the same start close together.

Trained from nothing, a model knows "purchase" only from the sentences that have it. Where MiniLM is
at hand (`agent.understand.minilm`), whole words begin at its embedding of the word alone, its 384
numbers projected on their principal components; all other tokens begin at random. Training moves
them on, those of common words far.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from agent.understand.learn.pocket import words
from agent.understand.minilm import LAST, MiniLM

SPREAD = 0.02
"""Standard deviation of the embeddings at the start, as of the random ones."""


def start(texts: Sequence[str], width: int, minilm: MiniLM) -> Tensor:
    """Return the rows to begin with, tokens x width; those of no whole word are not a number.

    `texts` are the tokens in the byte alphabet of GPT-2, where a space is written `Ġ`.
    """
    known = frozenset(words.dictionary())
    at = [n for n, text in enumerate(texts) if text[:1] == "Ġ" and text[1:] in known]
    table = torch.full((len(texts), width), float("nan"))
    if len(at) <= width:
        return table
    rows = np.stack([minilm(texts[number][1:])[LAST] for number in at])
    rows -= rows.mean(0)
    _, _, axes = np.linalg.svd(rows, full_matrices=False)
    placed = rows @ axes[:width].T
    table[at, : placed.shape[1]] = torch.from_numpy(placed * (SPREAD / placed.std()))
    return table
