"""Phrases to listen for in running speech, where one was heard, and what hears them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase to listen for."""

    text: str
    """As it is written: `hey glasses`."""
    false_alarms_per_hour: float = 10.0
    """How often, by the rule for random phrases, it is heard by chance in an hour of other people's
    unbroken speech. More is easier to wake. Phrases of rare sounds stay far below it: the default
    wake phrases were not heard once in 20 minutes."""
    sounds: tuple[str, ...] = ()
    """ARPAbet phones of each way to say it; looked up when empty."""


@dataclass(frozen=True, slots=True)
class Spotted:
    """A phrase was heard."""

    phrase: str
    """Its text."""
    start_ms: float
    """Where it begins in the stream."""
    end_ms: float
    """Where it ends: what was said later is not part of it."""
    score: float
    """Decades by which it fitted better than it had to."""


class Spots(Protocol):
    """What spots phrases: `agent.listen.sphinx.spotter.Spotter`, or a double."""

    def feed(self, pcm: bytes) -> Spotted | None:
        """Hear the next samples and say what was spotted."""
        ...

    def reset(self, start_ms: float = 0.0) -> None:
        """Forget what was heard; the next samples begin at `start_ms`."""
        ...
