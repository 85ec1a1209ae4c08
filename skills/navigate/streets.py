"""Walking routes on a small street graph: snap, search, turn, merge.

Distances are great-circle by the haversine formula (R. W. Sinnott, "Virtues of the Haversine",
Sky and Telescope 68, 1984) on a sphere of the earth's mean radius (IUGG: 6,371,008.8 m).
"""

from __future__ import annotations

import enum
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import asin, atan2, cos, degrees, hypot, radians, sin, sqrt

EARTH_M = 6_371_008.8
WALKING_M_S = 1.3
"""Comfortable gait: 1.27 … 1.46 m/s over ages 20-79 (R. W. Bohannon, Age and Ageing 26, 1997)."""

Point = tuple[float, float]
"""Degrees north and east, WGS-84."""


class Turn(enum.Enum):
    """Which way a step begins, seen by someone who walks."""

    START = "start"
    STRAIGHT = "straight"
    SLIGHT_LEFT = "slight left"
    SLIGHT_RIGHT = "slight right"
    LEFT = "left"
    RIGHT = "right"
    SHARP_LEFT = "sharp left"
    SHARP_RIGHT = "sharp right"
    U_TURN = "u-turn"


STRAIGHT_DEG, SLIGHT_DEG, TURN_DEG, SHARP_DEG = 20.0, 40.0, 120.0, 170.0
"""Largest change of direction that still counts as each kind of turn.

The first three are those of OSRM (Project-OSRM/osrm-backend, `getTurnDirection`); a u-turn, there
exactly 180°, begins at 170° here, because bearings on a map are never exact.
"""


@dataclass(frozen=True, slots=True)
class Segment:
    """A straight piece of a street between two junctions, walked both ways."""

    a: str
    """Junction at one end."""
    b: str
    """Junction at the other end."""
    street: str
    """Key of the street."""


@dataclass(frozen=True, slots=True, eq=False)  # hashed by identity: `_edges` remembers it
class Streets:
    """A street graph."""

    junctions: Mapping[str, Point]
    """Where each junction is."""
    segments: tuple[Segment, ...]
    """What joins them."""


@dataclass(frozen=True, slots=True)
class Snap:
    """The spot on the street graph nearest to somewhere."""

    point: Point
    """The spot."""
    segment: Segment
    """The segment it lies on."""
    offset_m: float
    """How far it is from where it was asked for, in metres."""

    @property
    def street(self) -> str:
        """Key of the street it lies on."""
        return self.segment.street


@dataclass(frozen=True, slots=True)
class Leg:
    """A straight walk along one street."""

    street: str
    """Key of the street."""
    start: Point
    """Where it begins."""
    end: Point
    """Where it ends."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is walked between two instructions."""

    turn: Turn
    """How it begins."""
    street: str
    """Key of the street that is walked along."""
    metres: float
    """Its length in metres."""
    bearing_deg: float
    """Direction of its first metres, degrees clockwise from north."""
    notes: tuple[str, ...] = ()
    """What is met on it: `steps`, `crossing`."""


def distance_m(a: Point, b: Point) -> float:
    """Return the great-circle distance in metres."""
    lat_a, lat_b = radians(a[0]), radians(b[0])
    h = sin((lat_b - lat_a) / 2) ** 2
    h += cos(lat_a) * cos(lat_b) * sin(radians(b[1] - a[1]) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(h)))


def bearing_deg(a: Point, b: Point) -> float:
    """Return the initial great-circle bearing, degrees clockwise from north, 0 … 360."""
    lat_a, lat_b, lon = radians(a[0]), radians(b[0]), radians(b[1] - a[1])
    east = sin(lon) * cos(lat_b)
    north = cos(lat_a) * sin(lat_b) - sin(lat_a) * cos(lat_b) * cos(lon)
    return degrees(atan2(east, north)) % 360


def turn_between(before_deg: float, after_deg: float) -> Turn:
    """Name the change from one bearing to the next."""
    change = (after_deg - before_deg + 180) % 360 - 180  # -180 … 180, right is positive
    size, right = abs(change), change > 0
    if size <= STRAIGHT_DEG:
        return Turn.STRAIGHT
    if size <= SLIGHT_DEG:
        return Turn.SLIGHT_RIGHT if right else Turn.SLIGHT_LEFT
    if size <= TURN_DEG:
        return Turn.RIGHT if right else Turn.LEFT
    if size <= SHARP_DEG:
        return Turn.SHARP_RIGHT if right else Turn.SHARP_LEFT
    return Turn.U_TURN


