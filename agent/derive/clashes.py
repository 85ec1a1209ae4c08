"""Sentences of two skills that are too much alike to be told apart by their words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from agent.derive import overlap
from agent.derive.sample import localized
from agent.language.saying import Saying
from agent.skill.declare import Action
from agent.skill.slots import Choice

Kind = Literal["overlap", "swallows", "sound"]


TOO_ALIKE = 0.08
"""Distance per phone under which a sentence that moves money may not be near another's."""


YES_ALIKE = 0.2
"""The same for a sentence near to a yes, which can pay: "chess" is 0.15 from it."""


AGENT = "agent"
"""Owner of the agent's own words: yes, no, stop."""


YES = f"{AGENT}.yes"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sentences of a clash."""

    action: str
    """`skill.action`, or `agent.yes` and the like."""
    source: str
    """Package and version, or the file, that its skill came from."""
    template: str
    """The template that allows it; "" when there are several and none was singled out."""
    text: str
    """The sentence."""

    @property
    def skill(self) -> str:
        """Name of the skill."""
        return self.action.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Clash:
    """Two sentences that can be taken for one another."""

    kind: Kind
    """`overlap`: the same text. `swallows`: the second's free text takes the first's words.
    `sound`: alike to the ear."""
    language: str
    """Of both sentences."""
    sides: tuple[Side, Side]
    """Whose they are."""
    distance: float
    """Per phone, 0 for the same text."""
    money: bool
    """True when a payment, or the yes to one, is involved."""

    @property
    def fatal(self) -> bool:
        """True when the plugin must change: the same text, or money at stake."""
        if self.kind == "overlap":
            return self.sides[0].skill != self.sides[1].skill
        near_yes = any(side.action == YES for side in self.sides)
        return self.money and self.distance < (YES_ALIKE if near_yes else TOO_ALIKE)

    def __str__(self) -> str:
        """Say it in one line, both owners named."""
        one, other = self.sides
        match self.kind:
            case "overlap":
                return f"“{one.text}” is a sentence of {one.action} and of {other.action}"
            case "swallows":
                return (
                    f"“{one.text}” of {one.action} is also “{other.template}” of {other.action}"
                    " with other words for a slot"
                )
        return (
            f"“{one.text}” of {one.action} sounds like “{other.text}” of {other.action}"
            f" ({self.distance:.2f} a phone)"
        )


@dataclass(frozen=True, slots=True)
class Party:
    """Whoever owns sentences: an action, or one of the agent's own words."""

    name: str
    """`skill.action`."""
    source: str
    """Where it was installed from."""
    money: bool
    """True when its sentences move money or confirm that."""
    sayings: Sequence[Saying]
    """What can be said for it, in one language."""
    open_slots: frozenset[str] = field(default_factory=frozenset)
    """Slots whose list is not all that is accepted."""

    @property
    def skill(self) -> str:
        """Name of the skill."""
        return self.name.partition(".")[0]

    def automaton(self) -> overlap.Automaton:
        """Return the graph of all its sentences, made once."""
        return _automaton(shape(self.sayings), self.open_slots)


def party(action: Action, language: str) -> Party:
    """Return an action as an owner of sentences."""
    lists = {s.name for s in action.declaration.slots if isinstance(s.kind, Choice) and s.kind.open}
    money = action.declaration.risk == "money"
    return Party(action.name, action.source, money, localized(action, language), frozenset(lists))


def money_overlaps(new: Iterable[Action], installed: Iterable[Action]) -> list[Clash]:
    """Return the sentences that new actions share with those of other skills where either pays.

    Text only, free text included. Some 10 ms for a usual plugin: graphs are made only where
    templates begin alike.
    """
    before = list(installed)
    paying = [action for action in before if action.declaration.risk == "money"]
    found: list[Clash] = []
    for action in new:
        others = before if action.declaration.risk == "money" else paying
        for other in others:
            for language in action.languages if other.skill != action.skill else ():
                if near := _begin_alike(action, other, language):
                    one, two = party(action, language), party(other, language)
                    one = replace(one, sayings=[s for s in one.sayings if s.template in near])
                    found.extend(text_clash(one, two, language))
    return sorted(found, key=worst_first)


def _begin_alike(one: Action, other: Action, language: str) -> frozenset[str]:
    """Return the templates of `one` that can begin as a template of `other` does."""
    theirs = dict.fromkeys(head for _, head in _heads(other, language))
    return frozenset(
        template
        for template, mine in _heads(one, language)
        if any(overlap.may_begin_alike(mine, head) for head in theirs)
    )


def _heads(action: Action, language: str) -> list[tuple[str, frozenset[str] | None]]:
    """Return the templates of an action, each with how it begins."""
    sentences = action.languages.get(language)
    if sentences is None:
        return []
    rules = tuple(sorted(sentences.rules.items()))
    lists = tuple(
        (slot.name, tuple(action.values(slot.name, language) or ()))
        for slot in action.declaration.slots
        if isinstance(slot.kind, Choice) and not slot.kind.open and not callable(slot.kind.source)
    )
    return [(template, overlap.heads(template, rules, lists)) for template in sentences.templates]


def worst_first(clash: Clash) -> tuple[bool, bool, int, float]:
    """Return what clashes are sorted by: what must change, then what pays, then the closest."""
    order = ("overlap", "sound", "swallows").index(clash.kind)
    return not clash.fatal, not clash.money, order, clash.distance


def text_clash(mine: Party, other: Party, language: str) -> Iterator[Clash]:
    """Yield the clash of two owners that have a sentence in common as text, where they have."""
    shared = overlap.common(mine.automaton(), other.automaton())
    if shared is None:
        return
    kind: Kind = "swallows" if any(shared.free) else "overlap"
    if kind == "swallows" and mine.skill == other.skill:
        return  # a skill's own free text is its author's way to say "anything else"
    first, second = mine, other
    if shared.free[0] > shared.free[1]:
        first, second = other, mine
    sides = tuple(
        Side(p.name, p.source, template_of(p, shared.words), shared.text) for p in (first, second)
    )
    money = mine.money or other.money
    if kind == "swallows" and shared.free[0] != shared.free[1]:
        money = first.money  # the other takes more words as they come, and gives way
    yield Clash(kind, language, (sides[0], sides[1]), 0.0, money)


def template_of(owner: Party, words: Sequence[str]) -> str:
    """Return the template of `owner` that allows a sentence."""
    line = overlap.sentence(words)
    for saying in owner.sayings:
        graph = _automaton(shape([saying]), owner.open_slots)
        if overlap.common(graph, line) is not None:
            return saying.template
    return ""


Shape = tuple[
    tuple[str, tuple[tuple[str, tuple[str, ...] | None], ...], tuple[tuple[str, str], ...]], ...
]
"""What can be said as one value that can be hashed: of each saying template, slots and rules."""


def shape(sayings: Iterable[Saying]) -> Shape:
    """Return sayings as what graphs are remembered under."""
    return tuple(
        (s.template, tuple(sorted(s.slots.items())), tuple(sorted(s.rules.items())))
        for s in sayings
    )


def sayings_of(form: Shape) -> list[Saying]:
    """Return the sayings that `shape` was made of, without their owner's name."""
    return [Saying("", template, dict(slots), dict(rules)) for template, slots, rules in form]


@lru_cache(maxsize=2048)
def _automaton(form: Shape, open_slots: frozenset[str]) -> overlap.Automaton:
    return overlap.automaton(sayings_of(form), open_slots)
