"""What can be said now: the one list that every derived thing is made from.

A skill declares sentences once. They become `Saying`s, and from these come the text route, the
speech grammar, the REPL's completion, the end-of-turn rule and the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Saying:
    """One sentence template of one action, with everything needed to expand it."""

    intent: str
    """`skill.action`, such as `music.play`."""
    template: str
    """hassil template: `play {song} [please]`."""
    slots: Mapping[str, tuple[str, ...] | None]
    """Spoken forms of each slot in the template, hassil templates themselves; None is free text."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """Expansion rules by name, hassil templates: `{"please": "[please|kindly]"}`."""
    weight: float = 1.0
    """How likely it is beside others that can be said now; a pending question weighs more."""
    open: frozenset[str] = frozenset()
    """Slots of a list that other words may fill too; a speech grammar knows the list alone."""


def hot_words(sayings: Sequence[Saying]) -> list[str]:
    """Return words worth telling a recogniser: names in lists, then the long words of sentences."""
    lists = (value for s in sayings for values in s.slots.values() for value in values or ())
    words = _words([*lists, *(saying.template for saying in sayings)])
    return [word for word in dict.fromkeys(words) if len(word) > 3 or not word.isascii()]


def _words(templates: Iterable[str]) -> Iterator[str]:
    for template in templates:
        yield from re.findall(r"[^\s\[\](){}<>|;,.?!]+", re.sub(r"{[^}]*}|<[^>]*>", " ", template))
