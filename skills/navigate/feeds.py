"""Feeds of incidents, in GeoJSON or CAP.

GeoJSON (RFC 7946): a FeatureCollection; of each feature the geometry, and of its properties what
says what it is, also as the Work Zone Data Exchange writes it (`core_details`). CAP: version 1.2 of
OASIS, one alert or a feed with several inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from agent import Context
from agent.skill.incidents import Incident, Shape
from hardware import reading
from hardware.base import DeviceError
from skills.navigate.streets import Point

MOST = 5_000
"""Incidents of a feed that are read, and points of one."""
LONGEST = 120
"""Characters of what an incident is."""
_SAYS = ("headline", "description", "title", "name", "event", "event_type", "type")
_BEGINS, _ENDS = ("start_date", "start", "onset", "effective"), ("end_date", "end", "expires")


def read(content: bytes) -> tuple[Incident, ...]:
    """Read a feed. Raises DeviceError, in a line, for what is none."""
    try:
        text = reading.decode(content)
        if text.lstrip()[:1] == "<":
            return tuple(_cap(text))
        return tuple(_geojson(reading.from_json(text)))
    except reading.Unreadable as error:
        raise DeviceError(f"the traffic feed cannot be read: {error}") from None


# -- GeoJSON ---------------------------------------------------------------------------------------


def _geojson(told: Any) -> Iterator[Incident]:
    features = told.get("features") if isinstance(told, dict) else None
    if not isinstance(features, list):
        raise DeviceError("the traffic feed is neither GeoJSON nor CAP: look at GLASSES_TRAFFIC")
    for number, one in enumerate(features[:MOST]):
        if not isinstance(one, dict):
            continue
        about = one.get("properties")
        about = about if isinstance(about, dict) else {}
        if isinstance(core := about.get("core_details"), dict):
            about = {**about, **core}
        shapes = tuple(_geometry(one.get("geometry")))
        words = next((w for key in _SAYS if (w := _line(about.get(key)))), "")
        if shapes and words:
            name = str(one.get("id") or about.get("id") or f"{number} {words}")
            yield Incident(
                name[:LONGEST], words, shapes, _time(about, _BEGINS), _time(about, _ENDS)
            )


def _geometry(told: Any) -> Iterator[Shape]:
    """Yield what a geometry of GeoJSON is made of; longitudes come first there."""
    if not isinstance(told, dict):
        return
    kind, at = told.get("type"), told.get("coordinates")
    match kind:
        case "Point":
            yield from _shape("point", [at])
        case "MultiPoint" if isinstance(at, list):
            for one in at:
                yield from _shape("point", [one])
        case "LineString":
            yield from _shape("line", at)
        case "MultiLineString" if isinstance(at, list):
            for one in at:
                yield from _shape("line", one)
        case "Polygon" if isinstance(at, list) and at:
            yield from _shape("area", at[0])
        case "MultiPolygon" if isinstance(at, list):
            for one in at:
                if isinstance(one, list) and one:
                    yield from _shape("area", one[0])
        case "GeometryCollection":
            for one in told.get("geometries") or ():
                yield from _geometry(one)


_LEAST = {"point": 1, "line": 2, "area": 3}


def _shape(form: Any, told: Any, radius_m: float = 0.0, lon_first: bool = True) -> Iterator[Shape]:
    points: list[Point] = []
    for pair in told[:MOST] if isinstance(told, list) else ():
        try:
            one, other = float(pair[0]), float(pair[1])
        except (TypeError, ValueError, IndexError, KeyError):
            return
        lat, lon = (other, one) if lon_first else (one, other)
        if not (abs(lat) <= 90 and abs(lon) <= 180):
            return
        points.append((lat, lon))
    if len(points) >= _LEAST[form]:
        yield Shape(form, tuple(points), radius_m)


# -- CAP -------------------------------------------------------------------------------------------


def _cap(text: str) -> Iterator[Incident]:
    if "<!DOCTYPE" in text[:4096] or "<!ENTITY" in text:
        raise DeviceError("the traffic feed has a document type of its own, which is not read")
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise DeviceError(f"the traffic feed cannot be read as XML: {error}") from None
    alerts = [one for one in root.iter() if _tag(one) in ("alert", "entry", "item")]
    if not alerts:
        raise DeviceError("the traffic feed is neither GeoJSON nor CAP: look at GLASSES_TRAFFIC")
    for number, alert in enumerate(alerts[:MOST]):
        told: dict[str, str] = {}
        shapes: list[Shape] = []
        for one in alert.iter():
            name, words = _tag(one), " ".join((one.text or "").split())
            told.setdefault(name, words)
            if name in ("polygon", "circle"):
                shapes += _cap_shape(name, words)
        words = next((w for key in _SAYS if (w := _line(told.get(key)))), "")
        if shapes and words and told.get("msgType") != "Cancel":
            name = told.get("identifier") or told.get("id") or f"{number} {words}"
            yield Incident(
                name[:LONGEST], words, tuple(shapes), _time(told, _BEGINS), _time(told, _ENDS)
            )


def _cap_shape(name: str, words: str) -> list[Shape]:
    """Read `lat,lon lat,lon …`, or `lat,lon radius` with the radius in kilometres."""
    pairs = [part.split(",") for part in words.split()]
    if name == "polygon":
        return list(_shape("area", pairs, lon_first=False))
    try:
        radius_m = 1000 * float(pairs.pop()[0])
    except (IndexError, ValueError):
        return []
    return list(_shape("point", pairs, max(0.0, radius_m), lon_first=False))


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _line(words: Any) -> str:
    """Return what an incident is, as text from the world on one line."""
    known = isinstance(words, str)
    return Context.world(words.replace("_", " "), LONGEST) if known else ""


def _time(about: Mapping[str, Any], names: Sequence[str]) -> datetime | None:
    for name in names:
        if isinstance(told := about.get(name), str) and told:
            try:
                at = datetime.fromisoformat(told)
            except ValueError:
                continue
            return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None
