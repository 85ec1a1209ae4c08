"""Turn what can be said into a graph of words that a speech decoder can follow.

Sentence templates are parsed by hassil and become one minimal acyclic automaton over words: no
empty transitions, no two equal transitions out of a state, no two states that say the same. That
matters: from a plain list of all sentences pocketsphinx needs half a minute, from this graph tens
of milliseconds.

Words stay as the template wrote them (lower case, outer punctuation dropped), so that what is heard
is text that the same templates match again; `agent.language.pronounce` knows that `7` is said
"seven". Words in a script that has no English pronunciation, such as Chinese, are left out with
every sentence that needs them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hassil import parse_sentence
from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)
from hassil.parser import ParseError

from agent.errors import SentenceError
from agent.language.saying import Saying
from agent.skill.template import MAX_PERMUTATION, is_text

FREE_TEXT = "{}"
"""The word of a transition that stands for one or more words that the grammar does not know."""


_RULE_DEPTH = 24
"""Rules within rules, as deep as hassil itself goes."""

_BREAK = " "
_OUTER = ' \t\n.,;:!?"“”…()[]<>*_~`|/\\'  # at the ends of a word it says nothing
_SAID_SYMBOLS = frozenset("&%+@=$€£°#")  # they have words of their own
_NUMBER_RANGE = re.compile(r"^(\d+)\.\.(\d+)(?:,(\d+))?$")

_Arcs = tuple[tuple[tuple[str, int], ...], ...]

_Subset = int | frozenset[tuple[int, float]]
"""States that the same words lead to, each with its weight; one state alone weighs 1."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One word that may come next."""

    src: int
    """State before the word."""
    dst: int
    """State after it."""
    word: str
    """The word as written, or FREE_TEXT."""
    probability: float
    """0 < p <= 1, from the weights of the sayings; not normalised over a state."""


@dataclass(frozen=True, slots=True)
class Graph:
    """All sentences that can be said, as a minimal graph of words."""

    start: int
    """State before the first word."""
    finals: frozenset[int]
    """States in which a sentence may end."""
    transitions: tuple[Transition, ...]
    """Sorted by source; empty when nothing can be said."""

    @property
    def words(self) -> frozenset[str]:
        """Every word in the graph, without FREE_TEXT."""
        return frozenset(t.word for t in self.transitions if t.word != FREE_TEXT)

    @property
    def states(self) -> int:
        """How many states there are; they are numbered from 0."""
        return 1 + max((max(t.src, t.dst) for t in self.transitions), default=0)


@dataclass(frozen=True, slots=True)
class _Automaton:
    """A minimal acyclic automaton: state 0 is the start."""

    arcs: _Arcs
    """For each state its (label, destination) pairs, sorted by label."""
    finals: frozenset[int]
    """Accepting states."""


class _Nfa:
    """An automaton under construction; "" is an empty transition."""

    def __init__(self) -> None:
        self.arcs: list[list[tuple[str, int]]] = []

    def state(self) -> int:
        self.arcs.append([])
        return len(self.arcs) - 1

    def link(self, src: int, label: str, dst: int) -> None:
        self.arcs[src].append((label, dst))


Content = tuple[tuple[Any, ...], ...]
"""Equal for sayings that make the same graph."""


def content(sayings: Sequence[Saying]) -> Content:
    """Return all of the sayings that their graph depends on."""
    return tuple(
        (s.template, s.weight, tuple(sorted(s.slots.items())), tuple(sorted(s.rules.items())))
        for s in sayings
    )


def build(sayings: Sequence[Saying]) -> Graph:
    """Build the graph of everything that `sayings` allow.

    Templates, lists and graphs that were seen before come from a cache; of new sayings only the
    union is made. Raises SentenceError naming the template when it does not parse, or names a slot
    or rule that does not exist, or a rule that contains itself.
    """
    return _graph(content(sayings))


