"""Where the wearer is: a fixed place, for glasses and machines without positioning."""

from __future__ import annotations

from dataclasses import dataclass

from hardware.base import DeviceError, Place


@dataclass(frozen=True, slots=True)
class FixedLocation:
    """Answers one place, always."""

    place: Place
    """The place; `parse` marks those that were typed as simulated."""

    def where(self) -> Place:
        """Return the place."""
        return self.place


def parse(text: str) -> Place:
    """Read `LAT,LON` or `LAT,LON,HEADING`, in degrees, as a simulated place.

    Raises DeviceError when it is anything else, or not on this planet.
    """
    try:
        lat, lon, heading_deg = (float(part) for part in f"{text},0".split(",")[:3])
        on_earth = -90 <= lat <= 90 and -180 <= lon <= 180 and 0 <= heading_deg <= 360
    except ValueError:
        on_earth = False
    if not on_earth or text.count(",") > 2:
        raise DeviceError(
            f"{text!r} is not a place: write LAT,LON in degrees, as in 48.41,15.61 "
            "(a heading from 0 to 360 may follow)"
        )
    return Place(lat, lon, heading_deg % 360, simulated=True)
