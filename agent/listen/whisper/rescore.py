"""Prefer, among what Whisper may have heard, what can be said.

Whisper writes freely: "Pay $20 to Anna." The grammar of `agent.derive.grammar` knows words: `pay
twenty dollars to anna`. So numbers are read aloud, in English and in Chinese, and a Chinese
character is a word of its own, spelt in letters that the grammar takes for English: one graph for
both languages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from agent.derive import grammar
from agent.derive.spelling import PIECE, Words, spelt, ways
from agent.language.saying import Saying
from agent.language.text import clean, language_of, readings, unaddressed

MIN_LIKENESS = 0.5
"""Share of characters in common (Ratcliff and Obershelp's ratio) under which two hypotheses are
different sentences, and the one that can be said is no reading of the other."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One thing that may have been said."""

    text: str
    """As the engine wrote it."""
    log_probability: float
    """Natural logarithm of the probability of all of it, its end included."""
    tokens: int
    """How many tokens it has, its end included."""
    cut: bool = False
    """It had come to no end when it had as many tokens as speech of this length can have."""

    @property
    def mean(self) -> float:
        """Mean log probability of a token; its exponential is the confidence."""
        return self.log_probability / self.tokens


class Sayable:
    """Tells whether a text is something that can be said; made once for each list of sayings."""

    def __init__(self, sayings: Sequence[Saying]) -> None:
        """Build the graph. Raises SentenceError when a template is wrong."""
        graph = grammar.build([spelt(saying) for saying in sayings])
        self._start, self._finals = graph.start, graph.finals
        self._next: dict[int, dict[str, int]] = {}
        for arc in graph.transitions:
            self._next.setdefault(arc.src, {})[arc.word] = arc.dst

    def accepts(self, text: str) -> bool:
        """Whether a sentence allows exactly these words, politeness around them aside."""
        cleaned = clean(unaddressed(text)).lower()
        return any(map(self._reads, readings(cleaned, language_of(cleaned)))) if cleaned else False

    def _reads(self, text: str) -> bool:
        """Follow every way to read the text aloud through the graph at once."""
        reached = {(self._start, False)}
        for piece in PIECE.finditer(text):
            reached = {
                place for way in ways(piece) for place in self._walk(frozenset(reached), way)
            }
        return any(not free and state in self._finals for state, free in reached)

    def _walk(self, reached: frozenset[tuple[int, bool]], way: Words) -> set[tuple[int, bool]]:
        """Go on by some words; a place is a state, or within the free text that leads to it."""
        places = set(reached)
        for word in way:
            onward: set[tuple[int, bool]] = set()
            for state, free in places:
                if free:  # one more word of the free text, which may end with it
                    onward |= {(state, True), (state, False)}
                    continue
                after = self._next.get(state, {})
                if word in after:
                    onward.add((after[word], False))
                if grammar.FREE_TEXT in after:
                    onward |= {(after[grammar.FREE_TEXT], True), (after[grammar.FREE_TEXT], False)}
            places = onward
        return places


def choose(
    hypotheses: Sequence[Hypothesis], sayable: Sayable | None, bonus: float
) -> tuple[Hypothesis, bool]:
    """Return the hypothesis to believe, and whether it can be said; the engine's best comes first.

    One that can be said wins over the first when, with `bonus` added to its log probability, it is
    at least as likely, and when it is like it. So `bonus` is also how much less likely it may be at
    most: what Whisper hears clearly stays, in the grammar or not.
    """
    first = hypotheses[0]
    if sayable is None:
        return first, False
    possible = [
        h
        for h in hypotheses
        if h.log_probability + bonus >= first.log_probability
        and likeness(h.text, first.text) >= MIN_LIKENESS
        and sayable.accepts(h.text)
    ]
    best = max(possible, key=lambda h: h.log_probability, default=None)
    return (first, False) if best is None else (best, True)


def likeness(one: str, other: str) -> float:
    """Share of characters that two texts have in common, 0 … 1, punctuation and capitals aside."""
    one, other = clean(one).lower(), clean(other).lower()
    return 1.0 if one == other else SequenceMatcher(None, one, other, autojunk=False).ratio()
