"""The places of a real map: found by name as it is heard, by kind, by address, and by nearness."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import private
from agent.language.alike import Alike, sounded, written
from skills.navigate import kinds
from skills.navigate.osm import Found, MapError, names_of
from skills.navigate.streets import EARTH_M, Point, distance_m

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE = "places.db"
AT_ONCE = 5_000
"""Rows that are written together."""
SAME_M = 150.0
"""Two places of one name that are nearer than this are one: a house and what is in it, a street."""
SURE = 0.85
"""From this score on it is said so; below, the wearer is asked."""
CLOSE, UNSURE = 0.01, 0.1
"""How much below the best a score may be, to be meant as well, where that is sure and where not."""
MOST_UNSURE = 4
"""Places that are asked about where none is sure."""
MOST = 12
"""Places that one name may give."""

_ALSO = (
    "alt_name", "old_name", "official_name", "short_name", "loc_name", "name:de", "name:fr",
)  # fmt: skip
_NUMBER = re.compile(
    r"^(?P<street>.*?\D)\s*(?:number |no\.? )?(?P<number>\d+\s?[a-z]?)(?:号)?$"
    r"|^(?:number )?(?P<before>\d+\s?[a-z]?)\s+(?P<after>\D{3,})$",
    re.IGNORECASE,
)
_SCHEMA = """
CREATE TABLE place (id INTEGER PRIMARY KEY, kind TEXT, lat REAL, lon REAL, size_m REAL, tags TEXT);
CREATE TABLE called (id INTEGER PRIMARY KEY, place INTEGER, name TEXT, written TEXT, sounded TEXT);
CREATE TABLE address (street TEXT, number TEXT, place INTEGER);
CREATE INDEX addressed ON address (street, number);
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A place of a real map."""

    index: int
    """Its row."""
    kind: str
    """What `kinds.kind_of` says; "" for a plain address."""
    at: Point
    """Its middle."""
    size_m: float
    """Half its length in metres; 0 for a point."""
    tags: Mapping[str, str]
    """What OpenStreetMap tells of it."""

    def name(self, language: str) -> str:
        """Return the name to show: its own, else its address, else what kind of thing it is."""
        names = names_of(self.tags)
        if own := names.get(language) or names.get(""):
            return own
        if address := self.address:
            return address
        shown = kinds.shown(self.kind, language)
        return shown if language == "zh" else shown[:1].upper() + shown[1:]

    @property
    def address(self) -> str:
        """Street and number, as tagged; "" where there are none."""
        street = self.tags.get("addr:street") or self.tags.get("addr:place", "")
        number = self.tags.get("addr:housenumber", "")
        return f"{street} {number}".strip() if number else ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that may be meant by some words."""

    site: Site
    """The place."""
    score: float
    """How alike its name is to the words, 0 … 1."""


def build(path: Path, found: Iterable[Found]) -> int:
    """Write the index of places; return how many there are. Raises OSError or MapError."""
    path.unlink(missing_ok=True)
    private.file(path)
    with sqlite3.connect(path) as base:
        base.executescript(_SCHEMA)
        count = 0
        for count, one in enumerate(found, start=1):
            _insert(base, count, one)
            if count % AT_ONCE == 0:
                base.commit()
        base.commit()
    base.close()
    return count


def _insert(base: sqlite3.Connection, index: int, one: Found) -> None:
    tags = json.dumps(one.tags, ensure_ascii=False)
    base.execute(
        "INSERT INTO place VALUES (?, ?, ?, ?, ?, ?)",
        (index, one.kind, one.lat, one.lon, one.size_m, tags),
    )
    base.executemany(
        "INSERT INTO called (place, name, written, sounded) VALUES (?, ?, ?, ?)",
        [(index, name, written(name), sounded(name)) for name in _called(one.tags)],
    )
    street = one.tags.get("addr:street") or one.tags.get("addr:place")
    if street and (number := one.tags.get("addr:housenumber")):
        base.execute("INSERT INTO address VALUES (?, ?, ?)", (street, _plain(number), index))


def _called(tags: Mapping[str, str]) -> list[str]:
    also = [part.strip() for key in _ALSO for part in tags.get(key, "").split(";")]
    names = [*names_of(tags).values(), *also]
    if not any(names):
        names = [tags.get("brand", ""), tags.get("operator", "")]
    return [name for name in dict.fromkeys(names) if written(name)]


def _plain(number: str) -> str:
    return re.sub(r"\s", "", number).casefold()


