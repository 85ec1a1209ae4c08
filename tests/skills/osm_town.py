"""A little town in OpenStreetMap's XML, and grids of any size, for tests: nobody lives there."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

LAT, LON = 47.0, 9.0
METRE_N, METRE_E = 1 / 111_195.08, 1 / (111_195.08 * 0.6819983600625)


class Drawing:
    """Collects nodes and ways by metres north and east of a corner."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[float, float], int] = {}
        self.tags: dict[int, dict[str, str]] = {}
        self.ways: list[tuple[list[int], dict[str, str]]] = []

    def node(self, north: float, east: float, **tags: str) -> int:
        number = self.nodes.setdefault((north, east), len(self.nodes) + 1)
        self.tags.setdefault(number, {}).update(tagged(tags))
        return number

    def way(self, *points: tuple[float, float], **tags: str) -> None:
        self.ways.append(([self.node(*point) for point in points], tagged(tags)))

    def write(self, path: Path) -> Path:
        lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<osm version='0.6'>"]
        for (north, east), number in self.nodes.items():
            lat, lon = LAT + north * METRE_N, LON + east * METRE_E
            inside = "".join(_tag(*tag) for tag in self.tags[number].items())
            lines.append(
                f"<node id='{number}' version='1' lat='{lat:.7f}' lon='{lon:.7f}'>{inside}</node>"
            )
        for number, (nodes, tags) in enumerate(self.ways, start=1):
            inside = "".join(f"<nd ref='{node}'/>" for node in nodes)
            inside += "".join(_tag(*tag) for tag in tags.items())
            lines.append(f"<way id='{number}' version='1'>{inside}</way>")
        path.write_text("\n".join([*lines, "</osm>"]), "utf-8")
        return path


def tagged(tags: dict[str, str]) -> dict[str, str]:
    """`addr_street` is `addr:street`, `name_zh` is `name:zh`, `building_architecture` likewise."""
    parts = ("addr", "name", "building")
    return {
        key.replace("_", ":", 1) if key.split("_")[0] in parts else key: value
        for key, value in tags.items()
    }


def _tag(key: str, value: str) -> str:
    return f"<tag k={quoteattr(key)} v={quoteattr(value)}/>"


def town() -> Drawing:
    """Draw a main street with side streets, steps, a private way, a gate, an island."""
    draw = Drawing()
    draw.way(
        (0, 0),
        (0, 100),
        (0, 200),
        (0, 400),
        highway="residential",
        name="Steinerne Gasse",
        name_zh="石头巷",
    )
    draw.way((0, 200), (150, 200), (300, 200), highway="residential", name="Mühlweg")
    draw.way((300, 200), (300, 400), highway="footway")
    draw.way((0, 400), (150, 400), highway="steps", name="Kirchenstiege")
    draw.way((150, 400), (300, 400), highway="residential", name="Kirchplatz")
    draw.way((0, 100), (300, 100), highway="residential", name="Sackstraße", access="private")
    draw.way((0, 0), (150, 0), (300, 0), highway="residential", name="Torgasse")
    draw.way((300, 0), (300, 200), highway="residential", name="Am Bach")
    draw.node(150, 0, barrier="wall")
    draw.way((5000, 5000), (5000, 5100), highway="residential", name="Inselweg")
    draw.node(5, 390, amenity="pharmacy", name="Löwen-Apotheke")
    draw.node(295, 5, amenity="pharmacy", name="Bären-Apotheke")
    draw.node(4, 60, amenity="cafe", name="Café Sonne")
    draw.node(296, 250, amenity="cafe", name="Café Sonne")
    draw.node(5000, 5050, amenity="bar", name="Inselbar")
    draw.node(5, 150, amenity="atm")
    house = ((20, 300), (20, 320), (40, 320), (40, 300), (20, 300))
    draw.way(*house, building="yes", name="Altes Zeughaus", start_date="1573", architect="Hans Kremser",
             building_architecture="renaissance", addr_street="Steinerne Gasse", addr_housenumber="12")  # fmt: skip
    draw.way((160, 180), (160, 190), (170, 190), (160, 180), building="house",
             addr_street="Mühlweg", addr_housenumber="7a")  # fmt: skip
    return draw


def grid(size: int, every_m: float = 80.0) -> Drawing:
    """Draw `size` by `size` junctions, each street of one name, with some streets left out."""
    draw = Drawing()
    for row in range(size):
        for column in range(size - 1):
            if (row * 7 + column * 3) % 5:
                a, b = (row * every_m, column * every_m), (row * every_m, (column + 1) * every_m)
                draw.way(a, b, highway="residential", name=f"Row {row}")
            if (row * 3 + column * 11) % 6:
                a, b = (column * every_m, row * every_m), ((column + 1) * every_m, row * every_m)
                draw.way(a, b, highway="footway", name=f"Column {row}")
    return draw


def at(north: float, east: float) -> tuple[float, float]:
    """Return degrees of metres."""
    return LAT + north * METRE_N, LON + east * METRE_E
