"""When the wearer has finished: how long a pause must be, given what was said before it.

Silence alone cannot tell: people pause for as long in the middle of a sentence as after it. What
can be said does. The more could still follow, the longer it is waited for:

    "yes", "no"                         answer_ms
    a command that nothing could extend complete_ms
    one that could go on, as "stop"     per_bit_ms for each bit of what could follow, up to open_ms
    a command that ends in free words   open_ms
    "navigate to …", "pay twenty …"     dangling_ms
    anything else, or an unsure engine  plain_ms

What was said so far is held against everything that can be said now: is it a whole command, and how
much could still follow? "Get me a latte" is one, and 1,350 endings could follow; after "… with milk
and sugar" nothing can; "navigate to" is none. The rule is made of nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Literal

from agent.derive import grammar
from agent.derive.completion import continuations
from agent.language.saying import Saying
from agent.language.text import clean, unaddressed

Kind = Literal["answer", "complete", "open", "dangling", "unparsed"]

FREE_TEXTS = 10_000.0
"""How many texts a free slot is taken to hold, when endings are counted."""

_ANSWERS = frozenset({"agent.yes", "agent.no", "agent.stop"})


@dataclass(frozen=True, slots=True)
class Standing:
    """How a text stands among what can be said."""

    kind: Kind
    """`answer`: a yes, a no or a stop; `complete`: a command; `open`: a command whose last words
    are free text, which has no end; `dangling`: the beginning of one; `unparsed`: neither."""
    bits: float = 0.0
    """How much could follow an answer or a complete command: log2 of 1 + the ways to go on."""


class Sayable:
    """Everything that can be said now, ready to be asked about."""

    def __init__(self, sayings: Sequence[Saying]) -> None:
        """Take what can be said, in any of the languages. Raises SentenceError."""
        self._sayings = sayings
        self._answers = {s.template for s in sayings if s.intent in _ANSWERS}
        self._graph = grammar.build(sayings)
        self._next: dict[int, dict[str, int]] = {}
        for t in self._graph.transitions:
            self._next.setdefault(t.src, {})[t.word] = t.dst
        self._ends: dict[int, float] = {}
        self.standing = lru_cache(maxsize=256)(self._standing)
        """Say how a text stands; the same text is asked about at every chunk of a pause."""

    def _standing(self, text: str) -> Standing:
        said = clean(unaddressed(text)).casefold()
        if not said:
            return Standing("dangling")
        if said.isascii():
            standing = self._by_words(said.split())
        else:
            standing = self._by_characters(said.replace(" ", ""))
        # "stop" may be the beginning of "stop the music".
        return Standing("answer", standing.bits) if said in self._answers else standing

    def _by_words(self, words: Sequence[str]) -> Standing:
        """Walk the graph, remembering for each state whether it is in the midst of free text."""
        states = {self._graph.start: False}
        for word in words:
            states = self._step(states, word)
            if not states:
                return Standing("unparsed")
        finals = self._graph.finals & states.keys()
        if any(not states[state] for state in finals):
            ways = sum(self._endings(state) for state in states) - len(finals)
            return Standing("complete", math.log2(1 + ways))
        return Standing("open" if finals else "dangling")

    def _step(self, states: Mapping[int, bool], word: str) -> dict[int, bool]:
        after: dict[int, bool] = {}
        for state, free in states.items():
            arcs = self._next.get(state, {})
            if grammar.FREE_TEXT in arcs:
                after.setdefault(arcs[grammar.FREE_TEXT], True)
            if free:
                after.setdefault(state, True)
            if word in arcs:
                after[arcs[word]] = False
        return after

    def _endings(self, state: int) -> float:
        """Count the ways to end a sentence from here, going no further included."""
        if state not in self._ends:
            ways = 1.0 if state in self._graph.finals else 0.0
            for word, to in self._next.get(state, {}).items():
                ways += self._endings(to) * (FREE_TEXTS if word == grammar.FREE_TEXT else 1.0)
            self._ends[state] = ways
        return self._ends[state]

    def _by_characters(self, said: str) -> Standing:
        """Ask the templates themselves: Chinese has no spaces, and no graph of words."""
        ways = set(continuations(self._sayings, said))
        if said in ways:
            return Standing("complete", math.log2(len(ways)))
        return Standing("dangling" if ways else "unparsed")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a pause must be to end a turn; ms of silence after the last speech."""

    answer_ms: float = 60.0
    """After a yes, a no or a stop."""
    complete_ms: float = 60.0
    """After a command that nothing could extend."""
    per_bit_ms: float = 25.0
    """After a command that could go on, for each bit of what could follow: 106 ms where 18 endings
    are possible, 260 ms where 1,350 are."""
    open_ms: float = 500.0
    """After free words, and the most after any complete command."""
    dangling_ms: float = 1500.0
    """After the beginning of a command."""
    plain_ms: float = 600.0
    """After what no sentence begins with, and where the engine is unsure: silence alone decides."""
    reopen_ms: float = 1200.0
    """Speech that begins this soon after the end of a turn may belong to it, unless nothing could
    follow what was said."""
    sure: float = 0.6
    """Confidence from which a partial transcript is believed."""

    def wait_ms(self, standing: Standing | None, confidence: float = 1.0) -> float:
        """Return how long to wait; `standing` is None where the engine gives no partial text."""
        if standing is None or standing.kind == "unparsed" or confidence < self.sure:
            return self.plain_ms
        match standing.kind:
            case "answer" | "complete":
                least_ms = self.answer_ms if standing.kind == "answer" else self.complete_ms
                return min(max(least_ms, self.per_bit_ms * standing.bits), self.open_ms)
            case "open":
                return self.open_ms
        return self.dangling_ms

    def scaled(self, factor: float) -> Patience:
        """Return the same with every wait longer or shorter, for curves and for slow speakers."""
        waits = [f.name for f in fields(self) if f.name.endswith("_ms")]
        waits.remove("reopen_ms")  # no wait for the wearer
        return replace(self, **{name: factor * getattr(self, name) for name in waits})


DEFAULT = Patience()
