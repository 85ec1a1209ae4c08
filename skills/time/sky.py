"""When the sun rises and sets, by the library `astral`, which is loaded when it is first asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo

from hardware.base import Place


def sun(event: str, day: date, place: Place, zone: tzinfo | None = None) -> datetime | None:
    """Return the moment of “sunrise” or “sunset” on a day somewhere, in UTC; None where none is.

    The day is that of a zone, by default the system's. Beyond the polar circles the sun may stay
    up or down.
    """
    from astral import Observer
    from astral.sun import sunrise, sunset

    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    noon = noon if zone is not None else noon.astimezone()
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


def position(names: Iterable[str]) -> Place | None:
    """Return where the first of these places lies that the library has; it has some 400 cities."""
    from astral import LocationInfo
    from astral.geocoder import database, lookup

    for name in names:
        try:
            found = lookup(name, database())
        except KeyError:
            continue
        if isinstance(found, LocationInfo):
            return Place(found.latitude, found.longitude)
    return None


def warm() -> None:
    """Load the library, so that the first question about the sun does not wait for it."""
    sun("sunset", date(2000, 1, 1), Place(lat=0.0, lon=0.0))