@lru_cache(maxsize=8)
def _graph(contents: Content) -> Graph:
    sayings = [
        Saying("", template, dict(slots), dict(rules), weight)
        for template, weight, slots, rules in contents
    ]
    nfa = _Nfa()
    start, final = nfa.state(), nfa.state()
    heaviest = max((saying.weight for saying in sayings), default=1.0)
    entries: dict[int, float] = {}
    for saying in sayings:
        if saying.weight <= 0:
            raise SentenceError(f"'{saying.template}': weight {saying.weight} is not above 0")
        entry = nfa.state()
        entries[entry] = saying.weight / heaviest
        _splice(nfa, entry, final, _of_template(saying), saying)
    return _weighted(nfa, entries or {start: 1.0}, final)


def _weighted(nfa: _Nfa, entries: Mapping[int, float], final: int) -> Graph:
    """Determinise with each sentence as likely as the heaviest saying that allows it, minimise.

    The standard construction (Mohri 1997) in the max-times semiring: a subset remembers for each
    of its states how much less likely it is than the best.
    """
    _trim(nfa, final)
    closure = _closures(nfa)

    def closed(weights: Mapping[int, float]) -> tuple[float, _Subset]:
        if len(weights) == 1:  # most are: within a list nothing branches back
            return next((weight, state) for state, weight in weights.items())
        reached: dict[int, float] = {}
        for state, weight in weights.items():
            for other in closure[state]:
                reached[other] = max(weight, reached.get(other, 0.0))
        best = max(reached.values())
        return best, frozenset((s, round(w / best, 6)) for s, w in reached.items())

    def follow(subset: _Subset) -> Iterable[tuple[str, float, _Subset]]:
        if isinstance(subset, int) and len(closure[subset]) == 1:
            arcs = dict(nfa.arcs[subset])
            if len(arcs) == len(nfa.arcs[subset]):
                return [(label, 1.0, arcs[label]) for label in sorted(arcs)]
        onward: dict[str, dict[int, float]] = {}
        for state, weight in members(subset):
            for label, dst in nfa.arcs[state]:
                if label:
                    to = onward.setdefault(label, {})
                    to[dst] = max(weight, to.get(dst, 0.0))
        return [(label, *closed(onward[label])) for label in sorted(onward)]

    def members(subset: _Subset) -> Iterable[tuple[int, float]]:
        return [(s, 1.0) for s in closure[subset]] if isinstance(subset, int) else subset

    index: dict[_Subset, int] = {}
    signatures: dict[tuple[bool, tuple[tuple[str, float, int], ...]], int] = {}

    def number(subset: _Subset) -> int:
        """Return the state of a subset, numbering its successors first: as deep as a sentence."""
        known = index.get(subset)
        if known is None:
            arcs = tuple([(label, p, number(to)) for label, p, to in follow(subset)])
            accepts = any(state == final for state, _ in members(subset))
            known = signatures.setdefault((accepts, arcs), len(signatures))
            index[subset] = known
        return known

    begin = number(closed(entries)[1])
    transitions = tuple(
        Transition(state, to, label, p)
        for (_, arcs), state in signatures.items()
        for label, p, to in arcs
    )
    finals = frozenset(state for (accepts, _), state in signatures.items() if accepts)
    return Graph(begin, finals, transitions)


CALLED = 0.02
"""Probability that a sentence begins with a wake phrase, beside 1 for the likeliest sentence."""


def called(graph: Graph, phrases: Iterable[str]) -> Graph:
    """Let every sentence of a graph begin with any of these phrases: "okay glasses, …".

    The last word of each leads to where sentences begin, so all of it is a few transitions, and
    the graph has circles.
    """
    if not graph.transitions:
        return graph
    added: list[Transition] = []
    states = graph.states
    for phrase in phrases:
        *before, last = phrase.casefold().split() or [""]
        if not before:  # one word alone is too easily heard in noise
            continue
        at = graph.start
        for word in before:
            added.append(Transition(at, states, word, CALLED if at == graph.start else 1.0))
            at, states = states, states + 1
        added.append(Transition(at, graph.start, last, 1.0))
    ordered = sorted((*graph.transitions, *added), key=lambda t: t.src)
    return Graph(graph.start, graph.finals, tuple(ordered))


