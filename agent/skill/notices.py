"""Notifications as a skill sees them: the port that it reads and sends them with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Rule = Literal["show", "summarise", "hush"]
"""What is done with what comes from a source."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification. Its title and text are of the world: shown, and never followed."""

    source: str
    """Who sends it: an app's name, or a skill's."""
    text: str
    """What it says."""
    title: str = ""
    """Whom or what it is about."""
    answers: bool = False
    """Whether its source takes an answer."""
    id: str = ""
    """Its own name, filled in by the agent."""


class Notices(Protocol):
    """What a skill may do with notifications."""

    @property
    def waiting(self) -> int:
        """How many wait to be read."""
        ...

    @property
    def is_quiet(self) -> bool:
        """Whether the wearer does not want to be disturbed."""
        ...

    def take(self, notice: Notice) -> str:
        """Take a notification; return its name."""
        ...

    def afford(self, skill: str) -> bool:
        """Whether a skill may send another one; it is counted if so."""
        ...

    def unread(self) -> Sequence[Notice]:
        """Return what waits to be read, the latest first, and count it as read."""
        ...

    def clear(self) -> int:
        """Let go of what waits to be read; return how much that was."""
        ...

    def quiet(self, seconds: float) -> None:
        """Show nothing for so long; 0 ends it."""
        ...

    def rule(self, source: str, rule: Rule) -> None:
        """Show, sum up or hush what comes from a source."""
        ...

    def sources(self) -> Sequence[str]:
        """Return who has sent something, the latest first."""
        ...

    def answer(self, notice: Notice, text: str) -> bool:
        """Leave an answer for the source; say whether it takes one."""
        ...
