"""The map that ships: Tollmere, an invented small town, read from `town.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from skills.navigate.streets import Point, Segment, Streets

FILE = Path(__file__).with_name("town.json")

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
def load(path: Path = FILE) -> Town:
    """Read a town file."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    return Town(
        name=_names(raw["name"]),
        streets=Streets(
            junctions={key: (lat, lon) for key, (lat, lon) in raw["junctions"].items()},
            segments=tuple(Segment(*ends) for ends in raw["segments"]),
        ),
        street_names={key: _names(names) for key, names in raw["streets"].items()},
        categories={key: _names(names) for key, names in raw["categories"].items()},
        places={
            key: Spot(spot["category"], spot["at"], _names(spot))
            for key, spot in raw["places"].items()
        },
    )


def _names(raw: Mapping[str, Any]) -> Names:
    said = {key: raw[key] for key in ("en", "zh")}
    return {key: (one,) if isinstance(one, str) else tuple(one) for key, one in said.items()}


def categories(language: str) -> dict[str, str]:
    """Return the kinds of places that can be said, with the key of each."""
    return _said(load().categories, language)


def destinations(language: str) -> dict[str, str]:
    """Return what one can walk to: a kind of place, meaning the nearest, or one place by name."""
    town = load()
    places = _said({key: spot.names for key, spot in town.places.items()}, language)
    return categories(language) | places


_BEFORE = re.compile(r"^(?:(?:the|my|a|an|nearest|closest|next)\s+|最近的|附近的)+", re.IGNORECASE)


def key_of(words: str) -> str | None:
    """Return the key of the place or category that words or a key mean, None for what is not here.

    Words from a model may hold an article or a “nearest” that a sentence would have taken off.
    """
    town = load()
    bare = _BEFORE.sub("", " ".join(words.casefold().split()))
    for wanted in (words, bare):
        if wanted in town.places or wanted in town.categories:
            return wanted
    return destinations("en").get(bare) or destinations("zh").get(bare)


def _said(things: Mapping[str, Names], language: str) -> dict[str, str]:
    return {
        said.lower(): key
        for key, names in things.items()
        for said in names.get(language, names["en"])
    }
