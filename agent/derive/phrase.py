"""An intent as a sentence again, made from the skill's own templates: “pay $20 to …”.

So what the agent asks back ("navigate to the museum, or play museum?") needs nothing declared: it
is what the wearer could have said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Any

from agent.language import times, wording
from agent.language.currencies import HOME
from agent.language.folding import literal
from agent.language.repeats import Repeat
from agent.messages import Intent
from agent.skill import template
from agent.skill.declare import Action, Sentences

BLANK = "…"
"""Stands where a slot is asked for."""

MOST = 32
"""Ways to say one template that are looked at."""

_SYNTAX = re.compile(r"[\[\](){}<>|;]")
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥"}


@dataclass(frozen=True, slots=True)
class Said:
    """One way to say a template, or a part of it."""

    text: str = ""
    """The words, with more space between them than people write."""
    slots: frozenset[str] = field(default_factory=frozenset)
    """The slots that are in it."""

    @property
    def asks_last(self) -> bool:
        """Whether the slot that is asked for ends it."""
        return self.text.rstrip().endswith(BLANK)

    def __add__(self, other: Said) -> Said:
        return Said(self.text + other.text, self.slots | other.slots)


def phrase(action: Action, intent: Intent, asking: str | None = None) -> str:
    """Return the shortest sentence that has the intent's slots, and a blank for the one asked for.

    Where none has just these, one with as many of them as there is; at last the action's name.
    """
    language = intent.language if intent.language in action.languages else "en"
    sentences = action.languages.get(language) or Sentences()
    slots = {
        name: named(action, name, value, language)
        for name, value in intent.slots.items()
        if value is not None
    }
    if asking is not None:
        slots[asking] = BLANK
    # Of other slots that are still missing nothing is said.
    silent = dict.fromkeys(set(intent.missing) - slots.keys(), "")
    found = [
        said
        for known in (slots, {**silent, **slots})
        for text in sentences.templates
        for said in islice(ways(template.parse(text), known, sentences.rules), MOST)
    ]
    if not found:
        return action.declaration.name.replace("_", " ")
    best = max(found, key=lambda w: (len(w.slots & slots.keys()), w.asks_last, -len(w.text)))
    return "".join(best.text.split()) if language == "zh" else " ".join(best.text.split())


def named(action: Action, slot: str, value: Any, language: str) -> str:
    """Return what a value of a list is called in a language, or the value as people write it."""
    listed = (action.values(slot, language) or {}).items()
    plain = (said for said, meant in listed if meant == value and not _SYNTAX.search(said))
    said = next(plain, None)
    as_written = said is None or (isinstance(value, str) and literal(value) == said)
    return shown(value, language) if as_written else str(said)


def shown(value: Any, language: str) -> str:
    """Return a slot's value as people write it."""
    if isinstance(value, datetime):
        moment = wording.moment(value, times.now(), language)
        whole_day = value.time() == time() and value.date() != times.now().date()
        return moment.removesuffix(wording.clock(value, language)).strip() if whole_day else moment
    if isinstance(value, timedelta):
        return wording.exactly(value, language)
    if isinstance(value, Repeat):
        return value.said or value.rule
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Decimal):
        currency = getattr(value, "currency", None) or HOME
        amount = f"{value:.2f}".removesuffix(".00")
        return f"{_SIGNS[currency]}{amount}" if currency in _SIGNS else f"{amount} {currency}"
    return str(value.value if isinstance(value, Enum) else value)


def ways(item: Any, slots: Mapping[str, str], rules: Mapping[str, str]) -> Iterator[Said]:
    """Yield the ways to say an expression of a template with these slots only, shortest first."""
    from hassil.expression import (
        Alternative,
        Group,
        ListReference,
        Permutation,
        RuleReference,
        TextChunk,
    )

    match item:
        case TextChunk():
            yield Said(item.original_text)
        case ListReference():
            if item.slot_name in slots:
                yield Said(f" {slots[item.slot_name]} ", frozenset({item.slot_name}))
        case RuleReference():
            yield from ways(template.parse(rules[item.rule_name]), slots, rules)
        case Permutation():
            yield from _sequence(item.items, slots, rules)
        case Alternative():
            found = (way for one in item.items for way in islice(ways(one, slots, rules), MOST))
            yield from sorted(found, key=lambda way: (-len(way.slots), len(way.text)))
        case Group():
            yield from _sequence(item.items, slots, rules)


def _sequence(items: Any, slots: Mapping[str, str], rules: Mapping[str, str]) -> Iterator[Said]:
    if not items:
        yield Said()
        return
    for first in islice(ways(items[0], slots, rules), MOST):
        for rest in _sequence(items[1:], slots, rules):
            yield first + rest