def _trim(nfa: _Nfa, final: int) -> None:
    """Drop what leads to no end, such as a slot whose list is empty."""
    before: list[list[int]] = [[] for _ in nfa.arcs]
    for state, arcs in enumerate(nfa.arcs):
        for _, dst in arcs:
            before[dst].append(state)
    alive, todo = {final}, [final]
    while todo:
        for state in before[todo.pop()]:
            if state not in alive:
                alive.add(state)
                todo.append(state)
    nfa.arcs = [[arc for arc in arcs if arc[1] in alive] for arcs in nfa.arcs]


def _closures(nfa: _Nfa) -> list[tuple[int, ...]]:
    """For each state, all states that empty transitions lead to, itself included."""
    closures: list[tuple[int, ...]] = []
    for state, arcs in enumerate(nfa.arcs):
        if not any(label == "" for label, _ in arcs):
            closures.append((state,))
            continue
        seen, todo = {state}, [state]
        while todo:
            for label, dst in nfa.arcs[todo.pop()]:
                if label == "" and dst not in seen:
                    seen.add(dst)
                    todo.append(dst)
        closures.append(tuple(seen))
    return closures


def _minimal(nfa: _Nfa, start: int, final: int) -> _Automaton:
    """Determinise and minimise an acyclic automaton whose sentences all weigh the same."""
    graph = _weighted(nfa, {start: 1.0}, final)
    names = {graph.start: 0}
    for transition in graph.transitions:
        names.setdefault(transition.src, len(names))
        names.setdefault(transition.dst, len(names))
    arcs: list[list[tuple[str, int]]] = [[] for _ in names]
    for transition in graph.transitions:
        arcs[names[transition.src]].append((transition.word, names[transition.dst]))
    finals = frozenset(names[state] for state in graph.finals if state in names)
    return _Automaton(tuple(map(tuple, arcs)), finals)


def _splice(nfa: _Nfa, src: int, dst: int, part: _Automaton, saying: Saying | None) -> None:
    """Copy `part` between two states, replacing slot labels by the lists of `saying`."""
    states = [src, *(nfa.state() for _ in part.arcs[1:])]
    for state, arcs in zip(states, part.arcs, strict=True):
        for label, to in arcs:
            if saying is not None and label[0] == "{":
                values = _values(label[1:-1], saying)
                if values is None:
                    nfa.link(state, FREE_TEXT, states[to])
                else:
                    _splice(nfa, state, states[to], _of_list(values, _rules(saying)), None)
            else:
                nfa.link(state, label, states[to])
    for state in part.finals:
        nfa.link(states[state], "", dst)


def _values(slot: str, saying: Saying) -> tuple[str, ...] | None:
    """Return a slot's spoken forms, None for free text. `0..100,5` is a range of numbers."""
    if slot in saying.slots:
        return saying.slots[slot]
    if numbers := _NUMBER_RANGE.match(slot):
        first, last, step = (int(group or 1) for group in numbers.groups())
        return tuple(map(str, range(first, last + 1, max(step, 1))))
    raise SentenceError(f"'{saying.template}': there is no slot '{slot}'")


def _rules(saying: Saying) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(saying.rules.items()))


def _of_template(saying: Saying) -> _Automaton:
    return _template(saying.template, _rules(saying))


@lru_cache(maxsize=4096)
def _template(template: str, rules: tuple[tuple[str, str], ...]) -> _Automaton:
    """Compile one template to words and `{slot}` labels."""
    return _words(_Fragments(template, dict(rules)).automaton([template]))


