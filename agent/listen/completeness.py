"""What was said so far, held against everything that can be said now.

Speech grammars are otherwise used to find words; here the same graph answers another question: is
this a whole command, and how much could still follow? "Get me a latte" is one, and 1,350 endings
could follow; after "… with milk and sugar" nothing can; "navigate to" is none. The rule for the end
of a turn, `agent.listen.patience`, is made of nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


class Expected:
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
