"""Kinds of places one can ask the nearest of: how people call them, and OpenStreetMap's tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agent.language.folding import compared
from agent.skill.data import rows

FILE = Path(__file__).with_name("kinds.jsonl")
FEATURES = (
    "amenity", "shop", "tourism", "historic", "leisure", "railway", "highway", "aeroway", "office",
    "craft", "healthcare", "natural", "man_made", "place", "landuse", "sport", "club", "building",
    "waterway", "bridge",
)  # fmt: skip
"""Keys of OpenStreetMap that say what a thing is, the most telling first."""
STREET = "street"
"""The kind of a street that has a name."""
_LONG = (STREET, "waterway=", "railway=rail", "natural=water", "landuse=", "highway=")
"""Kinds of things that go a long way, in many pieces of one name."""
_NO_PLACES = frozenset(("crossing", "traffic_signals", "motorway_junction", "turning_circle"))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of place."""

    key: str
    """What it is called in the index: `post office`."""
    tags: tuple[str, ...]
    """`key=value` of OpenStreetMap, any of which makes a place one."""
    names: Mapping[str, tuple[str, ...]]
    """By language; the first is shown, all can be said."""


@cache
def kinds() -> Mapping[str, Kind]:
    """Return every kind by its key. Raises DataError."""
    found = {}
    for row in rows(FILE):
        row.only("key", "tags", "en", "zh")
        names = {language: row.texts(language) for language in ("en", "zh")}
        found[row.text("key")] = Kind(row.text("key"), row.texts("tags"), names)
    return found


@cache
def _by_tag() -> Mapping[str, str]:
    return {tag: kind.key for kind in kinds().values() for tag in kind.tags}


@cache
def _by_name() -> Mapping[str, str]:
    return {
        compared(name): kind.key
        for kind in kinds().values()
        for names in kind.names.values()
        for name in names
    }


def kind_of(tags: Mapping[str, str]) -> str:
    """Return what tags say a thing is: a kind's key, else the tag itself; "" where they do not."""
    known = _by_tag()
    for key in FEATURES:
        if (value := tags.get(key)) and (kind := known.get(f"{key}={value}")):
            return kind
    for key in FEATURES:
        value = tags.get(key, "no")
        if key == "highway" and value != "no":
            return STREET if "name" in tags and value not in _NO_PLACES else ""
        if value != "no":
            return f"{key}={value}"
    return ""


def named(words: str) -> str | None:
    """Return the key of the kind that is called so, in either language, one or several of them."""
    heard = compared(words)
    for one in (heard, heard.removesuffix("s"), heard.removesuffix("es"), _singular(heard)):
        if key := _by_name().get(one):
            return key
    return None


def _singular(word: str) -> str:
    return f"{word.removesuffix('ies')}y"


def is_long(kind: str) -> bool:
    """Return whether things of a kind go a long way, as streets and rivers do."""
    return kind.startswith(_LONG)


def shown(kind: str, language: str) -> str:
    """Return how a kind is called; one that is only a tag has the tag's own word."""
    if known := kinds().get(kind):
        return known.names.get(language, known.names["en"])[0]
    key, _, value = kind.partition("=")
    return (key if value == "yes" else value or key).replace("_", " ")


def said(language: str) -> dict[str, str]:
    """Return what can be said for a kind of place, with its key."""
    return {
        name.lower(): kind.key
        for kind in kinds().values()
        for name in kind.names.get(language, kind.names["en"])
    }
