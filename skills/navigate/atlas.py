"""Which map one walks on: a real one that holds the place, else the made-up town that ships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from agent.skill.incidents import Shape
from hardware.base import DeviceError, Place
from skills.navigate import amap, incidents, kinds, maps, routers
from skills.navigate import town as towns
from skills.navigate.places import Places, Site
from skills.navigate.roads import Roads
from skills.navigate.streets import (
    Point,
    Segment,
    Step,
    arms,
    distance_m,
    shortest,
    snap,
    steps,
)
from skills.navigate.town import Town

MAP_M = 5_000.0
"""Farther than this from every street, the map is of no use to the wearer."""
SAID = 200
"""Names of places near the wearer that speech listens for; any other is found by how it sounds."""
MOVED_M = 500.0
"""The list of them is made anew when the wearer has gone so far."""
BESIDE_M = 2_000.0
"""How far a place may be by which one says where somebody is."""
NEAR = 100
"""Places of all kinds that are looked at for those with a name."""
OF_KIND = 6
"""Places of a kind, the nearest as the bird flies, among which the shortest walk is looked for."""


@dataclass(frozen=True, slots=True)
class Goals:
    """The places that some words may mean."""

    keys: tuple[str, ...] = ()
    """Their keys, the likeliest first, of equal ones the nearest."""
    of_kind: bool = False
    """Whether a kind of place is meant, of which the one with the shortest walk is wanted."""
    sure: bool = True
    """Whether it is said so; else it only sounds like it."""


@dataclass(frozen=True, slots=True)
class Way:
    """A walk."""

    steps: tuple[Step, ...]
    """With an instruction at the beginning of each; at least one."""
    line: tuple[Point, ...]
    """Where it runs."""
    lost: str = ""
    """A router that was to find it and did not answer, so that the map's own did."""

    @property
    def metres(self) -> float:
        """Its length."""
        return sum(step.metres for step in self.steps)


class Here(Protocol):
    """A spot on the streets of a map."""

    @property
    def point(self) -> Point:
        """Where it is."""
        ...

    @property
    def street(self) -> str:
        """Key of the street."""
        ...

    @property
    def offset_m(self) -> float:
        """How far it is from where it was asked for."""
        ...


class Map(Protocol):
    """What the skill asks of a map."""

    real: bool
    """Whether it shows the world."""

    def title(self, language: str) -> str:
        """Return what it shows."""
        ...

    def here(self, point: Point) -> Here:
        """Return the spot on a street that is nearest to a point."""
        ...

    def spot(self, key: str) -> Here:
        """Return the spot of a place."""
        ...

    def point(self, key: str) -> Point:
        """Return where a place is."""
        ...

    def goals(self, words: str, here: Point) -> Goals:
        """Return the places that words may mean."""
        ...

    def way(self, here: Any, key: str, around: Sequence[Shape] = ()) -> Way | None:
        """Return the shortest walk to a place, around what is in the way; None: there is none."""
        ...

    def metres(self, here: Any, key: str) -> float:
        """Return how long the walk to a place is by the map itself; infinite without one."""
        ...

    def beside(self, point: Point) -> str | None:
        """Return the place with a name that is nearest to a point."""
        ...

    def near(self, point: Point, within_m: float) -> list[str]:
        """Return the places with a name so near to a point, the nearest first."""
        ...

    def arms(self, point: Point) -> list[float]:
        """Return the bearings of the streets that leave a junction, as far as they are known."""
        ...

    def place_name(self, key: str, language: str) -> str:
        """Return how a place is called."""
        ...

    def street_name(self, key: str, language: str) -> str:
        """Return how a street is called; "" for one without a name."""
        ...


