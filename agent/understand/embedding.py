"""Qwen3-Embedding through llama.cpp: what a sentence means, in a hundred languages.

As its model card has it: a text is `Instruct: …`, a line break, `Query:` and the text; the token
`<|endoftext|>` follows; the numbers are the last token's, scaled to length 1. Utterances and
sentences are compared with each other, so both get the instruction, which is evaluated once.

Such a GGUF in the models folder takes MiniLM's place, for Chinese too, once `python -m
agent.understand.learn.semantic --embedding FILE.gguf` has fitted what is learned to it: that stands
beside it as `FILE.npz`.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import EngineError
from agent.models.llm.native import Native
from agent.models.llm.options import LlamaOptions

Floats = NDArray[np.float32]

COMMAND = "python -m agent.understand.learn.semantic --embedding"

INSTRUCTION = (
    "Instruct: Given a voice command, retrieve commands that ask for the same thing\nQuery:"
)
END = "<|endoftext|>"
"""What the card appends; in some files it is not the token that ends a text."""

MAX_TOKENS = 96
"""Tokens of a text that are read; a spoken command has about fifteen."""

_CONTEXT_TOKENS = 192


class Embedding:
    """Reads a sentence, one caller at a time; the same shape of call as MiniLM's."""

    last = 0
    chinese = True
    few = 4

    def __init__(self, path: Path) -> None:
        """Load the file. Raises EngineError when it is no Qwen3 embedding model."""
        if not path.is_file():
            raise EngineError(f"{path}: no such file; name the GGUF of an embedding model")
        self.name = path.stem
        # A text is decoded in one go: only then are the numbers surely the last token's.
        options = LlamaOptions(_CONTEXT_TOKENS, batch_tokens=_CONTEXT_TOKENS, embeds=True)
        self._native = Native(path, options)
        self._lock = threading.Lock()
        self._most = len(self._native.tokenize(INSTRUCTION)) + MAX_TOKENS
        self._end = self._native.tokenize(END, special=True)
        self.shape = (1, self("").size)

    def __call__(self, text: str) -> Floats:
        """Return 1 x width numbers of length 1: there is one row, and it is the last."""
        tokens = [*self._native.tokenize(INSTRUCTION + text)[: self._most], *self._end]
        with self._lock:
            self._native.decode(tokens[self._native.rewind(tokens) :])
            read = np.array([self._native.embedding()], np.float32)
        return np.asarray(read / max(float(np.linalg.norm(read)), 1e-9), np.float32)

    def close(self) -> None:
        """Free the memory; it cannot be called afterwards."""
        with self._lock:
            self._native.close()
