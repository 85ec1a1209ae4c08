"""Events of the wearer's calendar: what a provider tells of them, and what skills ask it.

A plugin brings one with `provide("calendar", make)`; `calendar` has one that reads iCalendar. It is
the wearer's own: `ctx.device("calendar")` wants the permission `personal`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a calendar, one time that it takes place."""

    text: str
    """What; text of the world."""
    begins: datetime
    """When, local and without a zone."""
    ends: datetime
    """Until when."""
    whole_day: bool = False
    """Whether it is on a day, and at no hour."""
    place: str = ""
    """Where, as it was written; text of the world."""
    at: tuple[float, float] | None = None
    """Degrees north and east, WGS-84, where the calendar has them."""
    uid: str = field(default="", compare=False)
    """What the calendar calls it, all its times together."""
    start: date | datetime | None = field(default=None, compare=False)
    """When, as the calendar has it: with its zone, or a day alone."""


class Calendar(Protocol):
    """Tells of events."""

    def between(self, begins: datetime, ends: datetime) -> Sequence[Event]:
        """Return what takes place between two local times, in order; nothing where none is set.

        Raises DeviceError with one line.
        """
        ...