class TownMap:
    """The made-up town."""

    real = False

    def __init__(self, town: Town) -> None:
        """Show this town."""
        self._town = town

    def title(self, language: str) -> str:
        """Return the town's name."""
        return towns.shown(self._town.name, language)

    def here(self, point: Point) -> Here:
        """Return the nearest spot."""
        return snap(self._town.streets, point)

    def spot(self, key: str) -> Here:
        """Return the spot of a place."""
        return self.here(self.point(key))

    def point(self, key: str) -> Point:
        """Return where a place is."""
        return self._town.point(key)

    def goals(self, words: str, here: Point) -> Goals:
        """Return what words mean, or the key of a place or category."""
        key = towns.key_of(words)
        if key is None:
            return Goals()
        if key in self._town.places:
            return Goals((key,))
        return Goals(tuple(towns.of_category(key, self._town)), of_kind=True)

    def way(self, here: Any, key: str, around: Sequence[Shape] = ()) -> Way | None:
        """Return the walk; the map is one piece, so there always is one but around something."""
        streets = self._town.streets
        if around:
            streets = replace(
                streets,
                segments=tuple(one for one in streets.segments if not self._closed(one, around)),
            )
        legs = shortest(streets, here, self._town.places[key].at)
        if legs is None:
            return None
        line = [leg.start for leg in legs] + [leg.end for leg in legs[-1:]]
        return Way(tuple(steps(legs)), tuple(line))

    def _closed(self, segment: Segment, around: Sequence[Shape]) -> bool:
        ends = [self._town.streets.junctions[end] for end in (segment.a, segment.b)]
        return any(incidents.crosses(shape, ends) for shape in around)

    def metres(self, here: Any, key: str) -> float:
        """Return how long the walk is."""
        way = self.way(here, key)
        return way.metres if way else float("inf")

    def beside(self, point: Point) -> str | None:
        """Return the nearest place."""
        return min(self._town.places, key=lambda key: distance_m(point, self.point(key)))

    def near(self, point: Point, within_m: float) -> list[str]:
        """Return the places so near, the nearest first."""
        away = {key: distance_m(point, self.point(key)) for key in self._town.places}
        return sorted((key for key in away if away[key] <= within_m), key=away.__getitem__)

    def arms(self, point: Point) -> list[float]:
        """Return the bearings of the streets that leave a junction."""
        return arms(self._town.streets, point)

    def place_name(self, key: str, language: str) -> str:
        """Return the name of a place."""
        return towns.shown(self._town.places[key].names, language)

    def street_name(self, key: str, language: str) -> str:
        """Return the name of a street."""
        return towns.shown(self._town.street_names[key], language)


class RealMap:
    """A map made of OpenStreetMap data. Places are `p` and their row, streets as in `Roads`."""

    real = True

    def __init__(self, folder: Path) -> None:
        """Open the map in a folder. Raises MapError."""
        self.roads = Roads.load(folder)
        self.places = Places(folder)
        self._name = folder.name

    def title(self, language: str) -> str:
        """Return its name."""
        return self._name.replace("-", " ").title()

    def here(self, point: Point) -> Here:
        """Return the nearest spot."""
        return self.roads.snap(point)

    def site(self, key: str) -> Site:
        """Return a place by its key."""
        return self.places.site(int(key[1:]))

    def spot(self, key: str) -> Here:
        """Return the spot of a place."""
        return self.roads.snap(self.point(key))

    def point(self, key: str) -> Point:
        """Return where a place is."""
        return self.site(key).at

    def goals(self, words: str, here: Point) -> Goals:
        """Return what words mean: a key, a kind of place, a name, an address."""
        bare = towns.bare(words)
        if kind := kinds.named(bare):
            near = self.places.near(here, kind, limit=OF_KIND)
            if near:
                return Goals(tuple(map(_key, near)), of_kind=True)
        found = self.places.meant(bare, here)
        return Goals(tuple(map(_key, found)), sure=self.places.sure(bare, here))

    def way(self, here: Any, key: str, around: Sequence[Shape] = ()) -> Way | None:
        """Return the walk; None where the streets do not lead there."""
        router, lost = routers.found(), ""
        if router is not None and (router.avoids or not around):
            try:
                spots = [point for shape in around for point in shape.points]
                asked = router.walk(here.point, self.point(key), spots)
                return Way(tuple(asked[0]), tuple(asked[1])) if asked else None
            except DeviceError:
                lost = router.name
        closed = self.roads.closed(around)
        found = self.roads.steps(here, self.roads.snap_goal(self.point(key), here), closed)
        return Way(tuple(found[0]), tuple(found[1]), lost) if found else None

    def metres(self, here: Any, key: str) -> float:
        """Return how long the walk is by the map's own streets."""
        found = self.roads.path(here, self.roads.snap_goal(self.point(key), here))
        return found[0] if found else float("inf")

    def beside(self, point: Point) -> str | None:
        """Return the nearest place with a name, no street."""
        return next(iter(self.near(point, BESIDE_M)), None)

    def near(self, point: Point, within_m: float) -> list[str]:
        """Return the places with a name so near, the nearest first; no streets and rivers."""
        near = self.places.near(point, within_m=within_m, limit=NEAR)
        return [_key(one) for one in near if one.tags.get("name") and not kinds.is_long(one.kind)]

    def arms(self, point: Point) -> list[float]:
        """Return the bearings of the streets that leave a junction."""
        return self.roads.arms(point)

    def place_name(self, key: str, language: str) -> str:
        """Return the name of a place, or what it is."""
        return self.site(key).name(language)

    def street_name(self, key: str, language: str) -> str:
        """Return the name of a street."""
        if key.startswith("n"):  # a router's own
            return key[1:]
        names = self.roads.names(key)
        return names.get(language) or names.get("", "")