EDGE = ""
"""Stands for the beginning and the end of a sentence among the words around a slot."""


@dataclass(frozen=True, slots=True)
class Around:
    """The words around a slot, where another slot is a word too, `{slot}`."""

    before: frozenset[str]
    """Those that may stand right before it; EDGE where it may begin the sentence."""
    after: frozenset[str]
    """Those that may stand right after it; EDGE where it may end the sentence."""
    leading: frozenset[str]
    """All that may stand between it and the slot before it, or the beginning."""
    between: frozenset[str]
    """The same, where there is a slot before it: "{what} when i get to {place}"."""


def around(template: str, rules: tuple[tuple[str, str], ...]) -> dict[str, Around]:
    """Return what stands around each slot of a template. Raises SentenceError as `build` does."""
    nfa, start, final = _Fragments(template, dict(rules)).automaton([template])
    arcs = _ordered(nfa, start)
    before, after, leading, between = ([set[str]() for _ in nfa.arcs] for _ in range(4))
    behind: set[int] = set()  # states with a slot behind them
    before[start].add(EDGE)
    after[final].add(EDGE)
    for state, label, to in arcs:
        silent = not label.strip()
        before[to] |= before[state] if silent else {label}
        if silent or label[0] != "{":
            leading[to] |= leading[state] | ({label} - {"", _BREAK})
            if state in behind:
                between[to] |= between[state] | ({label} - {"", _BREAK})
        if state in behind or (not silent and label[0] == "{"):
            behind.add(to)
    for state, label, to in reversed(arcs):
        after[state] |= {label} if label.strip() else after[to]
    found: dict[str, Around] = {}
    for state, label, to in arcs:
        if label[:1] == "{":
            sides = before[state], after[to], leading[state], between[state]
            own = Around(*map(frozenset, sides))
            slot = label[1:-1]
            found[slot] = merged(found[slot], own) if slot in found else own
    return found


def needed(template: str, rules: tuple[tuple[str, str], ...]) -> frozenset[frozenset[str]]:
    """Return the fewest slots that a template can be said with: one set for each way to say it.

    Of sets that hold one another the smaller counts. Raises SentenceError as `build` does.
    """
    nfa, start, final = _Fragments(template, dict(rules)).automaton([template])
    ways: list[set[frozenset[str]]] = [set() for _ in nfa.arcs]
    ways[start].add(frozenset())
    for state, label, to in _ordered(nfa, start):
        own = {label[1:-1]} if label[:1] == "{" else set()
        ways[to] = smallest(ways[to] | {way | own for way in ways[state]})
    return frozenset(ways[final])


def smallest(sets: Iterable[frozenset[str]]) -> set[frozenset[str]]:
    """Return those of which no other is a part."""
    every = {*sets}
    return {one for one in every if not any(other < one for other in every)}


def merged(one: Around, other: Around) -> Around:
    """Return what stands around a slot in either."""
    return Around(
        one.before | other.before,
        one.after | other.after,
        one.leading | other.leading,
        one.between | other.between,
    )


def _ordered(nfa: _Nfa, start: int) -> list[tuple[int, str, int]]:
    """Return the arcs so that all that lead to a state come before those out of it."""
    order: list[int] = []
    seen: set[int] = set()

    def visit(state: int) -> None:
        if state not in seen:
            seen.add(state)
            for _, to in nfa.arcs[state]:
                visit(to)
            order.append(state)

    visit(start)
    return [(state, label, to) for state in reversed(order) for label, to in nfa.arcs[state]]


@lru_cache(maxsize=1024)
def _of_list(values: tuple[str, ...], rules: tuple[tuple[str, str], ...] = ()) -> _Automaton:
    """Compile all values of one list."""
    automaton = _words(_Fragments("|".join(values)[:40], dict(rules)).automaton(values))
    for arcs in automaton.arcs:
        for label, _ in arcs:
            if label[0] == "{":
                raise SentenceError(f"a list value has the slot {label}; lists cannot hold slots")
    return automaton


