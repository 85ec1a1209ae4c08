"""A sentence of each skill that takes free words: what a recogniser is told before it writes.

A recogniser that writes any words writes those of a sort of text that it expects; told some
commands, it expects commands, and hears “play smoke on the water” where it heard “place” before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.derive.phrase import ways
from agent.derive.sample import NEUTRAL
from agent.language.saying import Saying
from agent.language.text import language_of
from agent.skill import template


def examples(sayings: Sequence[Saying], language: str) -> tuple[str, ...]:
    """Return a sentence of each skill with a slot for any words, in the order of the skills.

    The words in such slots are neutral ones: what was told is heard more easily, and must be no
    name that the wearer may say.
    """
    found: dict[str, str] = {}
    for saying in sayings:
        skill = saying.intent.partition(".")[0]
        if skill not in found and language_of(saying.template) == language:
            text = next(_said(saying, NEUTRAL[language][len(found) % len(NEUTRAL[language])]), "")
            if text:
                found[skill] = f"{text[0].upper()}{text[1:]}."
    return tuple(found.values())


def _said(saying: Saying, words: str) -> Iterator[str]:
    """Yield the shortest sentence in which `words` stand in a slot for any words."""
    free = {name for name, values in saying.slots.items() if values is None or name in saying.open}
    slots = {
        name: words if name in free else _value(values or (), saying)
        for name, values in saying.slots.items()
        if name in free or values
    }
    for way in ways(template.parse(saying.template), slots, saying.rules):
        if way.slots & free:
            yield " ".join(way.text.split())


def _value(values: Sequence[str], saying: Saying) -> str:
    """Return the first value of a list, as people say it."""
    first = next(ways(template.parse(values[0]), {}, saying.rules), None)
    return " ".join(first.text.split()) if first else ""