class Places:
    """The index of one map, read where it lies."""

    def __init__(self, folder: Path) -> None:
        """Open the index. Raises MapError where it cannot be read."""
        self._path = folder / FILE
        try:
            self._base = sqlite3.connect(
                f"file:{self._path}?mode=ro", uri=True, check_same_thread=False
            )
            rows = self._base.execute("SELECT lat, lon, kind FROM place ORDER BY id").fetchall()
        except sqlite3.Error as error:
            raise MapError(
                f"the map in {folder} is damaged ({error}): `glasses maps add` its file again"
            ) from None
        self._where, self._kinds = [row[:2] for row in rows], [row[2] for row in rows]

    def __len__(self) -> int:
        """Return how many places there are."""
        return len(self._where)

    def site(self, index: int) -> Site:
        """Return a place by its row, from 1."""
        row = self._base.execute(
            "SELECT kind, lat, lon, size_m, tags FROM place WHERE id = ?", (index,)
        ).fetchone()
        kind, lat, lon, size_m, tags = row
        return Site(index, kind, (lat, lon), size_m, json.loads(tags))

    # -- by name ----------------------------------------------------------------------------------

    @cached_property
    def _named(self) -> tuple[Alike, list[int], list[str]]:
        rows = self._base.execute("SELECT place, name, written, sounded FROM called").fetchall()
        keys = [(row[2], row[3]) for row in rows]
        return Alike([], keys), [row[0] for row in rows], [row[1] for row in rows]

    def find(self, words: str, here: Point, limit: int = MOST) -> list[Hit]:
        """Return the places that words may name, the likeliest first, of one name the nearest.

        An address comes first where there is that number on that street.
        """
        addressed = self._addressed(words, here)
        alike, owners, _ = self._named
        best: dict[int, float] = {}
        for match in alike.find(words, limit=10 * limit):
            place = owners[match.index]
            best[place] = max(match.score, best.get(place, 0.0))
        hits = [Hit(self.site(place), score) for place, score in best.items()]
        hits.sort(key=lambda hit: (-round(hit.score, 3), distance_m(here, hit.site.at)))
        kept = _apart([*addressed, *hits])
        return kept[:limit]

    def meant(self, words: str, here: Point) -> list[Site]:
        """Return what words mean: one place, or several of which one is to be chosen; or none."""
        hits = self.find(words, here)
        if not hits:
            return []
        best = hits[0].score
        if best < SURE:
            return [hit.site for hit in hits if hit.score >= best - UNSURE][:MOST_UNSURE]
        close = 0.0 if best == 1.0 else CLOSE
        return [hit.site for hit in hits if hit.score >= best - close]

    def sure(self, words: str, here: Point) -> bool:
        """Return whether words surely name a place, whichever of several."""
        return any(hit.score >= SURE for hit in self.find(words, here, limit=1))

    def _addressed(self, words: str, here: Point) -> list[Hit]:
        """Return the place at a street and number, where words are that."""
        found = _NUMBER.match(" ".join(words.split()))
        if not found:
            return []
        street = found["street"] or found["after"]
        number = _plain(found["number"] or found["before"])
        alike, streets = self._streets
        for match in alike.find(street, limit=3, least=SURE - 0.1):
            rows = self._base.execute(
                "SELECT place FROM address WHERE street = ? AND number = ?",
                (streets[match.index], number),
            ).fetchall()
            if rows:
                sites = [self.site(row[0]) for row in rows]
                nearest = min(sites, key=lambda site: distance_m(here, site.at))
                return [Hit(nearest, 1.0)]
        return []

    @cached_property
    def _streets(self) -> tuple[Alike, list[str]]:
        rows = self._base.execute("SELECT DISTINCT street FROM address").fetchall()
        streets = [row[0] for row in rows]
        return Alike(streets), streets

    # -- by nearness ------------------------------------------------------------------------------

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
        import numpy as np

        return np.radians(np.array(self._where).reshape(-1, 2)), np.array(self._kinds, dtype=str)

    def near(
        self, here: Point, kind: str | None = None, within_m: float = 50_000.0, limit: int = 10
    ) -> list[Site]:
        """Return the nearest places as the bird flies, of a kind if one is given."""
        import numpy as np

        where, of_kind = self._arrays
        if not len(where):
            return []
        at = np.radians(np.array(here))
        north = where[:, 0] - at[0]
        east = (where[:, 1] - at[1]) * np.cos(at[0])  # over an extract the earth is flat enough
        away = EARTH_M * np.hypot(north, east)
        if kind is not None:
            away = np.where(of_kind == kind, away, np.inf)
        order = np.argsort(away, kind="stable")[:limit]
        return [self.site(int(index) + 1) for index in order if away[index] <= within_m]

    def names_near(self, here: Point, limit: int) -> list[str]:
        """Return the names of the places nearest to here, each once, for the speech grammar."""
        _, owners, names = self._named
        where, _ = self._arrays
        if not owners:
            return []
        import numpy as np

        at = np.radians(np.array(here))
        rows = where[np.array(owners) - 1]
        away = np.hypot(rows[:, 0] - at[0], (rows[:, 1] - at[1]) * np.cos(at[0]))
        order = np.argsort(away, kind="stable")[: 3 * limit]
        return list(dict.fromkeys(names[int(index)] for index in order))[:limit]


def _apart(hits: list[Hit]) -> list[Hit]:
    """Return places without those that another one of the same name stands for."""
    kept: list[Hit] = []
    for hit in hits:
        name = written(hit.site.name(""))
        twin: Any = next(
            (
                one
                for one in kept
                if (written(one.site.name("")) == name or one.site.index == hit.site.index)
                and (distance_m(one.site.at, hit.site.at) < SAME_M or (_long(one) and _long(hit)))
            ),
            None,
        )
        if twin is None:
            kept.append(hit)
    return kept


def _long(hit: Hit) -> bool:
    return kinds.is_long(hit.site.kind)
