"""The pocket Qwen at work: an utterance in, the probabilities of the actions and a call out.

The text is data from beginning to end. Control tokens and the fixed parts of a call cannot be
spelled in it, since only words, numbers and a few symbols are read
(`agent.understand.pocket.reading`). The answer is bound more tightly than a grammar could: after an
action only its own slots may follow, and a slot can only go on with the token that follows in the
utterance. Every slot is thus a piece of what was said, returned as it was said. Where the model,
left alone, would have written something else, the call is marked as not `copied`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import EngineError
from agent.understand.pocket.engine import ANSWER_TOKENS, Engine
from agent.understand.pocket.layout import CLOSE, EMPTY, NONE
from agent.understand.pocket.reading import Word, read, spelled

SHIPPED = Path(__file__).with_name("pocket-qwen.gguf")
"""The model that comes with the package."""

OWN = Path("pocket", "pocket-qwen.gguf")
"""Where, in the folder of models, `glasses train` puts one that knows the user's own skills."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What the model makes of an utterance."""

    probabilities: Mapping[str, float]
    """Of every action that was asked about and of `none`, likeliest first; their sum is 1."""
    slots: Mapping[str, str]
    """Words by slot of the likeliest action, as they were said."""
    copied: bool
    """False where the model did not want to copy, or the utterance was cut: ask back."""
    confidence: float
    """Probability of the slots together, given the action; 1 without slots."""

    @property
    def intent(self) -> str:
        """The likeliest action, or `none`."""
        return next(iter(self.probabilities))


def find(models: Path) -> Path:
    """Return the model to use: the user's own, from `glasses train`, or the one that ships."""
    own = models / OWN
    return own if own.is_file() else SHIPPED


class PocketRouter:
    """Turns utterances into calls, on one thread; may be called from any."""

    def __init__(self, path: Path = SHIPPED) -> None:
        """Name the file; it is opened at the first call or by `load`."""
        self._path = path
        self._lock = threading.Lock()
        self._tables: _Tables | None = None

    def load(self) -> None:
        """Load ahead of the first call. Raises EngineError when the file cannot be used."""
        with self._lock:
            self._ready()

    @property
    def actions(self) -> frozenset[str]:
        """The actions that the model knows, without `none`. Raises EngineError."""
        with self._lock:
            return frozenset(self._ready().intents) - {NONE}

    @property
    def sentences(self) -> str:
        """The fingerprint of the sentences it was trained on; a Recipe has one too."""
        with self._lock:
            return self._ready().engine.layout.sentences

    @property
    def holdout(self) -> float:
        """The share of the templates that it has not seen. Raises EngineError."""
        with self._lock:
            return self._ready().engine.layout.holdout

    def call(self, text: str, among: Collection[str] | None = None, *, none: bool = True) -> Guess:
        """Read an utterance; with `among`, as a call of one of these actions or of none.

        Actions that the model does not know are passed over. Without `none` it has to be one of
        the actions, as when another stage has chosen and only the slots are wanted. Raises
        EngineError when the file cannot be used.
        """
        said, words = read(text)
        with self._lock:
            tables = self._ready()
            known = [name for name in tables.intents if name != NONE]
            intents = [name for name in known if among is None or name in among]
            if none or not intents:
                intents.append(NONE)
            if not words or intents == [NONE]:
                return Guess({NONE: 1.0} | {n: 0.0 for n in intents if n != NONE}, {}, True, 1.0)
            return _Answer(tables, said, words).call(intents)

    def close(self) -> None:
        """Free the memory; the next call loads it again."""
        with self._lock:
            if self._tables is not None:
                self._tables.engine.close()
                self._tables = None

    def _ready(self) -> _Tables:
        if self._tables is None:
            self._tables = _Tables(Engine(self._path))
        return self._tables


