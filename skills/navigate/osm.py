"""Read an OpenStreetMap file: the streets one may walk on, and the places along them.

Which ways are for walkers, and which tags forbid them, is as in OSRM's foot profile
(Project-OSRM/osrm-backend, `profiles/foot.lua`). The file is read by osmium; every step over
all points of all streets is one of numpy's.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import GlassesError
from skills.navigate.kinds import FEATURES, kind_of
from skills.navigate.streets import EARTH_M, distance_m

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIXES = (".osm.pbf", ".osm.gz", ".osm.bz2", ".osm", ".pbf")
TELL_EVERY = 2_000
"""Things that are read between two words about how far it is."""
DEGREE = 10_000_000
"""Coordinates are kept as whole numbers of this part of a degree, as OpenStreetMap does."""

WALKED = frozenset((
    "primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link",
    "unclassified", "residential", "road", "living_street", "service", "track", "path", "steps",
    "pedestrian", "platform", "footway", "corridor",
))  # fmt: skip
"""Values of `highway` that walkers use where nothing forbids it."""
ALLOWED = frozenset(("yes", "foot", "permissive", "designated", "destination", "customers"))
FORBIDDEN = frozenset(("no", "private", "agricultural", "forestry", "delivery", "use_sidepath"))
PASSABLE = frozenset((
    "kerb", "block", "bollard", "border_control", "cattle_grid", "entrance", "sally_port",
    "toll_booth", "cycle_barrier", "gate", "lift_gate", "swing_gate", "no", "stile", "turnstile",
    "kissing_gate", "full-height_turnstile", "chain", "log", "height_restrictor",
))  # fmt: skip
"""Values of `barrier` that a walker gets through."""

ROAD, FOOTWAY, PATH, TRACK, STEPS, CROSSING, SERVICE, SQUARE = range(8)
"""What a piece of the way is; streets without a name are told by it."""
_FORMS = {
    "footway": FOOTWAY, "corridor": FOOTWAY, "platform": FOOTWAY, "cycleway": FOOTWAY,
    "path": PATH, "bridleway": PATH, "track": TRACK, "steps": STEPS, "service": SERVICE,
    "pedestrian": SQUARE,
}  # fmt: skip

Tell = Callable[[str, float], None]
"""Is told what is being done, and how much of it is done: 0 … 1."""


class MapError(GlassesError):
    """A map file cannot be read or used; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Streets:
    """The streets of a map, as arrays: junctions 0 … J-1, edges 0 … E-1, points 0 … P-1."""

    lat: NDArray[np.int32]
    """(P,) points of all streets, in 1e-7 degrees north."""
    lon: NDArray[np.int32]
    """(P,) the same, east."""
    first: NDArray[np.int32]
    """(E,) first point of each edge."""
    last: NDArray[np.int32]
    """(E,) last point of each edge, included."""
    a: NDArray[np.int32]
    """(E,) junction at its first point."""
    b: NDArray[np.int32]
    """(E,) junction at its last point."""
    metres: NDArray[np.float64]
    """(E,) length."""
    name: NDArray[np.int32]
    """(E,) which of `names`; 0 is "", a street without a name."""
    form: NDArray[np.uint8]
    """(E,) ROAD … SQUARE."""
    crossed: NDArray[np.bool_]
    """(E,) whether a marked crossing lies on it."""
    names: NDArray[np.str_]
    """(N,) names of streets as JSON, by language; "" is that of the place itself."""


def distances_m(lat: Any, lon: Any) -> NDArray[np.float64]:
    """Return the haversine distances of consecutive points given in 1e-7 degrees, in metres."""
    import numpy as np

    north, east = np.radians(lat / DEGREE), np.radians(lon / DEGREE)
    h = np.sin(np.diff(north) / 2) ** 2
    h = h + np.cos(north[:-1]) * np.cos(north[1:]) * np.sin(np.diff(east) / 2) ** 2
    result: NDArray[np.float64] = 2 * EARTH_M * np.arcsin(np.minimum(1.0, np.sqrt(h)))
    return result


def walkable(tags: Mapping[str, str]) -> bool:
    """Return whether walkers may use a way of these tags."""
    for key in ("foot", "access"):
        if (value := tags.get(key)) in FORBIDDEN:
            return False
        if value in ALLOWED and (key == "foot" or tags.get("highway") in WALKED):
            return True
    if tags.get("sidewalk") in ("yes", "both", "left", "right"):
        return True
    return tags.get("highway") in WALKED or tags.get("man_made") == "pier"


def passable(tags: Mapping[str, str]) -> bool:
    """Return whether a walker gets through a barrier of these tags."""
    access = tags.get("foot") or tags.get("access")
    if access in FORBIDDEN:
        return False
    return access in ALLOWED or tags.get("barrier") in PASSABLE


