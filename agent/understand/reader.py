"""What the semantic stage needs of a model that reads a sentence as numbers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Reader(Protocol):
    """Reads a sentence: MiniLM, or an embedding GGUF."""

    name: str
    """For people."""
    shape: tuple[int, int]
    """Rows and numbers a row of what is read."""
    last: int
    """The row that is the sentence's embedding: what likeness is measured by."""
    chinese: bool
    """Whether it reads Chinese."""
    few: int
    """Sentences of an unlearned action, a language, that it reads: about a tenth of a second."""

    def __call__(self, text: str) -> Floats:
        """Return `shape` numbers, each row of length 1. Raises EngineError."""
        ...
