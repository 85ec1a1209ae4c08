"""What can be said that sounds most like a text: "bro a house coffee" is "brew a house coffee".

A recogniser that writes freely spells what it heard as it likes: other words of the same sound,
digits, another character for every Chinese syllable. So a text is read aloud, as English phones and
Chinese syllables (`agent.language.sounds`), and aligned with the graph of all that can be said.
The best path is found exactly, by one pass over the text with all of the graph at once:

    text ─▶ units ─▶ ┌ cost of every place in the graph, unit by unit ┐ ─▶ best end ─▶ sentence

Free text takes the words as they were written, at a cost, so that what a list holds wins over its
homophones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from agent.derive import grammar
from agent.derive.spelling import PIECE, Words, is_han, spelt, unspelt, ways
from agent.language.pronounce import pronounce
from agent.language.saying import Saying
from agent.language.sounds import GAP, Unit, gap, syllables, unlike, weight
from agent.language.text import clean, language_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

VARIANTS = 3
"""Ways to say a word of the grammar that are followed."""
READ = 4
"""Ways to read a text aloud that are tried ("1984")."""
FREE = 0.3
"""Cost of a phone of free text: a word of a list may be so unlike before it is another word."""
FREE_WORD = 0.15
"""Cost of a word of free text, on top: a single short word is easily like another."""
FREE_MOST = FREE + FREE_WORD
"""The most that a phone of free text costs: one that is a word of its own."""
SKIPPED = 3
"""Units of the graph in a row that the text may lack."""
MOST_UNITS = 160
"""A text that is longer is no command."""


@dataclass(frozen=True, slots=True)
class Near:
    """A sentence that can be said, and how far a text is from it."""

    text: str
    """The sentence, as templates read it; free text as it was written."""
    cost: float
    """How unlike they are in all, in phones, what was free not counted; 0 is the same sound."""
    length: float
    """How long the text is, in phones; a Chinese syllable counts two."""
    worst: float = 0.0
    """Cost of a phone in the word that is most unlike; a sound of no word at all counts `GAP`."""
    free: tuple[str, ...] = ()
    """The words that free text took."""

    @property
    def distance(self) -> float:
        """Return the cost of a phone: 0 is the same sound, 1 another sentence."""
        return self.cost / self.length


@dataclass(frozen=True, slots=True)
class _Heard:
    """A text, read aloud."""

    units: tuple[tuple[Unit, ...], ...]
    """For each sound, what it may be."""
    words: tuple[int, ...]
    """Which word each belongs to."""
    written: tuple[str, ...]
    """The words as they were written."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A word of the best path, or free text, or a sound that belongs to none."""

    text: str
    cost: float
    length: float
    free: bool = False


class Nearest:
    """The sentences that can be said in one language, found by sound.

    Each skill has a graph of its own, kept for the next list that holds the same: what one skill
    can be told changes more often than what all of them can.
    """

    def __init__(self, sayings: Sequence[Saying]) -> None:
        """Build what is new, some 10 ms a skill. Raises SentenceError for a wrong template."""
        skills: dict[str, list[Saying]] = {}
        for saying in sayings:
            skills.setdefault(saying.intent.partition(".")[0], []).append(saying)
        self._graphs = [_kept(_Listed(one)) for one in skills.values()]

    def find(self, text: str, within: float = math.inf) -> Near | None:
        """Return the nearest sentence; None where none is as near as `within` a phone."""
        best = None
        for heard in _aloud(text):
            length = sum(weight(options[0]) for options in heard.units)
            if not length or len(heard.units) > MOST_UNITS:
                continue
            for graph in self._graphs:
                most = (within + FREE_MOST * graph.is_free) * length
                most = most if best is None else min(most, best.spent)
                near = _Search(graph, heard, most).sentence()
                if near is not None and (best is None or near.spent < best.spent):
                    best = near
        return best.near if best is not None and best.near.distance <= within else None


class _Listed:
    """Sayings that are compared by what is in them."""

    def __init__(self, sayings: Sequence[Saying]) -> None:
        self.sayings = [spelt(saying) for saying in _with_free(sayings)]
        self._content = grammar.content(self.sayings)

    def __hash__(self) -> int:
        return hash(self._content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Listed) and self._content == other._content


@lru_cache(maxsize=64)
def _kept(listed: _Listed) -> _Graph:
    return _Graph(grammar.build(listed.sayings))


