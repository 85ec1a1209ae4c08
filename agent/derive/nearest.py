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
from threading import Lock
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
FREE = 0.12
"""Cost of a phone of free text: a word of a list may be so unlike before it is another word. Of 100
free words that were spoken and 47 of lists 71 and 44 come out exactly; with 0.2 it is 67 and 45,
since "maple syrup" is "an apple" then."""
FREE_WORD = 0.08
"""Cost of a word of free text, on top: a single short word is easily like another."""
FREE_MOST = FREE + FREE_WORD
"""The most that a phone of free text costs: one that is a word of its own."""
SKIPPED = 2
"""Units of the graph in a row that the text may lack."""
BEAM = 3.0
"""Cost above the best of a moment from which a way is followed no further."""
ALMOST = 0.05
"""Cost under which a text is a sentence as it was written: less than of any sound that differs."""
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
    spent: float = 0.0
    """The cost with that of free text, by which sentences are compared."""

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
        self._graphs = tuple(_kept(_Listed(one)) for one in skills.values())
        self._all = _together(self._graphs)

    def find(self, text: str, within: float = math.inf, most: float = math.inf) -> Near | None:
        """Return the nearest sentence, some 10 ms.

        None where none is as near as `within` a phone, and `most` with its free text.
        """
        best = None
        for heard in _aloud(text):
            phones = sum(weight(options[0]) for options in heard.units)
            if not phones or len(heard.units) > MOST_UNITS or not len(self._all.unit):
                continue
            free = FREE_MOST if len(self._all.free_src) else 0.0
            limit = min((within + free) * phones, most if best is None else best.spent)
            found = _Search(self._all, heard, limit).sentence()
            if found is not None and (best is None or found.spent < best.spent):
                best = found
                if found.cost and not found.free:
                    written = self._as_written(heard)
                    if written is not None and _elsewhere(found, written):
                        best = written
        return best if best is not None and best.distance <= within else None

    def _as_written(self, heard: _Heard) -> Near | None:
        """Return the sentence that a text is but for free words, if it is one."""
        price = ALMOST / MOST_UNITS
        found = _Search(self._all, heard, ALMOST, price).sentence()
        if found is None or found.cost or not found.free:
            return None
        return replace(found, spent=found.spent / price)  # by which it is compared with others


def _elsewhere(near: Near, written: Near) -> bool:
    """Whether a sentence differs from another in more than the words that are free in that.

    "Add boots to my packing list" is near "add boots to my shopping list", and is no such thing;
    "play hot cross bums" is "play hot cross buns", which is in a list, and not just any song.
    """
    first, last = written.free[0], written.free[-1]
    before, after = written.text.partition(first)[0], written.text.rpartition(last)[2]
    return not (near.text.startswith(before) and near.text.endswith(after))


def apart(one: str, other: str) -> float:
    """Return how unlike two texts sound in all, in phones, read in the ways that suit best."""
    return min(
        (_apart(mine.units, theirs.units) for mine in _aloud(one) for theirs in _aloud(other)),
        default=0.0,
    )


def length(text: str) -> float:
    """Return how long a text is, read aloud, in phones."""
    heard = next(_aloud(text), None)
    return sum(weight(options[0]) for options in heard.units) if heard else 0.0


def _apart(one: Sequence[tuple[Unit, ...]], other: Sequence[tuple[Unit, ...]]) -> float:
    row = [0.0]
    for options in other:
        row.append(row[-1] + min(map(gap, options)))
    for mine in one:
        extra = min(map(gap, mine))
        before, row = row, [row[0] + extra]
        for at, theirs in enumerate(other):
            change = before[at] + min(unlike(a, b) for a in mine for b in theirs)
            less = row[at] + min(map(gap, theirs))
            row.append(min(change, before[at + 1] + extra, less))
    return row[-1]


class _Listed:
    """Sayings that are compared by what is in them."""

    def __init__(self, sayings: Sequence[Saying]) -> None:
        self.sayings = [*_with_free(sayings)]
        self._content = grammar.content(self.sayings)

    def __hash__(self) -> int:
        return hash(self._content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Listed) and self._content == other._content


@lru_cache(maxsize=64)
def _kept(listed: _Listed) -> _Graph:
    return _Graph(grammar.build([spelt(saying) for saying in listed.sayings]))


@lru_cache(maxsize=4)  # one a language, for the ears and the router alike, and what was before
def _together(graphs: tuple[_Graph, ...]) -> _Graph:
    return _Graph.together(graphs)