class _Fragments:
    """Builds the automaton of a template over pieces of words and breaks between them.

    hassil templates may be split within a word (`lamp[s]`), so words are put together afterwards.
    """

    def __init__(self, template: str, rules: Mapping[str, str]) -> None:
        self.nfa = _Nfa()
        self.template = template
        self.rules = rules

    def automaton(self, templates: Iterable[str]) -> tuple[_Nfa, int, int]:
        start, final = self.nfa.state(), self.nfa.state()
        for template in templates:
            self.add(self.parse(template), start, final, 0)
        return self.nfa, start, final

    def parse(self, template: str) -> Expression:
        if not template.strip():
            raise SentenceError(f"'{self.template}': it is empty")
        if is_text(template):
            return TextChunk(text=template)
        try:
            return parse_sentence(template).expression
        except (ParseError, AssertionError) as error:
            reason = str(error) or "brackets do not match"
            raise SentenceError(f"'{template}' is not a sentence template: {reason}") from error

    def add(self, expression: Expression, src: int, dst: int, depth: int) -> None:
        """Add one expression between two states."""
        match expression:
            case TextChunk():
                self.text(expression.original_text, src, dst)
            case Alternative():
                for item in expression.items:
                    self.add(item, src, dst, depth)
            case Permutation():
                self.permutation(expression.items, src, dst, depth)
            case Group():
                for item in expression.items:
                    after = self.nfa.state()
                    self.add(item, src, after, depth)
                    src = after
                self.nfa.link(src, "", dst)
            case RuleReference():
                self.rule(expression.rule_name, src, dst, depth)
            case ListReference():
                self.nfa.link(src, f"{{{expression.list_name}}}", dst)
            case _:
                raise SentenceError(f"'{self.template}': cannot say {type(expression).__name__}")

    def text(self, text: str, src: int, dst: int) -> None:
        for piece in re.findall(r"\s+|\S+", text):
            after = self.nfa.state()
            self.nfa.link(src, _BREAK if piece.isspace() else piece, after)
            src = after
        self.nfa.link(src, "", dst)

    def rule(self, name: str, src: int, dst: int, depth: int) -> None:
        if name not in self.rules:
            raise SentenceError(f"'{self.template}': there is no rule '<{name}>'")
        if depth >= _RULE_DEPTH:
            raise SentenceError(f"'{self.template}': the rule '<{name}>' contains itself")
        self.add(self.parse(self.rules[name]), src, dst, depth + 1)

    def permutation(self, items: Sequence[Expression], src: int, dst: int, depth: int) -> None:
        """Add all orders: one state for each set of items said so far, not one for each order."""
        if len(items) > MAX_PERMUTATION:
            raise SentenceError(
                f"'{self.template}': {len(items)} items in any order are more than "
                f"{MAX_PERMUTATION}; split the sentence"
            )
        everything = (1 << len(items)) - 1
        states = [src, *(self.nfa.state() for _ in range(everything - 1)), dst]
        for said, state in enumerate(states):
            for position, item in enumerate(items):
                if not said & 1 << position:
                    self.add(item, state, states[said | 1 << position], depth)


def _words(fragments: tuple[_Nfa, int, int]) -> _Automaton:
    """Join pieces of words into words; a slot is always words of its own."""
    pieces, start, final = fragments
    words = _Nfa()
    names: dict[int, int] = {}
    todo: list[int] = []

    def name(state: int) -> int:
        if state not in names:
            names[state] = words.state()
            todo.append(state)
        return names[state]

    end = words.state()
    begin = name(start)

    def finish(src: int, word: str, dst: int) -> None:
        cleaned = clean(word)
        if cleaned is not None:
            words.link(src, cleaned, dst)

    while todo:
        first = todo.pop()
        src = names[first]
        seen: set[tuple[int, str]] = set()
        walk = [(first, "")]
        while walk:
            state, word = walk.pop()
            if (state, word) in seen:
                continue
            seen.add((state, word))
            if state == final:
                finish(src, word, end)
            for label, dst in pieces.arcs[state]:
                if label == "":
                    walk.append((dst, word))
                elif label == _BREAK:
                    finish(src, word, name(dst))
                elif label[0] != "{":
                    walk.append((dst, word + label))
                elif word:
                    middle = words.state()
                    finish(src, word, middle)
                    words.link(middle, label, name(dst))
                else:
                    words.link(src, label, name(dst))
    return _minimal(words, begin, end)