class _Tables:
    """An engine and the tokens of its layout."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        layout = engine.layout
        try:
            self.intents = {name: engine.token(text) for name, text in layout.names.items()}
            self.first = {key: engine.token(text) for key, text in layout.first.items()}
            self.later = {key: engine.token(text) for key, text in layout.later.items()}
            self.empty, self.close = engine.token(EMPTY), engine.token(CLOSE)
        except EngineError:
            engine.close()
            raise


class _TooLong(Exception):
    """The call would not fit."""


class _Answer:
    """One utterance, and the call as it is written."""

    def __init__(self, tables: _Tables, said: str, words: list[Word]) -> None:
        self.tables, self.said, self.words = tables, said, words
        self.tokens = tables.engine.prompt(spelled([word.text for word in words]))
        self.begins = _begins(tables.engine, self.tokens, words)
        self.copied = len(words) in self.begins.values()  # else the utterance was cut
        self.confidence = 1.0
        self.slots: dict[str, str] = {}
        self._pending: list[int] = []
        self._room = ANSWER_TOKENS

    def call(self, intents: list[str]) -> Guess:
        """Choose an intent of these, then its slots one after the other."""
        tables = self.tables
        logits = tables.engine.ask(self.tokens)
        scores = _softmax(logits[[tables.intents[name] for name in intents]])
        found = {intents[at]: float(scores[at]) for at in np.argsort(-scores)}
        intent = next(iter(found))
        try:
            self._fill(intent, list(tables.engine.layout.slots[intent]))
        except _TooLong:
            self.copied = False
        return Guess(found, self.slots, self.copied, self.confidence)

    def _fill(self, intent: str, left: list[str]) -> None:
        """Write the slots; stop when the model closes the call."""
        tables = self.tables
        opened = {tables.first[slot]: slot for slot in left}
        token = self._write(tables.intents[intent], [tables.empty, *opened])
        while token in opened:
            slot = opened[token]
            left.remove(slot)
            opened = {tables.later[other]: other for other in left}
            token = self._copy(slot, token, [tables.close, *opened])

    def _copy(self, slot: str, token: int, after: list[int]) -> int:
        """Write a slot, opened by `token`; return the token of `after` that ends it."""
        # Where it may begin, then where all of its tokens agree with the utterance.
        starts = [place for place in self.begins if place < len(self.tokens)]
        length = 0
        while True:
            following: dict[int, list[int]] = {}
            for start in starts:
                if start + length < len(self.tokens):
                    following.setdefault(self.tokens[start + length], []).append(start)
            whole = [start for start in starts if length and start + length in self.begins]
            token = self._write(token, [*following, *(after if whole else ())])
            if token not in following:
                first, last = self.begins[whole[0]], self.begins[whole[0] + length]
                self.slots[slot] = self.said[self.words[first].start : self.words[last - 1].end]
                return token
            starts = following[token]
            length += 1

    def _write(self, token: int, allowed: list[int]) -> int:
        """Write a token and choose the next one among those allowed."""
        self._pending.append(token)
        self._room -= 1
        if self._room < 0 or not allowed:
            raise _TooLong
        if len(allowed) == 1:  # the rest of a word: nothing to decide
            return allowed[0]
        logits = self.tables.engine.go_on(self._pending)
        self._pending = []
        best = allowed[int(np.argmax(logits[allowed]))]
        self.copied &= int(np.argmax(logits)) == best
        self.confidence *= float(_softmax(logits)[best])
        return best


def _begins(engine: Engine, tokens: list[int], words: list[Word]) -> dict[int, int]:
    """Return which word begins at which token, and the end of each as the begin of the next."""
    edges, at = {0: 0}, 0
    for number, word in enumerate(words, start=1):
        at += len(word.spelled.encode("utf-8", "replace"))
        edges[at] = number
    found, at = {0: 0}, 0
    for number, token in enumerate(tokens, start=1):
        at += len(engine.piece(token))
        if at in edges:
            found[number] = edges[at]
    return found


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    raised: NDArray[np.float32] = np.exp(logits - logits.max())
    raised /= raised.sum()
    return raised
