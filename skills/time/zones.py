"""What clocks show elsewhere, and when they are changed.

A zone is an IANA zone, or None for the wearer's: that of the system, whatever it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

LOOKED_AHEAD = timedelta(days=400)
"""How far ahead a change of the clocks is looked for: where they change, they do twice a year."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the clocks."""

    at: datetime
    """When, in UTC."""
    shown: datetime
    """What the clocks show at that moment, before they are changed."""
    by: timedelta
    """How far they go forward; negative is back."""


def instant(now: datetime) -> datetime:
    """Return a moment in UTC; without a zone it is the system's."""
    return now.astimezone(UTC)


def there(now: datetime, zone: ZoneInfo | None) -> datetime:
    """Return what clocks show in a zone, without that zone."""
    return _shown(instant(now), zone).replace(tzinfo=None)


def offset(at: datetime, zone: ZoneInfo | None) -> timedelta:
    """Return how far a zone is ahead of UTC at a moment that has a zone."""
    return _shown(at, zone).utcoffset() or timedelta()


def next_change(now: datetime, zone: ZoneInfo | None) -> Change | None:
    """Return the next change of the clocks in a zone, to the second; None within a year or so."""
    first = instant(now)
    before = offset(first, zone)
    low, high = first, first + timedelta(days=1)
    while offset(high, zone) == before:
        low, high = high, high + timedelta(days=1)
        if high - first > LOOKED_AHEAD:
            return None
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if offset(middle, zone) == before else (low, middle)
    at = (high + timedelta(seconds=0.5)).replace(microsecond=0)
    return Change(at, (at + before).replace(tzinfo=None), offset(at, zone) - before)


def name(ahead: timedelta) -> str:
    """Return an offset as people write it: `UTC+8`, `UTC-3:30`."""
    minutes = round(ahead.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"


def _shown(at: datetime, zone: ZoneInfo | None) -> datetime:
    return at.astimezone(zone)  # None is the system's