def snap(streets: Streets, point: Point) -> Snap:
    """Return the spot on the graph that is nearest to a point."""
    spots = (_on_segment(streets, segment, point) for segment in streets.segments)
    return min(spots, key=lambda spot: spot.offset_m)


def arms(streets: Streets, point: Point, within_m: float = 12.0) -> list[float]:
    """Return the bearings of the segments that leave the junction at a point; none without."""
    key, at = min(streets.junctions.items(), key=lambda one: distance_m(one[1], point))
    if distance_m(at, point) > within_m:
        return []
    ends = [(one.a, one.b) for one in streets.segments] + [(s.b, s.a) for s in streets.segments]
    return [bearing_deg(at, streets.junctions[b]) for a, b in ends if a == key]


def _on_segment(streets: Streets, segment: Segment, point: Point) -> Snap:
    """Project onto one segment; over a few hundred metres the earth is flat."""
    spot = onto(point, streets.junctions[segment.a], streets.junctions[segment.b])
    return Snap(spot, segment, distance_m(point, spot))


def onto(point: Point, a: Point, b: Point) -> Point:
    """Return the point of a straight piece that is nearest to a point; the earth is flat there."""
    shrink = cos(radians(point[0]))
    north, east = b[0] - a[0], (b[1] - a[1]) * shrink
    along = (point[0] - a[0]) * north + (point[1] - a[1]) * shrink * east
    share = min(1.0, max(0.0, along / (hypot(north, east) ** 2 or 1.0)))
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def off_line_m(point: Point, line: Sequence[Point]) -> float:
    """Return how far a point is from a line, in metres; over a few hundred the earth is flat."""
    return min(
        (distance_m(point, onto(point, a, b)) for a, b in pairwise(line)), default=float("inf")
    )


def shortest(streets: Streets, start: Snap, goal: str) -> list[Leg] | None:
    """Return the shortest walk from a spot to a junction, or None where there is none.

    Dijkstra's algorithm (Numerische Mathematik 1, 1959).
    """
    edges = _edges(streets)
    came: dict[str, tuple[str, str]] = {}
    queue = [
        (distance_m(start.point, streets.junctions[end]), end, _HERE, start.segment.street)
        for end in (start.segment.a, start.segment.b)
    ]
    heapq.heapify(queue)
    while queue:
        metres, here, before, street = heapq.heappop(queue)
        if here in came:
            continue
        came[here] = (before, street)
        if here == goal:
            return _legs(streets, start.point, came, goal)
        for other, length, name in edges.get(here, ()):
            if other not in came:
                heapq.heappush(queue, (metres + length, other, here, name))
    return None


_HERE = ""
"""Stands for the start, which is no junction."""


@lru_cache(maxsize=8)
def _edges(streets: Streets) -> dict[str, list[tuple[str, float, str]]]:
    edges: dict[str, list[tuple[str, float, str]]] = {}
    for segment in streets.segments:
        length = distance_m(streets.junctions[segment.a], streets.junctions[segment.b])
        edges.setdefault(segment.a, []).append((segment.b, length, segment.street))
        edges.setdefault(segment.b, []).append((segment.a, length, segment.street))
    return edges


def _legs(
    streets: Streets, start: Point, came: Mapping[str, tuple[str, str]], goal: str
) -> list[Leg]:
    legs: list[Leg] = []
    here = goal
    while here != _HERE:
        before, street = came[here]
        origin = start if before == _HERE else streets.junctions[before]
        legs.append(Leg(street, origin, streets.junctions[here]))
        here = before
    return [leg for leg in reversed(legs) if leg.start != leg.end]


def steps(legs: Iterable[Leg]) -> list[Step]:
    """Merge legs into steps: one for each street, and for each real corner within a street."""
    made: list[Step] = []
    before_deg = 0.0
    for leg in legs:
        metres, bearing = distance_m(leg.start, leg.end), bearing_deg(leg.start, leg.end)
        turn = turn_between(before_deg, bearing) if made else Turn.START
        before_deg = bearing
        if made and leg.street == made[-1].street and turn in _BENDS:
            last = made[-1]
            made[-1] = Step(last.turn, last.street, last.metres + metres, last.bearing_deg)
        else:
            made.append(Step(turn, leg.street, metres, bearing))
    return made


_BENDS = (Turn.STRAIGHT, Turn.SLIGHT_LEFT, Turn.SLIGHT_RIGHT)


def minutes(metres: float) -> int:
    """Return the walking time in whole minutes, at least one."""
    return max(1, round(metres / WALKING_M_S / 60))