class _Graph:
    """The sentences of one skill, every sound of every word a place of its own.

    Places are numbered so that a word's sounds follow one another; its first comes after a state
    of the grammar's graph, its last leads to one.
    """

    def __init__(self, graph: grammar.Graph) -> None:
        import numpy as np

        self.states, self.start = graph.states, graph.start
        self.finals = np.array(sorted(graph.finals), np.int64)
        self.words = [arc for arc in graph.transitions if arc.word != grammar.FREE_TEXT]
        free = [arc for arc in graph.transitions if arc.word == grammar.FREE_TEXT]
        self.free_src = np.array([arc.src for arc in free], np.int64)
        self.free_dst = np.array([arc.dst for arc in free], np.int64)
        self.is_free = bool(free)
        said = _said(sorted({arc.word for arc in self.words}))
        self.long = {word: min(sum(map(weight, way)) for way in said[word]) for word in said}
        numbers: dict[Unit, int] = {}
        unit, src, first, last, dst, arcs = [], [], [], [], [], []
        for number, arc in enumerate(self.words):
            for way in said[arc.word]:
                for at, sound in enumerate(way):
                    unit.append(numbers.setdefault(sound, len(numbers)))
                    src.append(arc.src)
                    first.append(at == 0)
                    arcs.append(number)
                last.append(len(unit) - 1)
                dst.append(arc.dst)
        self.sounds = list(numbers)
        self.unit = np.array(unit, np.int64)
        self.arc = np.array(arcs, np.int64)
        self.src = np.array(src, np.int64)
        self.first = np.array(first, bool)
        order = np.argsort(np.array(dst, np.int64), kind="stable")
        self.last = np.array(last, np.int64)[order]
        self.dst = np.array(dst, np.int64)[order]
        self.into, self.at = np.unique(self.dst, return_index=True)
        self.gap = np.array([gap(sound) for sound in self.sounds], np.float32)[self.unit]

    def unlike(self, options: tuple[Unit, ...]) -> NDArray[Any]:
        """Return how unlike a sound that was heard is to that of every place."""
        import numpy as np

        rows = [[unlike(sound, option) for sound in self.sounds] for option in options]
        found: NDArray[Any] = np.array(rows, np.float32).min(axis=0)[self.unit]
        return found


@dataclass(frozen=True, slots=True)
class _Found:
    """The best sentence of one graph."""

    near: Near
    spent: float
    """What it cost with free text, by which graphs are compared."""


