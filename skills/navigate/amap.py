"""China by Amap's web service, where the wearer has set a key: places, and the way on foot.

Used where no map of the wearer's own holds the place. Amap is told where the wearer is and where
they want to go, in its own GCJ-02; what it answers is text from the world, and is only shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.environment import STARTED
from hardware.base import DeviceError
from skills.navigate import china
from skills.navigate.streets import Point, Step, Turn, bearing_deg, distance_m

KEY = STARTED.get("GLASSES_AMAP_KEY", "")
"""The key of the wearer's Amap account; nothing is sent without one."""
URL = STARTED.get("GLASSES_AMAP_URL", "https://restapi.amap.com")
TIMEOUT_S = 4.0
MOST = 5
"""Places that a search may give."""
LONGEST = 80
"""Characters of a name or a street that is shown."""

_TURNS = {
    "左转": Turn.LEFT, "右转": Turn.RIGHT, "向左前方行走": Turn.SLIGHT_LEFT,
    "向右前方行走": Turn.SLIGHT_RIGHT, "左转调头": Turn.U_TURN, "向左后方行走": Turn.SHARP_LEFT,
    "向右后方行走": Turn.SHARP_RIGHT, "靠左": Turn.SLIGHT_LEFT, "靠右": Turn.SLIGHT_RIGHT,
}  # fmt: skip
"""Amap's words for what is done at the end of a step."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where somebody stands; Amap has no streets to snap to."""

    point: Point
    """The place, WGS-84."""
    street: str = ""
    """The key of the street: its name."""
    offset_m: float = 0.0
    """Nothing is known of it."""


def usable(point: Point) -> bool:
    """Return whether Amap is set up and knows the country around a point."""
    return bool(KEY) and china.within(point)


def ask(path: str, **query: str) -> Mapping[str, Any]:
    """Return Amap's answer. Raises DeviceError where there is none; the key is never told."""
    import httpx2

    try:
        answer = httpx2.get(f"{URL}{path}", params={**query, "key": KEY}, timeout=TIMEOUT_S).json()
    except (httpx2.HTTPError, ValueError) as error:
        raise DeviceError(
            f"Amap does not answer ({type(error).__name__}): is there a network?"
        ) from None
    if not isinstance(answer, dict) or str(answer.get("status")) != "1":
        info = plain(answer.get("info")) if isinstance(answer, dict) else ""
        raise DeviceError(f"Amap refuses ({info or 'no reason given'}): look at GLASSES_AMAP_KEY")
    return answer


def plain(value: Any) -> str:
    """Return a text of Amap's on one line; it writes an empty one as an empty list."""
    words = re.sub(r"\s+", " ", value).strip() if isinstance(value, str) else ""
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


def search(words: str, here: Point) -> dict[str, Point]:
    """Return the places that words may mean, the likeliest first, each with where it is."""
    found = ask(
        "/v3/place/around",
        keywords=words,
        location=_written(here),
        radius="50000",
        offset=str(MOST),
    )
    places: dict[str, Point] = {}
    for poi in found.get("pois") or ():
        at = _point(poi.get("location")) if isinstance(poi, dict) else None
        if at and (name := plain(poi.get("name"))):
            places.setdefault(name, at)
    return places


def street(here: Point) -> str:
    """Return the street at a place, else its address."""
    told = ask("/v3/geocode/regeo", location=_written(here)).get("regeocode") or {}
    part = told.get("addressComponent") or {}
    number = part.get("streetNumber") or {}
    return plain(number.get("street")) or plain(told.get("formatted_address"))


def walk(here: Point, goal: Point) -> tuple[list[Step], list[Point]] | None:
    """Return the steps of the walk and its line; None where there is no way."""
    told = ask("/v3/direction/walking", origin=_written(here), destination=_written(goal))
    paths = (told.get("route") or {}).get("paths") or []
    if not paths:
        return None
    made: list[Step] = []
    line: list[Point] = []
    turn = Turn.START
    for raw in paths[0].get("steps") or ():
        points = [at for pair in str(raw.get("polyline", "")).split(";") if (at := _point(pair))]
        metres = float(raw.get("distance") or 0.0)
        bearing = bearing_deg(points[0], points[-1]) if len(points) > 1 else 0.0
        made.append(Step(turn, plain(raw.get("road")), metres, bearing))
        turn = _TURNS.get(plain(raw.get("action")), Turn.STRAIGHT)
        line += points
    return made, line or [here, goal]


def _written(point: Point) -> str:
    lat, lon = china.to_gcj(point)
    return f"{lon:.6f},{lat:.6f}"


def _point(written: Any) -> Point | None:
    found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)\s*", str(written))
    return china.to_wgs((float(found[2]), float(found[1]))) if found else None


class Amap:
    """The map of China that Amap answers for; `skills.navigate.atlas.Map` says what it can do."""

    real = True

    def __init__(self) -> None:
        """Know no place yet; those that were found are kept by name."""
        self._places: dict[str, Point] = {}

    def title(self, language: str) -> str:
        """Return who tells."""
        return "高德地图" if language == "zh" else "Amap"

    def here(self, point: Point) -> Spot:
        """Return the place itself."""
        return Spot(point)

    def spot(self, key: str) -> Spot:
        """Return the spot of a place."""
        return Spot(self.point(key))

    def point(self, key: str) -> Point:
        """Return where a place is."""
        return self._places[key]

    def find(self, words: str, here: Point) -> tuple[str, ...]:
        """Return the places that words may mean; they are known by these keys from then on."""
        found = search(words, here)
        self._places |= found
        return tuple(sorted(found, key=lambda name: (name != words, distance_m(here, found[name]))))

    def steps(self, here: Spot, key: str) -> tuple[list[Step], list[Point]] | None:
        """Return the walk; None where there is none."""
        return walk(here.point, self.point(key))

    def beside(self, point: Point) -> str | None:
        """Return the street as a place: Amap names none that is nearest of all."""
        name = street(point)
        if name:
            self._places[name] = point
        return name or None

    def near(self, point: Point, within_m: float) -> list[str]:
        """Return the places around, the nearest first."""
        found = search("", point)
        self._places |= found
        near = [name for name in found if distance_m(point, found[name]) <= within_m]
        return sorted(near, key=lambda name: distance_m(point, found[name]))

    def place_name(self, key: str, language: str) -> str:
        """Return the name of a place, in the language it has."""
        return key

    def street_name(self, key: str, language: str) -> str:
        """Return the name of a street, in the language it has."""
        return key
