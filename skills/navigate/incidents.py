"""Incidents: who tells of them, and which are on the way of somebody who walks.

A plugin's provider tells, else the feed that is set, a file or a URL that is asked every minute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from math import ceil
from pathlib import Path

from agent import Context, config
from agent.environment import STARTED
from agent.skill import feed
from agent.skill.incidents import Incident, Shape, Traffic
from hardware.base import DeviceError, Place
from skills.navigate import feeds
from skills.navigate.streets import Point, distance_m, off_line_m

FRESH_S = 60.0
"""How old what a feed told may be before it is asked again."""
FIRST_S = 3.0
"""How long what it tells is waited for when it is first asked; later the last is used meanwhile."""
NEAR_M = 15.0
"""So near to a way something is on it: a street, with its pavements."""


@dataclass(slots=True)
class Feed:
    """One feed. What a URL last told is used while it is asked again."""

    source: str
    """A file or a URL."""
    folder: Path
    """Where what was read is kept."""
    name: str = ""
    """Who tells."""
    _known: tuple[Incident, ...] = ()
    _read_s: float = float("-inf")
    _error: DeviceError | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def incidents(self, near: Place) -> Sequence[Incident]:
        """Return all that it tells. Raises DeviceError where it cannot be read."""
        with self._lock:
            if not self.remote:
                self._file()
            elif time.monotonic() - self._read_s >= FRESH_S:
                first = self._read_s == float("-inf")
                self._read_s = time.monotonic()
                asking = threading.Thread(target=self._again, name="traffic", daemon=True)
                asking.start()
                if first:
                    asking.join(FIRST_S)
            if self._error is not None and not self._known:
                raise self._error
            return self._known

    @property
    def remote(self) -> bool:
        """Whether it is read over the network."""
        return self.source.startswith(("http://", "https://"))

    def _file(self) -> None:
        """Read a file again where it has changed."""
        try:
            stamp = Path(self.source).expanduser().stat().st_mtime
        except OSError:
            stamp = -1.0  # reading it says why
        if stamp != self._read_s or self._error is not None:
            self._read_s = stamp
            self._again()

    def _again(self) -> None:
        try:
            found = feed.read(self.source, self.folder, FRESH_S)
            self._known, self._error = feeds.read(found.content), None
        except DeviceError as error:
            self._error = error


# -- on the way ------------------------------------------------------------------------------------


def touches(shape: Shape, point: Point, near_m: float) -> bool:
    """Return whether a point is in a shape, or so near to it; over it the earth is flat."""
    reach = near_m + shape.radius_m
    if shape.form == "point":
        return distance_m(point, shape.points[0]) <= reach
    if shape.form == "area":
        ring = (*shape.points, shape.points[0])
        return _inside(point, shape.points) or off_line_m(point, ring) <= reach
    return off_line_m(point, shape.points) <= reach


def away_m(one: Incident, point: Point) -> float:
    """Return about how far an incident is from a point; 0 within it."""
    middles = (circle(shape) for shape in one.shapes)
    return min(max(0.0, distance_m(point, middle) - reach_m) for middle, reach_m in middles)


def circle(shape: Shape) -> tuple[Point, float]:
    """Return the middle of a shape, and how far it reaches from there."""
    lats, lons = ([point[axis] for point in shape.points] for axis in (0, 1))
    middle = (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
    return middle, shape.radius_m + max(distance_m(middle, point) for point in shape.points)


def crosses(shape: Shape, line: Sequence[Point]) -> bool:
    """Return whether a street comes so near to a shape that it leads through it."""
    return any(touches(shape, at, NEAR_M) for at in spread(line, NEAR_M))


def spread(line: Sequence[Point], every_m: float) -> Iterator[Point]:
    """Yield points of a line that are so near to each other."""
    for one, other in pairwise(line):
        many = max(1, ceil(distance_m(one, other) / every_m))
        for n in range(many):
            share = n / many
            yield one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])
    yield line[-1]


def on_way(
    line: Sequence[tuple[float, Point]], told: Sequence[Incident]
) -> list[tuple[float, Incident]]:
    """Return incidents on a way with how far along it each begins, the first first.

    `line` is points of the way, each with its metres from the beginning, near enough to each other.
    """
    if not line:
        return []
    lats, lons = ([point[axis] for _, point in line] for axis in (0, 1))
    found = []
    for one in told:
        shapes = [s for s in one.shapes if _beside(s, min(lats), max(lats), min(lons), max(lons))]
        first = next(
            (far for far, at in line if any(touches(shape, at, NEAR_M) for shape in shapes)), None
        )
        if first is not None:
            found.append((first, one))
    return sorted(found, key=lambda hit: hit[0])


def _beside(shape: Shape, south: float, north: float, west: float, east: float) -> bool:
    """Return whether a shape may be near a box of degrees, within a kilometre beyond its reach."""
    margin = (shape.radius_m + 1_000.0) / 50_000.0  # a degree is longer than that up to 60° north
    lats, lons = ([point[axis] for point in shape.points] for axis in (0, 1))
    return (
        max(lats) >= south - margin
        and min(lats) <= north + margin
        and max(lons) >= west - margin
        and min(lons) <= east + margin
    )


def _inside(point: Point, corners: Sequence[Point]) -> bool:
    """Count the edges that a ray to the east crosses (the even-odd rule)."""
    lat, lon = point
    inside = False
    for (a, b), (c, d) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (a > lat) != (c > lat) and lon < b + (lat - a) / (c - a) * (d - b):
            inside = not inside
    return inside


# -- who tells -------------------------------------------------------------------------------------


def setting() -> str:
    """Return what is set."""
    return config.load(STARTED).traffic


@lru_cache(maxsize=4)
def _feed(source: str, folder: Path) -> Feed:
    return Feed(source, folder, source.partition("://")[2].partition("/")[0] or Path(source).name)


def teller(ctx: Context) -> Traffic | None:
    """Return who tells of incidents: a plugin's, else the feed that is set; None: nobody."""
    try:
        found: Traffic = ctx.device("traffic")
    except DeviceError:
        return _feed(source, ctx.folder) if (source := setting()) else None
    return found


def now(ctx: Context, place: Place) -> list[Incident]:
    """Return what is in the way now. Raises DeviceError where that cannot be told."""
    told = teller(ctx)
    if told is None:
        return []
    clock = ctx.clock()
    at = clock if clock.tzinfo else clock.astimezone()
    return [
        one
        for one in told.incidents(place)
        if (one.begins is None or one.begins <= at) and (one.ends is None or one.ends >= at)
    ]
