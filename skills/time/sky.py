"""When the sun rises and sets, by the library `astral`, which is loaded when it is first asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hardware.base import Place


def sun(event: str, day: date, place: Place) -> datetime | None:
    """Return the moment of “sunrise” or “sunset” on a day here, in UTC; None where there is none.

    The day is that of the system's zone. Beyond the polar circles the sun may stay up or down.
    """
    from astral import Observer
    from astral.sun import sunrise, sunset

    noon = datetime(day.year, day.month, day.day, 12).astimezone()
    try:
        found = (sunrise if event == "sunrise" else sunset)(
            Observer(place.lat, place.lon), date=day, tzinfo=noon.tzinfo or UTC
        )
    except ValueError:
        return None
    return found.astimezone(UTC)


def next_sun(event: str, now: datetime, place: Place) -> datetime | None:
    """Return the next sunrise or sunset after a moment of the system's zone, in UTC."""
    for ahead in range(3):
        found = sun(event, now.date() + timedelta(days=ahead), place)
        if found is not None and found > now.astimezone(UTC):
            return found
    return None


def warm() -> None:
    """Load the library, so that the first question about the sun does not wait for it."""
    sun("sunset", date(2000, 1, 1), Place(lat=0.0, lon=0.0))