@lru_cache(maxsize=65536)
def clean(word: str) -> str | None:
    """Return a word as it is heard, "" when it has no sound, None when it is not said in English.

    `Mr.` is heard as `mr`, `—` has no sound, `你好` is not English.
    """
    word = word.lower().replace("’", "'").strip(_OUTER)
    word = word.strip("-'") if not word[:1].isdigit() else word.rstrip("-'")
    if any(character in _SAID_SYMBOLS or character.isdigit() for character in word):
        return word if word.isascii() or not set(word) - _ascii_or_symbol(word) else None
    letters = [c for c in unicodedata.normalize("NFKD", word) if c.isalpha()]
    if not letters:
        return ""
    return word if all(c.isascii() for c in letters) else None


def _ascii_or_symbol(word: str) -> set[str]:
    return {c for c in word if c.isascii() or c in _SAID_SYMBOLS}


def to_jsgf(sayings: Sequence[Saying], name: str = "glasses") -> str:
    """Write the sayings as a JSGF grammar, for people and other tools; the decoder uses `build`.

    Each slot becomes a rule, free text becomes `<VOID>`. Same errors as `build`.
    """
    rules: dict[str, str] = {}
    sentences = []
    for saying in sayings:
        _of_template(saying)  # so that what is wrong is found by the same code
        fragments = _Fragments(saying.template, saying.rules)
        sentences.append(_jsgf(fragments.parse(saying.template), saying, rules))
    public = "\n  | ".join(filter(None, sentences)) or "<VOID>"
    lists = "\n".join(f"<{rule}> = {body};" for rule, body in rules.items())
    return f"#JSGF V1.0;\ngrammar {name};\npublic <sentence> = {public};\n{lists}\n"


def _jsgf(expression: Expression, saying: Saying, rules: dict[str, str]) -> str:
    """One expression in JSGF; lists go to `rules`."""

    def inner(item: Expression) -> str:
        return _jsgf(item, saying, rules)

    match expression:
        case TextChunk():
            return " ".join(filter(None, (clean(w) for w in expression.original_text.split())))
        case Permutation():
            orders = _orders(expression.items)
            return "(" + " | ".join(" ".join(map(inner, order)) for order in orders) + ")"
        case Alternative(is_optional=True):
            return "[" + " | ".join(filter(None, map(inner, expression.items))) + "]"
        case Alternative():
            return "(" + " | ".join(filter(None, map(inner, expression.items))) + ")"
        case Group():
            return " ".join(filter(None, map(inner, expression.items)))
        case RuleReference():
            return inner(_Fragments(saying.template, {}).parse(saying.rules[expression.rule_name]))
        case ListReference():
            values = _values(expression.list_name, saying)
            if values is None:
                return "<VOID>"
            rule = re.sub(r"\W+", "_", f"{saying.intent}.{expression.list_name}")
            parse = _Fragments(saying.template, saying.rules).parse
            rules[rule] = " | ".join(filter(None, (inner(parse(v)) for v in values)))
            return f"<{rule}>"
    return ""


def _orders(items: Sequence[Expression]) -> Iterator[tuple[Expression, ...]]:
    if not items:
        yield ()
    for position, item in enumerate(items):
        for rest in _orders([*items[:position], *items[position + 1 :]]):
            yield item, *rest
