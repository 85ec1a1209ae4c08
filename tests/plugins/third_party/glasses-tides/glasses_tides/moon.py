"""When the moon passes overhead, on average."""

from datetime import datetime, timedelta

PASSAGE = datetime(2000, 1, 6, 12, 0)
"""A passage of the moon: at new moon it stands with the sun, so at noon; new moon was that day."""

LUNAR_DAY = timedelta(hours=24, minutes=50, seconds=28)
"""From one passage of the moon to the next; the water is high twice in it."""


def high_water(now: datetime, lag_hours: float) -> datetime:
    """Return the next high water after `now`, where it follows the moon by `lag_hours`."""
    first = PASSAGE + timedelta(hours=lag_hours)
    half = LUNAR_DAY / 2
    return now + half - (now - first) % half
