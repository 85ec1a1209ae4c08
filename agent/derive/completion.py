"""What can be typed next, from the sentences that can be said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from agent.language.saying import Saying
from agent.skill import template

COMPLETIONS = 40
"""Most continuations offered at once."""


class Completion:
    """What can be typed next.

    English by words, from the graph that speech is recognised by; Chinese, which has no spaces, by
    the text so far.
    """

    def __init__(self, sayings: Callable[[str], Sequence[Saying]]) -> None:
        """Complete what `sayings(language)` says can be said now."""
        self._sayings = sayings
        self._key: object = None
        self._next: dict[int, list[tuple[str, int]]] = {}
        self._start = 0

    def words(self, text: str) -> list[str]:
        """Return the English words that can follow, given the whole words typed so far."""
        from agent.derive.grammar import FREE_TEXT

        self._refresh()
        states = {self._start}
        for word in text.lower().split():
            states = {
                to
                for state in states
                for label, to in self._next.get(state, ())
                if label in (word, FREE_TEXT)
            } | {s for s in states if any(w == FREE_TEXT for w, _ in self._next.get(s, ()))}
        found = {w for s in states for w, _ in self._next.get(s, ()) if w != FREE_TEXT}
        return sorted(found)

    def _refresh(self) -> None:
        from agent.derive.grammar import build

        sayings = self._sayings("en")
        if self._key == sayings:
            return
        graph = build(sayings)
        self._key, self._start, self._next = sayings, graph.start, {}
        for transition in graph.transitions:
            self._next.setdefault(transition.src, []).append((transition.word, transition.dst))

    def continuations(self, text: str, language: str = "zh") -> list[str]:
        """Return longer texts that begin with `text`, each as far as there is no choice."""
        longer = (t for t in continuations(self._sayings(language), text) if len(t) > len(text))
        return sorted(dict.fromkeys(longer))[:COMPLETIONS]


def continuations(sayings: Iterable[Saying], text: str) -> Iterator[str]:
    """Yield texts that begin with `text`, each as far as there is no choice; also `text` itself.

    By characters, for languages without spaces; `text` has none.
    """
    for saying in sayings:
        walk = _continue([template.parse(saying.template)], "", text, saying)
        yield from islice(walk, COMPLETIONS)


def _continue(items: Sequence[Any], done: str, typed: str, saying: Saying) -> Iterator[str]:
    """Expand as far as what was typed goes, then on to the next choice."""
    from hassil.expression import Alternative, Permutation, RuleReference, TextChunk
    from hassil.expression import Sequence as HassilSequence

    if not items:
        yield done
        return
    head, rest = items[0], items[1:]
    if isinstance(head, TextChunk):
        text = done + head.original_text.replace(" ", "")
        if text.startswith(typed) or typed.startswith(text):
            yield from _continue(rest, text, typed, saying)
        return
    if len(done) > len(typed) and not isinstance(head, HassilSequence):
        yield done
        return
    if isinstance(head, Alternative):
        for item in head.items:
            yield from _continue([item, *rest], done, typed, saying)
    elif isinstance(head, Permutation):
        for item, others in head.iterate_permutations() if head.items else ():
            yield from _continue([item, others, *rest], done, typed, saying)
        if not head.items:
            yield from _continue(rest, done, typed, saying)
    elif isinstance(head, HassilSequence):
        yield from _continue([*head.items, *rest], done, typed, saying)
    elif isinstance(head, RuleReference):
        rule = template.parse(saying.rules[head.rule_name])
        yield from _continue([rule, *rest], done, typed, saying)
    else:
        yield from _continue_slot(head.slot_name, rest, done, typed, saying)


def _continue_slot(
    slot: str, rest: Sequence[Any], done: str, typed: str, saying: Saying
) -> Iterator[str]:
    values = saying.slots.get(slot)
    for value in values or ():
        yield from _continue([template.parse(value), *rest], done, typed, saying)
    if values is None:
        for end in range(len(done) + 1, len(typed) + 1):
            yield from _continue(rest, typed[:end], typed, saying)
