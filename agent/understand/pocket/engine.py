"""The calls of llama.cpp that the pocket model needs beyond those of every model.

The utterance is decoded in one piece and read both ways, as in training; what is written after it
sees only what came before. Instead of sampling, the logits are looked at, so that the answer can be
kept to copies of the utterance.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import EngineError
from agent.models.llm.native import Native
from agent.models.llm.options import LlamaOptions
from agent.understand.pocket.layout import END, HEADER, START, Layout

PROMPT_TOKENS = 96
"""Longest utterance in tokens; what comes later is not read."""
ANSWER_TOKENS = 96
"""Longest call in tokens."""


class Engine(Native):
    """A pocket model in memory. Not thread-safe."""

    def __init__(self, path: Path) -> None:
        """Load the file. Raises EngineError when it is not a pocket model."""
        super().__init__(
            path,
            LlamaOptions(
                context_tokens=PROMPT_TOKENS + ANSWER_TOKENS,
                threads=1,  # two spin at barriers when the other core is busy: 1.3 s at worst
                batch_tokens=PROMPT_TOKENS,
            ),
        )
        try:
            if self.context_tokens < PROMPT_TOKENS + ANSWER_TOKENS:
                raise ValueError(f"it was trained for {self.context_tokens} tokens")
            self.layout = Layout.load(self._header())
        except ValueError as error:
            self.close()
            raise EngineError(
                f"{path}: not a pocket model ({error}): make one with `glasses train`"
            ) from None
        self._size = int(self._lib.llama_vocab_n_tokens(self._vocab))
        self._start, self._end = self.token(START), self.token(END)

    def _header(self) -> str:
        """Return the table of actions, however long it is."""
        size = 1 << 12
        while True:
            buffer = ctypes.create_string_buffer(size)
            key = HEADER.encode()
            found = int(self._lib.llama_model_meta_val_str(self._model, key, buffer, size))
            if found < 0:
                raise ValueError("it has no table of actions")
            if found < size:
                return buffer.value.decode("utf-8")
            size = found + 1

    def token(self, text: str) -> int:
        """Return the token that is a piece of the layout. Raises EngineError when there is none."""
        found = self.tokenize(text, special=True)
        if len(found) != 1:
            raise EngineError(f"{self._path}: {text!r} is not one token: train the model again")
        return found[0]

    def prompt(self, text: str) -> list[int]:
        """Return the tokens of an utterance as the model reads it, cut at PROMPT_TOKENS."""
        return self.tokenize(text)[: PROMPT_TOKENS - 2]

    def ask(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Read an utterance; return the logits of what follows it."""
        self._lib.llama_memory_clear(self._lib.llama_get_memory(self._context), False)
        self._decoded.clear()
        self._lib.llama_set_causal_attn(self._context, False)
        try:
            self.decode([self._start, *tokens, self._end])
        finally:
            self._lib.llama_set_causal_attn(self._context, True)
        return self._logits()

    def go_on(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Write tokens after it; return the logits of what follows them."""
        self.decode(tokens)
        return self._logits()

    def _logits(self) -> NDArray[np.float32]:
        pointer: Any = self._lib.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(pointer, shape=(self._size,))