def form_of(tags: Mapping[str, str]) -> int:
    """Return which of ROAD … SQUARE a way is."""
    if "crossing" in (tags.get("footway"), tags.get("path")):
        return CROSSING
    return _FORMS.get(tags.get("highway", ""), ROAD)


def names_of(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the names of a thing by language; "" is the one it has where it stands."""
    found = {"": tags["name"]} if tags.get("name") else {}
    for language in ("en", "zh"):
        if name := tags.get(f"name:{language}"):
            found[language] = name
    if "" not in found and found:
        found[""] = next(iter(found.values()))
    return found


class _Ways:
    """Collects the points of all walkable ways, one after the other."""

    def __init__(self) -> None:
        self.refs, self.lat, self.lon = array("q"), array("i"), array("i")
        self.starts, self.name, self.form = array("q"), array("i"), array("B")
        self.names = {"": 0}
        self.blocked, self.crossings = array("q"), array("q")

    def node(self, ref: int, tags: Mapping[str, str]) -> None:
        if "barrier" in tags and not passable(tags):
            self.blocked.append(ref)
        if tags.get("highway") == "crossing" or tags.get("crossing") in ("marked", "zebra"):
            self.crossings.append(ref)

    def way(self, nodes: Iterable[Any], tags: Mapping[str, str]) -> None:
        points = [(n.ref, n.x, n.y) for n in nodes if n.location.valid()]
        if len(points) < 2:  # a way that reaches over the edge of the extract
            return
        called = names_of(tags) or ({"": tags["ref"]} if tags.get("ref") else {})
        text = json.dumps(called, ensure_ascii=False) if called else ""
        self.starts.append(len(self.refs))
        self.name.append(self.names.setdefault(text, len(self.names)))
        self.form.append(form_of(tags))
        for ref, x, y in points:
            self.refs.append(ref)
            self.lon.append(x)
            self.lat.append(y)


def read_streets(source: Path, tell: Tell) -> Streets:
    """Read the walkable streets of a file. Raises MapError."""
    import osmium

    ways, total = _Ways(), 0
    try:
        for _ in osmium.FileProcessor(source, osmium.osm.WAY):
            total += 1
        things = osmium.FileProcessor(source, osmium.osm.NODE | osmium.osm.WAY).with_locations()
        seen = 0
        thing: Any
        for thing in things.with_filter(osmium.filter.EmptyTagFilter()):
            tags = dict(thing.tags)
            if thing.is_node():
                ways.node(thing.id, tags)
                continue
            seen += 1
            if seen % TELL_EVERY == 0:
                tell("streets", min(1.0, seen / max(1, total)))
            if walkable(tags):
                ways.way(thing.nodes, tags)
    except (RuntimeError, OSError, ValueError) as error:
        raise _unreadable(source, error) from None
    if not ways.starts:
        raise MapError(
            f"{source.name}: there is no street in it that one can walk: is it an extract?"
        )
    tell("streets", 1.0)
    return _graph(ways)


def _unreadable(source: Path, error: Exception) -> MapError:
    why = " ".join(str(error).split())[:160] or type(error).__name__
    return MapError(
        f"{source.name} cannot be read as OpenStreetMap data: {why}; "
        f"it is a file that ends in {', '.join(SUFFIXES[:4])}"
    )


def _graph(ways: _Ways) -> Streets:
    """Cut the ways at their junctions: where ways meet, end, or are blocked."""
    import numpy as np

    refs = np.frombuffer(ways.refs, dtype=np.int64)
    starts = np.frombuffer(ways.starts, dtype=np.int64)
    lat = np.frombuffer(ways.lat, dtype=np.int32)
    lon = np.frombuffer(ways.lon, dtype=np.int32)
    owner = np.zeros(len(refs), dtype=np.int64)
    owner[starts[1:]] = 1
    owner = np.cumsum(owner)
    begins = np.zeros(len(refs), dtype=bool)
    begins[starts] = True
    ends = np.roll(begins, -1)  # the point before the next way's first; the last one too
    node, uses = np.unique(refs, return_inverse=True, return_counts=True)[1:]
    blocked = (
        np.isin(refs, np.frombuffer(ways.blocked, dtype=np.int64)) if ways.blocked else ends & False
    )
    cut = np.flatnonzero((uses[node] > 1) | begins | ends | blocked)
    pieces = owner[cut[:-1]] == owner[cut[1:]]
    first, last = cut[:-1][pieces], cut[1:][pieces]
    a, b = node[first].copy(), node[last].copy()
    fresh = len(uses) + 2 * np.arange(len(first))
    a[blocked[first]] = fresh[blocked[first]]  # each side of a barrier is an end of its own
    b[blocked[last]] = fresh[blocked[last]] + 1
    joined = np.unique(np.concatenate([a, b]), return_inverse=True)[1]
    steps = np.append(distances_m(lat, lon), 0.0)
    steps[ends] = 0.0
    along = np.concatenate([[0.0], np.cumsum(steps)])
    crossings = (
        np.isin(refs, np.frombuffer(ways.crossings, dtype=np.int64))
        if ways.crossings
        else ends & False
    )
    passed = np.concatenate([[0], np.cumsum(crossings)])
    form = np.frombuffer(ways.form, dtype=np.uint8)[owner[first]]
    return Streets(
        lat=lat,
        lon=lon,
        first=first.astype(np.int32),
        last=last.astype(np.int32),
        a=joined[: len(first)].astype(np.int32),
        b=joined[len(first) :].astype(np.int32),
        metres=along[last] - along[first],
        name=np.frombuffer(ways.name, dtype=np.int32)[owner[first]],
        form=form,
        crossed=(passed[last] > passed[first + 1]) | (form == CROSSING),
        names=np.array(list(ways.names)),
    )


# -- places ---------------------------------------------------------------------------------------

KEPT = frozenset((
    "name", "alt_name", "old_name", "official_name", "short_name", "loc_name", "name:en", "name:zh",
    "name:de", "name:fr", "operator", "brand", "architect", "start_date", "building:levels",
    "building:architecture", "architecture", "building:material", "height", "heritage", "cuisine",
    "opening_hours", "phone", "website", "religion", "denomination", "description", "inscription",
    "artist_name", "ele", "wheelchair", "addr:street", "addr:housenumber", "addr:place",
    "historic:civilization", "year_of_construction", "roof:shape", "wikipedia", "capacity",
    "castle_type", "memorial", "artwork_type",
))  # fmt: skip
"""Tags that are kept of a place beside those that say what it is."""


@dataclass(frozen=True, slots=True)
class Found:
    """A place as the file has it."""

    lat: float
    """Degrees north of its middle."""
    lon: float
    """Degrees east."""
    size_m: float
    """Half its length in metres; 0 for a point."""
    kind: str
    """What `kinds.kind_of` says."""
    tags: Mapping[str, str]
    """What is kept of its tags."""


def read_places(source: Path, tell: Tell) -> Iterator[Found]:
    """Yield the places of a file, whatever of it is named or of a known kind. Raises MapError."""
    import osmium

    try:
        members: dict[int, int] = {}
        relations: dict[int, _Wanted] = {}
        ways = 0
        thing: Any
        for thing in osmium.FileProcessor(source, osmium.osm.WAY | osmium.osm.RELATION):
            if thing.is_way():
                ways += 1
            elif thing.tags.get("type") == "multipolygon" and (tags := _wanted(thing.tags)):
                relations[thing.id] = tags
                members |= {m.ref: thing.id for m in thing.members if m.type == "w"}
        boxes: dict[int, list[tuple[float, float]]] = {}
        seen = 0
        everything = osmium.FileProcessor(source, osmium.osm.NODE | osmium.osm.WAY)
        for thing in everything.with_locations():
            if thing.is_node():
                wanted = _wanted(thing.tags) if len(thing.tags) else None
                if wanted and thing.location.valid():
                    yield Found(thing.lat, thing.lon, 0.0, *wanted)
                continue
            seen += 1
            if seen % TELL_EVERY == 0:
                tell("places", min(1.0, seen / max(1, ways)))
            wanted = _wanted(thing.tags) if len(thing.tags) else None
            owner = members.get(thing.id)
            if wanted is None and owner is None:
                continue
            points = [(n.lat, n.lon) for n in thing.nodes if n.location.valid()]
            if points and owner is not None:
                boxes.setdefault(owner, []).extend(points)
            if points and wanted is not None:
                yield _area(points, wanted)
        for relation, points in boxes.items():
            yield _area(points, relations[relation])
    except (RuntimeError, OSError, ValueError) as error:
        raise _unreadable(source, error) from None
    tell("places", 1.0)


_Wanted = tuple[str, dict[str, str]]
"""The kind of a place, and what is kept of its tags."""


def _area(points: list[tuple[float, float]], wanted: _Wanted) -> Found:
    """Return a place by the box around it."""
    low = (min(p[0] for p in points), min(p[1] for p in points))
    high = (max(p[0] for p in points), max(p[1] for p in points))
    middle = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2)
    return Found(*middle, distance_m(low, high) / 2, *wanted)


def _wanted(tags: Any) -> _Wanted | None:
    """Return the kind of a place and what is kept of its tags; None for what is no place."""
    all_of = dict(tags)
    kind = kind_of(all_of)
    addressed = "addr:housenumber" in all_of
    if not kind and not addressed:
        return None
    plain = kind.startswith("building=") and not (KEPT & all_of.keys())
    vague = "=" in kind and not kind.startswith("building=") and "name" not in all_of
    if plain or (vague and not addressed):
        return None
    kept = {key: value for key, value in all_of.items() if key in KEPT or key in FEATURES}
    return kind, {key: " ".join(value.split())[:200] for key, value in kept.items()}