class ChinaMap(amap.Amap):
    """Amap, as a map."""

    def goals(self, words: str, here: Point) -> Goals:
        """Return what Amap finds: of a kind of place the nearest ones, else what is called so."""
        bare = towns.bare(words)
        kind = kinds.named(bare)
        keys = self.find(kinds.shown(kind, "zh") if kind else bare, here)
        if kind is None and bare in keys:
            return Goals((bare,))
        return Goals(keys, of_kind=kind is not None)

    def way(self, here: Any, key: str, around: Sequence[Shape] = ()) -> Way | None:
        """Return the walk; None where there is none, as around something: Amap avoids nothing."""
        found = None if around else self.steps(here, key)
        return Way(tuple(found[0]), tuple(found[1])) if found else None

    def metres(self, here: Any, key: str) -> float:
        """Return how long the walk is."""
        way = self.way(here, key)
        return way.metres if way else float("inf")

    def arms(self, point: Point) -> list[float]:
        """Return none: Amap tells the way, not the streets beside it."""
        return []


@lru_cache(maxsize=1)
def _china() -> ChinaMap:
    return ChinaMap()


def _key(site: Site) -> str:
    return f"p{site.index}"


def closest(goals: Goals, here: Here, on: Map) -> str | None:
    """Return the place with the shortest walk; the first where none can be walked to."""
    if not goals.of_kind or len(goals.keys) == 1:
        return next(iter(goals.keys), None)
    return min(goals.keys, key=lambda key: on.metres(here, key), default=None)


# -- which map ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Seen:
    """Where somebody last asked for a map, for the lists that speech listens for."""

    point: Point | None = None
    on: RealMap | None = None


_seen = _Seen()


def at(place: Place) -> Map:
    """Return the map for a place: the smallest real one that holds it, Amap, else the town."""
    point = place.lat, place.lon
    root = maps.folder()
    for about in maps.installed(root) if root.is_dir() else ():
        if about.holds(*point):
            found = _opened(root / about.name, (root / about.name / maps.ABOUT).stat().st_mtime_ns)
            if _seen.on is not found or distance_m(_seen.point or point, point) > MOVED_M:
                _seen.point = point
            _seen.on = found
            return found
    _seen.on = None
    return _china() if amap.usable(point) else town()


@lru_cache(maxsize=2)
def _opened(folder: Path, stamp: int) -> RealMap:
    return RealMap(folder)


@lru_cache(maxsize=1)
def town() -> TownMap:
    """Return the made-up town. Raises DataError."""
    return TownMap(towns.load())


def categories(language: str) -> dict[str, str]:
    """Return the kinds of places that can be said on the map in use, with the key of each."""
    return towns.categories(language) if _seen.on is None else kinds.said(language)


def destinations(language: str) -> dict[str, str]:
    """Return what one can walk to on the map in use: kinds of places, and names near by."""
    if _seen.on is None or _seen.point is None:
        return towns.destinations(language)
    return _near(_seen.on, _seen.point, language)


@lru_cache(maxsize=4)
def _near(on: RealMap, point: Point, language: str) -> dict[str, str]:
    names = on.places.names_near(point, SAID)
    return {**{name.lower(): name for name in names}, **kinds.said(language)}
