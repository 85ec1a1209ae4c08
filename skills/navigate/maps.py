"""The maps on this machine: each a folder of arrays and an index, made from OpenStreetMap data.

A map is made in a folder beside its place and put there when it is whole. What was done before a
loss of power is kept, and the same command goes on from there.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from agent import config, private
from agent.environment import STARTED
from hardware import reading
from skills.navigate import osm, places
from skills.navigate.osm import MapError, Tell
from skills.navigate.roads import FILE as STREETS
from skills.navigate.roads import Roads

ABOUT = "map.json"
VERSION = 1
"""Of the files; another one's maps have to be added again."""
LARGEST = 4 << 30
"""Bytes of a file that is read: the extract of a country."""
_NAME = re.compile(r"[^\w-]+")


@dataclass(frozen=True, slots=True)
class Installed:
    """A map on this machine."""

    name: str
    """What it is called: its file's name, without what tells its form."""
    south: float
    """Its edges in degrees."""
    west: float
    """West."""
    north: float
    """North."""
    east: float
    """East."""
    streets_km: float
    """Length of its walkable streets."""
    places: int
    """How many places it has."""
    version: int = VERSION
    """Of its files."""

    def holds(self, lat: float, lon: float, margin: float = 0.02) -> bool:
        """Return whether a point lies in it, or within some two kilometres of it."""
        inside = self.south - margin <= lat <= self.north + margin
        return inside and self.west - margin <= lon <= self.east + margin


def folder() -> Path:
    """Return where the maps are: `maps` in the data folder."""
    return config.load(STARTED).data / "maps"


def installed(root: Path) -> Iterator[Installed]:
    """Yield the maps of a folder, the smallest first; what is no map is passed over."""
    found = []
    for path in sorted(root.glob(f"*/{ABOUT}")):
        try:
            about = Installed(**reading.from_json(reading.read_text(path)))
        except (OSError, ValueError, TypeError):
            continue
        if about.version == VERSION and not path.parent.name.startswith("."):
            found.append(about)
    yield from sorted(found, key=lambda one: one.streets_km)


def add(source: Path, root: Path, name: str = "", tell: Tell = lambda _, __: None) -> Installed:
    """Make a map of an OpenStreetMap file, or go on with one that was begun. Raises MapError."""
    name = _NAME.sub("-", name or _stem(source)).strip("-.").lower() or "map"
    stamp = _stamp(source)
    unfinished = private.folder(root) / f".{name}.part"
    began = unfinished / "source"
    if not began.is_file() or began.read_text("utf-8") != stamp:
        shutil.rmtree(unfinished, ignore_errors=True)
        private.write(began, stamp)
    try:
        if not (unfinished / STREETS).is_file():
            made = unfinished / "streets.new"
            Roads(osm.read_streets(source, tell)).save(made)
            made.replace(unfinished / STREETS)
        roads = Roads.load(unfinished)
        count = places.build(unfinished / places.FILE, osm.read_places(source, tell))
    except OSError as error:
        raise MapError(f"{root}: cannot be written: {error.strerror}") from None
    except MapError:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    s = roads.streets
    degree = float(osm.DEGREE)
    about = Installed(
        name,
        south=float(s.lat.min()) / degree,
        west=float(s.lon.min()) / degree,
        north=float(s.lat.max()) / degree,
        east=float(s.lon.max()) / degree,
        streets_km=round(float(s.metres.sum()) / 1000, 1),
        places=count,
    )
    private.write(unfinished / ABOUT, json.dumps(asdict(about)))
    for path in unfinished.iterdir():
        private.close(path)
    shutil.rmtree(root / name, ignore_errors=True)
    unfinished.replace(root / name)
    began = root / name / "source"
    began.unlink(missing_ok=True)
    return about


def remove(name: str, root: Path) -> None:
    """Remove a map. Raises MapError where there is none of that name."""
    known = [one.name for one in installed(root)]
    if name not in known:
        have = ", ".join(known) or "none"
        raise MapError(f"no map is called {name}; there are: {have}")
    shutil.rmtree(root / name)


def _stem(source: Path) -> str:
    stem = source.name
    for suffix in osm.SUFFIXES:
        stem = stem.removesuffix(suffix)
    return stem


def _stamp(source: Path) -> str:
    """Return what tells a file from another, or from itself after a change. Raises MapError."""
    try:
        stat = source.stat()
    except OSError as error:
        raise MapError(f"{source}: {error.strerror}: name an OpenStreetMap file") from None
    if not source.name.endswith(osm.SUFFIXES) or not source.is_file():
        raise MapError(
            f"{source}: a map is a file that ends in {', '.join(osm.SUFFIXES[:4])}, "
            "such as an extract of download.geofabrik.de"
        )
    if not 0 < stat.st_size <= LARGEST:
        many = "empty" if not stat.st_size else f"larger than {LARGEST >> 30} GiB"
        raise MapError(f"{source.name} is {many}: name an extract of where you walk")
    return f"{source.resolve()}\n{stat.st_size}\n{stat.st_mtime_ns}\n{VERSION}\n"