class _Graph:
    """Sentences, every sound of every word a place of its own.

    Places are numbered so that a word's sounds follow one another; its first comes after a state
    of the grammar's graph, its last leads to one.
    """

    def __init__(self, graph: grammar.Graph | None = None) -> None:
        """Take the sentences of one skill."""
        import numpy as np

        words = [] if graph is None else graph.transitions
        self.states = 0 if graph is None else graph.states
        self.starts = np.array([] if graph is None else [graph.start], np.int64)
        self.finals = np.array([] if graph is None else sorted(graph.finals), np.int64)
        self.words = [arc.word for arc in words if arc.word != grammar.FREE_TEXT]
        free = [arc for arc in words if arc.word == grammar.FREE_TEXT]
        self.free_src = np.array([arc.src for arc in free], np.int64)
        self.free_dst = np.array([arc.dst for arc in free], np.int64)
        said = _said(sorted(set(self.words)))
        self.long = {word: min(sum(map(weight, way)) for way in said[word]) for word in said}
        unit: list[int] = []
        arcs: list[int] = []
        firsts, srcs, lasts, dsts = [], [], [], []
        closed = [arc for arc in words if arc.word != grammar.FREE_TEXT]
        for number, arc in enumerate(closed):
            for way in said[arc.word]:
                firsts.append(len(unit))
                srcs.append(arc.src)
                unit += map(_number, way)
                arcs += [number] * len(way)
                lasts.append(len(unit) - 1)
                dsts.append(arc.dst)
        self.unit = np.array(unit, np.int64)
        self.arc = np.array(arcs, np.int64)
        self.firsts, self.srcs = np.array(firsts, np.int64), np.array(srcs, np.int64)
        self.lasts, self.dsts = np.array(lasts, np.int64), np.array(dsts, np.int64)

    @classmethod
    def together(cls, graphs: Sequence[_Graph]) -> _Graph:
        """Put graphs side by side, ready to be searched."""
        import numpy as np

        every = cls()
        for g in graphs:
            nodes, states, arcs = len(every.unit), every.states, len(every.words)
            for name, more in (
                ("starts", states), ("finals", states), ("free_src", states), ("free_dst", states),
                ("unit", 0), ("arc", arcs), ("firsts", nodes), ("srcs", states), ("lasts", nodes),
                ("dsts", states),
            ):  # fmt: skip
                setattr(
                    every, name, np.concatenate([getattr(every, name), getattr(g, name) + more])
                )
            every.words += g.words
            every.states += g.states
            every.long |= g.long
        every._prepare()
        return every

    def _prepare(self) -> None:
        """Index words by where they begin, and note where they end."""
        import numpy as np

        order = np.argsort(self.srcs, kind="stable")
        self.begin = self.firsts[order]  # first places, in the order of the states before them
        self.begin_at = np.searchsorted(self.srcs[order], np.arange(self.states + 1))
        self.leads = np.full(len(self.unit), -1, np.int64)  # the state after a last place
        self.leads[self.lasts] = self.dsts
        self.after = np.full(len(self.unit), -1, np.int64)  # the state before a first place
        self.after[self.firsts] = self.srcs
        self.gap = np.array([gap(unit) for unit in [*_UNITS]], np.float32)[self.unit]
        self.kinds, self.kind = np.unique(self.unit, return_inverse=True)
        self._rows: dict[tuple[Unit, ...], NDArray[Any]] = {}
        # Scratch; belongs to the search that runs.
        self.node_costs = np.full(len(self.unit), np.inf, np.float32)
        self.state_costs = np.full(self.states, np.inf, np.float32)
        self.lock = Lock()

    def unlike(self, options: tuple[Unit, ...]) -> NDArray[Any]:
        """Return how unlike a sound that was heard is to each kind of sound in the graph."""
        import numpy as np

        if options not in self._rows:
            rows = [[unlike(_UNITS[n], option) for n in self.kinds] for option in options]
            self._rows[options] = np.array(rows, np.float32).min(axis=0)
        return self._rows[options]


_NUMBERS: dict[Unit, int] = {}
_UNITS: list[Unit] = []
_NUMBERING = Lock()  # the ears and the router build graphs on threads of their own


def _number(unit: Unit) -> int:
    """Return the number of a unit, the same for all graphs."""
    with _NUMBERING:
        if unit not in _NUMBERS:
            _UNITS.append(unit)
            _NUMBERS[unit] = len(_UNITS) - 1
        return _NUMBERS[unit]


