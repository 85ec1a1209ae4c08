"""The map that ships: Tollmere, an invented small town, read from `town.json`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agent.language.folding import compared
from agent.skill.data import Row, table
from skills.navigate.streets import Point, Segment, Streets

FILE = Path(__file__).with_name("town.json")
LANGUAGES = ("en", "zh")

Names = Mapping[str, tuple[str, ...]]
"""By language; the first is shown, all can be said."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Somewhere to go."""

    category: str
    """Key of its category."""
    at: str
    """Junction it stands at."""
    names: Names
    """What it is called."""


@dataclass(frozen=True, slots=True)
class Town:
    """A street graph with names and places."""

    name: Names
    """What the town is called."""
    streets: Streets
    """The graph."""
    street_names: Mapping[str, Names]
    """By street key."""
    categories: Mapping[str, Names]
    """Kinds of places one can ask the nearest of, by key."""
    places: Mapping[str, Spot]
    """By key."""

    def point(self, place: str) -> Point:
        """Return where a place is."""
        return self.streets.junctions[self.places[place].at]


def shown(names: Names, language: str) -> str:
    """Return the name to show; English where the language has none."""
    return names.get(language, names["en"])[0]


@cache
def load() -> Town:
    """Return the town that ships with the skill, read on first use. Raises DataError."""
    return read(FILE)


def read(path: Path) -> Town:
    """Read a town file: in one piece, and every name in it means one thing. Raises DataError."""
    raw = table(path).only(
        "about", "name", "streets", "junctions", "segments", "categories", "places"
    )
    streets = {key: _name(row) for key, row in raw.inside("streets").each()}
    junctions = _junctions(raw.inside("junctions"))
    categories = {key: _names(row.only(*LANGUAGES)) for key, row in raw.inside("categories").each()}
    places = {key: _spot(row, junctions) for key, row in raw.inside("places").each()}
    if not places:
        raise raw.wrong("places is empty: write one")
    _refuse_twice(raw.inside("categories"), categories)
    _refuse_twice(raw.inside("places"), {key: spot.names for key, spot in places.items()})
    return Town(
        name=_name(raw.inside("name")),
        streets=Streets(junctions, _segments(raw, streets, junctions)),
        street_names=streets,
        categories=categories,
        places=places,
    )


def _name(row: Row) -> Names:
    """Return the one name that something has."""
    row.only(*LANGUAGES)
    return {language: (row.text(language),) for language in LANGUAGES}


def _names(row: Row) -> Names:
    return {language: row.texts(language) for language in LANGUAGES}


def _spot(row: Row, junctions: Mapping[str, Point]) -> Spot:
    row.only("category", "at", *LANGUAGES)
    if (at := row.text("at")) not in junctions:
        raise row.wrong("at is the key of a junction")
    return Spot(row.text("category"), at, _names(row))


def _junctions(row: Row) -> dict[str, Point]:
    return {key: _point(key, row) for key in row.values}


def _point(key: str, row: Row) -> Point:
    """Return degrees north and east."""
    point = row.items(key)
    if len(point) == 2 and all(type(degrees) in (int, float) for degrees in point):
        north, east = map(float, point)
        if abs(north) <= 90 and abs(east) <= 180:
            return north, east
    raise row.wrong(f"{key} is two numbers, degrees north and east, such as [40.0, -35.0]")


def _segments(
    raw: Row, streets: Mapping[str, Names], junctions: Mapping[str, Point]
) -> tuple[Segment, ...]:
    """Return what joins the junctions, all of them: there is a way from each to each."""
    found: list[Segment] = []
    piece = {junction: {junction} for junction in junctions}
    for number, ends in enumerate(raw.items("segments"), start=1):
        match ends:
            case [str(a), str(b), str(street)] if a != b and {a, b} <= junctions.keys():
                if street not in streets:
                    raise raw.wrong(f"segments[{number}]: the third is the key of a street")
                found.append(Segment(a, b, street))
                joined = piece[a] | piece[b]
                piece |= dict.fromkeys(joined, joined)
            case _:
                raise raw.wrong(
                    f"segments[{number}] is two junctions and a street, such as"
                    ' ["b1", "c1", "quay-street"]'
                )
    if apart := junctions.keys() - piece[found[0].a]:
        raise raw.wrong(f"no segment leads to the junction {min(apart)}: join it to the others")
    return tuple(found)


def _refuse_twice(row: Row, names: Mapping[str, Names]) -> None:
    """Raise DataError where one name means two things."""
    taken: dict[str, str] = {}
    for key, spoken in names.items():
        for said in {compared(name) for ways in spoken.values() for name in ways}:
            if (other := taken.setdefault(said, key)) != key:
                raise row.wrong(f"{key} and {other} are both called {said}: rename one")


def categories(language: str) -> dict[str, str]:
    """Return the kinds of places that can be said, with the key of each."""
    return _said(load().categories, language)


def destinations(language: str) -> dict[str, str]:
    """Return what one can walk to: a kind of place, meaning the nearest, or one place by name."""
    town = load()
    places = _said({key: spot.names for key, spot in town.places.items()}, language)
    return categories(language) | places


_BEFORE = re.compile(r"^(?:(?:the|my|a|an|nearest|closest|next)\s+|最近的|附近的)+", re.IGNORECASE)


def bare(words: str) -> str:
    """Return words without what stands around a name.

    A model may leave in an article or a “nearest” that a sentence would have taken off.
    """
    return _BEFORE.sub("", " ".join(words.casefold().split()))


def of_category(category: str, town: Town) -> list[str]:
    """Return the keys of the places of a category."""
    return [key for key, spot in town.places.items() if spot.category == category]


def key_of(words: str) -> str | None:
    """Return the key of the place or category that is meant; None when there is no such place."""
    town = load()
    plain = bare(words)
    for wanted in (words, plain):
        if wanted in town.places or wanted in town.categories:
            return wanted
    heard = compared(plain)
    for language in LANGUAGES:
        for name, key in destinations(language).items():
            if compared(name) == heard:
                return key
    return None


def _said(things: Mapping[str, Names], language: str) -> dict[str, str]:
    return {
        said.lower(): key
        for key, names in things.items()
        for said in names.get(language, names["en"])
    }
