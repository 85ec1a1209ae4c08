"""What a question needs to know: a clock, a map, a feed … or nothing that a model does not have.

A language model answers whatever it is asked, also what it cannot know. So a question is put to it
only where it is likely enough to need nothing of here and now. Learned, in English and Chinese,
from sentences that ship with it (`agent.understand.learn.knowledge`): the words decide, and in
English what MiniLM reads in them too, where it was fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agent.derive.paraphrases import NONE
from agent.language.text import clean, language_of
from agent.skill.declare import KNOWS
from agent.understand.learned import MEANING, WORDS, Learned, load, softmax
from agent.understand.reader import Reader

DATA = Path(__file__).with_name("knowledge.npz")

LABELS = (*KNOWS, NONE)
"""What a question may need, and that a model can know it."""

FOLLOWS = 3.0
"""How much likelier a model can know what is asked in its own conversation, and refers to what was
said there."""
PLAIN = 0.8
"""Probability, by words alone, from which no other stage is asked first."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a question needs."""

    what: str
    """One of `KNOWS`, the likeliest, whether or not a model may be asked."""
    p: float
    """How likely that is, given that it needs something."""
    none: float
    """Probability that a model can know."""
    ask_from: float
    """Probability of `none` from which a model is asked."""

    @property
    def follows(self) -> bool:
        """Whether it may be put to a model that has just answered, of what was spoken of there."""
        odds = FOLLOWS * self.none / max(1 - self.none, 1e-9)
        return odds > self.ask_from / max(1 - self.ask_from, 1e-9)

    @property
    def plain(self) -> bool:
        """Whether it is plain what it needs."""
        return self.p * (1 - self.none) >= PLAIN

    @property
    def nothing(self) -> bool:
        """Whether it may be put to a model."""
        return self.none > self.ask_from


class Knowledge:
    """Says what a question needs."""

    def __init__(self, models: Path | None = None, data: Path = DATA) -> None:
        """`models` is the folder that MiniLM may be in. Nothing is loaded yet."""
        self._models, self._data = models, data

    @property
    def learned(self) -> Learned:
        """What training left. Raises EngineError."""
        return load(self._data)

    def needs(self, question: str) -> Needs:
        """Return what a question needs; a fifth of a millisecond, in English some with MiniLM.

        Raises EngineError without the file that training wrote.
        """
        learned = self.learned
        text = clean(question)
        opinions = {WORDS: softmax(learned.words(text))}
        weights, bias = learned.head
        reader = self._reader if language_of(text) == "en" else None
        if reader is not None and f"{WORDS}+{MEANING}" in learned.pools:
            read = reader(text)
            if read.size == len(weights):
                opinions[MEANING] = softmax(read.ravel() @ weights + bias)
        pool = learned.pools["+".join(opinions)]
        labels = learned.labels
        p = pool(opinions, labels.index(NONE))
        by_name = dict(zip(labels, map(float, p), strict=True))
        none = by_name.pop(NONE)
        what = max(by_name, key=lambda name: by_name[name])
        return Needs(what, by_name[what] / max(1 - none, 1e-9), none, pool.accept)

    def plainly(self, question: str) -> str:
        """Return what a question plainly needs by its words alone, or nothing: 0.2 ms.

        Raises EngineError without the file that training wrote.
        """
        p = softmax(self.learned.words(clean(question)))
        at = int(p.argmax())
        return self.learned.labels[at] if float(p[at]) >= PLAIN else ""

    @cached_property
    def _reader(self) -> Reader | None:
        """MiniLM, where the semantic stage reads with it: agents of one process share it."""
        if self._models is None:
            return None
        from agent.understand.minilm import MiniLM
        from agent.understand.semantic import source_of

        reader = source_of(self._models).reader
        return reader if isinstance(reader, MiniLM) else None