Costs = tuple["NDArray[Any]", "NDArray[Any]"]
"""Places or states in ascending order, and what it costs to be there."""


class _Search:
    """One text aligned with the graph, unit by unit, along every way that is not hopeless."""

    def __init__(self, graph: _Graph, heard: _Heard, most: float, price: float = 1.0) -> None:
        """Align; given up as soon as every way costs more than `most`.

        Free text costs `price` times as much as elsewhere.
        """
        import numpy as np

        self._g, self._heard, self._most = graph, heard, most
        self._free, self._free_word = FREE * price, FREE_WORD * price
        self.columns: list[tuple[Costs, Costs, NDArray[Any]]] = []
        with graph.lock:
            free = np.full(len(graph.free_src), np.inf, np.float32)
            starts = np.unique(graph.starts), np.zeros(len(graph.starts), np.float32)
            empty = np.array([], np.int64), np.array([], np.float32)
            nodes, states = self._settled(*empty, *starts)
            self.columns.append((nodes, states, free))
            for at in range(len(heard.units)):
                if not (len(nodes[0]) or len(states[0]) or np.isfinite(free).any()):
                    break
                nodes, states, free = self._next(at, nodes, states, free)
                self.columns.append((nodes, states, free))

    def _begun(self, states: Costs) -> Costs:
        """Return the first places of the words after states, with the costs of the states."""
        import numpy as np

        g = self._g
        low, high = g.begin_at[states[0]], g.begin_at[states[0] + 1]
        counts = high - low
        total = int(counts.sum())
        ends = np.cumsum(counts)
        index = np.arange(total) + np.repeat(low - (ends - counts), counts)
        return g.begin[index], np.repeat(states[1], counts)

    def _settled(
        self, node: NDArray[Any], cost: NDArray[Any], state: NDArray[Any], paid: NDArray[Any]
    ) -> tuple[Costs, Costs]:
        """Keep the least cost of each place and state, and pass over what was not heard."""
        import numpy as np

        g = self._g
        nodes, states = g.node_costs, g.state_costs
        np.minimum.at(nodes, node, cost)
        np.minimum.at(states, state, paid)
        fresh = node
        for passed in range(SKIPPED + 1):
            ended = fresh[g.leads[fresh] >= 0]
            np.minimum.at(states, g.leads[ended], nodes[ended])
            best = min(nodes.min(initial=np.inf), states.min(initial=np.inf))
            bound = min(best + BEAM, self._most)
            here = np.flatnonzero(states <= bound)
            if passed == SKIPPED:
                break
            inner = fresh[(g.leads[fresh] < 0) & (nodes[fresh] <= bound)] + 1
            begun, before = self._begun((here, states[here]))
            onward = np.concatenate([inner, begun])
            spent = np.concatenate([nodes[inner - 1], before]) + g.gap[onward]
            better = spent < np.minimum(nodes[onward], bound)
            fresh, spent = onward[better], spent[better]
            np.minimum.at(nodes, fresh, spent)
        there = np.flatnonzero(nodes <= bound)
        found = (there, nodes[there]), (here, states[here])
        nodes.fill(np.inf)
        states.fill(np.inf)
        return found

    def _next(
        self, at: int, nodes: Costs, states: Costs, free: NDArray[Any]
    ) -> tuple[Costs, Costs, NDArray[Any]]:
        """Hear one more unit."""
        import numpy as np

        g, heard = self._g, self._heard
        options = heard.units[at]
        row, extra = g.unlike(options), np.float32(min(map(gap, options)))
        inner = g.leads[nodes[0]] < 0
        begun, before = self._begun(states)
        onward = np.concatenate([nodes[0][inner] + 1, begun])
        spent = np.concatenate([nodes[1][inner], before]) + row[g.kind[onward]]
        node, cost = np.concatenate([onward, nodes[0]]), np.concatenate([spent, nodes[1] + extra])
        state, paid = states[0], states[1] + extra
        if len(free):
            began = at == 0 or heard.words[at - 1] != heard.words[at]
            word = np.float32(self._free * weight(options[0]) + self._free_word * began)
            if began:
                known = np.full(g.states, np.inf, np.float32)
                known[states[0]] = states[1]
                free = np.minimum(free, known[g.free_src])
            free = free + word
            if at + 1 == len(heard.units) or heard.words[at + 1] != heard.words[at]:
                state = np.concatenate([state, g.free_dst])
                paid = np.concatenate([paid, free])
        keep = cost <= self._most
        return *self._settled(node[keep], cost[keep], state, paid), free

    # -- the way back -----------------------------------------------------------------------------

    def sentence(self) -> Near | None:
        """Return the sentence of the best path; None where it was given up."""
        g, heard = self._g, self._heard
        if len(self.columns) <= len(heard.units):
            return None
        at, spent = min(
            ((self._state(int(final), -1), int(final)) for final in g.finals),
            default=(math.inf, 0),
        )[::-1]
        if not math.isfinite(spent):
            return None
        length = sum(weight(options[0]) for options in heard.units)
        parts = list(self._back(at))[::-1]
        return Near(
            unspelt([part.text for part in parts if part.text]),
            max(0.0, round(spent - sum(p.cost for p in parts if p.free), 4)),
            length,
            max((part.cost / part.length for part in parts if not part.free), default=0.0),
            tuple(part.text for part in parts if part.free),
            spent,
        )

    def _back(self, state: int) -> Iterator[_Part]:
        """Follow the costs back from a final state at the end of the text."""
        g, heard = self._g, self._heard
        column = len(heard.units)
        while column or state not in g.starts:
            cost = self._state(state, column)
            lasts = ((self._node(int(n), column), int(n)) for n in g.lasts[g.dsts == state])
            word = min(lasts, default=(math.inf, -1))
            free = self._freed(state, column)
            if column and cost < min(word[0], free[0]) - 1e-3:
                column -= 1  # a unit too many, between words
                yield _Part("", GAP, 1.0)
            elif word[0] <= free[0]:
                node, before = word[1], column
                column, state = self._through(node, column)
                text = g.words[int(g.arc[node])]
                spent = max(0.0, word[0] - self._state(state, column))
                yield _Part(text, spent, max(self._long(column, before), g.long[text]))
            else:
                spent, first, state = free
                taken = sorted({heard.words[at] for at in range(first, column)})
                text = unspelt([heard.written[w] for w in taken])
                spent -= self._state(state, first)
                yield _Part(text, spent, self._long(first, column), free=True)
                column = first

    def _node(self, node: int, column: int) -> float:
        return _cost(self.columns[column][0], node)

    def _state(self, state: int, column: int) -> float:
        return _cost(self.columns[column][1], state)

    def _long(self, first: int, last: int) -> float:
        return sum(weight(options[0]) for options in self._heard.units[first:last])

    def _through(self, node: int, column: int) -> tuple[int, int]:
        """Return the column and the state that the word of a place was begun from."""
        g = self._g
        while True:
            src, kind = int(g.after[node]), _UNITS[int(g.unit[node])]
            moves = [(self._come(node, src, column) + gap(kind), 0, 1)]
            if column:
                options = self._heard.units[column - 1]
                step = min(unlike(kind, option) for option in options)
                extra = self._node(node, column - 1) + min(map(gap, options))
                moves += [(self._come(node, src, column - 1) + step, 1, 1), (extra, 1, 0)]
            _, columns, nodes = min(moves)
            column -= columns
            if nodes and src >= 0:
                return column, src
            node -= nodes

    def _come(self, node: int, src: int, column: int) -> float:
        """Return the cost of what comes before a place."""
        return self._state(src, column) if src >= 0 else self._node(node - 1, column)

    def _freed(self, state: int, column: int) -> tuple[float, int, int]:
        """Return the cost of free text that leads to a state here, where it began and whence."""
        g, heard = self._g, self._heard
        best = math.inf, 0, 0
        for number in (int(n) for n in (g.free_dst == state).nonzero()[0]):
            src, at, spent = int(g.free_src[number]), column, 0.0
            while at:
                at -= 1
                began = at == 0 or heard.words[at - 1] != heard.words[at]
                spent += self._free * weight(heard.units[at][0]) + self._free_word * began
                if began:
                    best = min(best, (self._state(src, at) + spent, at, src))
        ended = column == len(heard.units) or heard.words[column] != heard.words[column - 1]
        return best if column and ended else (math.inf, 0, 0)


def _cost(costs: Costs, key: int) -> float:
    """Return what it costs to be at a place; infinite where nobody is."""
    keys, paid = costs
    at = int(keys.searchsorted(key))
    return float(paid[at]) if at < len(keys) and keys[at] == key else math.inf


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
