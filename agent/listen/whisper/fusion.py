"""What was said, from what two engines heard: one knows the grammar, the other writes freely.

The grammar engine always finds the sentence that fits the sound best, and says how well it does.
Whisper writes down what it hears, in several versions, in any words: "bro a house coffee". Each
version is read aloud, and the nearest sentence found (`agent.derive.nearest`). Of all sentences
that either engine came to, the one is chosen that is most like what Whisper wrote and fits the
sound; and words that are far from every sentence are free speech, or nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent.derive.nearest import Near, Nearest, apart, length
from agent.language.text import clean
from agent.listen.whisper.window import Hypothesis

NEAR = 0.15
"""Cost of a phone up to which what Whisper wrote may be a sentence."""
WORST = 0.5
"""The same in the word that is most unlike."""
VERSIONS = 5
"""How many of Whisper's versions are looked at."""
DOUBT = 0.3
"""Phones that a version is further off for each nat by which Whisper believes it less."""

UNLIKE = 2.0
"""What an unlike phone weighs beside the grammar engine's log odds. Of 245 orders as they were
recorded all come out right with 2, and of 246 at 12 dB 96 %; from 1 to 3 hardly any differ."""

ALWAYS, LOG_ODDS, FITTED, OFF, LONG, MEAN, FREE = -1.74, 0.47, 0.66, -1.27, 1.61, 1.21, -1.0
"""Logistic regression on 674 orders, alone and in kitchen and café noise at 24 to 6 dB, against 406
pieces of other speech: the grammar engine's log odds and whether the sentence is its own, phones
that are unlike what Whisper wrote, the logarithm of the length in phones, Whisper's mean log
probability, and whether some of the words are free. On the half that it was not fitted to 99 % of
what gets 0.97 and more is right, and nine in ten from 0.7 on."""
ALIKE = 0.35
"""Cost of a phone up to which what Whisper writes when it is told what can be said is still what it
wrote before."""
BEGUN = 0.25
"""Cost of a phone, free words not counted, up to which what was written may be a sentence once it
is heard better. Of 57 sentences with free words as Whisper wrote them none is over 0.2; of 14
pieces of other speech nine are."""
BELIEVED = 0.6
"""Probability from which the sentence is taken to have been said. On the same halves none of the
other speech gets so much."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The sentence that the grammar engine found, believed or not."""

    text: str = ""
    """Its words; "" for none."""
    confidence: float = 0.0
    """How likely it was said, from the sound alone, 0 … 1."""


@dataclass(frozen=True, slots=True)
class Said:
    """What both come to."""

    text: str
    """A sentence that can be said."""
    confidence: float
    """How likely it was said, 0 … 1."""
    free: bool = False
    """Whether some of its words are in no list."""


def fuse(fitted: Fitted | None, versions: Sequence[Hypothesis], nearest: Nearest) -> Said | None:
    """Return the sentence that was said; None where what was said is none.

    `versions` are Whisper's, the likeliest first; `fitted` is None where no grammar engine heard.
    """
    heard = _different(versions)
    found: dict[str, tuple[float, Near, Hypothesis]] = {}
    spent = math.inf
    for version, doubt in heard:
        near = nearest.find(version.text, NEAR, spent - doubt)
        if near is not None and near.worst <= WORST and near.cost <= NEAR * _bound(near):
            spent = min(spent, near.spent + doubt)
            cost = near.cost + doubt
            if near.text not in found or cost < found[near.text][0]:
                found[near.text] = cost, near, version
    if fitted is None:
        if not found:
            return None
        _, near, version = min(found.values(), key=lambda one: one[0])
        if near.free and _believed(near.cost, _bound(near), versions[0].mean, free=True) < BELIEVED:
            return None
        sure = min(1.0, math.exp(version.mean)) * (1 - near.distance)
        return Said(near.text, sure, bool(near.free))
    scores = {text: -UNLIKE * cost for text, (cost, _, _) in found.items()}
    off = {text: near.cost for text, (_, near, _) in found.items()}
    if fitted.text and heard:
        off[fitted.text] = min(apart(fitted.text, v.text) + doubt for v, doubt in heard)
        odds = max(0.0, _log_odds(fitted.confidence))
        scores[fitted.text] = odds - UNLIKE * off[fitted.text]
    if not scores:
        return None
    text = max(scores, key=lambda text: scores[text])
    own = text == fitted.text
    bound = length(text) if own else _bound(found[text][1])
    sound = FITTED + LOG_ODDS * _log_odds(fitted.confidence) if own else 0.0
    free = not own and bool(found[text][1].free)
    probability = _believed(off[text], bound, versions[0].mean, free, sound)
    return Said(text, probability, free) if probability >= BELIEVED else None


def worth_telling(heard: Hypothesis, nearest: Nearest) -> bool:
    """Say whether words may be heard better by who knows what can be said: they are nearly that."""
    near = nearest.find(heard.text)
    if near is None:
        return False
    own = length(near.text) - (length(" ".join(near.free)) if near.free else 0.0)
    return near.cost <= BEGUN * max(1.0, own)


def retold(
    heard: Sequence[Hypothesis], told: Sequence[Hypothesis], nearest: Nearest
) -> Said | None:
    """Return the likeliest sentence with free words that Whisper wrote once it was told some.

    It must sound like what it wrote before: who expects commands hears them in anything.
    """
    found: dict[str, tuple[float, Hypothesis]] = {}
    for version, doubt in _different(told):
        near = nearest.find(version.text, NEAR)
        if near is None or not near.free or near.cost:
            continue
        off = apart(near.text, heard[0].text) / length(near.text)
        if off <= ALIKE and (near.text not in found or doubt < found[near.text][0]):
            found[near.text] = doubt, version
    if not found:
        return None
    text, (_, version) = min(found.items(), key=lambda one: one[1][0])
    return Said(text, min(1.0, math.exp(version.mean)), free=True)


def _believed(off: float, bound: float, mean: float, free: bool, sound: float = 0.0) -> float:
    """Return how likely a sentence was said; `sound` is what the grammar engine has for it."""
    odds = ALWAYS + OFF * off + LONG * math.log(max(1.0, bound)) + MEAN * mean + sound
    return 1 / (1 + math.exp(-(odds + FREE if free else odds)))


def _bound(near: Near) -> float:
    """Return how many phones of a sentence are its own: any words fit where it has free ones.

    "Ask what you can do for your country" is like "at one [you can do for your country]" but for
    two phones, and those are two of five. What sounds the same was not made to fit, and counts
    whole.
    """
    whole = length(near.text)
    return whole - length(" ".join(near.free)) if near.free and near.cost else whole


def _different(versions: Sequence[Hypothesis]) -> list[tuple[Hypothesis, float]]:
    """Return the first versions that differ in their words, and the doubt in each, in phones."""
    words: dict[str, Hypothesis] = {}
    for version in versions:
        words.setdefault(clean(version.text).casefold(), version)
    return [
        (version, DOUBT * (versions[0].log_probability - version.log_probability))
        for version in [*words.values()][:VERSIONS]
    ]


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))
