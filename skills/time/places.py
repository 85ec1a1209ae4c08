"""Places by name and the time zone of each: large cities, countries, and zones that have a name.

A country of several zones has that of its capital, and the capital is said with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.language.folding import compared
from agent.skill.data import rows


@dataclass(frozen=True, slots=True)
class Spot:
    """A place whose time is known."""

    zone: str
    """IANA name of its zone."""
    en: tuple[str, ...]
    """English names, the first of them shown."""
    zh: tuple[str, ...]
    """Chinese names."""
    capital: tuple[str, ...] = ()
    """English and Chinese name of the capital, for a country of several zones."""

    def shown(self, language: str) -> str:
        """Return the name to show: of a country of several zones its capital's."""
        if self.capital:
            return self.capital[language == "zh"]
        return self.zh[0] if language == "zh" else self.en[0]


@cache
def spots() -> tuple[Spot, ...]:
    """Return every place. Raises DataError."""
    return tuple(
        Spot(
            row.text("zone"),
            row.texts("en"),
            row.texts("zh"),
            row.texts("capital") if "capital" in row.values else (),
        )
        for row in rows(Path(__file__).with_name("places.jsonl"))
    )


@cache
def _by_name() -> Mapping[str, Spot]:
    return {compared(name): spot for spot in spots() for name in (*spot.en, *spot.zh)}


@cache
def said(language: str) -> dict[str, str]:
    """Return the names of places that speech listens for, with what `find` knows each by."""
    if language == "zh":
        return {name: spot.en[0] for spot in spots() for name in spot.zh}
    return {name.lower(): spot.en[0] for spot in spots() for name in spot.en}


def find(name: str) -> Spot | None:
    """Return the place of a name, in either language; None where it is not known.

    Of “tokyo japan” the first word that names a place, of 日本东京 the last.
    """
    known, said = _by_name(), compared(name.strip().removesuffix("那边").removesuffix("时间"))
    said = said.removeprefix("the ").removesuffix(" right now").removesuffix(" now").strip()
    said = said.removesuffix(" zones").removesuffix(" zone")
    if spot := known.get(said):
        return spot
    words = said.split()
    for end in range(len(words) - 1, 0, -1):
        first, rest = known.get(" ".join(words[:end])), known.get(" ".join(words[end:]))
        if first and rest:
            return first
    for end in range(1, len(said)):
        if not said.isascii() and known.get(said[:end]) and (spot := known.get(said[end:])):
            return spot
    return None


@cache
def zone(name: str) -> ZoneInfo | None:
    """Return a zone by its IANA name; None where this machine has no data of it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
