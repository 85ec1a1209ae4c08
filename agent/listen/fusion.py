"""What was said, from what two engines heard: one knows the grammar, the other writes freely.

The grammar engine always finds the sentence that fits the sound best, and how well. Whisper writes
down what it hears, in several versions, in any words: "bro a house coffee". Each version is read
aloud and the nearest sentence found (`agent.derive.nearest`). A sentence that both come to is
right nearly always; one of a single engine is believed as far as it fits; and words that are far
from all sentences are free speech.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.derive.nearest import Near
from agent.language.text import clean
from agent.listen.whisper.rescore import Hypothesis

NEAR = 0.15
"""Cost of a phone up to which what Whisper wrote may be a sentence."""
WORST = 0.5
"""The same in the word that is most unlike."""
VERSIONS = 3
"""How many of Whisper's versions are looked at."""
VERSION = 0.3
"""What a nat of Whisper's own doubt in a version weighs beside a phone that is unlike."""
AGREED = 0.97
"""Confidence in a sentence that both engines come to."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that can be said, as a version of Whisper's comes to it."""

    near: Near
    """The sentence."""
    cost: float
    """How unlike it is in all, with the doubt in the version."""


Find = Callable[[str, float], Near | None]
"""Gives the nearest sentence to a text, within a cost a phone: `Nearest.find`."""


def sentences(versions: Sequence[Hypothesis], find: Find) -> list[Sentence]:
    """Return the sentences that Whisper's versions come to, the likeliest first."""
    found: dict[str, Sentence] = {}
    read: set[str] = set()
    for version in versions:
        text = clean(version.text).casefold()
        if text in read or len(read) == VERSIONS:
            continue
        read.add(text)
        near = find(version.text, NEAR)
        if near is None or near.worst > WORST:
            continue
        cost = near.cost + VERSION * (versions[0].log_probability - version.log_probability)
        if near.text not in found or cost < found[near.text].cost:
            found[near.text] = Sentence(near, cost)
    return sorted(found.values(), key=lambda sentence: sentence.cost)
