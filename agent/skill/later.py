"""What is to happen by itself later: the port that skills plan with, and what they are told of it.

An entry is kept by the agent, durably, and comes once each time it is due: on time, or told late
when nothing was on then. `agent.act.schedule` keeps them, `agent.loop.alarms` lets them ring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

Kind = Literal["timer", "alarm", "reminder", "command"]
"""A timer and an alarm sound until they are stopped, a reminder once; a command is done."""

MOST_ENTRIES = 500
"""Most entries that one skill may have waiting."""
MOST_TEXT = 200
"""Most characters of what an entry is for."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the ground that somebody comes to, or leaves."""

    name: str
    """What it is called."""
    lat: float
    """Degrees north, WGS-84."""
    lon: float
    """Degrees east, WGS-84."""
    radius_m: float = 100.0
    """How near is there."""
    leaving: bool = False
    """Whether it is due on leaving, not on coming."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that is to happen by itself."""

    kind: Kind
    """What happens."""
    text: str = ""
    """What it is for, as the wearer said it; of a command, its words."""
    wall: datetime | None = None
    """When clocks here show this, whatever zone that is then; local, without a zone."""
    instant: datetime | None = None
    """At this moment, in UTC, however clocks are set meanwhile: what was said as a length."""
    rule: str = ""
    """How it comes again, as in `agent.language.repeats.Repeat`; empty for once."""
    place: Spot | None = None
    """Where it is due, for what has no time."""
    held_s: float | None = None
    """Seconds that something has left while it is held, and is not due."""
    call: Mapping[str, Any] | None = None
    """The tool call that a command is."""
    language: str = "en"
    """Language it was said in."""
    skill: str = ""
    """Whose it is; filled in by the agent."""
    id: str = ""
    """Its own name, filled in by the agent."""

    def __post_init__(self) -> None:
        """Refuse what is never due. Raises ValueError."""
        ways = (self.wall, self.instant, self.place, self.held_s)
        if sum(due is not None for due in ways) != 1:
            raise ValueError("an entry is due at a time, after a length of time, or at a place")
        if self.rule and self.wall is None and self.instant is None:
            raise ValueError("what comes again has a first time")
        if (self.kind == "command") != (self.call is not None):
            raise ValueError("a command has a call, and nothing else has one")


@dataclass(frozen=True, slots=True)
class Fired:
    """One time that an entry was due."""

    entry: Entry
    """Which."""
    occurrence: int
    """Which time of it, from 0: no two of one entry are alike."""
    due: datetime
    """When it was due, as the clocks here show it; local, without a zone."""
    late: bool = False
    """Whether nothing was on when it was due, so that it is told afterwards."""
    times: int = 1
    """How many times of an entry that comes again it stands for."""


class Later(Protocol):
    """What one skill may do with what is to happen later. Every change is on the disk at once.

    Raises OSError where it cannot be written.
    """

    def add(self, entry: Entry) -> Entry:
        """Keep an entry; return it with its name. Raises Refused where the skill has too many."""
        ...

    def waiting(self, *kinds: Kind) -> Sequence[Entry]:
        """Return what is still to come, the next first; what waits for a place is last."""
        ...

    def remove(self, *ids: str) -> int:
        """Let go of entries; return how many there were."""
        ...

    def move(self, id: str, instant: datetime) -> None:
        """Make an entry due at another moment, in UTC."""
        ...

    def hold(self, id: str) -> bool:
        """Let an entry that is due after a length of time keep what is left of it; say if so."""
        ...

    def go_on(self, id: str) -> bool:
        """Let an entry that was held be due after what it had left; say if it was held."""
        ...

    def ringing(self) -> Sequence[Fired]:
        """Return what sounds, or waits to be seen."""
        ...

    def stop(self) -> Sequence[Fired]:
        """End what sounds; return it."""
        ...

    def snooze(self, minutes: float) -> Sequence[Fired]:
        """End what sounds and let it come again so many minutes from now; return it."""
        ...

    def left_s(self, entry: Entry) -> float:
        """Return the seconds until an entry is due, or that it is held with.

        Infinity for one at a place.
        """
        ...

    def understood(self, words: str, language: str) -> Mapping[str, Any] | None:
        """Return words as the tool call they mean; None where no installed skill understands them.

        Raises Refused for what moves money: that is never done later.
        """
        ...
