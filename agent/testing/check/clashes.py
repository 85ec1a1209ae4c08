"""Clashes: sentences of two skills that are the same, swallow, or sound like one another.

`money_overlaps` is the part that runs whenever a plugin is loaded: what can be said for a payment
must not mean anything else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import combinations

from agent.derive import overlap
from agent.derive.clashes import (
    AGENT,
    YES,
    YES_ALIKE,
    Clash,
    Party,
    Shape,
    Side,
    party,
    sayings_of,
    shape,
    template_of,
    text_clash,
    worst_first,
)
from agent.derive.grammar import build
from agent.derive.sample import NEUTRAL
from agent.language import controls
from agent.language.saying import Saying
from agent.skill.declare import Action
from agent.testing.check import sound

SOUNDS_ALIKE = 0.12
"""Distance per phone under which two sentences are listed. "pay ten dollars" and "play tin
dollars" are 0.06 apart, "next song" and "next step" 0.22."""


SOUND_TIME_S = 1.0
"""Longest search for the two most alike sentences of one pair of actions."""


def agent_parties(language: str, money: bool) -> list[Party]:
    """Return the agent's own words; with `money`, a yes can pay."""
    by_intent: dict[str, list[Saying]] = {}
    for saying in controls.sayings(language, asking=True):
        by_intent.setdefault(saying.intent, []).append(replace(saying, weight=1.0))
    return [
        Party(name, "the agent itself", money and name == YES, sayings)
        for name, sayings in by_intent.items()
    ]


def find(
    actions: Mapping[str, Action],
    tested: Collection[str] | None = None,
    progress: Callable[[], None] = lambda: None,
) -> list[Clash]:
    """Return every clash between two skills, or a skill and the agent's own words, worst first.

    `tested` names the actions of which one must be involved; None is all. `progress` is called
    once for each pair that `pairs` counts.
    """
    found: list[Clash] = []
    for language, mine, other in _pairs(actions, tested):
        text = list(text_clash(mine, other, language))
        found.extend(text)
        same = any(clash.kind == "overlap" for clash in text)
        if language == "en" and mine.skill != other.skill and not same:
            found.extend(_sound_clash(mine, other, language))
        progress()
    return sorted(found, key=worst_first)


def pairs(actions: Mapping[str, Action], tested: Collection[str] | None = None) -> int:
    """Return how many pairs `find` looks at."""
    return sum(1 for _ in _pairs(actions, tested))


def _pairs(
    actions: Mapping[str, Action], tested: Collection[str] | None
) -> Iterator[tuple[str, Party, Party]]:
    money = any(action.declaration.risk == "money" for action in actions.values())
    for language in sorted({lang for action in actions.values() for lang in action.languages}):
        parties = [party(a, language) for a in actions.values() if language in a.languages]
        parties.extend(agent_parties(language, money))
        for mine, other in combinations(parties, 2):
            if mine.skill == other.skill == AGENT:
                continue
            if tested is None or mine.name in tested or other.name in tested:
                yield language, mine, other


def _sound_clash(mine: Party, other: Party, language: str) -> Iterator[Clash]:
    alike = sound.most_alike(
        _phones(shape(mine.sayings)),
        _phones(shape(other.sayings)),
        YES_ALIKE if YES in (mine.name, other.name) else SOUNDS_ALIKE,
        time.monotonic() + SOUND_TIME_S,
    )
    if alike is None or alike.words[0] == alike.words[1]:
        return
    one, two = (
        Side(p.name, p.source, template_of(p, " ".join(words).split()), overlap.written(words))
        for p, words in zip((mine, other), alike.words, strict=True)
    )
    yield Clash("sound", language, (one, two), alike.distance, mine.money or other.money)


@lru_cache(maxsize=512)
def _phones(form: Shape) -> sound.Phones:
    return sound.phones(build(sayings_of(form)), NEUTRAL["en"])