class _Search:
    """One text aligned with the graph, unit by unit, every place at once."""

    def __init__(self, graph: _Graph, heard: _Heard, most: float) -> None:
        """Align; given up as soon as every way costs more than `most`."""
        import numpy as np

        self._g, self._heard = graph, heard
        node = np.full(len(graph.unit), np.inf, np.float32)
        state = np.full(graph.states, np.inf, np.float32)
        free = np.full(len(graph.free_src), np.inf, np.float32)
        state[graph.start] = 0
        self._skip(node, state)
        self.columns = [(node, state, free)]
        for at in range(len(heard.units)):
            self.columns.append(self._next(at, *self.columns[-1]))
            if min(column.min(initial=np.inf) for column in self.columns[-1]) > most:
                break

    def _before(self, node: NDArray[Any], state: NDArray[Any]) -> NDArray[Any]:
        """Return the cost of what comes before each place."""
        import numpy as np

        before = np.empty_like(node)
        before[1:] = node[:-1]
        return np.where(self._g.first, state[self._g.src], before)

    def _arrive(self, node: NDArray[Any], state: NDArray[Any]) -> None:
        """Let words that are over lead to the state after them."""
        import numpy as np

        g = self._g
        if len(g.last):
            least = np.minimum.reduceat(node[g.last], g.at)
            state[g.into] = np.minimum(state[g.into], least)

    def _skip(self, node: NDArray[Any], state: NDArray[Any]) -> None:
        """Pass over units of the graph that were not heard."""
        import numpy as np

        for _ in range(SKIPPED):
            np.minimum(node, self._before(node, state) + self._g.gap, out=node)
            self._arrive(node, state)

    def _next(
        self, at: int, node: NDArray[Any], state: NDArray[Any], free: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Hear one more unit."""
        import numpy as np

        g, heard = self._g, self._heard
        options = heard.units[at]
        extra = min(map(gap, options))
        onward = np.minimum(self._before(node, state) + g.unlike(options), node + extra)
        after = state + extra
        self._arrive(onward, after)
        if len(free):
            began = at == 0 or heard.words[at - 1] != heard.words[at]
            cost = FREE * weight(options[0]) + FREE_WORD * began
            here = np.minimum(free, state[g.free_src]) if began else free
            free = here + np.float32(cost)
            if at + 1 == len(heard.units) or heard.words[at + 1] != heard.words[at]:
                np.minimum.at(after, g.free_dst, free)
        self._skip(onward, after)
        return onward, after, free

    # -- the way back -----------------------------------------------------------------------------

    def sentence(self) -> _Found | None:
        """Return the sentence of the best path; None where it was given up."""
        g, heard = self._g, self._heard
        if len(self.columns) <= len(heard.units):
            return None
        _, state, _ = self.columns[-1]
        end = int(g.finals[state[g.finals].argmin()]) if len(g.finals) else 0
        if not len(g.finals) or not math.isfinite(state[end]):
            return None
        length = sum(weight(options[0]) for options in heard.units)
        parts = list(self._back(end))[::-1]
        spent = float(state[end])
        near = Near(
            unspelt([part.text for part in parts if part.text]),
            max(0.0, round(spent - sum(p.cost for p in parts if p.free), 4)),
            length,
            max((part.cost / part.length for part in parts if not part.free), default=0.0),
            tuple(part.text for part in parts if part.free),
        )
        return _Found(near, spent)

    def _back(self, state: int) -> Iterator[_Part]:
        """Follow the costs back from a final state at the end of the text."""
        g, heard = self._g, self._heard
        column = len(heard.units)
        while True:
            nodes, states, _ = self.columns[column]
            if column == 0 and state == g.start and states[state] == 0:
                break
            cost = states[state]
            low, high = _range(g.dst, state)
            lasts = g.last[low:high]
            fits = [int(n) for n in lasts if nodes[n] == cost]
            if fits:
                node, before = fits[0], column
                column, state = self._through(node, column)
                word = g.words[int(g.arc[node])].word
                spent = float(cost - self.columns[column][1][state])
                yield _Part(word, spent, max(self._long(column, before), g.long[word]))
                continue
            if column and (span := self._freed(state, column, cost)):
                first, state = span
                taken = sorted({heard.words[at] for at in range(first, column)})
                text = unspelt([heard.written[w] for w in taken])
                spent = float(cost - self.columns[first][1][state])
                yield _Part(text, spent, self._long(first, column), free=True)
                column = first
                continue
            if not column:
                break
            column -= 1  # a unit too many, between words
            yield _Part("", GAP, 1.0)

    def _long(self, first: int, last: int) -> float:
        return sum(weight(options[0]) for options in self._heard.units[first:last])

    def _through(self, node: int, column: int) -> tuple[int, int]:
        """Return the column and the state that the word of a place was begun from."""
        while True:
            first, src = bool(self._g.first[node]), int(self._g.src[node])
            moves = [(self._cost(node - 1, src, first, column) + float(self._g.gap[node]), 0, 1)]
            if column:
                options = self._heard.units[column - 1]
                step = min(unlike(self._g.sounds[int(self._g.unit[node])], o) for o in options)
                heard = self._cost(node - 1, src, first, column - 1) + step
                extra = self._cost(node, src, False, column - 1) + min(map(gap, options))
                moves += [(heard, 1, 1), (extra, 1, 0)]
            _, columns, nodes = min(moves)  # what is less than was noted has got there since
            column -= columns
            if nodes and first:
                return column, src
            node -= nodes

    def _cost(self, node: int, state: int, at_state: bool, column: int) -> float:
        nodes, states, _ = self.columns[column]
        return float(states[state] if at_state else nodes[node])

    def _freed(self, state: int, column: int, cost: float) -> tuple[int, int] | None:
        """Return where free text that leads to a state here began, and from which state."""
        g, heard = self._g, self._heard
        for number in (int(n) for n in (g.free_dst == state).nonzero()[0]):
            if not _same(self.columns[column][2][number], cost):
                continue
            at, spent = column, 0.0
            while at:
                at -= 1
                began = at == 0 or heard.words[at - 1] != heard.words[at]
                spent += FREE * weight(heard.units[at][0]) + FREE_WORD * began
                src = int(g.free_src[number])
                if began and _same(self.columns[at][1][src] + spent, cost):
                    return at, src
        return None


def _same(one: float, other: float) -> bool:
    return abs(float(one) - float(other)) < 1e-3


def _range(ordered: NDArray[Any], value: int) -> tuple[int, int]:
    return int(ordered.searchsorted(value)), int(ordered.searchsorted(value, "right"))


def _with_free(sayings: Sequence[Saying]) -> Iterator[Saying]:
    """Yield every sentence, and again with free text where a list is open."""
    for saying in sayings:
        yield saying
        if saying.open:
            free = dict.fromkeys(saying.open)
            yield replace(saying, slots={**saying.slots, **free})


def _said(words: Sequence[str]) -> dict[str, list[tuple[Unit, ...]]]:
    """Return the ways to say each word of a graph."""
    said: dict[str, list[tuple[Unit, ...]]] = {}
    plain = [word for word in words if not is_han(word)]
    sounds = pronounce(plain)
    for word in words:
        if word in sounds:
            said[word] = [tuple(way.split()) for way in sounds[word].phones[:VARIANTS]]
        else:
            said[word] = [(syllable,) for syllable in syllables(unspelt([word]))]
    return said


def _aloud(text: str) -> Iterator[_Heard]:
    """Yield the ways to read a text aloud."""
    text = clean(text).lower()
    pieces = list(PIECE.finditer(text))
    choices = [ways(piece, [language_of(text)]) for piece in pieces]
    for reading in islice(product(*choices), READ):
        units: list[tuple[Unit, ...]] = []
        of: list[int] = []
        for number, words in enumerate(reading):
            for options in _sounds(words):
                units.append(options)
                of.append(number)
        yield _Heard(tuple(units), tuple(of), tuple(piece[0] for piece in pieces))


def _sounds(words: Words) -> list[tuple[Unit, ...]]:
    found: list[tuple[Unit, ...]] = []
    for word in words:
        if is_han(word):
            if options := syllables(unspelt([word])):
                found.append(options)
        else:
            found += [(phone,) for phone in _phones(word)]
    return found


@lru_cache(maxsize=4096)
def _phones(word: str) -> tuple[str, ...]:
    return tuple(pronounce([word])[word].phones[0].split())
