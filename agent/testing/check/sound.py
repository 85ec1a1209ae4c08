"""How alike two sentences sound, and the most alike sentences of two actions.

The distance of two phones is that of ALINE (G. Kondrak, "A New Algorithm for the Alignment of
Phonetic Sequences", NAACL 2000, tables 1 to 4): articulatory features with values between 0 and 1,
each weighted by how much it matters. The search is a beam over the product of two phone graphs:
layer k holds pairs of states that k phones of both together lead to, so that the length, and with
it the distance per phone, is the same for all that compete.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from agent.derive.grammar import FREE_TEXT, Graph
from agent.listen.sphinx.pronounce import pronounce

GAP = 0.5
"""Cost of a phone too many or too few: two of them are one substitution of unlike phones."""

UNLIKE_CONSONANTS = 60.0
UNLIKE_VOWELS = 15.0
"""ALINE's difference from which two phones count as unlike, cost 1. ALINE compares related
languages, where vowels hardly matter; for a listener they do, hence a scale of their own (ours)."""

BEAM = 200
"""Pairs of states kept in a layer."""

FARTHEST = 1.0
"""Cost in all from which two sentences are told apart however long they are: an unlike phone, or
two too many. Without it a long common ending would make "pay thirty" and "take me" alike."""

SLACK = 0.8
"""How far a beginning may be above the bound that the whole is held to: one phone and a half."""

VARIANTS = 2
"""Pronunciations followed for each word, the usual ones first."""

_PLACE = {
    "bilabial": 1.0, "labiodental": 0.95, "dental": 0.9, "alveolar": 0.85, "retroflex": 0.8,
    "palato-alveolar": 0.75, "palatal": 0.7, "velar": 0.6, "glottal": 0.1,
}  # fmt: skip
_MANNER = {"stop": 1.0, "affricate": 0.9, "fricative": 0.8, "approximant": 0.6}
_SALIENCE = {"place": 40, "manner": 50, "voice": 10, "nasal": 10, "retroflex": 10, "lateral": 10}
_VOWEL_SALIENCE = {"high": 5, "back": 5, "round": 5, "retroflex": 10, "long": 1}
"""ALINE's table 4: Syllabic, Aspirated and the features that never differ here are left out."""

_CONSONANTS = {
    "P": "bilabial stop", "B": "bilabial stop voice", "T": "alveolar stop",
    "D": "alveolar stop voice", "K": "velar stop", "G": "velar stop voice",
    "CH": "palato-alveolar affricate", "JH": "palato-alveolar affricate voice",
    "F": "labiodental fricative", "V": "labiodental fricative voice", "TH": "dental fricative",
    "DH": "dental fricative voice", "S": "alveolar fricative", "Z": "alveolar fricative voice",
    "SH": "palato-alveolar fricative", "ZH": "palato-alveolar fricative voice",
    "HH": "glottal fricative", "M": "bilabial stop voice nasal", "N": "alveolar stop voice nasal",
    "NG": "velar stop voice nasal", "L": "alveolar approximant voice lateral",
    "R": "retroflex approximant voice retroflex-tongue", "W": "velar approximant voice",
    "Y": "palatal approximant voice",
}  # fmt: skip
_VOWELS: dict[str, tuple[float, float, float, float, float]] = {
    # high, back, round, retroflex, long; high 1 is close, back 1 is front, as in ALINE
    "IY": (1.0, 1.0, 0, 0, 1), "IH": (0.8, 0.9, 0, 0, 0), "EH": (0.5, 1.0, 0, 0, 0),
    "AE": (0.1, 1.0, 0, 0, 0), "AA": (0.0, 0.1, 0, 0, 1), "AO": (0.3, 0.0, 1, 0, 1),
    "AH": (0.4, 0.5, 0, 0, 0), "UH": (0.8, 0.1, 1, 0, 0), "UW": (1.0, 0.0, 1, 0, 1),
    "ER": (0.5, 0.5, 0, 1, 1),
}  # fmt: skip
_DIPHTHONGS = {
    "EY": ("EH", "IH"), "AY": ("AA", "IH"), "AW": ("AA", "UH"), "OW": ("AO", "UH"),
    "OY": ("AO", "IH"),
}  # fmt: skip


@cache
def phone_distance(one: str, other: str) -> float:
    """Return how unlike two ARPAbet phones are, 0 for the same to 1."""
    if one == other:
        return 0.0
    consonants = (one in _CONSONANTS, other in _CONSONANTS)
    if all(consonants):
        return min(1.0, _consonants(one, other) / UNLIKE_CONSONANTS)
    if any(consonants):
        return 1.0
    pairs = zip(
        _DIPHTHONGS.get(one, (one, one)), _DIPHTHONGS.get(other, (other, other)), strict=True
    )
    return min(1.0, sum(_vowels(a, b) for a, b in pairs) / 2 / UNLIKE_VOWELS)


def _consonants(one: str, other: str) -> float:
    (place_a, manner_a, *marks_a), (place_b, manner_b, *marks_b) = (
        _CONSONANTS[phone].split() for phone in (one, other)
    )
    difference = _SALIENCE["place"] * abs(_PLACE[place_a] - _PLACE[place_b])
    difference += _SALIENCE["manner"] * abs(_MANNER[manner_a] - _MANNER[manner_b])
    for mark in set(marks_a) ^ set(marks_b):
        difference += _SALIENCE[mark.removesuffix("-tongue")]
    return difference


def _vowels(one: str, other: str) -> float:
    weights = _VOWEL_SALIENCE.values()
    return sum(
        weight * abs(a - b)
        for weight, a, b in zip(weights, _VOWELS[one], _VOWELS[other], strict=True)
    )


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
    layers: dict[int, dict[tuple[int, int], tuple[float, _Trace]]] = {
        0: {(a.start, b.start): (0.0, None)}
    }
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
            _extend(a, b, at, bt, cost, trace, length, within, layers)
        length += 1
    if best is None:
        return None
    return Alike(best[0], _words(best[1]))


def _extend(
    a: Phones,
    b: Phones,
    at: int,
    bt: int,
    cost: float,
    trace: _Trace,
    length: int,
    within: float,
    layers: dict[int, dict[tuple[int, int], tuple[float, _Trace]]],
) -> None:
    """Put what follows a pair of states into the next two layers."""
    one = min(FARTHEST, SLACK + within * (length + 1) / 2)
    if cost + GAP <= one:
        layer = layers.setdefault(length + 1, {})
        for _, dst, word in a.arcs[at]:
            _offer(layer, (dst, bt), cost + GAP, trace, word, "")
        for _, dst, word in b.arcs[bt]:
            _offer(layer, (at, dst), cost + GAP, trace, "", word)
    two = min(FARTHEST, SLACK + within * (length + 2) / 2)
    layer = layers.setdefault(length + 2, {})
    for phone, dst, word in a.arcs[at]:
        for other, dst_b, word_b in b.arcs[bt]:
            total = cost + phone_distance(phone, other)
            if total <= two:
                _offer(layer, (dst, dst_b), total, trace, word, word_b)
    if not layer:
        del layers[length + 2]


def _offer(
    layer: dict[tuple[int, int], tuple[float, _Trace]],
    pair: tuple[int, int],
    cost: float,
    trace: _Trace,
    word: str,
    word_b: str,
) -> None:
    known = layer.get(pair)
    if known is None or cost < known[0]:
        layer[pair] = (cost, (trace, word, word_b) if word or word_b else trace)


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
