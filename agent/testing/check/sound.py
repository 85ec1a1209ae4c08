"""How alike two sentences sound, and the most alike sentences of two actions.

The search is a beam over the product of two phone graphs:
layer k holds pairs of states that k phones of both together lead to, so that the length, and with
it the distance per phone, is the same for all that compete.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.derive.grammar import FREE_TEXT, Graph
from agent.language.pronounce import pronounce
from agent.language.sounds import GAP, phone_distance

BEAM = 200
"""Pairs of states kept in a layer."""

FARTHEST = 1.0
"""Cost in all from which two sentences are told apart however long they are: an unlike phone, or
two too many. Without it a long common ending would make "pay thirty" and "take me" alike."""

SLACK = 0.8
"""How far a beginning may be above the bound that the whole is held to: one phone and a half."""

VARIANTS = 2
"""Pronunciations followed for each word, the usual ones first."""


def distance(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the edit distance of two sequences of phones, divided by their mean length."""
    row = [at * GAP for at in range(len(other) + 1)]
    for count, phone in enumerate(one, start=1):
        before, row = row, [count * GAP]
        for at, heard in enumerate(other):
            change = before[at] + phone_distance(phone, heard)
            row.append(min(change, before[at + 1] + GAP, row[at] + GAP))
    return 2 * row[-1] / max(1, len(one) + len(other))


@dataclass(frozen=True, slots=True)
class Alike:
    """Two sentences that sound alike."""

    distance: float
    """Cost of turning one into the other, per phone: 0 is the same sound."""
    words: tuple[tuple[str, ...], tuple[str, ...]]
    """The two sentences."""


@dataclass(slots=True)
class Phones:
    """A graph of phones."""

    start: int
    """State before the first phone."""
    finals: frozenset[int]
    """States in which a sentence may end."""
    arcs: list[list[tuple[str, int, str]]]
    """For each state: phone, where it leads, and the word that it completes or ""."""


def phones(graph: Graph, free: Sequence[str] = ()) -> Phones:
    """Spell a word graph in phones, each state's words as a tree; `free` stands for free text."""
    said = pronounce(sorted({*graph.words, *(w for text in free for w in text.split())}))
    arcs: list[list[tuple[str, int, str]]] = [[] for _ in range(graph.states)]
    tree: dict[tuple[int, str], int] = {}

    def add(src: int, sounds: Sequence[str], dst: int, word: str) -> None:
        for sound in sounds[:-1]:
            if (src, sound) not in tree:
                arcs.append([])
                tree[src, sound] = len(arcs) - 1
                arcs[src].append((sound, len(arcs) - 1, ""))
            src = tree[src, sound]
        arcs[src].append((sounds[-1], dst, word))

    for arc in graph.transitions:
        for text in free if arc.word == FREE_TEXT else (arc.word,):
            ways: Iterable[str] = said[text].phones[:VARIANTS] if text in said else ()
            if text not in said:  # several words of free text: the usual way to say each
                ways = (" ".join(said[word].phones[0] for word in text.split()),)
            for way in ways:
                add(arc.src, way.split(), arc.dst, text)
    return Phones(graph.start, graph.finals, arcs)


_Trace = tuple["_Trace", str, str] | None


def most_alike(a: Phones, b: Phones, within: float, deadline: float | None = None) -> Alike | None:
    """Return the sentences of two graphs that sound most alike, or None.

    They differ by `within` or less a phone, and by FARTHEST or less in all.

    Exact unless a layer overflows the beam. Stops at `deadline`, by time.monotonic, with the best
    so far.
    """
    layers: dict[int, _Layer] = {0: {(a.start, b.start): (0.0, None)}}
    best: tuple[float, _Trace] | None = None
    length = 0
    while layers and (deadline is None or time.monotonic() < deadline):
        layer = layers.pop(length, {})
        kept = sorted(layer.items(), key=lambda item: item[1][0])[:BEAM]
        for (at, bt), (cost, trace) in kept:
            if length and at in a.finals and bt in b.finals:
                per_phone = 2 * cost / length
                if per_phone <= within and (best is None or per_phone < best[0]):
                    best = (per_phone, trace)
        for more, follow in ((1, _one_more), (2, _both_more)):
            most = min(FARTHEST, SLACK + within * (length + more) / 2)
            if after := follow(a, b, kept, most, layers.get(length + more, {})):
                layers[length + more] = after
        length += 1
    if best is None:
        return None
    return Alike(best[0], _words(best[1]))


_Layer = dict[tuple[int, int], tuple[float, _Trace]]
_Kept = Iterable[tuple[tuple[int, int], tuple[float, _Trace]]]


def _one_more(a: Phones, b: Phones, kept: _Kept, most: float, layer: _Layer) -> _Layer:
    """Put what a phone more of either side alone leads to into a layer."""
    for (at, bt), (before, trace) in kept:
        cost = before + GAP
        if cost > most:
            continue
        for _, dst, word in a.arcs[at]:
            known = layer.get((dst, bt))
            if known is None or cost < known[0]:
                layer[dst, bt] = (cost, (trace, word, "") if word else trace)
        for _, dst, word in b.arcs[bt]:
            known = layer.get((at, dst))
            if known is None or cost < known[0]:
                layer[at, dst] = (cost, (trace, "", word) if word else trace)
    return layer


def _both_more(a: Phones, b: Phones, kept: _Kept, most: float, layer: _Layer) -> _Layer:
    """Put what a phone more of both sides leads to into a layer."""
    for (at, bt), (before, trace) in kept:
        theirs = b.arcs[bt]
        for phone, dst, word in a.arcs[at]:
            for other, dst_b, word_b in theirs:
                cost = before if phone == other else before + phone_distance(phone, other)
                if cost > most:
                    continue
                known = layer.get((dst, dst_b))
                if known is None or cost < known[0]:
                    layer[dst, dst_b] = (
                        cost,
                        (trace, word, word_b) if word or word_b else trace,
                    )
    return layer


def _words(trace: _Trace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    mine: list[str] = []
    theirs: list[str] = []
    while trace is not None:
        trace, word, other = trace
        mine.append(word)
        theirs.append(other)
    return tuple(filter(None, reversed(mine))), tuple(filter(None, reversed(theirs)))


def sounds(text: str) -> list[str]:
    """Return the usual phones of a sentence."""
    words = text.lower().split()
    said = pronounce(words)
    return [phone for word in words for phone in said[word].phones[0].split()]
