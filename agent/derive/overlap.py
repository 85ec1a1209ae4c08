"""Whether two actions have a sentence in common, exactly: the product of their word graphs.

The graphs are those of the speech grammar (`agent.derive.grammar`), with Chinese characters as
words of their own. A search over pairs of states finds the common sentence with the fewest words
in free text; none in free text is an overlap, otherwise one side's free text swallows a sentence
of the other.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)

from agent.derive.grammar import FREE_TEXT, Graph, Transition, build, clean
from agent.language.saying import Saying
from agent.skill.template import parse

MAX_STATES = 50_000
"""Pairs of states looked at before giving up; two of the built-in skills need at most 5,000."""

ANYTHING = "…"
"""Stands in an example for a word that both sides leave open."""

_SYMBOL = re.compile(r"\{[^{}]*\}|<[^<>]*>|[\u3400-\u9fff\uf900-\ufaff]")
"""A slot, a rule, or a Chinese character."""
_CODED = re.compile(r"^u([0-9a-f]{4,5})$")

_RULE_DEPTH = 24
"""Rules within rules, as deep as hassil goes."""

_State = tuple[int, bool]
"""State of a graph, and whether free text that ends there may go on."""


@dataclass(frozen=True, slots=True)
class Common:
    """A sentence that two sides have in common."""

    words: tuple[str, ...]
    """The sentence."""
    free: tuple[int, int]
    """How many of its words are free text for the first and for the second side."""

    @property
    def text(self) -> str:
        """The sentence as it is written."""
        return written(self.words)


class Automaton:
    """A word graph made ready for the search."""

    def __init__(self, graph: Graph) -> None:
        self.start: _State = (graph.start, False)
        self.finals = graph.finals
        self.arcs: dict[int, dict[str, int]] = {}
        self.open: dict[int, list[int]] = {}
        for arc in graph.transitions:
            if arc.word == FREE_TEXT:
                self.open.setdefault(arc.src, []).append(arc.dst)
            else:
                self.arcs.setdefault(arc.src, {})[arc.word] = arc.dst

    def named(self, state: _State) -> Mapping[str, int]:
        """Return the words that may come next, with where they lead."""
        return self.arcs.get(state[0], {})

    def anything(self, state: _State) -> Iterator[_State]:
        """Yield where any word at all leads."""
        if state[1]:
            yield state
        for dst in self.open.get(state[0], ()):
            yield dst, True


def automaton(sayings: Sequence[Saying], open_slots: frozenset[str] = frozenset()) -> Automaton:
    """Return the graph of sayings in which the lists of `open_slots` also take any other words."""
    variants = []
    for saying in sayings:
        names = [n for n in saying.slots if n in open_slots and saying.slots[n] is not None]
        for choice in product((False, True), repeat=len(names)):
            freed = {name: None for name, free in zip(names, choice, strict=True) if free}
            variants.append(replace(saying, slots={**saying.slots, **freed}))
    return Automaton(build([_coded_saying(saying) for saying in variants]))


def common(a: Automaton, b: Automaton) -> Common | None:
    """Return the sentence both can say with the fewest words of free text, or None."""
    start = (a.start, b.start)
    best: dict[tuple[_State, _State], tuple[int, int]] = {start: (0, 0)}
    came: dict[tuple[_State, _State], tuple[tuple[_State, _State], str, bool, bool]] = {}
    todo: list[tuple[int, int, tuple[_State, _State]]] = [(0, 0, start)]
    done: set[tuple[_State, _State]] = set()
    while todo and len(done) < MAX_STATES:
        free, length, pair = heapq.heappop(todo)
        if pair in done:
            continue
        done.add(pair)
        if length and pair[0][0] in a.finals and pair[1][0] in b.finals:
            return _back(pair, came)
        for word, after, free_a, free_b in _steps(a, b, *pair):
            cost = (free + (free_a or free_b), length + 1)
            if after not in done and cost < best.get(after, (1 << 30, 0)):
                best[after] = cost
                came[after] = (pair, word, free_a, free_b)
                heapq.heappush(todo, (*cost, after))
    return None


def _steps(
    a: Automaton, b: Automaton, at: _State, bt: _State
) -> Iterator[tuple[str, tuple[_State, _State], bool, bool]]:
    named_a, named_b = a.named(at), b.named(bt)
    few, many = sorted((named_a, named_b), key=len)
    for word in few:
        if word in many:
            yield word, ((named_a[word], False), (named_b[word], False)), False, False
    any_a, any_b = list(a.anything(at)), list(b.anything(bt))
    for other in any_b:
        for word, dst in named_a.items():
            yield word, ((dst, False), other), False, True
    for other in any_a:
        for word, dst in named_b.items():
            yield word, (other, (dst, False)), True, False
    for pair in product(any_a, any_b):
        yield ANYTHING, pair, True, True


def _back(
    pair: tuple[_State, _State],
    came: Mapping[tuple[_State, _State], tuple[tuple[_State, _State], str, bool, bool]],
) -> Common:
    words: list[str] = []
    free_a = free_b = 0
    while pair in came:
        pair, word, was_a, was_b = came[pair]
        words.append(word)
        free_a += was_a
        free_b += was_b
    return Common(tuple(reversed(words)), (free_a, free_b))


def may_begin_alike(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    """Whether sentences with these `heads` can begin alike."""
    if one is None or other is None:
        return True
    return any(a.startswith(b) or b.startswith(a) for a in one for b in other)


@lru_cache(maxsize=16384)
def heads(
    template: str,
    rules: tuple[tuple[str, str], ...] = (),
    lists: tuple[tuple[str, tuple[str, ...]], ...] = (),
) -> frozenset[str] | None:
    """Return how the sentences of a template can begin: pieces of words. None is with any word.

    Much cheaper than a graph, and enough to see that most templates have nothing in common. `lists`
    has what can be said for a slot, where that is known.
    """
    found, empty = _heads(parse(template), dict(rules), dict(lists), 0)
    return None if found is None or empty else frozenset(found)


def _heads(
    expression: Expression,
    rules: Mapping[str, str],
    lists: Mapping[str, tuple[str, ...]],
    depth: int,
) -> tuple[set[str] | None, bool]:
    """Return how an expression can begin, and whether it can be empty."""
    match expression:
        case TextChunk():
            words = expression.original_text.casefold().split()
            if not words:
                return set(), True
            if (symbol := _SYMBOL.match(words[0])) is not None:
                return {symbol[0]}, False
            return ({said}, False) if (said := clean(words[0])) else (None, False)
        case ListReference() if expression.list_name in lists:
            return _either(
                _heads(parse(value), rules, {}, depth) for value in lists[expression.list_name]
            )
        case ListReference():
            return None, False
        case RuleReference() if depth < _RULE_DEPTH:
            return _heads(parse(rules[expression.rule_name]), rules, lists, depth + 1)
        case Alternative() | Permutation():
            return _either(_heads(item, rules, lists, depth) for item in expression.items)
        case Group():
            begun: set[str] = set()
            for item in expression.items:
                found, empty = _heads(item, rules, lists, depth)
                if found is None:
                    return None, False
                begun |= found
                if not empty:
                    return begun, False
            return begun, True
    return None, False


def _either(parts: Iterable[tuple[set[str] | None, bool]]) -> tuple[set[str] | None, bool]:
    begun, empties = set[str](), False
    for found, empty in parts:
        if found is None:
            return None, False
        begun |= found
        empties |= empty
    return begun, empties


def sentence(words: Sequence[str]) -> Automaton:
    """Return the graph of one sentence."""
    steps = (Transition(at, at + 1, word, 1.0) for at, word in enumerate(words))
    return Automaton(Graph(0, frozenset({len(words)}), tuple(steps)))


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a sentence as the graphs have them."""
    return tuple(filter(None, (clean(word) for word in _coded(text).split())))


def written(words: Sequence[str]) -> str:
    """Return words of a graph as text, Chinese without spaces."""
    text = ""
    for word in words:
        character = _CODED.match(word)
        if character is None and text and word != ANYTHING:
            text += " "
        text += chr(int(character[1], 16)) if character else word
    return text


def _coded_saying(saying: Saying) -> Saying:
    slots = {
        name: None if forms is None else tuple(map(_coded, forms))
        for name, forms in saying.slots.items()
    }
    rules = {name: _coded(rule) for name, rule in saying.rules.items()}
    return replace(saying, template=_coded(saying.template), slots=slots, rules=rules)


@lru_cache(maxsize=65536)
def _coded(text: str) -> str:
    """Write each Chinese character as a word in Latin letters, which the speech grammar keeps."""

    def code(found: re.Match[str]) -> str:
        symbol = found[0]
        return symbol if symbol[0] in "{<" else f" u{ord(symbol):x} "

    return _SYMBOL.sub(code, text) if not text.isascii() else text
