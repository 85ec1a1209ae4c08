"""What is asked of the lens, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from agent.messages import Reply

OutcomeKind = Literal["shown", "queued", "replaced", "expired", "refused"]


class Priority(IntEnum):
    """The levels, lowest first."""

    DASHBOARD = 0
    BACKGROUND = 1
    FOREGROUND = 2
    PROPOSAL = 3
    ALERT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """Somebody wants something on the lens."""

    reply: Reply
    """What."""
    owner: str
    """Who: a skill, or `agent`."""
    priority: Priority
    """On which level."""
    language: str = "en"
    """Language of the reply."""
    key: str = ""
    """A later request of the same owner and key takes this one's place; empty for none."""
    stays_ms: float | None = None
    """How long it is lit at most; None until something takes its place."""
    waits_ms: float = 10_000.0
    """How long it may wait to be lit."""
    at_once: bool = False
    """The wearer asked for it: it takes the place of all on its level and waits for no rate."""
    passing: bool = False
    """The card that it hides comes back after it."""
    told: Callable[[Outcome], None] | None = None
    """Told what became of it, on any thread; shown and refused by the display on the loop's."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: one is reported for each."""

    request: Request
    """Which."""
    kind: OutcomeKind
    """`shown`: the display has accepted it; `replaced`: by a newer one, before it was lit;
    `expired`: it waited too long; `refused`: see the reason; `queued`: the agent ended before."""
    at_ms: float
    """When, on the arbiter's clock."""
    reason: str = ""
    """One line, where there is more to say."""
