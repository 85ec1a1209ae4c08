"""A router of the wearer's own by HTTP, where `GLASSES_ROUTER` names one: OSRM or Valhalla.

It is told where the wearer is and where they go, and nothing else. Places are still found on the
map of the glasses, and where the router does not answer the way is the map's own.

OSRM: https://project-osrm.org/docs/v26.4.0/http, version 1 of the API.
Valhalla: https://valhalla.github.io/valhalla/api/turn-by-turn/api-reference.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

from agent import config
from agent.environment import STARTED
from hardware.base import DeviceError
from skills.navigate.streets import Point, Step, Turn, bearing_deg, distance_m

TIMEOUT_S = 3.0
REST_S = 60.0
"""How long a router that did not answer is left alone."""
LONGEST = 80
"""Characters of a name that are shown."""

Found = tuple[list[Step], list[Point]]

_OSRM = {
    "uturn": Turn.U_TURN, "sharp right": Turn.SHARP_RIGHT, "right": Turn.RIGHT,
    "slight right": Turn.SLIGHT_RIGHT, "straight": Turn.STRAIGHT,
    "slight left": Turn.SLIGHT_LEFT, "left": Turn.LEFT, "sharp left": Turn.SHARP_LEFT,
}  # fmt: skip
_VALHALLA = {
    1: Turn.START, 2: Turn.START, 3: Turn.START, 9: Turn.SLIGHT_RIGHT, 10: Turn.RIGHT,
    11: Turn.SHARP_RIGHT, 12: Turn.U_TURN, 13: Turn.U_TURN, 14: Turn.SHARP_LEFT, 15: Turn.LEFT,
    16: Turn.SLIGHT_LEFT, 18: Turn.RIGHT, 19: Turn.LEFT, 20: Turn.RIGHT, 21: Turn.LEFT,
    23: Turn.SLIGHT_RIGHT, 24: Turn.SLIGHT_LEFT,
}  # fmt: skip
"""`DirectionsLeg.Maneuver.Type`; what is not here goes straight on."""
_ARRIVALS = frozenset((4, 5, 6))
_STEPS = 40
_NO_WAY = 442
"""Valhalla's error code for two places that no way joins."""


@dataclass(slots=True)
class Router:
    """One router. Its methods raise DeviceError where it does not answer."""

    kind: str
    """`osrm` or `valhalla`."""
    url: str
    """Where it is."""
    _lost_s: float = field(default=float("-inf"))

    @property
    def name(self) -> str:
        """What it is called."""
        return "OSRM" if self.kind == "osrm" else "Valhalla"

    @property
    def avoids(self) -> bool:
        """Whether it can be asked for a way round something."""
        return self.kind == "valhalla"

    def walk(self, here: Point, goal: Point, avoid: Sequence[Point] = ()) -> Found | None:
        """Return the steps of the walk and its line; None where there is no way."""
        if time.monotonic() - self._lost_s < REST_S:
            raise DeviceError(f"{self.name} did not answer: it is asked again in a minute")
        try:
            return (
                self._osrm(here, goal) if self.kind == "osrm" else self._valhalla(here, goal, avoid)
            )
        except DeviceError:
            self._lost_s = time.monotonic()
            raise
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            self._lost_s = time.monotonic()
            why = type(error).__name__
            raise DeviceError(
                f"{self.name} answers what cannot be read ({why}): look at GLASSES_ROUTER"
            ) from None

    def _ask(self, path: str, body: Mapping[str, Any] | None = None, **query: str) -> Any:
        import httpx2

        method = "GET" if body is None else "POST"
        try:
            answer = httpx2.request(
                method, f"{self.url}{path}", json=body, params=query, timeout=TIMEOUT_S
            )
            return answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise DeviceError(
                f"{self.name} does not answer ({type(error).__name__}): is GLASSES_ROUTER right?"
            ) from None

    # -- OSRM -------------------------------------------------------------------------------------

    def _osrm(self, here: Point, goal: Point) -> Found | None:
        ends = ";".join(f"{lon:.6f},{lat:.6f}" for lat, lon in (here, goal))
        told = self._ask(
            f"/route/v1/foot/{ends}", steps="true", overview="full", geometries="geojson"
        )
        if told["code"] in ("NoRoute", "NoSegment"):
            return None
        if told["code"] != "Ok":
            raise DeviceError(f"{self.name} refuses ({plain(told['code'])})")
        made: list[Step] = []
        for raw in told["routes"][0]["legs"][0]["steps"]:
            move = raw["maneuver"]
            turn = _OSRM.get(move.get("modifier", "straight"), Turn.STRAIGHT)
            if move["type"] == "depart":
                turn = Turn.START
            elif move["type"] == "arrive":
                break
            bearing = float(move.get("bearing_after", 0.0))
            made = joined(made, Step(turn, key(raw["name"]), float(raw["distance"]), bearing))
        points = told["routes"][0]["geometry"]["coordinates"]
        return made, [(float(lat), float(lon)) for lon, lat in points]

    # -- Valhalla ---------------------------------------------------------------------------------

    def _valhalla(self, here: Point, goal: Point, avoid: Sequence[Point]) -> Found | None:
        asked: dict[str, Any] = {
            "locations": [_place(here), _place(goal)],
            "costing": "pedestrian",
            "units": "kilometers",
        }
        if avoid:
            asked["exclude_locations"] = [_place(point) for point in avoid]
        told = self._ask("/route", asked)
        if "trip" not in told:
            if told.get("error_code") == _NO_WAY:
                return None
            raise DeviceError(f"{self.name} refuses ({plain(told['error'])})")
        leg = told["trip"]["legs"][0]
        line = list(unfolded(leg["shape"]))
        made: list[Step] = []
        for raw in leg["maneuvers"]:
            if raw["type"] in _ARRIVALS:
                break
            turn = _VALHALLA.get(raw["type"], Turn.STRAIGHT)
            names = raw.get("street_names") or [""]
            piece = line[raw["begin_shape_index"] : raw["end_shape_index"] + 1]
            bearing = bearing_deg(piece[0], piece[1]) if len(piece) > 1 else 0.0
            notes = ("steps",) if raw["type"] == _STEPS else ()
            metres = sum(distance_m(*pair) for pair in pairwise(piece))
            made = joined(made, Step(turn, key(names[0]), metres, bearing, notes))
        return made, line


def joined(made: list[Step], step: Step) -> list[Step]:
    """Return steps with one more, which is a part of the last where nothing turns there."""
    if made and step.turn is Turn.STRAIGHT and step.street in (made[-1].street, key("")):
        last = made[-1]
        notes = tuple(dict.fromkeys((*last.notes, *step.notes)))
        metres = last.metres + step.metres
        return [*made[:-1], Step(last.turn, last.street, metres, last.bearing_deg, notes)]
    return [*made, step]


def key(name: Any) -> str:
    """Return the key of a street that a router names; `names` reads it."""
    return f"n{plain(name)}"


def plain(words: Any) -> str:
    """Return a text of the router's on one line."""
    line = " ".join(words.split()) if isinstance(words, str) else ""
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def unfolded(shape: str) -> Iterator[Point]:
    """Yield the points of an encoded polyline of six digits (Google's algorithm, as Valhalla's)."""
    at, so_far = 0, [0, 0]
    while at < len(shape):
        for axis in (0, 1):
            value = shift = 0
            while True:
                part = ord(shape[at]) - 63
                at, value, shift = at + 1, value | (part & 31) << shift, shift + 5
                if part < 32:
                    break
            so_far[axis] += ~(value >> 1) if value & 1 else value >> 1
        yield so_far[0] / 1e6, so_far[1] / 1e6


def _place(point: Point) -> dict[str, float]:
    return {"lat": round(point[0], 6), "lon": round(point[1], 6)}


# -- the setting ----------------------------------------------------------------------------------


def setting() -> str:
    """Return what is set."""
    return config.load(STARTED).router


def found() -> Router | None:
    """Return the router that is set, the same each time. Raises DeviceError for nonsense."""
    return _read(setting())


@lru_cache(maxsize=4)
def _read(text: str) -> Router | None:
    if not text:
        return None
    read = re.fullmatch(r"(osrm|valhalla)\+(https?://[^\s?#]+?)/*", text)
    if not read:
        raise DeviceError(
            f"GLASSES_ROUTER is {text[:80]!r}: write osrm+http://HOST:PORT or "
            "valhalla+http://HOST:PORT"
        )
    return Router(read[1], read[2])
